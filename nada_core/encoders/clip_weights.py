"""Find, read and check CLIP's weights: published ones by their tag, or the user's files. No file can run code here."""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import torch
from torch import Tensor, nn

from nada_core.assets.checksums import sha256_of
from nada_core.assets.network import offline_asked, reach
from nada_core.assets.sources import HubFile, hub_endpoint, local_file
from nada_core.assets.store import REGISTRY, fetch, state
from nada_core.encoders import clip_transformers
from nada_core.errors import AssetError, EncoderError, shown
from nada_core.system.containers import check_claims, check_floats, held_bytes, read_safetensors, read_start, reading

__all__ = ["fill_model", "missing_weights", "published_weights", "read_weights"]

#: What OpenAI's archives hold beside weights.
_SETTINGS = ("input_resolution", "context_length", "vocab_size")
#: open_clip's names for the weights of a Hub repository that names none, in the order of preference.
_HUB_FILES = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")


def published_weights(model: str, tag: str, published: Mapping[str, Any]) -> Path:
    """Return the file of published weights: what is on this machine is used without asking the network.

    Args:
        published: open_clip's entry for the tag; its ``hf_hub`` is ``owner/repository/`` with or without a file.

    Raises:
        AssetError: not here and not to be had; the message says why and what to do. Offline, that takes at most about 2 s.
    """
    asset = _asset(model, tag)
    if asset in REGISTRY:
        return fetch(asset)
    title = f"The weights '{tag}' of {model}"
    repo, files = _on_the_hub(published)
    if not repo:
        raise AssetError(
            f"{title} are not on the Hugging Face Hub. Download {published.get('url') or 'them'} and name the file with the tag: "
            f"{model}@{tag}=FILE."
        )
    if (found := _located(asset, files)) is not None:
        return found
    remedy = f"Fetch {files[0].filename} of huggingface.co/{repo} on a connected machine and name the file with the tag: {model}@{tag}=FILE"
    if not offline_asked("HF_HUB_OFFLINE") and reach(hub_endpoint()) == "no":  # once, not for each name the file may have
        raise AssetError(f"{title} could not be fetched: no connection to {urlsplit(hub_endpoint()).hostname}. {remedy}.")
    for source in files:
        try:
            return source.deliver(asset, [source.filename], Path(), progress=True)[source.filename]
        except AssetError as error:
            reason = error
    raise AssetError(f"{title} could not be fetched: {str(reason).rstrip('. ')}. {remedy}.") from reason


def missing_weights(model: str, tag: str, published: Mapping[str, Any]) -> str:
    """Name what :func:`published_weights` would have to fetch, an asset where it is one; empty where the file is here."""
    asset = _asset(model, tag)
    if asset in REGISTRY:
        return asset if state(asset).absent else ""
    return "" if _located(asset, _on_the_hub(published)[1]) is not None else f"the weights '{tag}' of {model}"


def _asset(model: str, tag: str) -> str:
    """Return what the weights are called in the registry, or would be."""
    known = f"clip-{model.lower()}"
    return known if tag == "openai" and known in REGISTRY else f"{known}-{tag}"


def _on_the_hub(published: Mapping[str, Any]) -> tuple[str, list[HubFile]]:
    """Return the repository and the files there that the weights may be in; empty where open_clip knows none."""
    repo, _, file = str(published.get("hf_hub", "")).rpartition("/")
    return repo, [HubFile(repo, name) for name in ([file] if file else _HUB_FILES)] if repo else []


def _located(asset: str, files: Sequence[HubFile]) -> Path | None:
    for source in files:
        found = local_file(asset, source.filename) or source.locate(source.filename)
        if found is not None:
            return found
    return None


