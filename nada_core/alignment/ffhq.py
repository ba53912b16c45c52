"""Cut out the upright square that face generators are trained on, from 68 landmarks: the FFHQ alignment.

Geometry of Karras et al., "A Style-Based Generator Architecture for Generative Adversarial Networks" (2019), appendix on the
FFHQ data set. Points are (x, y) in pixels of the photo, pixel centres at whole numbers. Finding faces is in `faces`; its names
are available here too.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from PIL import Image
from torch.nn import functional

from nada_core.alignment.faces import SAME_PERSON, Face, FaceDetector, FaceRecogniser, choose_face, distance
from nada_core.errors import PhotoError
from nada_core.images.transparency import on_white

__all__ = [
    "SAME_PERSON",
    "Face",
    "FaceDetector",
    "FaceRecogniser",
    "align_face",
    "choose_face",
    "crop_face",
    "crop_landmarks",
    "distance",
    "ffhq_quad",
]

Points = NDArray[np.float64]


def ffhq_quad(landmarks: ArrayLike) -> Points:
    """Return the square the crop covers: corners [4, 2] in the order top left, bottom left, bottom right, top right of the crop.

    Args:
        landmarks: [68, 2] in dlib's order (36-41 left eye, 42-47 right eye, 48 and 54 the corners of the mouth).

    Raises:
        PhotoError: eyes and mouth coincide.
    """
    points = np.asarray(landmarks, dtype=np.float64)
    if points.shape != (68, 2):
        raise ValueError(f"expected landmarks [68, 2], got {list(points.shape)}")
    left_eye, right_eye = points[36:42].mean(0), points[42:48].mean(0)
    eyes = (left_eye + right_eye) / 2
    eye_to_eye = right_eye - left_eye
    eye_to_mouth = (points[48] + points[54]) / 2 - eyes
    # the horizontal axis of the head: along the eyes, corrected by the perpendicular of eyes to mouth
    x = eye_to_eye - _quarter_turn(eye_to_mouth)
    length = np.hypot(*x)
    if not np.isfinite(points).all() or length < 1e-6:
        raise PhotoError("The face's landmarks do not form a face. Choose another face, or use a sharper picture.")
    x *= max(2.0 * np.hypot(*eye_to_eye), 1.8 * np.hypot(*eye_to_mouth)) / length
    y = _quarter_turn(x)
    centre = eyes + 0.1 * eye_to_mouth
    return np.stack([centre - x - y, centre - x + y, centre + x + y, centre + x - y])


def align_face(image: Image.Image, landmarks: ArrayLike, output_size: int = 256, transform_size: int = 256) -> Image.Image:
    """Return the FFHQ crop exactly as the data set's own procedure makes it.

    With `transform_size == output_size` big faces alias, as they do there; `crop_face` is the better picture.

    Args:
        image: the photo.
        landmarks: [68, 2] in its pixels.
        output_size: side of the result.
        transform_size: side at which the square is sampled bilinearly before it is reduced to `output_size`.

    Returns:
        RGB image of output_size x output_size; where the square leaves the photo, its mirrored and blurred continuation.

    Raises:
        PhotoError: the landmarks do not form a face.
    """
    _check_sizes(output_size, transform_size)
    quad = ffhq_quad(landmarks)
    image = on_white(image)
    shrink = int(_side(quad) / output_size * 0.5)
    if shrink > 1:
        size = (int(np.rint(image.width / shrink)), int(np.rint(image.height / shrink)))
        image = image.resize((max(size[0], 1), max(size[1], 1)), Image.Resampling.LANCZOS)
        quad = quad / shrink
    aligned = _sample(image, quad, transform_size, Image.Resampling.BILINEAR)
    if output_size < transform_size:
        aligned = aligned.resize((output_size, output_size), Image.Resampling.LANCZOS)
    return aligned


def crop_face(image: Image.Image, landmarks: ArrayLike, size: int = 256) -> Image.Image:
    """Return the FFHQ crop without the aliasing of `align_face`: sampled at least as finely as the photo, then reduced by Lanczos.

    Args:
        image: the photo.
        landmarks: [68, 2] in its pixels.
        size: side of the result.

    Returns:
        RGB image of size x size.

    Raises:
        PhotoError: the landmarks do not form a face.
    """
    _check_sizes(size)
    quad = ffhq_quad(landmarks)
    image = on_white(image)
    factor = int(_side(quad) / size * 0.5)
    if factor > 1:  # a plain mean of blocks, still twice as fine as the result
        image = image.reduce(factor)
        quad = (quad + 0.5) / factor - 0.5  # blocks keep the corner of the picture, not the centre of its first pixel
    finer = max(1, int(np.ceil(_side(quad) / size)))
    sampled = _sample(image, quad, size * finer, Image.Resampling.BICUBIC)
    return sampled if finer == 1 else sampled.resize((size, size), Image.Resampling.LANCZOS)


def crop_landmarks(landmarks: ArrayLike, size: int = 256) -> Points:
    """Return where the landmarks lie in the crop made from them: [68, 2] in pixels of the `size` x `size` result.

    A painted face is measured on these when no detector finds it any more.
    """
    points = np.asarray(landmarks, dtype=np.float64)
    quad = ffhq_quad(points)
    right, down = quad[3] - quad[0], quad[1] - quad[0]
    offset = points - quad[0]
    side_squared = right @ right
    return np.stack([offset @ right, offset @ down], axis=1) / side_squared * size - 0.5


def _quarter_turn(vector: Points) -> Points:
    return np.array([-vector[1], vector[0]])


def _side(quad: Points) -> float:
    return float(np.hypot(*(quad[3] - quad[0])))


def _check_sizes(*sizes: int) -> None:
    for size in sizes:
        if not 1 <= size <= 4096:
            raise ValueError(f"a crop's size must be 1 to 4096, got {size}")


def _sample(image: Image.Image, quad: Points, size: int, resampling: Image.Resampling) -> Image.Image:
    """Cut the quad out as a square of `size`, continuing the picture where the quad leaves it."""
    side = _side(quad)
    border = max(int(np.rint(side * 0.1)), 3)
    low, high = np.floor(quad.min(0)).astype(int), np.ceil(quad.max(0)).astype(int)
    box = (
        max(int(low[0]) - border, 0),
        max(int(low[1]) - border, 0),
        min(int(high[0]) + border, image.width),
        min(int(high[1]) + border, image.height),
    )
    if box[0] >= box[2] or box[1] >= box[3]:
        raise PhotoError("The face lies outside the picture. Choose another face.")
    missing = (  # what the quad and its border lack on the left, top, right and bottom
        max(border - int(low[0]), 0),
        max(border - int(low[1]), 0),
        max(int(high[0]) + border - image.width, 0),
        max(int(high[1]) + border - image.height, 0),
    )
    image = image.crop(box)
    quad = quad - box[:2]
    if max(missing) > border - 4:
        pad = np.maximum(missing, int(np.rint(side * 0.3)))
        image = _continue(image, pad, side)
        quad = quad + pad[:2]
    corners = [float(value) for value in (quad + 0.5).ravel()]
    return image.transform((size, size), Image.Transform.QUAD, corners, resampling)


def _continue(image: Image.Image, pad: NDArray[np.int64], side: float) -> Image.Image:
    """Mirror the picture over its edges by `pad` (left, top, right, bottom), fading into blur and then into the median colour."""
    left, top, right, bottom = (int(width) for width in pad)
    pixels = np.pad(np.asarray(image, dtype=np.float32), ((top, bottom), (left, right), (0, 0)), "reflect")
    height, width, _ = pixels.shape
    column = np.arange(width, dtype=np.float32)
    row = np.arange(height, dtype=np.float32)[:, None]
    # 1 at the outer edge, 0 where the picture starts, negative inside
    outside = np.maximum(
        1 - np.minimum(column / left, (width - 1 - column) / right),
        1 - np.minimum(row / top, (height - 1 - row) / bottom),
    )[..., None]
    pixels += (_gaussian_blur(pixels, side * 0.02) - pixels) * np.clip(outside * 3 + 1, 0, 1)
    pixels += (np.median(pixels, axis=(0, 1)) - pixels) * np.clip(outside, 0, 1)
    return Image.fromarray(np.clip(np.rint(pixels), 0, 255).astype(np.uint8))


def _gaussian_blur(pixels: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """Blur [H, W, 3] up to 4 sigma; beyond the edges the picture is mirrored, the edge pixels repeated."""
    radius = int(4 * sigma + 0.5)
    taps = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    kernel = torch.from_numpy((taps / taps.sum()).astype(np.float32))
    padded = np.pad(pixels, ((radius, radius), (radius, radius), (0, 0)), "symmetric")
    planes = torch.from_numpy(padded).permute(2, 0, 1)[:, None]
    with torch.inference_mode():
        planes = functional.conv2d(planes, kernel.view(1, 1, -1, 1))
        planes = functional.conv2d(planes, kernel.view(1, 1, 1, -1))
    return np.ascontiguousarray(planes[:, 0].permute(1, 2, 0).numpy())
