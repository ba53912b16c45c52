"""Draw the make-up and creatures that the starter encoder is taught with; prompts are drawn by ``nada_core/looks/drawing`` instead.

Each function takes a face and numpy's random numbers and returns an image.
"""

from __future__ import annotations

import cv2
import numpy as np

from training.renderings.face import (
    SIZE,
    Array,
    RenderFace,
    blend,
    detail,
    lab,
    luminance,
    noise_field,
    recolour,
    rgb,
    soft_polygon,
    stroke,
)

__all__ = [
    "ageing",
    "background_colour",
    "clown",
    "devil",
    "ghost",
    "hair_colour",
    "joker",
    "joker_cosplay",
    "joker_face",
    "joker_makeup",
    "joker_smile",
    "robot",
    "skin_colour",
    "sunburnt",
    "vampire",
    "zombie",
]

Rng = np.random.Generator
Lab = tuple[float, float, float]

GREEN_HAIR: Lab = (46, -44, 34)
WHITE_SKIN: Lab = (86, 0, 1)


def jitter(rng: Rng, colour: Lab, light: float = 4, chroma: float = 4) -> Lab:
    """Return the colour with random variation, so that the encoder learns the colour and not one value of it."""
    noise = rng.standard_normal(3) * (light, chroma, chroma)
    return (colour[0] + noise[0], colour[1] + noise[1], colour[2] + noise[2])


def hair_colour(colour: Lab, contrast: float = 1.1):
    def render(face: RenderFace, rng: Rng) -> Array:
        return recolour(face.image, face.hair, jitter(rng, colour), 0.92, contrast)

    return render


def skin_colour(colour: Lab, contrast: float = 0.95):
    def render(face: RenderFace, rng: Rng) -> Array:
        return recolour(face.image, face.bare_skin, jitter(rng, colour), 0.92, contrast)

    return render


def background_colour(colour: Lab):
    def render(face: RenderFace, rng: Rng) -> Array:
        return recolour(face.image, face.background, jitter(rng, colour), 0.9, 0.7)

    return render


def white_paint(image: Array, face: RenderFace, rng: Rng, amount: float = 0.93) -> Array:
    """Paint the face with greasepaint, thinner on ears and neck."""
    image = recolour(image, face.bare_face, jitter(rng, WHITE_SKIN, 2, 1), amount, 0.9, 0.1)
    return recolour(image, face.body * (1 - face.face), (78, 2, 5), 0.6, 0.95, 0.3)


def sockets(
    image: Array, face: RenderFace, amount: float = 0.8, scale: float = 1.65, colour: tuple[float, ...] = (0.09, 0.085, 0.1)
) -> Array:
    """Smudge dark paint around the eyes; the eyeballs and their lids stay clear of it."""
    clear = np.clip(sum(soft_polygon(e.mean(0) + (e - e.mean(0)) * np.array([1.15, 1.5]), 0.8) for e in face.eyes), 0, 1)
    mask = face.around_eyes(scale, 2.6, 0.06) * (1 - clear)
    return blend(image, colour, mask * amount)


def smile(image: Array, face: RenderFace, rng: Rng, reach: float = 0.55, amount: float = 0.92) -> Array:
    """Paint red lips past the corners of the mouth up the cheeks."""
    p = face.landmarks
    lips = soft_polygon(p[48:60].mean(0) + (p[48:60] - p[48:60].mean(0)) * np.array([1.06, 1.16]), 1.2)
    mask = lips * (1 - face.mouth_opening)
    for corner, cheek in ((p[48], p[2]), (p[54], p[14])):
        tip = corner + (cheek - corner) * reach
        bend = corner + (cheek - corner) * reach * 0.55 + face.down * face.width * 0.035
        t = np.linspace(0, 1, 9)[:, None]
        curve = (1 - t) ** 2 * corner + 2 * t * (1 - t) * bend + t**2 * tip
        normal = face.down * face.width * 0.034 * (1 - t) + face.down * 0.6
        mask = np.maximum(mask, soft_polygon(np.concatenate([curve - normal, (curve + normal)[::-1]]), 1.0))
    return recolour(image, mask, jitter(rng, (36, 56, 36), 2, 3), amount, 0.7, 0.2)


def joker(face: RenderFace, rng: Rng) -> Array:
    image = recolour(face.image, face.hair, jitter(rng, GREEN_HAIR, 4, 4), 0.93, 1.15)
    return smile(sockets(white_paint(image, face, rng), face), face, rng)


def joker_face(face: RenderFace, rng: Rng) -> Array:
    """Draw the scarred smile, the sockets and the hair; the skin stays."""
    image = recolour(face.image, face.hair, jitter(rng, (40, -26, 20), 3, 3), 0.85, 1.1)
    return smile(sockets(image, face, 0.7, 1.6), face, rng, 0.6)


