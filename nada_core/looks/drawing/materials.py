"""Repaint the whole person in a picture as one material: bronze, ice, wood, chocolate and so on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nada_core.looks.drawing.drawn_face import DrawnFace
from nada_core.looks.drawing.grains import GRAINS
from nada_core.looks.drawing.operations import (
    Array,
    Rng,
    blend,
    blur,
    detail,
    floats,
    lab,
    luminance,
    ramp,
    rgb,
    saturate,
    screen,
    smoothstep,
    statistics,
)
from nada_core.looks.look import Lab

__all__ = ["TABLE", "Material", "made_of", "relief"]


@dataclass(frozen=True)
class Material:
    """Describe how a material takes the light.

    Attributes:
        colours: from deep shadow to full light, as hexadecimal RGB.
        gain: how strongly light and shade of the face show.
        shift: moves all of it along the colours.
        soft: blur of the face's relief in pixels: wax and balloons have no pores.
        local: how strongly fine relief shows.
        gloss: strength of highlights.
        bands: strength of the dark and bright bands that polished metal mirrors.
        clear: share of the background that shows through.
        glow: light that the material gives off.
        grains: names of :data:`~nada_core.looks.drawing.grains.GRAINS` and their strengths.
    """

    colours: str
    gain: float = 1.3
    shift: float = 0.0
    soft: float = 0.6
    local: float = 0.6
    gloss: float = 0.0
    bands: float = 0.0
    clear: float = 0.0
    glow: float = 0.0
    grains: tuple[tuple[str, float], ...] = ()


_GOLD = "2b1c00 8a6206 dba51a ffd23e fff3a8"
_M = Material
TABLE: dict[str, Material] = {
    # metals
    "bronze": _M("140a04 4a2b12 8c5a2a c08a48 f2cf94", 1.5, -0.06, 0.6, 0.9, 0.35, 0.12, grains=(("patina", 0.13),)),
    "gold": _M(_GOLD, 1.6, -0.04, 0.8, 1.0, 0.45, 0.25),
    "silver": _M("14161a 585d66 a9afb8 dfe4ea ffffff", 1.7, 0.0, 0.8, 1.0, 0.45, 0.25),
    "copper": _M("240a04 7a3018 c4693c ee9f70 ffdcc0", 1.6, -0.02, 0.7, 0.9, 0.4, 0.2),
    "iron": _M("08080a 26272b 46484e 6d7077 a8abb2", 1.4, -0.08, 0.5, 0.9, 0.1, 0.0, grains=(("pits", 0.5),)),
    "steel": _M("0c1016 3c4650 7f8b97 bcc6cf f4f9ff", 1.5, 0.0, 0.7, 0.9, 0.3, 0.12, grains=(("brushed", 0.8),)),
    "chrome": _M("02040a 2a3442 8e9cae e6eef6 ffffff", 1.8, 0.0, 1.8, 0.8, 0.7, 0.8),
    "brass": _M("1e1604 6a5012 b4902e e2c660 fff4b8", 1.5, 0.0, 0.7, 0.9, 0.4, 0.2, grains=(("brushed", 0.35),)),
    "rose gold": _M("3a1512 9c5448 de9b8a f8c8b8 fff0ea", 1.5, 0.02, 0.8, 0.9, 0.45, 0.22),
    "rust": _M("1c0a04 5a2410 9a4618 c46a28 e2a060", 1.2, 0.0, 0.5, 0.9, grains=(("rust", 1.0), ("pits", 0.6))),
    # stones
    "marble": _M("3c3f48 8e9198 d2d3d6 f2f2f1 ffffff", 1.5, 0.04, 1.0, 0.35, 0.1, grains=(("veins", 0.75),)),
    "black marble": _M("020203 0d0d10 1e1f24 3c3e46 a8acb6", 1.3, 0.0, 0.8, 0.5, 0.4, grains=(("white veins", 0.75),)),
    "stone": _M("23221f 57554f 85827a aeaba2 d6d3ca", 1.2, 0.0, 0.7, 0.8, grains=(("pits", 0.6), ("blotches", 0.4))),
    "granite": _M("262223 5a5353 8b8483 b4aeac dedad8", 1.5, 0.0, 0.8, 0.5, grains=(("speckle", 0.75),)),
    "sandstone": _M("4a2e18 8e6238 c4935c e2bb86 f6deb4", 1.1, 0.0, 0.9, 0.6, grains=(("strata", 0.5), ("sand", 0.5))),
    "concrete": _M("3c3d3d 717272 9c9d9c c0c1bf e0e0dd", 1.3, 0.0, 0.9, 0.4, grains=(("holes", 0.35), ("blotches", 0.5), ("sand", 0.4))),
    "jade": _M("06281a 1f6b46 4fa878 8fd4a6 e4fbe8", 1.4, 0.0, 1.6, 0.4, 0.45, grains=(("swirl", 0.3),)),
    "obsidian": _M("010102 07070c 14141d 2c2e3e c8d0ee", 1.6, -0.04, 1.6, 0.9, 0.75, 0.35),
    "coral": _M("6a1418 c04440 f07c6a ffa892 ffdccc", 1.0, 0.0, 0.9, 0.5, grains=(("polyps", 0.9),)),
    "pearl": _M("6e6070 b0a2ac e4dada f8f2ee ffffff", 1.4, 0.02, 2.2, 0.3, 0.55, grains=(("sheen", 0.9),)),
    "amber": _M("2c0e00 8a3c00 d97c08 ffb02a ffe9a0", 1.2, 0.0, 1.8, 0.4, 0.6, clear=0.1, grains=(("bubbles", 0.5), ("swirl", 0.4))),
    # gems
    "emerald": _M("002414 00683c 0fa862 5ee09c e6fff2", 1.4, 0.0, 1.2, 0.5, 0.6, grains=(("facets", 1.0),)),
    "ruby": _M("26000a 7c0420 c8143c f25470 ffe0e6", 1.4, 0.0, 1.2, 0.5, 0.6, grains=(("facets", 1.0),)),
    "sapphire": _M("000c38 08288c 1c50d0 6892f4 e4eeff", 1.4, 0.0, 1.2, 0.5, 0.6, grains=(("facets", 1.0),)),
    "amethyst": _M("1a0436 542090 8c4cd0 be92f0 f6eaff", 1.4, 0.0, 1.2, 0.5, 0.6, grains=(("facets", 1.0),)),
    "crystal": _M("2c4a5e 7ca6be b8d8e8 e2f3fa ffffff", 1.3, 0.02, 1.0, 0.6, 0.6, clear=0.25, grains=(("facets", 1.2),)),
    "diamond": _M(
        "20262e 7e8c9c c6d2de f0f6fc ffffff", 1.6, 0.04, 1.0, 0.6, 0.7, clear=0.1, grains=(("facets", 1.4), ("fire", 0.8), ("sparkle", 0.8))
    ),
    # wood, plants, earth
    "wood": _M("2c1406 6a3a16 a06a34 c89858 ecd09a", 1.1, 0.0, 0.9, 0.5, 0.08, grains=(("wood", 0.7),)),
    "ebony": _M("050303 140e0b 2a1e18 4a382e 8e7666", 1.2, 0.0, 0.8, 0.5, 0.25, grains=(("wood", 0.45),)),
    "moss": _M("0e1a06 2c4610 54782a 86a84c c2d88a", 1.4, 0.0, 1.2, 0.4, grains=(("fuzz", 0.6), ("blotches", 0.4))),
    "clay": _M("4a3a32 8a7264 b89c8a d4bca8 ecdccc", 1.5, 0.0, 1.6, 0.3, grains=(("prints", 0.3),)),
    "terracotta": _M("401408 8a3c20 c0643c dc8c62 f4c4a0", 1.1, 0.0, 0.9, 0.5, grains=(("sand", 0.5), ("blotches", 0.35))),
    "mud": _M("120a04 32200f 553a20 7a5a38 a88a62", 1.2, -0.02, 1.0, 0.5, 0.45, grains=(("prints", 0.4), ("cracks", 0.5))),
    "sand": _M("6a4c24 a8844c d8b678 f0d8a4 fff2d0", 1.4, 0.0, 1.0, 0.5, grains=(("sand", 0.6), ("ripples", 0.5))),
    "bone": _M("4a3c22 9c8a62 d6c8a0 efe6ca fffbee", 1.5, 0.0, 0.8, 0.7, 0.05, grains=(("pits", 0.3), ("fine cracks", 0.6))),
    # water in all its states, fire
    "ice": _M("0e3c64 4c94c4 96cfee d2f0fc ffffff", 1.3, 0.02, 1.2, 0.5, 0.65, clear=0.22, grains=(("fracture", 0.9),)),
    "snow": _M("5c78a4 a2b6d4 dfe8f4 f6faff ffffff", 1.6, 0.0, 1.4, 0.4, grains=(("powder", 0.5), ("sparkle", 0.35))),
    "glass": _M("0a2c2c 4c8c88 a8d8d0 e4f8f4 ffffff", 1.9, 0.0, 1.8, 0.5, 0.85, 0.3, clear=0.5),
    "water": _M("04305a 1470b0 4cb0e0 a4e2fa ffffff", 1.3, 0.0, 1.6, 0.5, 0.7, clear=0.25, grains=(("caustics", 1.0),)),
    "smoke": _M("101014 3c3c44 84848a c2c2c6 f4f4f6", 1.4, 0.0, 2.2, 0.3, clear=0.15, grains=(("billows", 1.0),)),
    "fire": _M("1c0000 9c1400 f05000 ffac1c fff6b4", 1.3, -0.03, 1.2, 0.5, 0.0, glow=0.5, grains=(("flames", 1.0),)),
    "lava": _M("060202 140806 241210 4c302a 8a6a60", 1.5, 0.0, 0.8, 0.7, glow=0.15, grains=(("molten", 1.0),)),
    # food
    "chocolate": _M("140602 3a1c0e 5e3420 86553a c89a7a", 1.2, -0.02, 1.4, 0.4, 0.5),
    "caramel": _M("4a1a00 96500c d08a30 eeb862 ffeab4", 1.1, 0.0, 1.8, 0.3, 0.75, grains=(("drips", 0.2),)),
    "cheese": _M("a06000 d89a10 f8c838 ffe06a fff4b8", 0.9, 0.0, 1.4, 0.3, 0.1, grains=(("holes", 1.0),)),
    "jelly": _M("4a0018 a8083e f03c74 ff86a8 ffe4ec", 1.4, 0.0, 2.4, 0.3, 0.9, clear=0.25, grains=(("bubbles", 0.7),)),
    "candy": _M("c03070 f070a8 ff9cc8 ffc8e0 fff4fa", 1.3, 0.0, 1.6, 0.4, 0.7, grains=(("candy stripes", 0.9),)),
    # made things
    "wax": _M("84602c bc9860 e6d0a4 faeed4 fffaf0", 1.3, 0.0, 1.8, 0.2, 0.45, grains=(("drips", 0.3),)),
    "plastic": _M("5c0806 aa1c16 ee4236 ff7c6c ffe0dc", 1.4, 0.0, 2.2, 0.3, 0.95),
    "rubber": _M("060608 16171a 2a2c30 484b50 868a90", 1.2, 0.0, 2.0, 0.4, 0.35),
    "porcelain": _M("56647e a8b4c8 e8edf4 fbfcfe ffffff", 1.4, 0.05, 1.8, 0.3, 0.7, grains=(("blue flowers", 0.9),)),
    "leather": _M("241008 6a3818 a06430 c88a50 e8bc88", 1.2, 0.0, 1.0, 0.6, 0.3, grains=(("hide", 1.0),)),
    "wool": _M("5c4c38 a4947c d8ccb4 ece4d2 fbf8ee", 1.5, 0.0, 1.2, 0.3, grains=(("knit", 1.0),)),
    "felt": _M("0c2c48 225a84 4c94c0 7cb8dc b8dcf0", 1.5, 0.0, 1.6, 0.3, grains=(("fibres", 0.6), ("sewn", 0.7))),
    "denim": _M("0c1830 28426e 4a6a9c 7c9ac4 bcd0e8", 1.1, 0.0, 1.0, 0.5, grains=(("twill", 1.0),)),
    "velvet": _M("180008 4c0420 8c1240 c43c6c f4a0c0", 1.5, -0.1, 1.6, 0.4, 0.0, grains=(("nap", 1.0),)),
    "paper": _M("84807a bcb8b0 e6e2dc f8f6f2 ffffff", 1.5, 0.03, 1.0, 0.4, grains=(("crumples", 0.6),)),
    "cardboard": _M("5a3c20 94703f b8925c d2b080 ecd4ac", 1.0, 0.0, 1.0, 0.4, grains=(("corrugation", 0.8),)),
    "balloon": _M("4a0878 8c1cc4 cc54f0 ee9cff fff0ff", 1.3, 0.0, 3.4, 0.2, 1.3),
    "slime": _M("0c3000 2c7c04 5cc014 a4f04c f0ffc8", 1.1, 0.0, 2.0, 0.4, 0.95, clear=0.1, grains=(("drips", 0.55), ("bubbles", 0.6))),
}


def relief(image: Array, face: DrawnFace, soft: float = 0.6, local: float = 0.6, gain: float = 1.0) -> Array:
    """Return the person's light and shade about 0.5, ``[S, S]``, the same on light and dark people: regions' own lightness is taken out."""
    light = luminance(image)
    base = np.zeros_like(light)
    total = np.full_like(light, 1e-3)
    for mask, offset in ((face.hair, 0.05), (face.skin, 0.0), (face.clothing, 0.04), (face.background, 0.0)):
        weight = float(mask.sum())
        mean = float((light * mask).sum() / (weight + 1e-6))
        base += mask * (mean + offset)
        total += mask
    shape = light - base / total
    skin = float(np.sqrt((shape**2 * face.skin).sum() / (face.skin.sum() + 1e-6))) + 0.02
    other = np.clip(face.person - face.skin, 0, 1)
    rest = float(np.sqrt((shape**2 * other).sum() / (other.sum() + 1.0))) + 0.02
    scale = 0.155 / skin * face.skin + 0.15 / max(rest, 0.05) * (1 - face.skin)
    shape = np.tanh(shape * scale * 2.2) / 2.2
    fine = detail(light, 4 * face.unit) * np.clip(scale, 0.5, 2.5)
    x = 0.5 + gain * blur(shape, soft * face.unit) + local * blur(fine, 0.5 * soft * face.unit)
    # deep seams at the eyes, nostrils and mouth keep a face a face
    return np.clip(x, 0, 1).astype(np.float32)


def _behind(image: Array, face: DrawnFace) -> Array:
    """Return the picture with a calm, darker, greyer background behind a statue."""
    grey = luminance(blur(image, 3 * face.unit))[..., None] * floats([0.42, 0.42, 0.45]) + 0.06
    return blend(image, grey, face.background * 0.8)


def _colours(material: Material, tint: Lab | None) -> Array:
    table = np.array([[int(c[i : i + 2], 16) / 255 for i in (0, 2, 4)] for c in material.colours.split()], np.float32)
    if tint is None:
        return table
    own = lab(table[None])[0]
    middle = own[2]
    # the tint sits in the middle of the ramp; shadows and highlights keep the material's range
    shifted = own + (np.asarray(tint, np.float32) - middle) * floats([[0.55], [0.9], [1.0], [0.75], [0.25]])
    shifted[:, 0] = np.maximum.accumulate(np.clip(shifted[:, 0], 1, 99.5))
    return rgb(shifted[None])[0]


def made_of(image: Array, face: DrawnFace, name: str, tint: Lab | None, rng: Rng) -> Array:
    """Repaint the person in a material; colours that ``image`` was painted with tint it, and its marks show as relief."""
    material, u = TABLE[name], face.unit
    x = np.clip(relief(image, face, material.soft, material.local, material.gain) + material.shift, 0, 1)
    if material.bands:
        # polished metal mirrors a dark horizon between bright sky and floor
        mirror = 0.5 + 0.5 * np.sin((blur(x, 1.2 * u) - 0.5) * 13 + 0.6)
        x = np.clip(x + material.bands * 0.42 * (mirror - 0.5), 0, 1)
    surface = ramp(x, _colours(material, tint))
    for grain, strength in material.grains:
        surface = GRAINS[grain](surface, x, face, rng, strength)
    if material.clear:
        # what lies behind the person: the background's colours, spread under it
        seen = blur(image * face.background[..., None], 22 * u) / (blur(face.background, 22 * u)[..., None] + 0.02)
        through = 0.5 * saturate(np.clip(seen, 0, 1), 0.6) + 0.35
        # bodies of glass are clear where they face us and full of colour at the rim
        surface = blend(surface, 0.55 * surface + 0.45 * through, smoothstep(x, 0.2, 0.6) * material.clear * 1.6)
    if material.gloss:
        top = blur(x, 0.8 * u)
        bump = top + 0.6 * detail(top, 8 * u)
        mean, spread = statistics(bump, face.person)
        shine = smoothstep((bump - mean) / (spread + 1e-3), 0.9, 2.3)
        surface = screen(surface, (material.gloss * (0.75 * shine + 0.2 * blur(shine, 4 * u)))[..., None])
    glaze = lab(image)[..., 1:] - lab(face.image)[..., 1:]
    size = np.hypot(glaze[..., 0], glaze[..., 1])[..., None]
    if float((size[..., 0] * face.person).mean()) > 0.3:
        # colours painted on the person tint the material; slight ones do not
        pixels = lab(surface)
        pixels[..., 1:] += 0.6 * glaze * np.clip(1 - 9 / (size + 1e-3), 0, 1)
        surface = rgb(pixels)
    done = blend(_behind(image, face), surface, face.person * 0.98)
    if material.glow:
        light = blur(surface * face.person[..., None], 9 * u)
        done = screen(done, light * material.glow)
    return done
