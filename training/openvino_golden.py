"""Write golden values of MobileStyleGAN from OpenVINO itself (needs ``pip install openvino``, which nothing else here does).

    python -m training.openvino_golden

Writes ``tests/data/mobile_stylegan_openvino.npz``: for one latent, ``z``, ``w``, every 8th pixel of the 1024 px image and one
full-resolution patch.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openvino

from nada_core.assets.store import fetch


def main() -> None:
    core, folder = openvino.Core(), fetch("mobile-stylegan-ffhq")
    exact = {"INFERENCE_PRECISION_HINT": "f32"}
    mapping, synthesis = (core.compile_model(folder / f"{n}Network.xml", "CPU", exact) for n in ("Mapping", "Synthesis"))
    z = np.random.default_rng(0).standard_normal((1, 512)).astype(np.float32)
    w = mapping(z)[0]
    image = synthesis(w)[0]
    out = Path(__file__).parents[1] / "tests" / "data" / "mobile_stylegan_openvino.npz"
    np.savez_compressed(out, z=z, w=w, strided=image[:, :, ::8, ::8], patch=image[:, :, 480:544, 480:544])
    print(out)


if __name__ == "__main__":
    main()
