"""Where things are in a face: simple shapes around dlib's landmarks, narrowed by colour.

Found on the picture before adaptation; the adapted face has the same geometry. A region that cannot be seen (a bald head has no hair, a
collar hides the neck) is left out, never guessed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from skimage import color, draw

__all__ = ["MINIMUM", "Regions", "find_regions", "to_lab", "to_rgb"]

#: Fewer pixels than this (in a 256 px picture) say nothing about a region.
MINIMUM = {"lips": 25, "eyes": 16, "nose": 25, "sockets": 40, "cheeks": 80, "forehead": 60, "body": 60, "hair": 250, "background": 500}


@dataclass(frozen=True)
class Regions:
    """Boolean masks ``[H, W]`` by name, and the face's scale in pixels (distance between the eyes' centres)."""

    masks: dict[str, np.ndarray]
    scale: float
    yaw: float  # 0 facing the camera; about 0.5 a three-quarter view


def to_rgb(image) -> np.ndarray:
    """A tensor or array ``[3, H, W]`` in [-1, 1] as ``[H, W, 3]`` in [0, 1], clipped."""
    return np.clip((np.asarray(image, dtype=np.float32).transpose(1, 2, 0) + 1) / 2, 0, 1)


def to_lab(rgb: np.ndarray) -> np.ndarray:
    """CIE Lab (D65): L 0 to 100; a red-green, b yellow-blue."""
    return color.rgb2lab(rgb).astype(np.float32)


def find_regions(rgb: np.ndarray, landmarks: np.ndarray) -> Regions:
    """Regions of one face.

    Args:
        rgb: ``[H, W, 3]`` in [0, 1], the picture before adaptation, about 256 px.
        landmarks: ``[68, 2]`` as (x, y), dlib's order.
    """
    shape = rgb.shape[:2]
    points = np.asarray(landmarks, dtype=np.float64)
    left, right = points[36:42].mean(0), points[42:48].mean(0)
    scale = float(np.hypot(*(right - left)))
    down = points[8] - points[27]
    down = down / np.hypot(*down)
    # slightly blurred: a colour is that of a place, not of a single pixel
    lab = ndimage.gaussian_filter(to_lab(rgb), (1.0, 1.0, 0))

    face = _polygon(shape, points[:17], np.stack([points[26] - 0.35 * scale * down, points[17] - 0.35 * scale * down]))
    features = _polygon(shape, points[48:60]) | _around(shape, points[36:42], 1.6, 2.6) | _around(shape, points[42:48], 1.6, 2.6)
    lips = _polygon(shape, points[48:60]) & ~_polygon(shape, points[60:68])
    eyes = _around(shape, points[36:42], 1.0, 1.25) | _around(shape, points[42:48], 1.0, 1.25)

    masks = {"lips": lips, "eyes": eyes, "nose": _disc(shape, points[[30, 33]].mean(0), 0.13 * scale)}
    masks["sockets"] = (
        _socket(shape, points[17:22], points[36:42], scale, down) | _socket(shape, points[22:27], points[42:48], scale, down)
    ) & ~eyes
    masks["cheeks"] = _cheeks(shape, points, scale) & ~features
    skin = np.median(lab[masks["cheeks"]], 0) if masks["cheeks"].sum() >= MINIMUM["cheeks"] else None
    if skin is None:
        return Regions({name: m for name, m in masks.items() if m.sum() >= MINIMUM[name]} | {"face": face}, scale, _yaw(points))

    like_skin = _distance(lab, skin, 0.5) < 14
    brows = points[[19, 20, 23, 24]].mean(0)
    masks["forehead"] = _disc(shape, brows - 0.45 * scale * down, 0.33 * scale) & like_skin
    masks["skin"] = masks["cheeks"] | masks["forehead"]
    masks["body"] = _body(shape, points, scale, down) & like_skin & ~ndimage.binary_dilation(face, iterations=2)
    corners = _corners(shape)
    hair = _hair(lab, points, scale, down, skin, corners)
    if hair is not None:
        masks["hair"] = hair
        corners = corners & ~ndimage.binary_dilation(_all_hair(lab, hair), iterations=5)
    masks["background"] = corners & ~ndimage.binary_dilation(face, iterations=int(0.5 * scale))
    kept = {name: mask for name, mask in masks.items() if mask.sum() >= MINIMUM.get(name, 80)}
    return Regions(kept | {"face": face}, scale, _yaw(points))


def _polygon(shape, *parts: np.ndarray) -> np.ndarray:
    corners = np.concatenate(parts)
    return draw.polygon2mask(shape, corners[:, ::-1])


def _disc(shape, centre: np.ndarray, radius: float) -> np.ndarray:
    y, x = np.mgrid[: shape[0], : shape[1]]
    return (x - centre[0]) ** 2 + (y - centre[1]) ** 2 <= radius**2


def _around(shape, points: np.ndarray, across: float, along: float) -> np.ndarray:
    """A polygon grown about its centre."""
    centre = points.mean(0)
    return _polygon(shape, centre + (points - centre) * [across, along])


def _socket(shape, brow: np.ndarray, eye: np.ndarray, scale: float, down: np.ndarray) -> np.ndarray:
    """From half way between brow and lid to a little below the eye."""
    top = brow + 0.55 * (np.linspace(eye[0], eye[3], 5) - brow)
    bottom = np.stack([eye[3], eye[4], eye[5], eye[0]]) + 0.16 * scale * down
    return _polygon(shape, top, bottom)


def _cheeks(shape, points: np.ndarray, scale: float) -> np.ndarray:
    found = np.zeros(shape, bool)
    for eye, jaw, mouth, nose in (((40, 41), 2, 48, 31), ((46, 47), 14, 54, 35)):
        middle = 0.45 * points[list(eye)].mean(0) + 0.3 * points[mouth] + 0.25 * points[jaw]
        width = np.hypot(*(points[jaw] - points[nose]))  # a cheek turned away is narrow
        found |= _disc(shape, middle, min(0.2 * scale, 0.28 * width))
    return found


def _body(shape, points: np.ndarray, scale: float, down: np.ndarray) -> np.ndarray:
    """Ears (outside the jaw line at eye level) and neck (below the chin)."""
    across = np.array([-down[1], down[0]])  # points to the picture's left when down is (0, 1)
    ears = [_disc(shape, points[i] + side * 0.12 * scale * across, 0.16 * scale) for i, side in ((1, 1), (2, 1), (14, -1), (15, -1))]
    # along the jaw's underside, so that a turned head's neck is found too
    neck = [_disc(shape, points[i] + 0.28 * scale * down, 0.2 * scale) for i in (6, 7, 8, 9, 10)]
    return np.any(ears + neck, axis=0)


def _corners(shape) -> np.ndarray:
    height, width = shape
    found = np.zeros(shape, bool)
    high, wide = int(0.25 * height), int(0.18 * width)
    found[:high, :wide] = found[:high, -wide:] = True
    return found


def _distance(lab: np.ndarray, colour: np.ndarray, light: float = 1.0) -> np.ndarray:
    """Colour distance with lightness weighted by ``light`` (shadows change L most)."""
    return np.sqrt(((lab - colour) ** 2 * [light, 1, 1]).sum(-1))


def _hair(lab: np.ndarray, points: np.ndarray, scale: float, down: np.ndarray, skin: np.ndarray, corners: np.ndarray) -> np.ndarray | None:
    """Pixels coloured like the top of the head and joined to it; None where the head is bald, cut off, or like what is behind it."""
    height, width = lab.shape[:2]
    across = np.array([-down[1], down[0]])
    seeds = []
    for offset in (-0.45, -0.22, 0.0, 0.22, 0.45):
        start = points[[21, 22]].mean(0) + offset * scale * across
        steps = start - np.arange(0.15 * scale, 2.2 * scale)[:, None] * down
        steps = np.rint(steps).astype(int)
        steps = steps[(steps >= 0).all(1) & (steps[:, 0] < width) & (steps[:, 1] < height)]
        other = _distance(lab[steps[:, 1], steps[:, 0]], skin, 0.5) > 18
        # the hairline: six pixels in a row that are not skin
        for i in range(len(steps) - 8):
            if other[i : i + 6].all():
                seeds.append(steps[i + 3 : i + 3 + int(0.22 * scale)])
                break
    if len(seeds) < 2:
        return None
    places = np.concatenate(seeds)
    values = lab[places[:, 1], places[:, 0]]
    colour = np.median(values, 0)
    like = _distance(lab, colour, 0.6) < 16
    y, x = np.mgrid[:height, :width]
    offset = np.stack([x, y], -1) - points[27]
    up, side = -(offset @ down), offset @ across
    head = (np.abs(side) < 1.75 * scale) & (up < 2.0 * scale) & (up > -1.6 * scale)
    jaw = _polygon(lab.shape[:2], points[:17], np.stack([points[26], points[17]]))
    like &= _distance(lab, skin, 0.5) > 12
    for corner in (corners & (x < width // 2), corners & (x >= width // 2)):
        like &= _distance(lab, colour, 0.6) < _distance(lab, np.median(lab[corner], 0), 0.6)
    like &= head & ~ndimage.binary_dilation(jaw, iterations=3)
    # connected with where the walk found it; opening first cuts bridges of a pixel or two
    labels, _ = ndimage.label(ndimage.binary_opening(like, iterations=1))
    hits = labels[places[:, 1], places[:, 0]]
    wanted = [n for n in np.unique(hits[hits > 0]) if (hits == n).sum() >= 4]
    found = np.isin(labels, wanted)
    if found.sum() < MINIMUM["hair"] or (found & corners).sum() > 0.45 * corners.sum():
        return None  # it ran into the background: the two look alike
    found = ndimage.binary_erosion(found, iterations=2)
    return found if found.sum() >= MINIMUM["hair"] else None


def _all_hair(lab: np.ndarray, hair: np.ndarray) -> np.ndarray:
    """Return what is coloured like the hair and joined to it: strands that reach a corner of the picture are no background."""
    like = (_distance(lab, np.median(lab[hair], 0), 0.6) < 20) | hair
    return ndimage.binary_propagation(hair, mask=like)


def _yaw(points: np.ndarray) -> float:
    """How far the head is turned: the nose's place between the two edges of the face, 0 in the middle."""
    left, right = abs(points[30, 0] - points[1, 0]), abs(points[15, 0] - points[30, 0])
    return float(abs(left - right) / max(left + right, 1.0))
