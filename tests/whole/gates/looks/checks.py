"""Derive from a look what must be measured on a face: each named colour is reached, parts not named are kept, a grin is wider.

Limits were written down before any style was measured. Distances are CIEDE2000: 2 is just seen side by side, 8 is another shade.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from skimage.color import deltaE_ciede2000

from nada_core.looks.look import Lab, Look
from nada_core.looks.word_lists import vocabulary
from tests.whole.gates.checks import Check, above, any_of, below
from tests.whole.gates.looks.shapes import LEAST
from tests.whole.gates.measure import Measures
from tests.whole.gates.regions import Regions, to_lab, to_rgb

__all__ = ["checks_of", "measure_look"]

WAY = 0.6  # share of the way to a named colour
NEAR = 5.0  # or this near to it, where the way is short
KEPT = 8.0  # how far a part that is not named may go
COLOURLESS = 9.0  # mean chroma of a picture in black and white

#: part of a look -> region that is measured. Eyes, brows, teeth, beard and clothing are too small or too uncertain in 256 px.
_REGION = {"skin": "skin", "hair": "hair", "lips": "lips", "around the eyes": "sockets", "cheeks": "cheeks", "background": "background"}
_ON_SKIN = ("sockets", "lips", "cheeks")
_COLOURLESS = {
    "medium": {"pencil", "charcoal", "ink", "engraving", "etching", "stencil", "newspaper"},
    "process": {"black and white", "high contrast", "film noir", "x-ray", "newspaper", "daguerreotype"},
}
#: Marks that are drawn over the mean of a region.
_OVER = {
    "skin": {"half face", "left third", "right third", "upper third", "lower third", "lower half", "cross", "diagonal cross",
             "war paint", "stripes", "skull", "tattoo", "dots", "freckles", "beard", "stubble", "burns", "mud", "veins", "web",
             "eye mask", "panel seams", "circuits", "cheek spots", "stitches", "animal nose", "glitter", "blush", "lightning",
             "mask", "hat", "helmet", "hood"},
    "hair": {"bald", "flowers", "horns", "crown", "hat", "cap", "helmet", "hood", "headscarf", "wings", "halo", "bandana", "tiara",
             "turban"},
    "background": {"wings", "halo"},
    "lips": {"fangs", "blood", "skull", "stitches", "beard", "moustache"},
}  # fmt: skip


def _whole(look: Look) -> bool:
    """Tell whether everything in the picture may change."""
    return bool(look.material or look.medium or look.process or look.brightness or "light" in look.paints)


def _colour_of(material: str, tint: Lab | None) -> Lab | None:
    if tint:
        return tint
    entries = [entry for entry in vocabulary().entries if entry.look.material == material and entry.on_part]
    return entries[0].on_part.colour if entries and entries[0].on_part else None


def _targets(look: Look) -> Iterator[tuple[str, Lab, float]]:
    """Yield region, colour and amount of each part that is named with a colour, the skin first: the others lie on it."""
    if look.medium or look.process:
        return  # they change the colours of what is under them
    for part, paint in sorted(look.paints.items(), key=lambda item: item[0] != "skin"):
        if part in _REGION and paint.colour is not None and paint.amount >= 0.4:
            yield _REGION[part], paint.colour, paint.amount


def _bare(look: Look, region: str) -> bool:
    """Tell whether the marks of a look leave a region's mean alone."""
    names = {mark.name for mark in look.marks}
    return not any(word in name for name in names for word in _OVER.get(region, ()))


def _towards(start: np.ndarray, colour: Lab, amount: float) -> np.ndarray:
    return start + min(1.0, amount) * (np.asarray(colour, np.float32) - start)


