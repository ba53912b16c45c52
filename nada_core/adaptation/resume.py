"""Keep an adaptation between two steps in one file, and continue from it as if there had been no break.

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

import torch
from torch import Tensor, nn

from nada_core.adaptation.options import MAX_STEPS, AdaptOptions
from nada_core.assets.checksums import sha256_of_tensors
from nada_core.encoders.base import ImageTextEncoder
from nada_core.encoders.ensemble import EncoderEnsemble
from nada_core.errors import ResumeError, shown
from nada_core.generators.trial import LARGEST_WEIGHT
from nada_core.looks.look import Look
from nada_core.system.containers import check_floats, read_safetensors, reading, safetensors_header
from nada_core.system.files import check_file, write_bytes
from nada_core.system.safetensors_writing import safetensors_parts

__all__ = [
    "SCHEMA",
    "TrainingState",
    "check_numbers",
    "check_resumable",
    "encoder_hash",
    "load_training",
    "pictures_hash",
    "save_training",
    "targets_hash",
    "training_bytes",
    "training_parts",
]

FORMAT = "nada-training"
SCHEMA = 1
#: Options that may change on the way: they say how long a run is and what is shown of it.
FREE = frozenset({"steps", "preview_seeds", "preview_truncation", "preview_seconds", "preview_start"})

#: Seconds of the longest run that a file tells of: a century.
_LONGEST = 3e9

#: What options were in files written before there was a choice, where that is not what they are by default.
EARLIER = {"noise": "const", "start": ""}


@dataclass(frozen=True)
class TrainingState:
    """Hold one adaptation after ``step`` steps.

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
        """Return the tensors of one kind, by parameter."""
        return {name.partition("|")[2]: tensor for name, tensor in self.tensors.items() if name.startswith(f"{kind}|")}


def targets_hash(images: Sequence[Tensor] | None, look: Look | None) -> str:
    """Return a hash of a run's target besides its prompt: its pictures, or the look that the prompt was read as."""
    return f"look {look.key}" if look is not None else pictures_hash(images)