def joker_smile(face: RenderFace, rng: Rng) -> Array:
    return smile(face.image, face, rng, 0.75, 0.95)


def joker_makeup(face: RenderFace, rng: Rng) -> Array:
    """Draw white, black and red on the face; the hair stays."""
    return smile(sockets(white_paint(face.image, face, rng), face, 0.85, 1.85), face, rng, 0.4)


def joker_cosplay(face: RenderFace, rng: Rng) -> Array:
    """Draw a bright wig, a purple suit and light make-up."""
    image = recolour(face.image, face.hair, jitter(rng, (62, -58, 52), 4, 4), 0.93, 1.15)
    image = recolour(image, face.clothing, jitter(rng, (30, 38, -38), 3, 4), 0.92, 0.9)
    image = recolour(image, face.bare_face, (80, 3, 4), 0.7, 0.95)
    return smile(sockets(image, face, 0.55, 1.5, (0.22, 0.08, 0.3)), face, rng, 0.3)


def zombie(face: RenderFace, rng: Rng) -> Array:
    image = recolour(face.image, face.bare_skin, jitter(rng, (46, -14, 16), 3, 2), 0.92, 1.15)
    rot = np.clip(noise_field(rng, 5) - 0.9, 0, 1) * face.bare_skin
    image = blend(image, (0.24, 0.2, 0.14), rot * 0.5)
    image = blend(image, (0.16, 0.1, 0.1), face.around_eyes(1.9, 4, 0.15) * (1 - face.eye_openings) * 0.7)
    image = blend(image, (0.85, 0.83, 0.7), face.eye_openings * 0.2)
    image = recolour(image, face.lips, (30, 8, 6), 0.85, 0.8)
    return recolour(image, face.hair, (24, 0, 6), 0.6, 0.9)


def vampire(face: RenderFace, rng: Rng) -> Array:
    image = recolour(face.image, face.bare_skin, jitter(rng, (80, 2, -2), 2, 1), 0.85, 1.1, 0.4)
    image = blend(image, (0.32, 0.05, 0.1), face.around_eyes(1.6, 3, 0.15) * (1 - face.eye_openings) * 0.55)
    image = recolour(image, face.eye_openings, (42, 52, 34), 0.5, 1.0, 0.5)
    image = recolour(image, face.lips, jitter(rng, (26, 44, 22), 2, 2), 0.92, 0.8)
    return recolour(image, face.hair, (10, 0, 0), 0.85, 0.55)


def clown(face: RenderFace, rng: Rng) -> Array:
    image = recolour(face.image, face.hair, jitter(rng, (54, 58, 54), 3, 4), 0.93, 1.15)
    image = recolour(image, face.bare_face, (88, 1, 3), 0.9, 0.85, 0.15)
    yy, xx = np.mgrid[:SIZE, :SIZE].astype(np.float32)
    p, radius = face.landmarks, face.width * 0.12
    spots = (
        (p[30] + face.down * radius * 0.1, 0.95, 1.0),
        (p[2] * 0.4 + p[31] * 0.6 - face.down * 4, 0.5, 0.75),
        (p[14] * 0.4 + p[35] * 0.6 - face.down * 4, 0.5, 0.75),
    )
    for centre, strength, size in spots:
        disc = np.exp(-((((xx - centre[0]) ** 2 + (yy - centre[1]) ** 2) / (radius * size) ** 2) ** 2))
        image = recolour(image, disc.astype(np.float32) * (1 - face.eye_openings), (50, 66, 44), strength, 0.8)
    image = blend(image, (0.15, 0.4, 0.85), face.around_eyes(1.8, 2.5, -0.25) * (1 - face.eye_openings) * 0.75)
    lips = soft_polygon(p[48:60].mean(0) + (p[48:60] - p[48:60].mean(0)) * 1.3, 1.5) * (1 - face.mouth_opening)
    return recolour(image, lips, (46, 66, 46), 0.93, 0.7)


def devil(face: RenderFace, rng: Rng) -> Array:
    image = recolour(face.image, face.bare_skin, jitter(rng, (38, 52, 38), 3, 3), 0.93, 1.2)
    image = blend(image, (0.08, 0.02, 0.02), face.around_eyes(1.6, 3) * (1 - face.eye_openings) * 0.6)
    return recolour(image, face.hair, (8, 2, 1), 0.85, 0.6)


def ghost(face: RenderFace, rng: Rng) -> Array:
    """Draw a ghost: pale and cold up to the hair, the eyes in shadow."""
    image = recolour(face.image, face.person, (76, -2, -9), 0.8, 0.6, 0.15)
    image = blend(image, (0.25, 0.29, 0.36), face.around_eyes(1.7, 4, 0.05) * (1 - face.eye_openings) * 0.65)
    glow = cv2.GaussianBlur(image, (0, 0), 6)
    image = np.clip(image + 0.25 * glow * face.person[..., None], 0, 1)
    return recolour(image, face.background, (26, -2, -12), 0.8, 0.6, 0.4)


