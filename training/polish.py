"""Train what is cheap in a compact style until its pictures are the full style's again.

A compact style keeps few components of each change. The strength of each of them and all vectors (biases, small kernels) are trained here
against the full style's pictures; the components' directions, which are most of the bytes, stay as they are. Two dozen steps are worth
4 dB and more.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.func import functional_call

from nada_core.generators.base import Generator
from nada_core.styles.files import Style, resolved_weights, styled
from nada_core.styles.low_rank import Factors, unpacked
from nada_core.system.device import precision_context

__all__ = ["polished"]

STRENGTH_RATE, VECTOR_RATE = 0.02, 3e-4
TRUNCATION = 0.7


class _Synthesis(nn.Module):
    """Call ``synthesis``, so that weights can be put in its place for one call."""

    def __init__(self, generator: Generator) -> None:
        super().__init__()
        self.generator = generator

    def forward(self, ws: Tensor) -> Tensor:
        return self.generator.synthesis(ws, resolution=self.generator.resolutions[0]).float()


def polished(base: Generator, full: Style, compact: Style, steps: int = 24, batch: int = 2) -> Style:
    """Return ``compact`` with strengths and vectors trained so that it draws what ``full`` draws.

    Args:
        base: the generator both were made for.
        full: the style as it was adapted.
        compact: of :func:`~nada_core.styles.files.compact_style`; its file grows by nothing.
    """
    reference = {name: p.detach() for name, p in base.named_parameters()}
    names = {key.split("|")[0] for key in compact.tensors}
    vectors = {name: compact.tensors[name].float().requires_grad_() for name in names if name in compact.tensors}
    strengths = {key: torch.ones_like(value).requires_grad_() for key, value in compact.tensors.items() if "|scale" in key}

    def weights() -> dict[str, Tensor]:
        changed = {name: reference[name] + vector for name, vector in vectors.items()}
        for key, strength in strengths.items():
            name, end = key.split("|scale")
            up, down = (compact.tensors[f"{name}|{part}{end}"] for part in ("up", "down"))
            if end:
                rows, columns = reference[name].flatten(1).shape
                up, down = unpacked(up, rows), unpacked(down.T.contiguous(), columns).T
            change = Factors(up, compact.tensors[key] * strength, down).matrix()
            changed[name] = changed.get(name, reference[name]) + change.reshape(reference[name].shape)
        return {f"generator.{name}": value for name, value in changed.items()}

    target, network = styled(base, full), _Synthesis(copy.deepcopy(base).requires_grad_(False))
    groups = [
        {"params": list(strengths.values()), "lr": STRENGTH_RATE},
        {"params": list(vectors.values()), "lr": VECTOR_RATE},
    ]
    optimiser = torch.optim.Adam(groups, betas=(0.8, 0.95))
    schedule = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.0, steps)
    rng = torch.Generator().manual_seed(1)
    for _ in range(steps):
        with torch.no_grad(), precision_context(base.device):
            ws = base.mapping(torch.randn(batch, base.z_dim, generator=rng).to(base.device), TRUNCATION)
            wanted = target.synthesis(ws, resolution=base.resolutions[0]).float()
        with precision_context(base.device):
            drawn = functional_call(network, weights(), (ws,))
        optimiser.zero_grad()
        ((drawn - wanted).pow(2).mean() / wanted.pow(2).mean().clamp(min=1e-20)).backward()
        optimiser.step()
        schedule.step()
    tensors = dict(compact.tensors)
    tensors |= {name: vector.detach().half() for name, vector in vectors.items()}
    tensors |= {key: (compact.tensors[key] * strength.detach()) for key, strength in strengths.items()}
    done = Style(compact.card, tensors)
    resolved_weights(done, base)  # complete and fitting
    return done
