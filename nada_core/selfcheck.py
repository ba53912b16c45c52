"""``python -m nada_core selfcheck``: does this machine's world really work? Fetch, load, look at known outputs, adapt, edit a photo.

Made for the first person who has the full world's weights (``--full``): every stage is tried even where an earlier one failed, and the
report holds nothing personal, so that it can be sent back as it is.
"""

from __future__ import annotations

import math
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean
from typing import Any

import torch

from nada_core.assets import REGISTRY, fetch, state
from nada_core.encoders.templates import ReadsTemplates
from nada_core.engine import Engine
from nada_core.errors import NadaError
from nada_core.images import decode_photo, to_pil, to_tensor

__all__ = ["Finding", "selfcheck"]

#: dlib's limit of the same person.
_SAME_PERSON = 0.6
#: What pictures are compared with; those that are shown come first.
_SUBJECTS = ("a face", "an astronaut", "a dog", "a cat", "a car", "a house", "a plate of food", "a flower", "a page of text", "a landscape")


@dataclass(frozen=True)
class Finding:
    """One stage: whether it did what it should, the sentence about it, its figures, and the seconds it took."""

    name: str
    passed: bool
    detail: str
    seconds: float
    figures: dict[str, Any] = field(default_factory=dict)


class _Failed(NadaError):
    """A stage ran, but its result is not as it should be."""


_Said = tuple[str, dict[str, Any]]


def selfcheck(engine: Engine, photo: Any = None, *, steps: int = 20) -> Iterator[Finding]:
    """Try everything a world consists of, stage by stage.

    Args:
        photo: a picture with one face; the astronaut Eileen Collins by default.
        steps: length of the adaptation; 10 or more, so that its end can be compared with its beginning.
    """
    style: list[Any] = []
    stages: list[tuple[str, Callable[[], _Said]]] = [
        *((f"file {name}", lambda name=name: _file(name)) for name in _needed(engine)),
        ("generator", lambda: _generator(engine)),
        ("text-image encoder", lambda: _encoder(engine)),
        ("adaptation", lambda: _adaptation(engine, steps, style)),
        ("photo", lambda: _photo(engine, photo, style)),
    ]
    if engine.device.type == "cuda":
        stages.insert(-3, ("CUDA kernels", _kernels))
    for name, stage in stages:
        start = time.monotonic()
        try:
            (detail, figures), passed = stage(), True
        except NadaError as error:
            (detail, figures), passed = (str(error), {}), False
        except Exception as error:  # noqa: BLE001 - whatever it is, the report must say it and the next stage must be tried
            (detail, figures), passed = (f"{type(error).__name__}: {_without_folders(str(error))}", {}), False
        yield Finding(name, passed, " ".join(detail.split()), round(time.monotonic() - start, 2), figures)


def _without_folders(text: str) -> str:
    """The text with the directories of paths left out, which may hold a person's name."""
    for known in {str(Path.home()), str(Path.cwd()), tempfile.gettempdir()} - {"/", "."}:
        text = text.replace(known, "…")
    return re.sub(r"(?:[A-Za-z]:)?(?:[/\\][^/\\\s'\":]+)+[/\\](?=[^/\\\s])", "…/", text)


def _needed(engine: Engine) -> list[str]:
    """Names of the files that the engine's world is made of."""
    world = "full" if engine.world == "full" else "starter"
    return [name for name, asset in REGISTRY.items() if not asset.optional and asset.world in (world, "starter")]


def _file(name: str) -> _Said:
    fetch(name)
    found = state(name, verify=True)
    return f"{found.status}, checksum {found.checksum}", {"bytes": found.size, "sha256": found.sha256}


@torch.no_grad()
def _generator(engine: Engine) -> _Said:
    """Finite pictures of the right size, in which a face is found: of the mean latent, and of three seeds of four."""
    generator = engine.generator
    ws = torch.cat([generator.w_avg.expand(1, generator.num_ws, -1), generator.mapping(generator.sample_z(range(4)), 0.7)])
    pictures = torch.cat([generator.synthesis(row[None]).float() for row in ws])
    side = generator.img_resolution
    if pictures.shape != (5, 3, side, side) or not torch.isfinite(pictures).all():
        raise _Failed(f"The generator gave pictures of shape {tuple(pictures.shape)}; expected finite ones of {side} px.")
    found = [len(engine.editor.find(to_pil(picture))[1]) for picture in pictures]
    figures = {
        "family": generator.family,
        "num_ws": generator.num_ws,
        "hash": engine.base_hash,
        "faces_found": found,
        "mean": round(pictures.mean().item(), 4),
        "std": round(pictures.std().item(), 4),
    }
    if not found[0] or sum(count > 0 for count in found[1:]) < 3:
        raise _Failed(f"A face was found in {sum(count > 0 for count in found)} of 5 pictures, the first of them the mean face: {figures}.")
    return f"{generator.family}, {side} px, {generator.num_ws} latents; faces are found in its pictures", figures


