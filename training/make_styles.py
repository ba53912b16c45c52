"""Make the ready styles: adapt to each prompt with the defaults, store compactly under ``checkpoints/styles``.

python -m training.make_styles --prompts Joker [--steps 60] [--out checkpoints/styles]
"""

from __future__ import annotations

import argparse
from pathlib import Path

from nada_core.adaptation import AdaptOptions
from nada_core.checkpoints import compact_style, save_style, slug
from nada_core.engine import Engine
from nada_core.styles import READY


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--prompts", nargs="+", required=True)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--out", type=Path, default=READY)
    args = parser.parse_args()
    engine = Engine()
    for prompt in args.prompts:
        step = None
        for step in engine.adapt(prompt, options=AdaptOptions(steps=args.steps, preview_seconds=float("inf"))):  # noqa: B007 (the last one is used)
            pass
        assert step is not None
        style = compact_style(step.style(slug(prompt)), engine.generator)
        path = save_style(style, args.out / f"{slug(prompt)}.safetensors")
        print(f"{path.name}: {path.stat().st_size >> 10} KB, similarity {step.similarity:.2f}, {step.seconds:.0f} s", flush=True)


if __name__ == "__main__":
    main()
