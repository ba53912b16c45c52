"""Measure what each ready style does to a picture, in the starter encoder's space: what an adaptation that starts near is made of.

Needed again after a style or the encoder was made anew; four minutes on one core.

    python -m training.style_effects
"""

from __future__ import annotations

import json

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from nada_core.adaptation.resume import encoder_hash
from nada_core.adaptation.start_near import EFFECTS
from nada_core.engine import Engine
from nada_core.styles.files import styled
from nada_core.styles.library import READY

SEEDS, PSI, SIDE = range(900, 908), 0.8, 256


@torch.no_grad()
def main() -> None:
    """Write ``checkpoints/style-effects.safetensors``."""
    engine = Engine("cpu", world="starter")
    base, encoder = engine.generator, engine.encoder
    ws = base.mapping(base.sample_z(SEEDS), PSI)
    before = encoder.encode_image(base.synthesis(ws, resolution=SIDE).clamp(-1, 1))
    prompts, weights, directions = {}, {}, []
    for entry in engine.style_entries():
        if not entry.ready:
            continue
        name = entry.card.name
        after = styled(base, engine.style(name), engine.base_hash).synthesis(ws, resolution=SIDE).clamp(-1, 1)
        directions.append((encoder.encode_image(after) - before).mean(0))
        prompts[name] = entry.card.prompt
        with safe_open(READY / f"{name}.safetensors", "pt") as file:
            weights[name] = file.metadata()["sha256"]
        print(f"{name}: {directions[-1].norm():.3f}", flush=True)
    card = {
        "about": "mean change of the starter encoder's embedding by each ready style, over 8 generated faces",
        "base_hash": engine.base_hash,
        "encoder_hash": encoder_hash(encoder),
        "prompts": prompts,
        "weights": weights,
    }
    save_file({"directions": torch.stack(directions).half()}, EFFECTS, {"card": json.dumps(card)})


if __name__ == "__main__":
    main()
