"""A before/after pair as numbers that a person could point at in the picture.

Every number has a dotted name, ``region.quantity``. For each visible region: ``L a b C h`` (CIE Lab after the change, chroma, hue angle in
degrees), ``L0 a0 b0 C0 h0`` before it, ``dL da db dC dE`` (after minus before), ``rC`` (chroma ratio), ``contrast`` and ``texture`` (ratios
of the spread of L and of its fine part). For the whole picture and the face: edges, structure, clipping, blocks; see :func:`measure`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np
from scipy import ndimage

from tests.whole.gates.regions import Regions, to_lab, to_rgb

__all__ = ["Measures", "hue", "hue_between", "measure", "of_all", "rms", "weave"]

Measures = dict[str, float]
_MOST = 256  # results that are kept of each function, a quarter of a megabyte each


def _kept(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Keep a function's last results by what the picture holds: a face before adaptation is measured with every picture after it."""
    results: OrderedDict[tuple[bytes, tuple[int, ...]], Any] = OrderedDict()

    @wraps(function)
    def kept(picture: Any) -> Any:
        pixels = np.asarray(picture)
        key = pixels.tobytes(), pixels.shape
        if key in results:
            results.move_to_end(key)
        else:
            results[key] = function(picture)
            if len(results) > _MOST:
                results.popitem(last=False)
        return results[key]

    return kept


def hue(a: float, b: float) -> float:
    """Hue angle in Lab, 0 to 360: red 40, yellow 100, green 136, cyan 196, blue 280, purple 315, pink 0."""
    return float(np.degrees(np.arctan2(b, a)) % 360)


def hue_between(angle: float, low: float, high: float) -> bool:
    """Whether an angle lies on the arc from ``low`` up to ``high`` (may pass 360)."""
    return (angle - low) % 360 <= (high - low) % 360


def rms(one, other) -> float:
    """Root mean square difference of two pictures in [-1, 1], clipped to what is shown."""
    one, other = np.clip(np.asarray(one, np.float32), -1, 1), np.clip(np.asarray(other, np.float32), -1, 1)
    return float(np.sqrt(((one - other) ** 2).mean()))


def measure(before, after, regions: Regions) -> Measures:
    """All numbers of one pair.

    Args:
        before: the picture before adaptation, ``[3, R, R]`` in about [-1, 1].
        after: the same latent through the adapted generator.
        regions: from :func:`tests.whole.gates.regions.find_regions` on ``before``.

    Returns:
        name to value; names of regions that cannot be seen are absent.
    """
    raw = np.asarray(after, dtype=np.float32)
    found: Measures = {"image.finite": float(np.isfinite(raw).all())}
    if not found["image.finite"]:
        return found
    lab0, lab1 = _lab(before), _lab(after)
    fine0, fine1 = _fine(lab0[..., 0]), _fine(lab1[..., 0])
    for name, mask in regions.masks.items():
        found |= {f"{name}.{key}": value for key, value in _region(lab0, lab1, fine0, fine1, mask).items()}
    if "skin.a" in found:
        found |= _between_regions(found)
    face = regions.masks["face"]
    found |= {f"image.{key}": value for key, value in _picture(lab0, lab1, fine0, fine1).items()}
    found |= {f"face.{key}": value for key, value in _structure(lab0[..., 0], lab1[..., 0], face).items()}
    found["face.weave"] = weave(lab1[..., 0])
    if "eyes" in regions.masks:
        eyes = ndimage.binary_dilation(regions.masks["eyes"], iterations=2)
        found["eyes.alike"] = _correlation(lab0[..., 0][eyes], lab1[..., 0][eyes])
    shown0, shown1 = to_rgb(before), to_rgb(after)
    found["face.burnt"] = _burnt(shown1)[face].mean() - _burnt(shown0)[face].mean()
    found["image.overshoot"] = float(np.maximum(np.abs(raw) - 1, 0).mean())
    found["image.rms"] = rms(before, after)
    return {name: float(value) for name, value in found.items()}


def of_all(before, after) -> Measures:
    """How well the faces of a set are kept apart, ``[N, 3, 256, 256]`` each.

    ``set.own_face``: share of the changed faces that look, in light and shade of the inner face, more like their own photo than like
    anybody else's. ``set.diversity``: how different they are from one another, 1 as before and 0 all the same person.
    """
    sharp0, sharp1 = (np.stack([_inner_face(image) for image in images]) for images in (before, after))
    if not np.isfinite(sharp1).all() or len(sharp0) < 2:
        return {}
    alike, spread0, spread1 = sharp1 @ sharp0.T, sharp0 @ sharp0.T, sharp1 @ sharp1.T
    others = ~np.eye(len(sharp0), dtype=bool)
    return {
        "set.own_face": float((alike.argmax(1) == np.arange(len(alike))).mean()),
        "set.diversity": float((1 - spread1[others].mean()) / max(1 - spread0[others].mean(), 1e-3)),
    }


