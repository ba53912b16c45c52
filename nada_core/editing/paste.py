"""Paste an edited FFHQ crop back into the photo it was cut from, at the photo's own resolution.

The square of the crop is any similarity of the photo (see `alignment.ffhq_quad`), so one affine transform leads back. A soft mask of
the head decides what is taken from the crop; where it is 0 the photo stays as it is, bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from nada_core.alignment.ffhq import ffhq_quad
from nada_core.encoders.starter import REGIONS
from nada_core.errors import PhotoError

__all__ = ["change_back", "head_mask", "oval_mask", "paste_back"]

Floats = NDArray[np.float32]

# All lengths are shares of the crop's side.
_DILATION = 0.03  # the region decoder sees four pixels as one, and hair ends in single strands
_FEATHER = 0.08  # from a tenth to nine tenths of the mask
_BORDER = 0.08  # over this the mask fades towards the crop's border, whatever leaves the crop there
_COLOUR_SIGMA = 0.03  # what the inversion gets wrong on a smaller scale is shape, not colour
_COLOUR_SIDE = 256  # side at which that is measured; a low-pass needs no more
_UNTOUCHED = 1 / 512  # up to here a blended pixel could not differ from the photo's by a grey level
_STRIP = 2**17  # pixels composed at once in floating point


def head_mask(regions: ArrayLike, also: ArrayLike | None = None, size: int = 512) -> Floats:
    """Return the head with hair, ears and neck as a soft mask.

    Args:
        regions: [7, h, w] in [0, 1], probabilities in the order of `REGIONS`, of the aligned crop.
        also: the same of the edited crop, of any h and w; its head is added, since an edit may grow the hair.
        size: side of the result.

    Returns:
        [size, size] in [0, 1]: 1 in the head, a wide slope around it, exactly 0 along the border. Only the head that holds the
        middle of the crop; others in it are left out unless they touch.

    Raises:
        ValueError: a wrong shape or size.
        PhotoError: the probabilities show no head; `oval_mask` needs none.
    """
    _check_side(size)
    share = _head_share(regions, size)
    if also is not None:
        share = np.maximum(share, _head_share(also, size))
    parts, count = scipy.ndimage.label(share > 0.5)
    if not count:
        raise PhotoError("No head was told from the background around this face. Choose another face, or use a sharper picture.")
    middle = np.exp(-((_grid(size) - 0.5) ** 2) / (2 * 0.2**2))
    weights = np.bincount(parts.ravel(), (middle[:, None] * middle).ravel())
    weights[0] = 0  # what belongs to no part
    head = scipy.ndimage.binary_fill_holes(parts == weights.argmax())  # glasses, a microphone, a hand before the mouth
    return _soften(head)


def oval_mask(landmarks_in_crop: ArrayLike, size: int = 512) -> Floats:
    """Return an oval over the head as a soft mask, for when nothing knows where the hair is.

    Args:
        landmarks_in_crop: [68, 2] in pixels of the 256 x 256 crop, as `alignment.crop_landmarks` gives them.
        size: side of the result.

    Returns:
        [size, size] in [0, 1], exactly 0 along the border.

    Raises:
        ValueError: a wrong shape or size, or landmarks that form no face in the crop.
    """
    _check_side(size)
    points = (np.asarray(landmarks_in_crop, dtype=np.float64) + 0.5) / 256
    if points.shape != (68, 2) or not np.isfinite(points).all():
        raise ValueError(f"expected finite landmarks [68, 2], got {list(points.shape)}")
    jaw, brows = points[:17], points[17:27]
    chin = jaw[:, 1].max()
    face = chin - brows[:, 1].mean()
    # the classical thirds: the hairline is half of brows to chin above the brows, the crown another quarter
    top = brows[:, 1].mean() - 0.75 * face
    centre = (jaw[:, 0].min() + jaw[:, 0].max()) / 2, (top + chin) / 2
    half_width = np.ptp(jaw[:, 0]) / 2 * 1.2  # with the ears and short hair
    half_height = (chin - top) / 2
    if min(half_width, half_height) <= 0:
        raise ValueError("the landmarks have no extent")
    across, down = (_grid(size) - centre[0]) / half_width, (_grid(size) - centre[1]) / half_height
    oval = across**2 + down[:, None] ** 2 <= 1
    if not oval.any():
        raise ValueError("the landmarks lie outside the crop")
    return _soften(oval)


def paste_back(
    photo: Image.Image,
    landmarks: ArrayLike,
    edited: Image.Image,
    mask: ArrayLike,
    *,
    inverted: Image.Image | None = None,
    aligned: Image.Image | None = None,
) -> Image.Image:
    """Return the photo with the edited crop blended in where the mask is above 0. Several faces: one call each, on the last result.

    Args:
        photo: any size; RGBA keeps its alpha channel, other modes than RGB become RGB.
        landmarks: [68, 2] in its pixels, the ones the crop was made with.
        edited: the edited crop, square, of any size.
        mask: [n, n] in [0, 1] over the crop; a visible box remains unless it is 0 along its border.
        inverted: the generator's picture of the face before the edit, any size. With `aligned` it tells by how much the generator
            misses the photo's colours, and this error is taken off the edited crop: in full at the outside of the seam, inside
            only the colour cast that the whole head shares.
        aligned: the crop of the photo that was inverted, any size.

    Returns:
        A new picture of the photo's size. Pixels outside the mask are those of the photo.

    Raises:
        PhotoError: the landmarks do not form a face, or it lies outside the photo.
        ValueError: a wrong shape of mask or crop, a mask outside [0, 1], or only one of `inverted` and `aligned`.
    """
    weights = _weights(mask)
    if edited.width != edited.height:
        raise ValueError(f"the edited crop must be square, got {edited.width} x {edited.height}")
    if (inverted is None) != (aligned is None):
        raise ValueError("inverted and aligned are compared with each other: give both or neither")
    quad = ffhq_quad(landmarks) + 0.5  # from here on in edges, as Pillow counts: the first pixel is 0 to 1
    colours = np.asarray(edited.convert("RGB"), dtype=np.float32)
    if inverted is not None and aligned is not None:
        colours = colours + _colour_error(weights, inverted, aligned, edited.width)
    # planes of floating point, as Pillow's transform of bytes rounds down: the face would come out half a level darker
    planes = _planes(np.clip(colours, 0, 255))
    reduced = int(np.ceil(np.hypot(*(quad[3] - quad[0]))))
    if reduced < edited.width:  # otherwise the transform would skip pixels
        planes = [plane.resize((reduced, reduced), Image.Resampling.LANCZOS) for plane in planes]
    return _blended(photo, quad, weights, planes, lambda old, new: new)


def change_back(photo: Image.Image, landmarks: ArrayLike, change: ArrayLike, mask: ArrayLike) -> Image.Image:
    """Return the photo with its own pixels changed where the mask is above 0: nothing in it becomes less sharp.

    Args:
        photo, landmarks, mask: as for :func:`paste_back`.
        change: [n, n, 6] over the crop: for each colour the gain above 1, then for each colour what is added, in grey levels.

    Raises:
        PhotoError, ValueError: as :func:`paste_back`.
    """
    planes = _planes(np.asarray(change, dtype=np.float32))
    quad = ffhq_quad(landmarks) + 0.5
    return _blended(photo, quad, _weights(mask), planes, lambda old, new: old * (1 + new[..., :3]) + new[..., 3:])


def _weights(mask: ArrayLike) -> Floats:
    weights = np.asarray(mask, dtype=np.float32)
    if weights.ndim != 2 or weights.shape[0] != weights.shape[1] or len(weights) < 2:
        raise ValueError(f"expected a mask [n, n], got {list(weights.shape)}")
    if not (weights.min() >= 0 and weights.max() <= 1):  # so that NaN is refused too
        raise ValueError("the mask must lie in [0, 1]")
    return weights


def _blended(
    photo: Image.Image, quad: NDArray[np.float64], weights: Floats, planes: list[Image.Image], new_of: Callable[[Floats, Floats], Floats]
) -> Image.Image:
    """Blend ``new_of(pixels of the photo, planes brought to the photo)`` in where the weights are above 0."""
    result = photo.copy() if photo.mode in ("RGB", "RGBA") else photo.convert("RGB")
    soft = Image.fromarray(weights)
    for box in _strips(quad, result.size):
        alpha = np.clip(np.asarray(_to_photo(soft, quad, box)), 0, 1)
        touched = alpha > _UNTOUCHED
        if not touched.any():
            continue
        pixels = np.array(result.crop(box))
        old = pixels[..., :3].astype(np.float32)
        brought = np.stack([np.asarray(_to_photo(plane, quad, box)) for plane in planes], axis=-1)
        new = np.clip(new_of(old, brought), 0, 255)
        blended = np.rint(old + (new - old) * alpha[..., None]).astype(np.uint8)
        pixels[..., :3][touched] = blended[touched]
        result.paste(Image.fromarray(pixels), box[:2])
    return result


def _head_share(regions: ArrayLike, size: int) -> Floats:
    """Add up the probabilities of the head's regions: ``[7, h, w]`` to ``[size, size]``."""
    shares = np.asarray(regions, dtype=np.float32)
    if shares.ndim != 3 or len(shares) != len(REGIONS) or min(shares.shape[1:]) < 2:
        raise ValueError(f"expected region probabilities [{len(REGIONS)}, h, w], got {list(shares.shape)}")
    head = shares[[REGIONS.index(name) for name in ("hair", "face", "body", "eyes", "mouth")]].sum(0)
    return _resized(_planes(head[..., None]), size)[0]


