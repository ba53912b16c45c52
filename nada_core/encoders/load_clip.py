"""Load a CLIP encoder from a model's name and its weights. open_clip is imported here, when one is really asked for."""

from __future__ import annotations

import difflib
import logging
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import torch
from torch import nn

from nada_core.encoders.clip import CLIPEncoder, ImageInput
from nada_core.encoders.clip_weights import fill_model, missing_weights, published_weights, read_weights
from nada_core.errors import EncoderError, shown
from nada_core.system.files import check_file, is_file, is_there

__all__ = ["check_clip", "load_clip", "missing_clip"]

log = logging.getLogger(__name__)
_USUAL = "ViT-B-32, ViT-B-16, ViT-L-14 or RN50"
_FILES = (".safetensors", ".pt", ".pth", ".bin")
#: open_clip's marks of a repository and of a folder. It would ask the network for the first, and neither has a name in its lists.
_ADDRESSES = ("hf-hub:", "local-dir:")


class _Plan(NamedTuple):
    """Hold what a name and its weights stand for: a tag, a file, or both, the tag then being what the file is read as."""

    open_clip: ModuleType
    name: str
    config: dict[str, Any]
    tag: str | None
    file: Path | None


def load_clip(
    name: str, weights: str | Path | None = None, device: torch.device | str = "cpu", *, quick_gelu: bool | None = None
) -> CLIPEncoder:
    """Return a CLIP model of open_clip's list that reads CLIP's own tokens: 95 of its 144 in version 3.3, CoCa among them.

    The others (SigLIP, CLIPA, multilingual ones and those with a text tower of transformers) have vocabularies that are on the Hub only.

    Args:
        name: as open_clip spells it; OpenAI's spelling (``ViT-B/32``) is taken too.
        weights: tag of published weights, a file with a state dict, or ``TAG=FILE``: a file with the weights of that tag; OpenAI's
            weights by default.
        quick_gelu: the activation the weights were trained with. By default what open_clip says of a tag. A file cannot say: a model
            of which OpenAI published weights is then read as OpenAI's (QuickGELU), and a line is logged; give the tag too, or False, for a
            file of LAION's.

    Raises:
        EncoderError: unknown model or tag; one with other tokens; weights that are damaged or of another model.
        AssetError: published weights could not be fetched.
    """
    open_clip, name, config, tag, file = _look_up(name, weights)
    text, tags = config["text_cfg"], open_clip.list_pretrained_tags_by_model(name)
    published = open_clip.get_pretrained_cfg(name, tag or next(iter(tags), ""))
    trained_quick = bool(published.get("quick_gelu")) if tag else "openai" in tags
    if tag is None and file is not None and quick_gelu is None and not config.get("quick_gelu"):
        log.warning(_activation_note(name, shown(file.name), trained_quick))
    title = "=".join([*([tag] if tag else []), *([file.name] if file else [])])
    if file is None:
        assert tag is not None
        file = published_weights(name, tag, published)
    state = read_weights(file)  # before the model is built: a damaged file is said at once
    custom = config.pop("custom_text", False)
    config["quick_gelu"] = quick_gelu if quick_gelu is not None else trained_quick or config.get("quick_gelu", False)
    if "timm_model_name" in config["vision_cfg"]:
        config["vision_cfg"]["timm_model_pretrained"] = False
    captions = "multimodal_cfg" in config
    model = (open_clip.CoCa if captions else open_clip.CustomTextCLIP if custom else open_clip.CLIP)(**config)
    fill_model(model, state, shown(file.name), name)
    if captions:
        del model.text_decoder  # it writes captions: a third of the weights or more, and no embedding needs it
    _sequence_first(model.visual)
    size = model.visual.image_size
    image_input = ImageInput(
        size=(size, size) if isinstance(size, int) else tuple(size),
        mean=tuple(published.get("mean") or open_clip.OPENAI_DATASET_MEAN),
        std=tuple(published.get("std") or open_clip.OPENAI_DATASET_STD),
        interpolation=published.get("interpolation", "bicubic"),
        resize_mode=published.get("resize_mode", "shortest"),
    )
    tokenizer = open_clip.SimpleTokenizer(context_length=text.get("context_length", 77), **text.get("tokenizer_kwargs", {}))
    full_name = name if title == "openai" else f"{name}@{title}"
    return CLIPEncoder(model, tokenizer, image_input, name=full_name, embedding_dim=config["embed_dim"]).to(device)


def _activation_note(name: str, file: str, quick: bool) -> str:
    """Say with which activation a file is read that cannot say it itself: with the other one it works, and measures worse."""
    read, other = ("QuickGELU, as OpenAI's", "GELU, as LAION's") if quick else ("GELU, as LAION's", "QuickGELU, as OpenAI's")
    return f"'{file}' does not say its activation: it is read with {read}. If its weights use {other}, name their tag: {name}@TAG={file}."


