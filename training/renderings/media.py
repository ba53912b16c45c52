"""Draw materials and picture media: renderings of the whole person or the whole picture."""

from __future__ import annotations

import cv2
import numpy as np

from training.renderings.face import SIZE, Array, RenderFace, blend, detail, luminance, noise_field

__all__ = [
    "black_and_white",
    "brightness",
    "cartoon",
    "coloured_light",
    "gold",
    "marble",
    "metal",
    "neon",
    "oil",
    "pixel_art",
    "sepia",
    "sketch",
    "watercolour",
]

Rng = np.random.Generator


def even_light(face: RenderFace, gain: float, local: float) -> Array:
    """Lightness of the person with its mean moved to one half: dark and light people become the same material."""
    light = luminance(face.image)
    mean = (light * face.person).sum() / (face.person.sum() + 1e-6)
    return np.clip(0.5 + (light - mean) * gain + detail(light, 5) * local, 0, 1)


def ramp(x: Array, stops: list[float], colours: list[tuple[float, float, float]]) -> Array:
    """Colour ramp: [256, 256] in [0, 1] to RGB."""
    table = np.array(colours)
    return np.stack([np.interp(x, stops, table[:, i]) for i in range(3)], -1).astype(np.float32)


def quiet(face: RenderFace, amount: float = 0.75) -> Array:
    """The picture with a calmer, darker, greyer background behind a statue."""
    grey = luminance(face.image)[..., None] * np.array([0.5, 0.5, 0.52], np.float32) + 0.06
    return blend(face.image, grey, face.background * amount)


def metal(colours: list[tuple[float, float, float]], gain: float = 1.5, shift: float = 0.0):
    """``shift`` moves the mean along the ramp: skin is lighter than the person's mean, and dark metals must stay dark on it."""

    def render(face: RenderFace, rng: Rng) -> Array:
        x = np.clip(even_light(face, gain, 1.0) + shift, 0, 1)
        return blend(quiet(face), ramp(x, [0, 0.35, 0.65, 1], colours), face.person * 0.97)

    return render


def gold(face: RenderFace, rng: Rng) -> Array:
    x = np.clip(even_light(face, 1.7, 1.2) - 0.08, 0, 1)
    return blend(
        quiet(face),
        ramp(x, [0, 0.35, 0.62, 0.85, 1], [(0.17, 0.11, 0), (0.56, 0.4, 0.03), (0.9, 0.68, 0.1), (1, 0.83, 0.28), (1, 0.95, 0.62)]),
        face.person * 0.97,
    )


def marble(face: RenderFace, rng: Rng) -> Array:
    x = even_light(face, 1.1, 0.3)
    stone = ramp(x, [0, 0.3, 0.55, 1], [(0.28, 0.28, 0.31), (0.6, 0.6, 0.63), (0.84, 0.84, 0.85), (1, 1, 0.99)])
    veins = np.exp(-((noise_field(rng, 9) / 0.06) ** 2)) * np.clip(noise_field(rng, 14) + 0.3, 0, 1)
    stone = blend(stone, (0.55, 0.55, 0.6), np.clip(veins * 0.45, 0, 1).astype(np.float32))
    image = blend(quiet(face), stone, face.person * 0.97)
    return blend(image, (0.87, 0.87, 0.88), face.eye_openings * 0.7)


def sketch(face: RenderFace, rng: Rng) -> Array:
    """Pencil: colour dodge of the lightness with its own blurred negative, and a trace of paper."""
    light = luminance(face.image)
    blurred = cv2.GaussianBlur(1 - light, (0, 0), 5 + 3 * rng.random())
    pencil = np.clip(light / np.maximum(1 - blurred, 0.02), 0, 1) ** 2.2
    shade = np.clip(0.72 + 0.4 * cv2.GaussianBlur(light, (0, 0), 2), 0, 1)
    paper = np.clip(pencil * shade + 0.015 * rng.standard_normal((SIZE, SIZE)), 0, 1)
    return np.repeat(paper[..., None], 3, 2).astype(np.float32)


def kuwahara(image: Array, radius: int) -> Array:
    """Edge-keeping paint filter: each pixel takes the mean of its least varied neighbouring quadrant."""
    k = (radius + 1, radius + 1)
    shifts = [(0, 0), (radius, 0), (0, radius), (radius, radius)]
    means, variances = [], []
    for dx, dy in shifts:
        mean = cv2.boxFilter(image, -1, k, anchor=(dx, dy), borderType=cv2.BORDER_REFLECT)
        square = cv2.boxFilter(image * image, -1, k, anchor=(dx, dy), borderType=cv2.BORDER_REFLECT)
        means.append(mean)
        variances.append((square - mean * mean).sum(-1))
    best = np.argmin(np.stack(variances), 0)
    return np.take_along_axis(np.stack(means), best[None, ..., None], 0)[0].astype(np.float32)


def saturate(image: Array, factor: float) -> Array:
    grey = luminance(image)[..., None]
    return np.clip(grey + (image - grey) * factor, 0, 1).astype(np.float32)