def read_weights(file: Path) -> dict[str, Tensor]:
    """Return the state dict in a file: safetensors, what ``torch.save`` wrote (tensors only), or an archive published by OpenAI.

    Names of transformers become open_clip's.

    Raises:
        EncoderError: missing, damaged, or holding more than tensors.
    """
    name, start = shown(file.name), read_start(file, kind=EncoderError)
    damaged = f"'{name}' is damaged, or neither safetensors nor a file of torch. Download it again."
    data: Any
    with reading(file, damaged, EncoderError):
        if start[8:9] == b"{":
            data, _ = read_safetensors(file, damaged, EncoderError)
        else:
            data = _read_torch(file, name)
        if isinstance(data, Mapping):
            for part in (data, data.get("state_dict")):
                check_claims(part if isinstance(part, Mapping) else {}, held_bytes(file, EncoderError), file, EncoderError)
    if isinstance(data, Mapping) and isinstance(data.get("state_dict"), Mapping):  # open_clip's training checkpoints
        data = data["state_dict"]
    if not isinstance(data, Mapping) or not data or not all(isinstance(value, Tensor) for value in data.values()):
        raise EncoderError(
            f"'{name}' holds no state dict. Expected tensors by name, as `torch.save(model.state_dict(), file)` writes them."
        )
    named = {str(key).removeprefix("module."): value for key, value in data.items() if key not in _SETTINGS}
    return clip_transformers.to_open_clip(named) if clip_transformers.recognises(named) else named


def _read_torch(file: Path, name: str) -> Any:
    """Return what torch saved, tensors only; raises what torch does where the file is damaged."""
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*TorchScript archive")  # refused here, or opened below
            return torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:
        said = str(error)
        if isinstance(error, pickle.UnpicklingError) and "global" in said.lower():
            raise EncoderError(
                f"'{name}' holds more than tensors, which is refused: nothing of it was run. Save its state dict."
            ) from error
        if "TorchScript" not in said:
            raise
        return _read_archive(file)


def _read_archive(file: Path) -> dict[str, Tensor]:
    """Read the weights in a TorchScript archive. Loading one may run the code in it, so only what OpenAI published is opened."""
    from open_clip import get_pretrained_url, list_openai_models

    addresses = [get_pretrained_url(model, "openai") for model in list_openai_models()]
    published = {address.split("/")[-2] for address in addresses if address}  # .../<sha256>/ViT-B-32.pt
    if sha256_of(file) not in published:
        raise EncoderError(
            f"'{shown(file.name)}' is a TorchScript archive that OpenAI did not publish; it could run code and is not opened. "
            "If you trust it, save its state dict: `torch.save(torch.jit.load(file, 'cpu').state_dict(), 'weights.pt')`."
        )
    return torch.jit.load(file, map_location="cpu").state_dict()


def fill_model(model: nn.Module, weights: Mapping[str, Tensor], file: str, title: str) -> None:
    """Copy weights into a model, strictly.

    Args:
        file, title: what to call the weights and the model in messages.

    Raises:
        EncoderError: names or shapes differ, or a value is not finite; the message gives the first one found and what was expected.
    """
    expected = model.state_dict()
    weights = {name: _shaped(value, expected.get(name)) for name, value in weights.items()}
    for name, value in expected.items():
        if name in weights and weights[name].shape != value.shape:
            found, wanted = tuple(weights[name].shape), tuple(value.shape)
            raise EncoderError(f"'{file}' holds the weights of another model than {title}: {name} is {shown(found)}, expected {wanted}.")
    missing, foreign = expected.keys() - weights.keys(), weights.keys() - expected.keys()
    if missing or foreign:
        said = f"it has no {min(missing)}" if missing else f"it has {shown(min(foreign))}"
        counts = f"{len(missing)} missing and {len(foreign)} unknown of {len(expected)}"
        raise EncoderError(f"'{file}' does not hold the weights of {title}: {said} ({counts}). Name the model it belongs to.")
    for name, value in weights.items():
        if expected[name].is_floating_point():
            check_floats(name, value, file, EncoderError)
    broken = next((name for name, value in weights.items() if not torch.isfinite(value).all()), None)
    if broken is not None:
        raise EncoderError(f"'{file}' is unusable: {broken} holds values that are not finite. Download it again.")
    model.load_state_dict(weights)


def _shaped(value: Tensor, like: Tensor | None) -> Tensor:
    """Give a value the shape of ``like``: some files keep the logit scale as a vector of one."""
    return value.reshape(like.shape) if like is not None and value.numel() == like.numel() == 1 else value