def _soften(head: NDArray[np.bool_]) -> Floats:
    """Make a head mask ``[n, n]`` a little wider, with a wide slope, faded to exactly 0 at the border."""
    size = len(head)
    wider = scipy.ndimage.distance_transform_edt(~head) <= _DILATION * size
    # the edge repeated beyond the border: a neck that leaves the crop fades by the window below alone
    soft = scipy.ndimage.gaussian_filter(wider.astype(np.float32), _FEATHER / 2.563 * size, mode="nearest")  # of a Gaussian: 10 to 90 %
    place = np.arange(size)
    fade = _smooth_step(np.minimum(place, size - 1 - place) / (_BORDER * size))
    return np.clip(soft * fade * fade[:, None], 0, 1).astype(np.float32)


def _colour_error(mask: Floats, inverted: Image.Image, aligned: Image.Image, side: int) -> Floats:
    """Return what to add to an edited crop for the colours that the inversion got wrong: [side, side, 3] in grey levels."""
    truth, attempt = (
        np.asarray(crop.convert("RGB").resize((_COLOUR_SIDE, _COLOUR_SIDE), Image.Resampling.LANCZOS), dtype=np.float32)
        for crop in (aligned, inverted)
    )
    sigma = _COLOUR_SIGMA * _COLOUR_SIDE
    error = scipy.ndimage.gaussian_filter(truth - attempt, (sigma, sigma, 0), mode="nearest")
    (soft,) = _resized(_planes(mask[..., None]), _COLOUR_SIDE)
    weights = np.clip(soft, 0, 1)
    # a median: a hat or a hand that the inversion left out is no colour cast
    cast = np.median(error[weights >= weights.max() / 2], axis=0)
    outer = 1 - _smooth_step(weights * 2 - 1)
    return np.stack(_resized(_planes(cast + (error - cast) * outer[..., None]), side), axis=-1)


