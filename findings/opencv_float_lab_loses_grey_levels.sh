#!/usr/bin/env bash
# OpenCV 5.0.0: how exact the conversion of a float32 picture to CIE Lab is.
#
# Expected: the formulas of its documentation, to the precision of float32. Lab and back gives every 8-bit colour again.
# Happens:  from RGB to Lab a table of 33 x 33 x 33 colours is interpolated for float32 too. Lightness is off by 0.08 at the mean, a and b by up
#           to 0.5 in dark colours, in steps of 1/64. So Lab and back changes pixels that nobody touched: two of a hundred 8-bit colours
#           come back another grey level. The linear one (COLOR_LRGB2LAB) computes, and is off by 0.03 at most.
# Seen:     lightness off by 0.085 (mean), a and b by up to 0.47; linear 0.0000 and 0.030; 1.8% of the 8-bit colours are others
# Here:     drawings are made in this Lab; what they leave alone is told from what they paint by more than a grey level
#           (nada_core/adaptation/drawn_targets.py), and whatever judges colours computes the formulas.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "opencv-python-headless==5.0.0.93" "numpy==2.4.6"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import cv2
import numpy as np

to_xyz = np.array([[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]])
white = np.array([0.950456, 1.0, 1.088754])


def linear(rgb):
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    t = linear(rgb.astype(np.float64)) @ to_xyz.T / white
    f = np.where(t > 0.008856, np.cbrt(t), 7.787 * t + 16 / 116)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], -1)


levels = np.arange(0, 256, 3)
colours = np.stack(np.meshgrid(levels, levels, levels), -1).reshape(-1, len(levels), 3)
rgb = (colours / 255).astype(np.float32)
found = cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB)
off = np.abs(found - lab(rgb))
straight = np.abs(cv2.cvtColor(linear(rgb).astype(np.float32), cv2.COLOR_LRGB2LAB) - lab(rgb))
back = np.rint(cv2.cvtColor(found, cv2.COLOR_LAB2RGB).astype(np.float64) * 255)
changed = float((back != colours).any(-1).mean())
print(f"OpenCV {cv2.__version__}: lightness off by {off[..., 0].mean():.3f} (mean), a and b by up to {off[..., 1:].max():.2f}")
print(f"linear: lightness off by {straight[..., 0].mean():.4f}, a and b by up to {straight[..., 1:].max():.3f}")
print(f"Lab and back: {changed:.1%} of the 8-bit colours are others")
sys.exit(0 if off[..., 0].mean() > 0.05 and off[..., 1:].max() > 0.4 and straight[..., 1:].max() < 0.1 and changed > 0.005 else 1)
PYTHON
