"""Show pictures with transparent places on white to whatever looks at them, and make the result transparent there again."""

from __future__ import annotations

import numpy as np
from PIL import Image

__all__ = ["is_transparent", "on_white", "repainted"]

_STRIP = 256  # rows that are computed at once


def is_transparent(image: Image.Image) -> bool:
    """Tell whether a picture has places that are not fully opaque."""
    if not image.has_transparency_data:
        return False
    lowest, _ = image.convert("RGBA").getchannel("A").getextrema()
    return not isinstance(lowest, tuple) and lowest < 255


def on_white(image: Image.Image) -> Image.Image:
    """Return a picture as RGB, transparent places over white; an RGB one as it is."""
    if image.mode == "RGB":
        return image
    if not image.has_transparency_data:
        return image.convert("RGB")
    rgba = image.convert("RGBA")
    white = Image.new("RGB", image.size, "white")
    white.paste(rgba.convert("RGB"), mask=rgba.getchannel("A"))
    return white


def repainted(image: Image.Image, seen: Image.Image) -> Image.Image:
    """Return an RGBA picture with the same transparency that looks like ``seen`` over white; pixels that do already stay as they are.

    Half transparent places get the colour that, thinned, is the one seen: their edges do not turn white.
    """
    result, before = image.copy(), on_white(image)
    for top in range(0, image.height, _STRIP):
        box = (0, top, image.width, min(top + _STRIP, image.height))
        old, new = (np.asarray(picture.crop(box)) for picture in (before, seen))
        changed = (old != new).any(-1)
        if not changed.any():
            continue
        pixels = np.array(image.crop(box))
        changed &= pixels[..., 3] > 0
        alpha = pixels[changed][:, 3:].astype(np.float32) / 255
        colours = (new[changed] - 255 * (1 - alpha)) / alpha
        pixels[changed, :3] = np.rint(np.clip(colours, 0, 255)).astype(np.uint8)
        result.paste(Image.fromarray(pixels), box[:2])
    return result