def _strips(quad: NDArray[np.float64], size: tuple[int, int]) -> Iterator[tuple[int, int, int, int]]:
    """Cut what the quad's bounding box covers of a picture of `size` into boxes of at most about `_STRIP` pixels."""
    low, high = np.floor(quad.min(0)), np.ceil(quad.max(0))
    left, top = (int(edge) for edge in np.clip(low, 0, size))
    right, bottom = (int(edge) for edge in np.clip(high, 0, size))
    if left >= right or top >= bottom:
        raise PhotoError("The face lies outside the picture. Choose another face.")
    rows = max(_STRIP // (right - left), 1)
    for start in range(top, bottom, rows):
        yield left, start, right, min(start + rows, bottom)


def _to_photo(crop: Image.Image, quad: NDArray[np.float64], box: tuple[int, int, int, int]) -> Image.Image:
    """Return what the crop shows in a box of the photo; 0 outside the quad."""
    right, down = quad[3] - quad[0], quad[1] - quad[0]
    axes = np.stack([right, down]) / (right @ right) * crop.width
    start = axes @ (np.array(box[:2]) - quad[0])
    coefficients = [float(value) for value in np.column_stack([axes, start]).ravel()]
    return crop.transform((box[2] - box[0], box[3] - box[1]), Image.Transform.AFFINE, coefficients, Image.Resampling.BICUBIC)


def _planes(values: Floats) -> list[Image.Image]:
    """Split ``[n, n, channels]`` into one picture of floating point for each channel."""
    return [Image.fromarray(np.ascontiguousarray(plane, dtype=np.float32)) for plane in np.moveaxis(values, -1, 0)]


def _resized(planes: list[Image.Image], side: int) -> list[Floats]:
    return [np.asarray(plane.resize((side, side), Image.Resampling.BICUBIC)) for plane in planes]


def _smooth_step(x: NDArray[np.floating]) -> Floats:
    """Return 0 up to 0, 1 from 1 on, level at both ends."""
    x = np.clip(x, 0, 1).astype(np.float32)
    return x * x * (3 - 2 * x)


def _grid(size: int) -> NDArray[np.float64]:
    """Return the centres of pixels as shares of the side."""
    return (np.arange(size) + 0.5) / size


def _check_side(size: int) -> None:
    if not 16 <= size <= 4096:
        raise ValueError(f"a mask's size must be 16 to 4096, got {size}")