def sunburnt(face: RenderFace, rng: Rng) -> Array:
    image = recolour(face.image, face.bare_skin, jitter(rng, (55, 38, 26), 2, 2), 0.75, 1.05, 0.5)
    hot = cv2.GaussianBlur(soft_polygon(face.landmarks[[1, 29, 15, 35, 33, 31]], 8), (0, 0), 4) * face.bare_face
    return recolour(image, hot, (48, 52, 32), 0.6, 1.0, 0.5)


def ageing(face: RenderFace, rng: Rng) -> Array:
    """Draw age: grey hair, folds and creases along the lines where faces crease, spots, less colour."""
    image = recolour(face.image, face.hair, jitter(rng, (72, 0, 2), 4, 1), 0.88, 1.0, 0.1)
    p, d, w = face.landmarks, face.down, face.width
    crease = np.zeros((SIZE, SIZE), np.float32)
    for wing, corner in ((p[31], p[48]), (p[35], p[54])):
        side = (corner - wing) * 0.35
        crease = np.maximum(
            crease, stroke(np.stack([wing + side * 0.6, (wing + corner) / 2 + side * 1.1, corner + side * 0.7 + d * w * 0.03]), 2, 1.2)
        )
        crease = np.maximum(
            crease, 0.8 * stroke(np.stack([corner + side * 0.3 + d * w * 0.04, corner + side * 0.2 + d * w * 0.13]), 2, 1.2)
        )
    for k in (0.13, 0.2, 0.27):
        brow = p[17:27] - d * w * k + rng.standard_normal((10, 2)) * 0.7
        crease = np.maximum(crease, 0.75 * stroke(brow[1:-1], 1, 1.0))
    for eye, outer in ((p[36:42], p[36]), (p[42:48], p[45])):
        away = (outer - eye.mean(0)) / (np.linalg.norm(outer - eye.mean(0)) + 1e-6)
        for lift in (-0.5, 0.0, 0.5):
            crease = np.maximum(crease, 0.7 * stroke(np.stack([outer + away * 3, outer + away * w * 0.1 + d * lift * w * 0.05]), 1, 0.8))
        bag = eye[[0, 5, 4, 3]] + d * w * 0.055
        crease = np.maximum(crease, 0.8 * stroke(bag, 2, 1.4))
    crease *= face.bare_skin
    light = np.roll(crease, 2, axis=0) * face.bare_skin
    pixels = lab(image)
    fine = detail(pixels[..., 0], 2.5)
    pixels[..., 0] += fine * 0.9 * face.bare_skin - 20 * crease + 7 * np.clip(light - crease, 0, 1)
    pixels[..., 0] -= 6 * np.clip(noise_field(rng, 2) - 1.3, 0, 1) * face.bare_skin
    pixels[..., 1:] = pixels[..., 1:] * (1 - 0.22 * face.bare_skin[..., None])
    return recolour(rgb(pixels), face.lips, (52, 14, 11), 0.6, 0.8)


def robot(face: RenderFace, rng: Rng) -> Array:
    """Draw a robot: brushed steel with panel seams and lit eyes."""
    light = luminance(face.image)
    mean = (light * face.person).sum() / (face.person.sum() + 1e-6)
    x = np.clip(0.48 + (light - mean) * 1.6 + detail(light, 6) * 0.8, 0, 1)[..., None]
    steel = np.interp(x, [0, 0.35, 0.6, 0.8, 1], [0.05, 0.3, 0.52, 0.8, 1.0]).astype(np.float32) * np.array([0.92, 0.98, 1.06], np.float32)
    image = blend(face.image, np.clip(steel, 0, 1), np.clip(face.skin + face.hair, 0, 1) * 0.95)
    p, d, w = face.landmarks, face.down, face.width
    seams = stroke(np.stack([p[27] - d * w * 0.5, p[27] - d * w * 0.05]), 1, 0.7)
    for line in (
        [p[36] - d * 3, p[1]],
        [p[45] - d * 3, p[15]],
        [p[48], p[48] * 0.7 + p[5] * 0.3, p[6]],
        [p[54], p[54] * 0.7 + p[11] * 0.3, p[10]],
        list(p[2:15]),
    ):
        seams = np.maximum(seams, stroke(np.stack(line), 1, 0.7))
    image = blend(image, (0.05, 0.07, 0.1), np.clip(seams * 1.3, 0, 1) * face.skin * 0.85)
    # lit from inside, with pupils and lids still to be seen
    lit = np.clip(luminance(face.image)[..., None] * 1.5 * np.array([0.25, 0.95, 1.15], np.float32), 0, 1)
    return blend(image, lit, np.clip(cv2.GaussianBlur(face.eye_openings, (0, 0), 1) * 1.1, 0, 1) * 0.9)
