"""Draw a picture in lines: pencil, ink, charcoal, chalk, engraving, etching, linocut and the like."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from nada_core.looks.drawing.drawn_face import DrawnFace
from nada_core.looks.drawing.operations import (
    Array,
    Rng,
    blend,
    blur,
    detail,
    drag,
    floats,
    flow,
    luminance,
    noise,
    points_grid,
    rgb_of,
    saturate,
    screen,
    smoothstep,
)
from nada_core.looks.look import Lab

__all__ = ["LINES", "Lines", "drawn_in_lines", "evened", "outlines", "paper_grain"]


@dataclass(frozen=True)
class Lines:
    """Describe how a drawing is made of lines and tones.

    Attributes:
        paper, ink: RGB of the ground and of the strokes.
        outline: strength of lines along edges, ``width`` their width in pixels.
        tone: "none", "smooth", "hatch" (strokes one way, crossed in the darks), "flow" (strokes along the forms), "steps" (flat areas).
        depth: how dark tones get; ``levels`` of flat areas.
        pitch: distance of hatching strokes in pixels.
        colour: share of the picture's own colour, multiplied by ``vivid``.
        grain: how much the paper's grain breaks strokes.
        light: True for light strokes on dark ground.
        ground: share of the background that is left as paper.
        screen: pitch of dots in pixels (manga), 0 for none.
    """

    paper: tuple[float, float, float] = (0.97, 0.965, 0.95)
    ink: tuple[float, float, float] = (0.1, 0.1, 0.11)
    outline: float = 1.0
    width: float = 1.0
    tone: str = "smooth"
    depth: float = 0.7
    levels: int = 0
    pitch: float = 4.0
    colour: float = 0.0
    vivid: float = 1.0
    grain: float = 0.2
    light: bool = False
    ground: float = 0.5
    screen: float = 0.0


LINES: dict[str, Lines] = {
    "pencil": Lines(ink=(0.2, 0.2, 0.22), outline=1.4, tone="hatch", depth=0.8, pitch=3.0, grain=0.25, ground=0.7),
    "coloured pencil": Lines(
        ink=(0.3, 0.24, 0.22), outline=0.6, tone="hatch", depth=0.6, pitch=3.4, colour=1.0, vivid=1.7, grain=0.4, ground=0.4
    ),
    "ink": Lines(ink=(0.03, 0.03, 0.05), outline=1.5, width=1.3, tone="steps", levels=2, depth=1.0, grain=0.0, ground=0.85),
    "charcoal": Lines((0.86, 0.84, 0.8), (0.06, 0.06, 0.06), 1.3, 2.2, "smooth", 1.1, grain=0.25, ground=0.3),
    "chalk": Lines((0.1, 0.17, 0.15), (0.95, 0.95, 0.92), 0.9, 2.0, "smooth", 1.0, grain=0.25, light=True, ground=0.8),
    "pastel": Lines(
        (0.8, 0.74, 0.66), (0.25, 0.18, 0.16), 0.35, 2.0, "flow", 0.3, pitch=4.5, colour=1.0, vivid=1.45, grain=0.5, ground=0.2
    ),
    "crayon": Lines(
        (0.98, 0.97, 0.94), (0.16, 0.1, 0.12), 1.0, 2.6, "hatch", 0.35, pitch=6.0, colour=1.0, vivid=1.9, grain=0.75, ground=0.3
    ),
    "engraving": Lines((0.94, 0.91, 0.83), (0.09, 0.08, 0.08), 0.8, 0.9, "engrave", 1.0, pitch=4.2, grain=0.05, ground=0.5),
    "etching": Lines((0.9, 0.84, 0.72), (0.16, 0.11, 0.08), 1.1, 0.9, "cross", 1.0, pitch=4.2, grain=0.15, ground=0.4),
    "ballpoint pen": Lines((0.98, 0.98, 0.97), (0.08, 0.14, 0.6), 1.3, 0.9, "hatch", 0.95, pitch=2.6, grain=0.15, ground=0.75),
    "tattoo drawing": Lines((0.93, 0.84, 0.74), (0.07, 0.12, 0.13), 1.9, 1.7, "dots", 0.75, pitch=3.0, grain=0.0, ground=0.95),
    "blueprint": Lines((0.06, 0.22, 0.55), (0.9, 0.95, 1.0), 1.8, 1.0, "none", 0.25, grain=0.0, light=True, ground=1.0),
    "manga": Lines((1.0, 1.0, 1.0), (0.02, 0.02, 0.03), 1.7, 1.3, "steps", 1.0, levels=2, grain=0.0, ground=0.9, screen=5.0),
    "linocut": Lines((0.95, 0.92, 0.84), (0.05, 0.05, 0.06), 1.6, 2.4, "carve", 1.0, pitch=6.5, grain=0.1, ground=0.0),
    "cave painting": Lines((0.78, 0.6, 0.42), (0.22, 0.1, 0.06), 1.9, 3.2, "steps", 0.75, levels=3, colour=0.0, grain=0.4, ground=0.9),
}


def evened(image: Array, face: DrawnFace, target: float = 0.56, share: float = 0.75, spread: float = 0.2) -> Array:
    """Expose a picture so that the face has about the same lightness and contrast on everybody: ``[S, S, 3]``."""
    light = luminance(image)
    weight = float(face.face.sum()) + 1e-3
    mean = float((light * face.face).sum()) / weight
    power = float(np.clip(1 + share * (np.log(target) / np.log(np.clip(mean, 0.04, 0.96)) - 1), 0.3, 2.2))
    image = np.power(np.clip(image, 1e-4, 1), power)
    light = luminance(image)
    mean = float((light * face.face).sum()) / weight
    deviation = float(np.sqrt(((light - mean) ** 2 * face.face).sum() / weight)) + 0.02
    gain = float(np.clip(spread / deviation, 0.8, 1.7)) ** share
    return np.clip(mean + (image - mean) * gain, 0, 1).astype(np.float32)


def outlines(light: Array, width: float, sharp: float = 1.0) -> Array:
    """Return lines where the picture is darker than its surroundings or changes: ``[S, S]`` in [0, 1] (difference of gaussians)."""
    fine = cv2.GaussianBlur(light, (0, 0), max(0.6, 0.7 * width))
    coarse = cv2.GaussianBlur(light, (0, 0), max(1.0, 1.6 * width))
    wide = blur(light, 3.2 * width)
    line = np.maximum((coarse - fine) * 9, (wide - coarse) * 4.5) - 0.1
    return np.clip(line * 2.2 * sharp, 0, 1).astype(np.float32)


def paper_grain(rng: Rng, face: DrawnFace) -> Array:
    """Return the tooth of paper, zero mean, unit deviation."""
    return (noise(rng, face.size, 0.7 * face.unit) + 0.6 * noise(rng, face.size, 1.6 * face.unit)) / 1.17


def _waves(place: Array, cover: Array) -> Array:
    """Return strokes whose width grows with ``cover``: 1 on the stroke; ``place`` counts strokes."""
    wave = np.abs((place % 1) - 0.5) * 2  # 0 in the middle of a stroke
    return smoothstep(wave, np.clip(cover * 1.08, 0, 1.1) + 0.12, np.clip(cover * 1.08, 0, 1.1) - 0.12) * (cover > 0.03)


def _hatched(dark: Array, face: DrawnFace, rng: Rng, style: Lines) -> Array:
    """Return the strokes that give a tone ``dark`` in [0, 1]."""
    u, s = face.unit, face.size
    x, y = points_grid(s)
    pitch = style.pitch * u
    if style.tone == "flow":
        vx, vy = flow(cv2.GaussianBlur(1 - dark, (0, 0), 1.2 * u), 5 * u)
        strands = drag(noise(rng, s, max(0.6, pitch / 4.5)), (vx, vy), 7, 1.3 * u)
        strands /= strands.std() + 1e-6
        return np.clip(0.5 + 0.45 * strands + (dark - 0.5) * 2.2, 0, 1)
    if style.tone == "hatch":
        strokes = noise(rng, s, max(0.55, pitch / 5))
        angle = np.full((s, s), -0.9, np.float32)
        one = drag(strokes, (np.cos(angle), np.sin(angle)), 8, 1.2 * u)
        one /= one.std() + 1e-6
        two = drag(noise(rng, s, max(0.55, pitch / 5)), (np.cos(angle + 1.1), np.sin(angle + 1.1)), 8, 1.2 * u)
        two /= two.std() + 1e-6
        return np.clip(dark * (1.0 + 0.26 * one) + 0.16 * two * smoothstep(dark, 0.45, 0.8), 0, 1)
    height = blur(1 - dark, 4 * u)
    if style.tone == "engrave":
        # lines swell in the shade and bend over the forms
        place = (x * 0.35 + y) / pitch + 3.4 * height
        cross = (x - y * 0.25) / (pitch * 1.05) + 2.4 * height
        strokes = _waves(place, np.clip(dark * 1.25, 0, 1))
        return np.maximum(strokes, _waves(cross, np.clip((dark - 0.5) * 1.7, 0, 1)))
    if style.tone == "cross":
        wobble = 0.35 * noise(rng, s, 8 * u)
        crossed = np.zeros_like(dark)
        for i, turn in enumerate((0.8, -0.75, 0.1, 1.5)):
            place = (x * np.cos(turn) + y * np.sin(turn)) / pitch + wobble + 1.2 * height
            crossed = np.maximum(crossed, _waves(place, np.clip((dark - 0.13 - 0.2 * i) * 1.6, 0, 0.55)))
        return crossed
    if style.tone == "carve":
        vx, vy = flow(cv2.GaussianBlur(1 - dark, (0, 0), 2 * u), 7 * u)
        strands = drag(noise(rng, s, pitch / 4), (vx, vy), 8, 1.4 * u)
        strands /= strands.std() + 1e-6
        return smoothstep(dark + 0.17 * strands, 0.43, 0.51)
    if style.tone == "dots":
        return smoothstep(dark * 1.15 + 0.33 * noise(rng, s, max(0.5, 0.6 * u)), 0.5, 0.75)
    return dark


def _tones(light: Array, face: DrawnFace, rng: Rng, style: Lines) -> Array:
    dark = np.clip(1 - light, 0, 1)
    if style.tone == "none":
        return np.zeros_like(dark)
    if style.tone == "steps":
        smooth = cv2.bilateralFilter(light, -1, 0.15, 4 * face.unit)
        if style.levels == 2:
            return smoothstep(smooth, 0.33, 0.28)
        return np.clip(np.floor((1 - smooth) * style.levels + 0.25) / style.levels, 0, 1).astype(np.float32)
    return _hatched(smoothstep(dark, 0.12, 0.95) if style.tone != "smooth" else dark**1.2, face, rng, style)


def _manga_screen(light: Array, face: DrawnFace, pitch: float) -> Array:
    """Return printed dots for the middle tones."""
    x, y = points_grid(face.size)
    p = pitch * face.unit
    a, b = (x + y) / p, (x - y) / p
    wave = 0.5 + 0.25 * (np.cos(np.pi * 2 * a * 0.7071) + np.cos(np.pi * 2 * b * 0.7071))
    grey = 0.75 * smoothstep(light, 0.56, 0.3)
    return smoothstep(wave, 1 - 0.62 * grey + 0.08, 1 - 0.62 * grey - 0.08 + 0.1) * (grey > 0.05)


def drawn_in_lines(image: Array, face: DrawnFace, name: str, rng: Rng, ink: Lab | None = None) -> Array:
    """Draw a picture in one of the media of :data:`LINES`; ``ink`` is the colour of the strokes where they have another one."""
    style, u, s = LINES[name], face.unit, face.size
    if ink is not None:
        red, green, blue = (float(value) for value in rgb_of(ink))
        style = replace(style, ink=(red, green, blue))
    even = evened(image, face, 0.62 if not style.light else 0.55, 0.85, 0.21)
    light = luminance(even)
    # the background is hinted at only; bold media leave it out, as grey veils are not theirs
    behind = blur(face.background, 2 * u)
    hint = smoothstep(behind, 0.7, 0.4) if style.ground >= 0.8 else 1 - style.ground * behind
    soft = cv2.GaussianBlur(light, (0, 0), 0.8 * u)
    line = outlines(1 - soft if name == "chalk" else soft, style.width * u, style.outline)
    tone = _tones(1 - hint * (light if style.light else 1 - light), face, rng, style) * style.depth
    marks = np.clip(np.maximum(line * min(1.0, style.outline) * hint, tone), 0, 1)
    if style.screen:
        marks = np.maximum(marks, _manga_screen(light, face, style.screen) * hint)
    grain = paper_grain(rng, face)
    if style.grain:
        # strokes catch on the tooth of the paper
        marks = np.clip(marks * (1 + style.grain * 0.55 * grain) - style.grain * 0.18 * np.clip(-grain, 0, 2) * (marks > 0.02), 0, 1)
    paper = np.clip(floats(style.paper) * (1 + 0.02 * grain[..., None]), 0, 1)
    if style.colour:
        body = saturate(evened(image, face, 0.6, 0.4, 0.2), style.vivid)
        strength = np.clip((1.15 - luminance(body)) * 1.1 + 0.12, 0.25, 1)
        strokes = _hatched(np.clip(strength, 0, 1), face, rng, style) if style.tone == "flow" else strength
        cover = np.clip(strokes * (1 + style.grain * 0.45 * grain), 0, 1) * style.colour * (1 - 0.6 * style.ground * face.background)
        paper = blend(paper, np.clip(body * 0.95 + 0.03, 0, 1), np.clip(cover * 0.95 + 0.12, 0, 1))
        marks = np.maximum(line * style.outline, 0.45 * tone * style.depth) * hint
    done = blend(paper, style.ink, marks)
    if name == "blueprint":
        x, y = points_grid(s)
        grid = np.maximum(((x % (16 * u)) < 1 * u), ((y % (16 * u)) < 1 * u)).astype(np.float32)
        done = blend(done, (0.45, 0.62, 0.92), grid * 0.35 * (1 - marks))
        done = screen(done, (0.16 * smoothstep(light, 0.35, 0.9) * face.person)[..., None] * floats([0.5, 0.75, 1]))
    if name == "cave painting":
        rock = noise(rng, s, 12 * u) * 0.06 + noise(rng, s, 2.5 * u) * 0.035
        ochre = blend(done, (0.66, 0.28, 0.12), smoothstep(tone, 0.15, 0.45) * (0.55 * face.person) * (1 - marks))
        done = np.clip(ochre * (1 + rock[..., None]) + 0.04 * detail(rock, 2 * u)[..., None], 0, 1)
    return np.clip(done, 0, 1).astype(np.float32)