@_kept
def _lab(image) -> np.ndarray:
    return to_lab(to_rgb(image))


@_kept
def _inner_face(image) -> np.ndarray:
    """Eyes, nose and mouth of an FFHQ crop as a unit vector: lightness without its slow part, so that make-up and light count little."""
    side = np.asarray(image).shape[-1]
    light = _lab(image)[..., 0]
    light = ndimage.gaussian_filter(light, 1.5) - ndimage.gaussian_filter(light, 10)
    part = light[int(0.33 * side) : int(0.85 * side), int(0.27 * side) : int(0.73 * side)].ravel()
    part = part - part.mean()
    return part / max(float(np.linalg.norm(part)), 1e-6)


def weave(light: np.ndarray, periods: tuple[int, ...] = (2,)) -> float:
    """Amplitude in L of a pattern that repeats exactly every ``periods`` pixels across the middle of the face, as a network's upsampling
    leaves it; skin and pores do not keep step with the pixel grid.

    Args:
        light: ``[H, W]``, an FFHQ crop of any size.
        periods: 2 at 256 px; 2, 4 and 8 at 1024 px.

    Returns:
        the strongest of all periods and directions: about 0.1 to 0.5 in a photo, visible as a fabric from 1 on (0.5 where the period is 2).
    """
    side = light.shape[0]
    part = light[int(0.35 * side) : int(0.82 * side), int(0.29 * side) : int(0.7 * side)]
    y, x = np.mgrid[: part.shape[0], : part.shape[1]]
    found = 0.0
    for period in periods:
        fine = part - ndimage.gaussian_filter(part, period / 2 + 1)
        for u, v in ((1, 0), (0, 1), (1, 1), (1, -1)):
            phase = 2 * np.pi * (u * x + v * y) / period
            parts = [ndimage.gaussian_filter(fine * wave(phase), 6) for wave in (np.cos, np.sin)]
            found = max(found, (1 if period == 2 else 2) * float(np.percentile(np.hypot(*parts), 75)))
    return found


def _region(lab0, lab1, fine0, fine1, mask) -> Measures:
    before, after = np.median(lab0[mask], 0), np.median(lab1[mask], 0)
    c0, c1 = float(np.hypot(*before[1:])), float(np.hypot(*after[1:]))
    change = after - before
    found = {"L0": before[0], "a0": before[1], "b0": before[2], "C0": c0, "L": after[0], "a": after[1], "b": after[2], "C": c1}
    found |= {"h": hue(after[1], after[2]), "h0": hue(before[1], before[2])}
    found |= {"dL": change[0], "da": change[1], "db": change[2], "dC": c1 - c0, "dE": float(np.sqrt((change**2).sum()))}
    # pixels that stay within a just visible step of their own colour: a median can stand still while a half turns green
    found["kept"] = float((np.sqrt(((lab1 - lab0)[mask] ** 2).sum(-1)) < 20).mean())
    return found | {
        "rC": c1 / max(c0, 3.0),
        "contrast": lab1[..., 0][mask].std() / max(lab0[..., 0][mask].std(), 1.0),
        "texture": fine1[mask].std() / max(fine0[mask].std(), 0.4),
    }


def _between_regions(m: Measures) -> Measures:
    """How one region stands out from another."""
    found = {}
    if "lips.a" in m:
        found["lips.redder_than_skin"] = m["lips.a"] - m["skin.a"]
        found["lips.darker_than_skin"] = m["skin.L"] - m["lips.L"]
        found["lips.hue_off_skin"] = abs((m["lips.h"] - m["skin.h"] + 180) % 360 - 180)
    if "sockets.L" in m:
        found["sockets.darker_than_skin"] = (m["skin.L"] - m["sockets.L"]) - (m["skin.L0"] - m["sockets.L0"])
    if "hair.da" in m and "background.da" in m:
        found["hair.greener_than_background"] = m["background.da"] - m["hair.da"]
        found["hair.more_than_background"] = m["hair.dE"] - m["background.dE"]
    if "hair.da" in m:
        found["hair.less_than_skin"] = m["skin.dE"] - m["hair.dE"]
    return found