def oil(face: RenderFace, rng: Rng) -> Array:
    image = kuwahara(kuwahara(face.image, 5), 4)
    image = saturate(np.clip((image - 0.5) * 1.15 + 0.5, 0, 1), 1.55)
    strokes = noise_field(rng, 1.2) - noise_field(rng, 2.4)
    return np.clip(image * (1 + 0.035 * strokes[..., None]) * np.array([1.04, 0.99, 0.9], np.float32), 0, 1).astype(np.float32)


def watercolour(face: RenderFace, rng: Rng) -> Array:
    """Washes: flat light areas, pigment at their edges, paper showing towards the border."""
    flat = kuwahara(cv2.GaussianBlur(face.image, (0, 0), 1.5), 7)
    edges = np.clip(np.abs(detail(luminance(flat), 3)) * 4, 0, 1)
    image = saturate(1 - (1 - flat) * 0.62, 1.9) - 0.25 * edges[..., None]
    yy, xx = np.mgrid[:SIZE, :SIZE].astype(np.float32)
    reach = np.hypot((xx - 128) / 128, (yy - 128) / 128) + 0.12 * noise_field(rng, 12)
    image = blend(image, (0.98, 0.975, 0.96), np.clip((reach - 0.85) * 2.2, 0, 0.9) * (0.35 + 0.65 * face.background))
    return np.clip(image + 0.012 * noise_field(rng, 1.0)[..., None], 0, 1).astype(np.float32)


def pixel_art(face: RenderFace, rng: Rng) -> Array:
    small = cv2.resize(saturate(face.image, 1.35), (32, 32), interpolation=cv2.INTER_AREA)
    small = np.round(small * 6) / 6
    return cv2.resize(small, (SIZE, SIZE), interpolation=cv2.INTER_NEAREST).astype(np.float32)


def cartoon(face: RenderFace, rng: Rng) -> Array:
    image = face.image
    for _ in range(3):
        image = cv2.bilateralFilter(image, 9, 0.18, 6)
    light = luminance(image)
    lines = np.clip((-detail(cv2.GaussianBlur(light, (0, 0), 1.0), 2.5) - 0.025) * 16, 0, 1)
    steps = np.round(light * 5) / 5
    flat = saturate(np.clip(image * (0.35 + 0.65 * (steps / (light + 0.02)))[..., None], 0, 1), 1.6)
    return blend(np.clip(flat * 1.06 + 0.03, 0, 1), (0.04, 0.03, 0.05), lines * 0.9)


def neon(face: RenderFace, rng: Rng) -> Array:
    light = cv2.GaussianBlur(luminance(face.image), (0, 0), 1.2)
    edge = np.clip(np.hypot(cv2.Sobel(light, cv2.CV_32F, 1, 0), cv2.Sobel(light, cv2.CV_32F, 0, 1)) * 2.6, 0, 1)
    side = np.linspace(0, 1, SIZE, dtype=np.float32)[None, :, None]
    colour = (1 - side) * np.array([1, 0.1, 0.75], np.float32) + side * np.array([0.05, 0.58, 0.9], np.float32)
    # light and shade of the face stay readable under the tubes
    tube = edge[..., None] * 0.75 + cv2.GaussianBlur(edge, (0, 0), 4)[..., None] * 0.3
    tube *= 1 - 0.7 * cv2.GaussianBlur(face.face, (0, 0), 4)[..., None]
    person = 0.25 + 0.75 * face.person[..., None]
    base = luminance(face.image)[..., None] ** 1.4 * 0.75 * colour * person + 0.015
    return np.clip(base + tube * colour, 0, 1).astype(np.float32)


def sepia(face: RenderFace, rng: Rng) -> Array:
    light = np.clip((luminance(face.image) - 0.5) * 1.05 + 0.5, 0, 1)
    image = ramp(light, [0, 0.5, 1], [(0.14, 0.09, 0.05), (0.6, 0.45, 0.29), (0.98, 0.91, 0.76)])
    yy, xx = np.mgrid[:SIZE, :SIZE].astype(np.float32)
    vignette = 1 - 0.35 * np.clip(np.hypot((xx - 128) / 128, (yy - 128) / 128) - 0.6, 0, 1)
    return np.clip(image * vignette[..., None] + 0.015 * noise_field(rng, 0.8)[..., None], 0, 1).astype(np.float32)


def black_and_white(face: RenderFace, rng: Rng) -> Array:
    light = np.clip((luminance(face.image) - 0.5) * 1.15 + 0.5, 0, 1)
    return np.repeat(light[..., None], 3, 2).astype(np.float32)


def coloured_light(colour: tuple[float, float, float]):
    def render(face: RenderFace, rng: Rng) -> Array:
        tint = np.clip(np.array(colour) + rng.standard_normal(3) * 0.04, 0, 1).astype(np.float32)
        amount = 0.75 + 0.15 * rng.random()
        return (face.image * (1 - amount) + luminance(face.image)[..., None] * 1.25 * tint * amount).clip(0, 1).astype(np.float32)

    return render


def brightness(factor: float, lift: float = 0.0):
    def render(face: RenderFace, rng: Rng) -> Array:
        return np.clip(face.image * factor + lift, 0, 1).astype(np.float32)

    return render