@torch.no_grad()
def _encoder(engine: Engine) -> _Said:
    """Unit embeddings; and an encoder that reads sentences tells the generator's faces and a photo of an astronaut apart, by name.

    Weights that are wrong, or read wrongly, give all pictures nearly the same embedding: one sentence then is nearest to both.
    """
    encoder: Any = engine.encoder
    generator = engine.generator
    faces = generator.synthesis(generator.mapping(generator.sample_z(range(2)), 0.7)).float()
    images = encoder.encode_image(faces)
    if not torch.allclose(images.norm(dim=-1), torch.ones(2, device=images.device), atol=1e-3):
        raise _Failed(f"Embeddings have lengths {images.norm(dim=-1).tolist()}; expected 1.")
    figures: dict[str, Any] = {"name": encoder.name, "dim": images.shape[1]}
    if not isinstance(engine.encoder, ReadsTemplates):
        return f"{encoder.name}, {images.shape[1]} numbers", figures
    astronaut = encoder.encode_image(to_tensor(decode_photo(fetch("portrait-astronaut"))).to(images.device))
    texts = encoder.encode_text([f"a photo of {subject}." for subject in _SUBJECTS])
    wrong = []
    for shown, image in {"a face": images.mean(0), "an astronaut": astronaut[0]}.items():
        cosines = dict(zip(_SUBJECTS, (round(cosine, 4) for cosine in (texts @ image).tolist()), strict=True))
        figures[f"cosines of {shown}"] = cosines
        nearest = max(cosines, key=lambda subject: cosines[subject])
        if nearest != shown:
            wrong.append(f"{shown} is taken for {nearest}")
    if wrong:
        raise _Failed(
            f"The encoder does not know what it sees: {', '.join(wrong)}. Wrong weights do that, or a wrong activation: {figures}."
        )
    return f"{encoder.name}, {images.shape[1]} numbers; it tells {len(_SUBJECTS)} subjects apart", figures


def _adaptation(engine: Engine, steps: int, style: list[Any]) -> _Said:
    taken = []
    for step in engine.adapt("Joker", steps):
        taken.append(step)
        if step.index == steps:
            style.append(step.style())
    rise = mean(step.similarity for step in taken[-5:]) - mean(step.similarity for step in taken[:5])
    figures = {
        "losses": [round(step.loss, 4) for step in taken],
        "similarity": round(taken[-1].similarity, 4),
        "seconds_a_step": round(taken[-1].seconds / len(taken), 3),
        "notes": [step.note for step in taken if step.note],
    }
    if not all(math.isfinite(step.loss) for step in taken) or rise <= 0:
        raise _Failed(f"The directional similarity did not rise over {steps} steps ({rise:+.3f}): {figures}.")
    return f"{steps} steps of 'Joker' in {taken[-1].seconds:.0f} s; the similarity rose by {rise:.2f}", figures


def _photo(engine: Engine, photo: Any, style: list[Any]) -> _Said:
    if not style:
        raise _Failed("Not tried: there is no style, because the adaptation failed.")
    result = engine.edit(fetch("portrait-astronaut") if photo is None else photo, style[0])
    figures = {
        "identity_inverted": result.identity_inverted,
        "identity_edited": result.identity_edited,
        "reconstruction": result.reconstruction,
        "seconds": round(result.seconds, 1),
    }
    if result.identity_inverted is None or result.identity_inverted > _SAME_PERSON:
        raise _Failed(f"The inversion is not the same person: {figures}.")
    return f"the inversion is {result.identity_inverted:.2f} from the photo (same person: below {_SAME_PERSON})", figures


def _kernels() -> _Said:
    """The compiled kernel against the plain operation; without it the plain one is used, which is slower and right as well."""
    from nada_core.generators.stylegan2_cuda import compiled_kernels, fused_bias_act
    from nada_core.generators.stylegan2_ops import bias_act

    rng = torch.Generator("cuda").manual_seed(0)
    x, bias, scale = (torch.randn(size, device="cuda", generator=rng) for size in ((2, 8, 16, 16), (8,), (2, 8)))
    if compiled_kernels() is None:
        return "not compiled: plain operations are used, which take longer. The kernels need nvcc, ninja and a C++ compiler.", {
            "compiled": False
        }
    fused = fused_bias_act(x, bias, scale, None, None)
    plain = bias_act(x.cpu(), bias.cpu(), scale.cpu())
    if fused is None or not torch.allclose(fused.cpu(), plain, rtol=1e-4, atol=1e-5):
        raise _Failed("The compiled kernel differs from the plain operation.")
    return "compiled, and equal to the plain operations", {"compiled": True}