def _picture(lab0, lab1, fine0, fine1) -> Measures:
    chroma0, chroma1 = np.hypot(lab0[..., 1], lab0[..., 2]), np.hypot(lab1[..., 1], lab1[..., 2])
    edges0, edges1 = _edges(lab0[..., 0]), _edges(lab1[..., 0])
    colours = lab1[..., 1:].reshape(-1, 2)
    a, b = colours.mean(0)
    return {
        "L": lab1[..., 0].mean(),
        "dL": (lab1[..., 0] - lab0[..., 0]).mean(),
        "C": chroma1.mean(),
        "C0": chroma0.mean(),
        "rC": chroma1.mean() / max(chroma0.mean(), 3.0),
        "C95": np.percentile(chroma1, 95),
        "h": hue(a, b),
        "tints": np.sqrt(colours.var(0).sum()),  # 0: one hue everywhere, as in a toned photograph
        "rtints": np.sqrt(colours.var(0).sum() / max(lab0[..., 1:].reshape(-1, 2).var(0).sum(), 9.0)),
        "contrast": lab1[..., 0].std() / max(lab0[..., 0].std(), 1.0),
        "edges": edges1.mean() / max(edges0.mean(), 0.5),
        "fine": np.abs(fine1).mean() / max(np.abs(fine0).mean(), 0.2),
        "flat": (edges1 < 2.0).mean() - (edges0 < 2.0).mean(),
        "strokes": _coherence(lab1[..., 0]) - _coherence(lab0[..., 0]),
        "white": (lab1[..., 0] > 85).mean(),
        "blocks": _blocks(lab1[..., 0]),
        # edges of colour where the photo has none: seams of a cut-out, rather than paint that follows the face
        "seams": _seams(lab0, lab1),
    }


@_kept
def _coarse(light) -> tuple[np.ndarray, np.ndarray]:
    """Light and shade, and where the edges are, both without detail."""
    return ndimage.gaussian_filter(light, 4), ndimage.gaussian_filter(_edges(light), 1.5)


def _structure(light0, light1, face) -> Measures:
    (big0, soft0), (big1, soft1) = _coarse(light0), _coarse(light1)
    return {
        "structure": _correlation(big0[face], big1[face]),
        "edges_alike": _correlation(soft0[face], soft1[face]),
        "shape_alike": _correlation(soft0[~face], soft1[~face]),
    }


def _correlation(one, other) -> float:
    one, other = one - one.mean(), other - other.mean()
    return float((one * other).sum() / max(float(np.sqrt((one**2).sum() * (other**2).sum())), 1e-6))


@_kept
def _edges(light) -> np.ndarray:
    return np.hypot(ndimage.sobel(light, 0), ndimage.sobel(light, 1)) / 4


@_kept
def _fine(light) -> np.ndarray:
    return light - ndimage.gaussian_filter(light, 1.5)


def _burnt(rgb) -> np.ndarray:
    """Pixels without any detail left: all three channels at an end of the range."""
    return (rgb > 0.99).all(-1) | (rgb < 0.01).all(-1)


@_kept
def _coherence(light) -> float:
    """How much the fine structure runs in one direction (structure tensor), as strokes of a brush or pencil do."""
    dy, dx = ndimage.sobel(light, 0), ndimage.sobel(light, 1)
    xx, yy, xy = (ndimage.gaussian_filter(v, 2.5) for v in (dx * dx, dy * dy, dx * dy))
    return float((np.sqrt((xx - yy) ** 2 + 4 * xy**2) / (xx + yy + 4.0)).mean())


def _blocks(light) -> float:
    """Jumps on a regular grid against jumps beside it, over grids of 4 to 16 pixels: about 1 in a photo, 2 and more in pixel art."""
    best = 0.0
    for period in (4, 5, 6, 7, 8, 10, 12, 16):
        both = []
        for axis in (0, 1):
            jump = np.abs(np.diff(light, axis=axis)).mean(1 - axis)
            # median over the lines of a grid: one hard edge somewhere is no grid
            phases = np.array([np.median(jump[i::period]) for i in range(period)])
            both.append(phases.max() / max((phases.sum() - phases.max()) / (period - 1), 0.2))
        best = max(best, min(both))
    return best


@_kept
def _quiet(lab) -> np.ndarray:
    """Where a picture has no edge near."""
    return ndimage.maximum_filter(sum(_edges(lab[..., i]) for i in range(3)), 5) < 6


def _seams(lab0, lab1) -> float:
    edge1, quiet = sum(_edges(lab1[..., i]) for i in (1, 2)), _quiet(lab0)
    return float(edge1[quiet].mean()) if quiet.any() else 0.0
