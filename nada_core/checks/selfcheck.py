"""Test that this machine's world really works (``selfcheck``): fetch, load, look at known outputs, adapt, edit a photo.

Made for the first person who has the full world's weights (``--full``). Each part is fetched, loaded and judged by itself, so that what
is broken is named and nothing else is blamed for it; then what parts do together is tried, as far as they passed. The report holds
nothing personal, so that it can be sent back as it is.
"""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch

from nada_core.assets.store import REGISTRY, fetch, state
from nada_core.checks.parts import Detail, Failed, PartChecks
from nada_core.encoders.load import parse_member
from nada_core.engine import Engine
from nada_core.errors import NadaError
from nada_core.inversion.load import PHOTO_ENCODERS
from nada_core.system.cache import cache_folder
from nada_core.worlds import STARTER, World

__all__ = ["Finding", "selfcheck"]

_BACKBONE = "efficientnet-lite0"
DLIB = ("dlib-landmarks-68", "dlib-recognition", "dlib-cnn-detector")


@dataclass(frozen=True)
class Finding:
    """Hold one stage's outcome: whether it did what it should, a sentence about it, its figures, and the seconds it took.

    One that was not ``tried``, because what it needs failed, has not passed either.
    """

    name: str
    passed: bool
    detail: str
    seconds: float
    figures: dict[str, Any] = field(default_factory=dict)
    tried: bool = True


class _Stage(NamedTuple):
    """Hold what is tried, if the stages that it ``needs`` passed."""

    name: str
    needs: tuple[str, ...]
    run: Callable[[], Detail]


def selfcheck(engine: Engine, photo: Any = None, *, steps: int = 20) -> Iterator[Finding]:
    """Try everything a world consists of, stage by stage: its files, each part by itself, and what the parts do together.

    Only what the engine's parts need is fetched.

    Args:
        photo: a picture with one face; the astronaut Eileen Collins by default.
        steps: length of the adaptation; 10 or more, so that its end can be compared with its beginning.
    """
    unfit: set[str] = set()
    for name, needs, run in _stages(PartChecks(engine, photo, steps)):
        start = time.monotonic()
        figures: dict[str, Any] = {}
        passed = False
        if lacking := [need for need in needs if need in unfit]:
            detail = f"not tried: needs {', '.join(lacking)}"
        else:
            try:
                (detail, figures), passed = run(), True
            except NadaError as error:
                detail = without_folders(str(error))
            except Exception as error:  # noqa: BLE001 - whatever it is, the report must say it and the next stage must be tried
                detail = f"{type(error).__name__}: {without_folders(str(error))}"
        if not passed:
            unfit.add(name)
        yield Finding(name, passed, " ".join(detail.split()), round(time.monotonic() - start, 2), figures, not lacking)


def _stages(bench: PartChecks) -> list[_Stage]:
    engine, world = bench.engine, bench.engine.parts
    files = files_of(world)
    generator, encoder, inverter, faces = "generator", "text-image encoder", "photo encoder", "face finder"
    names = dict.fromkeys(name for part in files.values() for name in part)
    stages = [_Stage(f"file {name}", (), partial(_file, name)) for name in names]
    if engine.device.type == "cuda":
        stages.append(_Stage("CUDA kernels", (), _kernels))
    guessing = world.inverter != "none"

    def loading(name: str, run: Callable[[], Detail]) -> _Stage:
        return _Stage(name, tuple(f"file {file}" for file in files[name]), run)

    stages += [loading(generator, bench.generator), loading(encoder, bench.encoder)]
    stages += [loading(inverter, bench.inverter)] if guessing else []
    stages += [loading(faces, bench.faces), _Stage("faces in samples", (generator, faces), bench.samples)]
    stages += [_Stage("words for a photo", (encoder,), bench.words_for_photo)]
    stages += [_Stage("words for faces", (encoder, "faces in samples"), bench.words_for_faces)]
    stages += [_Stage("first guess", (generator, inverter, faces), bench.guess)] if guessing else []
    parts = (generator, encoder, *((inverter,) if guessing else ()), faces, f"file {_BACKBONE}")
    return [
        *stages,
        _Stage("adaptation", (generator, encoder), bench.adaptation),
        _Stage("photo", (*parts, "adaptation"), bench.edit),
    ]


def files_of(world: World) -> dict[str, tuple[str, ...]]:
    """Name the files that each part of a world is loaded from; parts from files of the user's have none."""
    base = "mobile-stylegan-ffhq" if world.base == STARTER else str(world.base)
    members = [parse_member(member) for member in world.encoder.split(",")]
    texts = [
        _BACKBONE if model == STARTER else f"clip-{model.lower().replace('/', '-')}" for model, tag, _ in members if tag in (None, "openai")
    ]
    guess = _BACKBONE if world.inverter == STARTER else PHOTO_ENCODERS.get(world.inverter, "")
    files = {
        "generator": (base,),
        "text-image encoder": tuple(texts),
        "photo encoder": (guess,),
        "face finder": DLIB,
        "photo": (_BACKBONE,),  # its features say how like the photo an inversion is
    }
    return {part: tuple(name for name in names if name in REGISTRY) for part, names in files.items()}


def without_folders(text: str) -> str:
    """Leave the directories of paths out of a text: they may hold a person's name. Addresses on the web stay."""
    for known in {str(Path.home()), str(Path.cwd()), str(cache_folder()), tempfile.gettempdir()} - {"/", "."}:
        text = text.replace(known, "…")
    address, folders = r"https?://[^\s'\"]+|huggingface\.co/[^\s'\"]+", r"(?:[A-Za-z]:)?(?:[/\\][^/\\\s'\":]+)+[/\\](?=[^/\\\s])"
    return re.sub(f"({address})|{folders}", lambda found: found[1] or "…/", text)


def _file(name: str) -> Detail:
    fetch(name)
    found = state(name, verify=True)
    return f"{found.status}, checksum {found.checksum}", {"bytes": found.size, "sha256": found.sha256}


def _kernels() -> Detail:
    """Compare the compiled kernel with the plain operation; without it the plain one is used, slower and right as well."""
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
        raise Failed("The compiled kernel differs from the plain operation.")
    return "compiled, and equal to the plain operations", {"compiled": True}