def measure_look(look: Look, before, after, regions: Regions) -> Measures:
    """Return ``region.way`` and ``region.left`` of each named colour, ``region.moved`` of each region, ``stuff.way`` of a material."""
    lab0, lab1 = to_lab(to_rgb(before)), to_lab(to_rgb(after))
    means = {name: (lab0[mask].mean(0), lab1[mask].mean(0)) for name, mask in regions.masks.items()}
    found: Measures = {}
    for name, (m0, m1) in means.items():
        found[f"{name}.moved"] = float(deltaE_ciede2000(m0, m1))
    under: Callable[[np.ndarray], np.ndarray] = lambda colour: colour  # noqa: E731 (replaced below)
    for region, colour, amount in _targets(look):
        if region in means:
            m0, m1 = means[region]
            goal = _towards(under(m0) if region in _ON_SKIN else m0, colour, amount)
            if region == "skin":  # a thin paint round the eyes shows the white paint below it, not the bare skin
                under = partial(_towards, colour=colour, amount=amount)
            far, left = float(deltaE_ciede2000(m0, goal)), float(deltaE_ciede2000(m1, goal))
            found |= {f"{region}.way": 1 - left / max(far, 1e-3), f"{region}.left": left}
    colour = _colour_of(look.material, look.tint)
    if colour is not None and "skin" in means:
        m0, m1 = (mean[1:] for mean in means["skin"])
        found["stuff.left"] = float(np.hypot(*(m1 - colour[1:])))
        found["stuff.way"] = 1 - found["stuff.left"] / max(float(np.hypot(*(m0 - colour[1:]))), 1e-3)
        if "hair" in means:
            found["stuff.one"] = math.hypot(*(means["skin"][1][1:] - means["hair"][1][1:]))
    return found


def checks_of(look: Look) -> tuple[Check, ...]:
    """Return the checks of a look; the measures of :func:`measure_look` and of :mod:`tests.whole.gates.measure` answer them."""
    checks = [
        above("no NaN or infinity", "image.finite", 1, share=1.0),
        below("no woven pattern of single pixels", "face.weave", 0.5),
        above("everybody still looks most like themselves", "set.own_face", 0.8),
        above("faces still differ from one another", "set.diversity", 0.5),
    ]
    if look.process not in ("negative", "x-ray", "thermal", "solarised"):
        checks.append(above("light and shade of the face kept", "face.structure", 0.5))
        covered = any(m.name in ("sunglasses", "skull", "eye mask", "eye patch") or "mask" in m.name for m in look.marks)
        others = "eyes" in look.paints or look.shape.get("big eyes")  # other eyes were asked for
        if not (look.medium or covered or others):
            checks.append(above("eyes are the same eyes", "eyes.alike", 0.45))
    for region, _, _ in _targets(look):
        if not look.material and not look.brightness and _bare(look, region):
            checks.append(any_of(f"{region} has its colour", above("", f"{region}.way", WAY), below("", f"{region}.left", NEAR)))
    if not _whole(look):
        named = {_REGION.get(part) for part in look.paints}
        for region in ("skin", "hair", "background"):
            over = region == "hair" and look.shape.get("age", 0) > 0.5  # hair goes grey
            if region not in named and _bare(look, region) and not over:
                checks.append(below(f"{region} kept", f"{region}.moved", KEPT))
    if look.material and not (look.medium or look.process) and _colour_of(look.material, look.tint):
        checks.append(any_of("made of its stuff", above("", "stuff.way", WAY), below("", "stuff.left", 10)))
        if not look.paints:
            checks.append(below("hair and skin of one stuff", "stuff.one", 22))
    if look.medium in _COLOURLESS["medium"] or look.process in _COLOURLESS["process"]:
        checks.append(below("without colour", "image.C", COLOURLESS))
    for name, least in LEAST.items():
        amount = look.shape.get(name, 0.0)
        if not look.medium and amount >= 0.6:
            checks.append(above(f"{name} seen by the landmarks", f"shape.{name}", least * min(1.0, amount), share=0.6))
    if not look.medium and look.shape.get("wide face", 0.0) <= -0.6:
        checks.append(below("slim face seen by the landmarks", "shape.wide face", LEAST["wide face"] * look.shape["wide face"], share=0.6))
    return tuple(checks)
