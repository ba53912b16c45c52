"""The state of an adaptation between two steps: kept in one file, and continued from it as if there had been no break.

A file is safetensors: weights, their running mean, the last good ones, Adam's two moments and the random numbers' state, with
``format = nada-training`` and JSON about the run in its metadata. It names the base generator by content hash and does not hold it.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from nada_core.checksums import sha256_of_tensors
from nada_core.encoders.base import ImageTextEncoder
from nada_core.encoders.ensemble import EncoderEnsemble
from nada_core.errors import ResumeError
from nada_core.files import write_bytes
from nada_core.options import AdaptOptions

__all__ = ["SCHEMA", "TrainingState", "check_resumable", "encoder_hash", "load_training", "pictures_hash", "save_training"]

FORMAT = "nada-training"
SCHEMA = 1
#: Options that may change on the way: they say how long a run is and what is shown of it.
FREE = frozenset({"steps", "preview_seeds", "preview_truncation", "preview_seconds"})

#: What options were in files written before there was a choice, where that is not what they are by default.
EARLIER = {"noise": "const"}


@dataclass(frozen=True)
class TrainingState:
    """One adaptation after ``step`` steps.

    Attributes:
        base, base_hash: family and content hash of the frozen generator.
        options: with the family's defaults filled in.
        lr: the step size before warm-up and decay; halved each time the pictures diverged.
        seconds: spent so far.
        targets: SHA-256 of the target pictures; empty where a text is the target.
        tensors: on the CPU, by ``KIND|PARAMETER``; the kinds are weights, average, good, adam_mean, adam_square, adam_step. And ``rng``.
        encoder_hash: of :func:`encoder_hash`; empty in files written before it was kept, whose encoder is known by its name only.
    """

    prompt: str
    base: str
    base_hash: str
    encoder: str
    options: AdaptOptions
    step: int
    lr: float
    seconds: float
    targets: str
    tensors: Mapping[str, Tensor]
    encoder_hash: str = ""

    def of_kind(self, kind: str) -> dict[str, Tensor]:
        """The tensors of one kind, by parameter."""
        return {name.partition("|")[2]: tensor for name, tensor in self.tensors.items() if name.startswith(f"{kind}|")}


def pictures_hash(images: Sequence[Tensor] | None) -> str:
    """SHA-256 over shapes and values of target pictures; empty for none."""
    if not images:
        return ""
    digest = hashlib.sha256()
    for image in images:
        digest.update(str(tuple(image.shape)).encode())
        digest.update(image.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def encoder_hash(encoder: ImageTextEncoder) -> str:
    """SHA-256 over an encoder's weights and what else decides what it sees, whatever its file is called; empty where it has no weights.

    All of ViT-B/32 takes half a second. Activations have no weights, yet the same file read with another one is another encoder; so is an
    ensemble with other shares.
    """
    digest = hashlib.sha256()
    if isinstance(encoder, EncoderEnsemble):
        members = [encoder_hash(member) for member in encoder.members]
        digest.update(repr([*zip(members, encoder.weights, strict=True)]).encode())
        return digest.hexdigest() if all(members) else ""
    values = encoder.state_dict() if isinstance(encoder, nn.Module) else {}
    if not isinstance(encoder, nn.Module) or not values:
        return ""
    idle = (nn.Identity, nn.Dropout)  # of no effect in a frozen encoder
    leaves = [part for name, part in encoder.named_modules() if name and not [*part.children()] and not isinstance(part, idle)]
    bare = {type(part).__name__ for part in leaves if not part.state_dict()}
    digest.update(repr((sorted(bare), getattr(encoder, "image_input", None))).encode())
    digest.update(sha256_of_tensors(values).encode())
    return digest.hexdigest()


def save_training(path: Path, state: TrainingState) -> Path:
    """Write atomically: the file is complete or absent, and an older one survives a failure.

    Raises:
        NadaError: the folder cannot be written, or the disk is full.
    """
    facts = {field.name: getattr(state, field.name) for field in fields(state) if field.name not in ("options", "tensors")}
    options = asdict(state.options)
    unlimited = [name for name, value in options.items() if value == math.inf]  # infinity is no JSON
    facts |= {"schema": SCHEMA, "options": {n: None if n in unlimited else v for n, v in options.items()}, "unlimited": unlimited}
    write_bytes(
        path, save({name: tensor.contiguous() for name, tensor in state.tensors.items()}, {"format": FORMAT, "run": json.dumps(facts)})
    )
    return path


def load_training(path: Path) -> TrainingState:
    """Read what :func:`save_training` wrote.

    Raises:
        ResumeError: no such file, damaged, of another kind, or of another version.
    """
    try:
        if not path.is_file():
            raise ResumeError(f"There is no training file '{path.name[:60]}'. Runs that are interrupted write training.safetensors.")
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            if metadata.get("format") != FORMAT:
                raise ResumeError(f"'{path.name}' is a safetensors file but holds no training to continue. Give a training.safetensors.")
            facts = json.loads(metadata["run"])
            if facts["schema"] != SCHEMA:
                raise ResumeError(
                    f"'{path.name}' has training schema {facts['schema']}; this version reads {SCHEMA}. Update the program that is older."
                )
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (safe_open is no mapping)
        return _state(facts, tensors)
    except ResumeError:
        raise
    except (SafetensorError, OSError, KeyError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise ResumeError(f"'{path.name[:60]}' is not a training file, or it is damaged. Start the adaptation again.") from error


#: What JSON may hold for each fact; those not named here are texts.
_NUMBERS: dict[str, tuple[type, ...]] = {"step": (int,), "lr": (int, float), "seconds": (int, float)}


def _state(facts: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> TrainingState:
    """Raises KeyError, TypeError or ValueError where a fact is missing or wrong."""
    stored = {**EARLIER, **facts["options"]}
    options: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in stored.items()}
    options |= dict.fromkeys(facts["unlimited"], math.inf)
    facts = {"encoder_hash": "", **facts}
    known = {field.name: facts[field.name] for field in fields(TrainingState) if field.name not in ("options", "tensors")}
    for name, value in known.items():
        if not isinstance(value, _NUMBERS.get(name, (str,))) or isinstance(value, bool):
            raise ValueError(f"{name} is {value!r}")
    if known["step"] < 0 or not (0 < known["lr"] < math.inf) or not (0 <= known["seconds"] < math.inf) or "rng" not in tensors:
        raise ValueError("a number is out of range, or the random numbers' state is missing")
    return TrainingState(**known, options=AdaptOptions(**options), tensors=tensors)


def check_resumable(
    state: TrainingState,
    *,
    prompt: str,
    base: str,
    base_hash: str,
    encoder: str,
    options: AdaptOptions,
    targets: str,
    encoder_hash: str = "",
) -> None:
    """See that a run would go on as the same run. Its length and its previews may differ.

    Encoders are compared by their weights, and by name only where one of the two hashes is not known.

    Raises:
        ResumeError: something else differs; the message names it and both values.
    """
    if (state.base, state.base_hash) != (base, base_hash):
        raise ResumeError(
            f"The training was of {state.base} {state.base_hash[:8]}; this generator is {base} {base_hash[:8]}. Load the matching base."
        )
    if state.prompt != prompt:
        raise ResumeError(f"The training was for '{state.prompt}', not for '{prompt}'. Give the same prompt, or start a new adaptation.")
    hashes = (state.encoder_hash, encoder_hash)
    if state.encoder != encoder if not all(hashes) else hashes[0] != hashes[1]:
        if state.encoder == encoder:
            raise ResumeError(f"The training used other weights of the encoder {encoder} than these. Give the file that it used.")
        raise ResumeError(f"The training used the encoder {state.encoder}, not {encoder}. Choose the same one.")
    if state.targets != targets:
        raise ResumeError("The training had other target pictures, or none. Give the same ones in the same order.")
    old, new = asdict(state.options), asdict(options)
    different = [name for name in new if name not in FREE and old[name] != new[name]]
    if different:
        name = different[0]
        raise ResumeError(f"The training had {name} {old[name]}, not {new[name]}. Leave the option as it was, or start a new adaptation.")
    if options.steps <= state.step:
        raise ResumeError(f"The training has {state.step} steps already; {options.steps} are asked for. Ask for more steps to continue.")
