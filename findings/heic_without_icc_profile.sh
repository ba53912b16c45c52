#!/usr/bin/env bash
# pillow-heif 1.8.1 with Pillow 12.2.0: a HEIC photo that states its colour space by numbers opens as if it were sRGB.
#
# Expected: the file says "nclx, primaries 12": Display P3, as wide-gamut photos do. So either the pixels come converted to sRGB, or
#           `info["icc_profile"]` holds a profile to convert them with, as it does for JPEG, PNG and HEIC files with an embedded one.
# Happens:  the pixels are P3's own values and `icc_profile` is missing; only `info["nclx_profile"]` (a dict) tells. The usual recipe, to
#           convert where there is an `icc_profile` and take the rest for sRGB, shows such photos duller than they are.
# Seen:     icc_profile: None, nclx primaries: 12
#           (200, 80, 80) is read as (200, 80, 81); the same colour in sRGB is (216, 69, 75)
# Here:     where there is no profile, one is made from the numbers before the pixels are converted.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "pillow-heif==1.8.1" "pillow==12.2.0" "numpy==2.2.6"
"$folder/venv/bin/python" - <<'PYTHON'
import io
import sys

import numpy as np
import pillow_heif
from PIL import Image

pillow_heif.register_heif_opener()
colour = (200, 80, 80)
# SMPTE EG 432-1 primaries (Display P3's), the transfer curve of sRGB, BT.601 luma and chroma
display_p3 = {"color_primaries": 12, "transfer_characteristics": 13, "matrix_coefficients": 6, "full_range_flag": 1}
file = io.BytesIO()
Image.new("RGB", (64, 64), colour).save(file, "HEIF", quality=100, chroma=444, **display_p3)
photo = Image.open(file)
read = photo.convert("RGB").getpixel((32, 32))


def in_srgb(rgb):
    """Return a Display P3 colour in sRGB, by the published matrices (both have the white point D65 and the same curve)."""
    v = np.array(rgb) / 255
    linear = np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)
    matrix = np.array([[1.2249, -0.2247, 0.0], [-0.0420, 1.0419, 0.0], [-0.0197, -0.0786, 1.0979]])
    linear = np.clip(matrix @ linear, 0, 1)
    v = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    return tuple(int(x) for x in np.round(v * 255))


profile, primaries = photo.info.get("icc_profile"), (photo.info.get("nclx_profile") or {}).get("color_primaries")
print(f"icc_profile: {profile}, nclx primaries: {primaries}")
print(f"{colour} is read as {read}; the same colour in sRGB is {in_srgb(colour)}")
as_it_was = max(abs(a - b) for a, b in zip(read, colour)) <= 2
sys.exit(0 if profile is None and primaries == 12 and as_it_was else "This has changed.")
PYTHON
