"""Time a whole training step of the full world against the usual one: ``python -m benchmarks.full_step``.

The usual one renders with grouped convolutions and works in float32 throughout, as the published code does on a CPU: the frozen and the
trained generator, CLIP on both pictures, the directional loss, the way back, Adam. Ours is the training loop itself with its own defaults.
StyleGAN2 config-f and CLIP ViT-B/32, both with random weights of a sane size; the two take turns, and medians are compared.
"""

from __future__ import annotations

import argparse
import copy
import tempfile
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F

from benchmarks.stylegan2_step import grouped_synthesis
from benchmarks.taking_turns import in_turns, seconds_of
from nada_core.adaptation.options import AdaptOptions, resolve_options
from nada_core.adaptation.training_run import TrainingRun
from nada_core.encoders.base import ImageTextEncoder
from nada_core.encoders.load import load_encoder
from nada_core.generators.stylegan2 import StyleGAN2, StyleGAN2Config, published_channels
from nada_core.system.device import Precision, tune_cpu_allocator


def random_clip(device: torch.device | str = "cpu") -> ImageTextEncoder:
    """ViT-B/32 with the weights it starts with, through the real loader."""
    import open_clip

    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "clip.pt"
        torch.save(open_clip.create_model("ViT-B-32", pretrained=None).state_dict(), file)
        return load_encoder("ViT-B-32", device, weights=file)


@torch.no_grad()
def random_generator(resolution: int) -> StyleGAN2:
    """config-f whose pictures have the size of real ones."""
    torch.manual_seed(0)
    generator = StyleGAN2(StyleGAN2Config(published_channels(resolution))).requires_grad_(False)
    size = generator.synthesis(generator.mapping(generator.sample_z([0]))).abs().mean()
    for block in generator.blocks.values():
        block.torgb.weight.mul_(0.4 / size)
    return generator


def usual_step(base: StyleGAN2, encoder: ImageTextEncoder, batch: int) -> Callable[[], None]:
    """One step of the published training loop, plainly written."""
    trained = copy.deepcopy(base)
    parameters = [p.requires_grad_(True) for name, p in trained.named_parameters() if not name.startswith("mapping_layers")]
    optimiser = torch.optim.Adam(parameters, lr=2e-3)
    source, target = encoder.encode_text(["a photo of a face", "a photo of a Joker"])
    direction = F.normalize(target - source, dim=0)

    def step() -> None:
        with torch.no_grad():
            ws = base.mapping(torch.randn(batch, base.z_dim).to(base.device))
            before = encoder.encode_image(grouped_synthesis(base, ws))
        after = encoder.encode_image(grouped_synthesis(trained, ws))
        loss = (1 - F.cosine_similarity(after - before + 1e-6, direction[None])).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    return step


def full_step(resolution: int = 256, batch: int = 2, repeats: int = 3, precision: Precision = "auto") -> dict[str, float]:
    """Median seconds of a step of both, and how many times faster ours is; the usual one is in float32 always."""
    tune_cpu_allocator()
    encoder, base = random_clip(), random_generator(resolution)
    usual = usual_step(base, encoder, batch)
    # as load_generator hands it out on CPUs
    run = TrainingRun(
        copy.deepcopy(base).laid_out_for_cpu(),
        encoder,
        "Joker",
        resolve_options(AdaptOptions(batch=batch, preset="source", precision=precision), base.family),
    )

    works = {"ours": lambda: seconds_of(run.advance), "usual": lambda: seconds_of(usual)}
    in_turns(works, 1)  # warms up
    medians = in_turns(works, repeats)
    mine, other = medians["ours"], medians["usual"]
    return {"full_step_s": mine, "full_step_usual_s": other, "full_step_speedup": other / mine}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--resolution", type=int, default=256)
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--precision", choices=("auto", "float32", "bfloat16"), default="auto", help="of ours; auto: bfloat16 where AMX is")
    args = parser.parse_args()
    for name, value in full_step(args.resolution, args.batch, args.repeats, args.precision).items():
        print(f"{name:28s} {value:8.3f}")


if __name__ == "__main__":
    main()