def _sequence_first(tower: nn.Module) -> None:
    """Let a vision transformer compute in OpenAI's order, [length, batch, width], instead of open_clip's; the values are the same.

    Batch first, torch's attention multiplies a matrix for each place of the sequence wherever gradients are asked for: on CPUs that was
    nearly half of ViT-B/32's time there and back.
    """
    transformer: Any = getattr(tower, "transformer", None)
    if not getattr(transformer, "batch_first", False):
        return
    attentions = [block.attn for block in transformer.resblocks if isinstance(block.attn, nn.MultiheadAttention)]
    if len(attentions) == len(transformer.resblocks):  # some models have one of open_clip's own
        for attention in attentions:
            attention.batch_first = False
        transformer.batch_first = False


def check_clip(name: str, weights: str | Path | None = None) -> None:
    """Check that :func:`load_clip` knows the model and what its weights are. Nothing is read or fetched.

    Raises:
        EncoderError: unknown model, tag or file, or a model with other tokens than CLIP's.
    """
    _look_up(name, weights)


def missing_clip(name: str, weights: str | Path | None = None) -> str:
    """Name the published weights that :func:`load_clip` would have to fetch; empty where it would not. Nothing is fetched.

    Raises:
        EncoderError: see :func:`check_clip`.
    """
    open_clip, name, _, tag, file = _look_up(name, weights)
    return "" if tag is None or file is not None else missing_weights(name, tag, open_clip.get_pretrained_cfg(name, tag))


def _look_up(name: str, weights: str | Path | None) -> _Plan:
    """Return what a name and its weights stand for. Raises EncoderError as :func:`check_clip`."""
    for mark in _ADDRESSES:
        if name.startswith(mark):
            raise EncoderError(
                f"No encoder is read from a '{mark}' address. Give the model's name and a file with its weights, NAME@FILE, "
                "for example ViT-B-32@weights.safetensors."
            )
    if name.endswith(_FILES):
        file = shown(Path(name).name)
        raise EncoderError(f"'{file}' is a file: say which model's weights it holds, NAME@FILE, for example ViT-B-32@{file}.")
    open_clip = _open_clip(name)
    name = name.replace("/", "-")
    config: dict[str, Any] | None = open_clip.get_model_config(name)
    if config is None:
        raise EncoderError(_unknown(name, open_clip.list_models()))
    vocabulary = config["text_cfg"].get("hf_tokenizer_name") or config["text_cfg"].get("hf_model_name")
    if vocabulary:
        raise EncoderError(
            f"The model {name} reads the tokens of {vocabulary}, not CLIP's own; their list is on the Hugging Face Hub only, "
            f"which is not supported. Use a model with CLIP's tokens, such as {_USUAL}."
        )
    return _Plan(open_clip, name, config, *_tag_or_file(name, weights, open_clip.list_pretrained_tags_by_model(name)))


def _open_clip(name: str) -> ModuleType:
    try:
        import open_clip
    except ImportError as error:
        raise EncoderError(
            f"The encoder '{shown(name, 60)}' needs the package open_clip_torch: run `python -m pip install open_clip_torch`."
        ) from error
    return open_clip


def _unknown(name: str, models: list[str]) -> str:
    spelled = {model.lower(): model for model in models}
    near = [spelled[match] for match in difflib.get_close_matches(name.lower(), spelled, n=4, cutoff=0.5)]
    hint = f"Did you mean {' or '.join(near)}?" if near else f"Use a CLIP model such as {_USUAL}, or 'starter'."
    return f"There is no encoder '{shown(name, 60)}'. {hint}"


def _tag_or_file(name: str, weights: str | Path | None, tags: list[str]) -> tuple[str | None, Path | None]:
    """Tell whether ``weights`` is a tag, a file, or both: ``TAG=FILE``.

    Raises:
        EncoderError: neither.
    """
    published = f"published are {', '.join(tags)}" if tags else "none are published"
    if weights is None:
        if "openai" not in tags:
            raise EncoderError(f"OpenAI published no weights of {name}: give a file or a tag as weights; {published}.")
        return "openai", None
    file = Path(weights).expanduser()
    if is_file(file):
        return None, file
    if str(weights) in tags:
        return str(weights), None
    tag, _, named = str(weights).partition("=")
    if named and tag in tags:
        return tag, _tag_or_file(name, Path(named), tags)[1]
    if isinstance(weights, Path) or file.suffix in _FILES or len(file.parts) > 1 or is_there(file):
        missing = f"There is no file '{shown(file.name)}' with weights of {name}. Give the path of a state dict."
        check_file(file, missing, EncoderError)
    raise EncoderError(f"There are no weights '{shown(str(weights))}' of {name}: {published}. A file is possible too.")
