"""Cut-outs over white and back."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from nada_core.images.transparency import is_transparent, on_white, repainted


def _cut_out(size: int = 300) -> Image.Image:
    """Noise, fading towards the corners."""
    pixels = np.random.default_rng(0).integers(0, 256, (size, size, 4), dtype=np.uint8)
    pixels[..., 3] = np.clip((np.hypot(*(np.mgrid[:size, :size] - size / 2)) - 0.36 * size) * -8, 0, 255)
    return Image.fromarray(pixels)


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGB", "RGBA"])
def test_over_white(mode: str) -> None:
    flat = on_white(Image.new("RGB", (9, 9), (51, 51, 51)).convert(mode))
    assert flat.mode == "RGB" and flat.getpixel((3, 3)) == (51, 51, 51)
    assert on_white(Image.new("RGBA", (9, 9), (40, 40, 40, 0))).getpixel((3, 3)) == (255, 255, 255)


def test_what_counts_as_transparent() -> None:
    assert is_transparent(_cut_out()) and not is_transparent(Image.new("RGBA", (9, 9), "red"))
    assert not is_transparent(Image.new("RGB", (9, 9)))


def test_what_was_not_changed_stays_and_what_was_looks_as_it_should() -> None:
    cut_out = _cut_out()
    assert np.array_equal(repainted(cut_out, on_white(cut_out)), cut_out)
    wanted = np.asarray(on_white(cut_out)).copy()
    wanted[100:200] = 255 - (255 - wanted[100:200].astype(int)) // 3  # thinner colours: possible everywhere
    painted = repainted(cut_out, Image.fromarray(wanted))
    before, after = np.asarray(cut_out), np.asarray(painted)
    assert painted.mode == "RGBA" and np.array_equal(before[..., 3], after[..., 3])
    assert np.array_equal(np.delete(before, np.s_[100:200], 0), np.delete(after, np.s_[100:200], 0))
    assert np.abs(np.asarray(on_white(painted), dtype=int) - wanted).max() <= 1
    hidden = before[..., 3] == 0
    assert np.array_equal(before[hidden], after[hidden]) and np.abs(after[150, 150].astype(int) - before[150, 150]).max() > 20


def test_colours_that_cannot_be_are_as_near_as_they_can() -> None:
    faint = Image.new("RGBA", (9, 9), (200, 200, 200, 10))
    assert repainted(faint, Image.new("RGB", (9, 9))).getpixel((3, 3)) == (0, 0, 0, 10)