def pictures_hash(images: Sequence[Tensor] | None) -> str:
    """Return the SHA-256 over shapes and values of target pictures; empty for none."""
    if not images:
        return ""
    digest = hashlib.sha256()
    for image in images:
        digest.update(str(tuple(image.shape)).encode())
        digest.update(image.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def encoder_hash(encoder: ImageTextEncoder) -> str:
    """Return the SHA-256 over an encoder's weights and what else decides what it sees, not its file's name; empty without weights.

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


def training_bytes(state: TrainingState) -> bytes:
    """Return a training state as the content of its file."""
    return b"".join(training_parts(state))


def training_parts(state: TrainingState) -> list[bytes | memoryview]:
    """Return the content of a training state's file in parts whose numbers are the state's own memory, not copies."""
    facts = {field.name: getattr(state, field.name) for field in fields(state) if field.name not in ("options", "tensors")}
    options = asdict(state.options)
    unlimited = [name for name, value in options.items() if value == math.inf]  # infinity is no JSON
    facts |= {"schema": SCHEMA, "options": {n: None if n in unlimited else v for n, v in options.items()}, "unlimited": unlimited}
    return safetensors_parts(state.tensors, {"format": FORMAT, "run": json.dumps(facts)})


def save_training(path: Path, state: TrainingState) -> Path:
    """Write a training state atomically: the file is complete or absent, and an older one survives a failure.

    Raises:
        NadaError: the folder cannot be written, or the disk is full.
    """
    write_bytes(path, training_bytes(state))
    return path


def load_training(path: Path) -> TrainingState:
    """Return the training state that :func:`save_training` wrote.

    Raises:
        ResumeError: no such file, damaged, of another kind, or of another version.
    """
    damaged = f"'{shown(path.name, 60)}' is not a training file, or it is damaged. Start the adaptation again."
    with reading(path, damaged, ResumeError):
        missing = f"There is no training file '{shown(path.name, 60)}'. Runs that are interrupted write training.safetensors."
        check_file(path, missing, ResumeError)
        _, metadata = safetensors_header(path, damaged, ResumeError)
        if metadata.get("format") != FORMAT:
            raise ResumeError(f"'{shown(path.name)}' is a safetensors file but holds no training to continue. Give a training.safetensors.")
        facts = json.loads(metadata["run"])
        if not isinstance(facts["schema"], int) or isinstance(facts["schema"], bool):
            raise ResumeError(damaged)  # no version of the program wrote that
        if facts["schema"] != SCHEMA:
            schema = shown(facts["schema"], 40)
            raise ResumeError(
                f"'{shown(path.name)}' has training schema {schema}; this version reads {SCHEMA}. Update the program that is older."
            )
        tensors, _ = read_safetensors(path, damaged, ResumeError)
        return _state(facts, tensors)


#: What JSON may hold for each fact; those not named here are texts.
_NUMBERS: dict[str, tuple[type, ...]] = {"step": (int,), "lr": (int, float), "seconds": (int, float)}


def _state(facts: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> TrainingState:
    """Build a state; raise KeyError, TypeError or ValueError where a fact is missing or wrong."""
    stored = {**EARLIER, **facts["options"]}
    options: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in stored.items()}
    options |= dict.fromkeys(facts["unlimited"], math.inf)
    facts = {"encoder_hash": "", **facts}
    known = {field.name: facts[field.name] for field in fields(TrainingState) if field.name not in ("options", "tensors")}
    for name, value in known.items():
        if not isinstance(value, _NUMBERS.get(name, (str,))) or isinstance(value, bool):
            raise ValueError(f"{name} is of a wrong kind")
    if not 0 <= known["step"] <= MAX_STEPS or not 0 < known["lr"] <= 1 or not 0 <= known["seconds"] <= _LONGEST or "rng" not in tensors:
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
    """Check that a run would go on as the same run. Its length and its previews may differ.

    Encoders are compared by their weights, and by name only where one of the two hashes is not known.

    Raises:
        ResumeError: something else differs; the message names it and both values.
    """
    if (state.base, state.base_hash) != (base, base_hash):
        theirs = f"{shown(state.base, 40)} {shown(state.base_hash[:8])}"
        raise ResumeError(f"The training was of {theirs}; this generator is {base} {base_hash[:8]}. Load the matching base.")
    if state.prompt != prompt:
        raise ResumeError(
            f"The training was for '{shown(state.prompt)}', not for '{shown(prompt)}'. Give the same prompt, or start a new adaptation."
        )
    hashes = (state.encoder_hash, encoder_hash)
    if state.encoder != encoder if not all(hashes) else hashes[0] != hashes[1]:
        if state.encoder == encoder:
            raise ResumeError(f"The training used other weights of the encoder {shown(encoder)} than these. Give the file that it used.")
        raise ResumeError(f"The training used the encoder {shown(state.encoder)}, not {shown(encoder)}. Choose the same one.")
    if state.targets != targets:
        raise ResumeError("The training had other target pictures, or none. Give the same ones in the same order.")
    old, new = asdict(state.options), asdict(options)
    different = [name for name in new if name not in FREE and old[name] != new[name]]
    if different:
        name = different[0]
        raise ResumeError(
            f"The training had {name} {shown(old[name])}, not {shown(new[name])}. Leave the option as it was, or start a new adaptation."
        )
    if options.steps <= state.step:
        raise ResumeError(f"The training has {state.step} steps already; {options.steps} are asked for. Ask for more steps to continue.")


def check_numbers(state: TrainingState) -> None:
    """Check that a state holds numbers that training comes to: from others it would go on, and draw nothing.

    Raises:
        ResumeError: some are NaN, infinite, larger than any weight, or of another type, or a mean of squares or a count is negative.
    """
    for name, tensor in state.tensors.items():
        kind = name.partition("|")[0]
        if name != "rng":  # bytes
            check_floats(name, tensor, "the training file", ResumeError)
        within = tensor.abs() <= LARGEST_WEIGHT if kind in ("weights", "good", "average") else torch.isfinite(tensor)  # NaN is in neither
        if not within.all() or (kind in ("adam_square", "adam_step") and (tensor < 0).any()):
            raise ResumeError(
                f"The training file holds numbers under '{shown(kind, 20)}' that no training makes. Start the adaptation again."
            )
