"""Rename the weights of a CLIP model as transformers saves it (``CLIPModel``) to open_clip's names, which are OpenAI's."""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor

__all__ = ["recognises", "to_open_clip"]

#: Beginnings of names, theirs and ours; the first that fits counts.
_PLACES = (
    ("vision_model.embeddings.class_embedding", "visual.class_embedding"),
    ("vision_model.embeddings.patch_embedding.", "visual.conv1."),
    ("vision_model.embeddings.position_embedding.weight", "visual.positional_embedding"),
    ("vision_model.pre_layrnorm.", "visual.ln_pre."),  # spelled so
    ("vision_model.post_layernorm.", "visual.ln_post."),
    ("vision_model.encoder.layers.", "visual.transformer.resblocks."),
    ("text_model.embeddings.token_embedding.", "token_embedding."),
    ("text_model.embeddings.position_embedding.weight", "positional_embedding"),
    ("text_model.final_layer_norm.", "ln_final."),
    ("text_model.encoder.layers.", "transformer.resblocks."),
)
#: Parts of a layer.
_PARTS = (
    (".layer_norm1.", ".ln_1."),
    (".layer_norm2.", ".ln_2."),
    (".mlp.fc1.", ".mlp.c_fc."),
    (".mlp.fc2.", ".mlp.c_proj."),
    (".self_attn.out_proj.", ".attn.out_proj."),
)
#: Matrices that are stored the other way round.
_TURNED = {"visual_projection.weight": "visual.proj", "text_projection.weight": "text_projection"}
_ATTENTION = re.compile(r"(.{1,200})\.self_attn\.q_proj\.(weight|bias)")


def recognises(state: Mapping[str, Tensor]) -> bool:
    """Tell whether these are names of transformers' CLIP: one tower is enough."""
    return any(name.startswith(("text_model.", "vision_model.")) for name in state)


def to_open_clip(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the same weights under open_clip's names; what has none here keeps its own, for whoever fills a model to name."""
    left = {name: value for name, value in state.items() if not name.endswith(".position_ids")}  # numbers from 0 on
    renamed: dict[str, Tensor] = {}
    for name in list(left):
        if not (found := _ATTENTION.fullmatch(name)):
            continue
        three = [f"{found[1]}.self_attn.{part}_proj.{found[2]}" for part in "qkv"]
        shapes = {left[part].shape if part in left else None for part in three}
        if len(shapes) == 1 and left[three[0]].ndim == (2 if found[2] == "weight" else 1):
            renamed[_renamed(f"{found[1]}.attn.in_proj_{found[2]}")] = torch.cat([left.pop(part) for part in three])
    for name, value in left.items():
        turned = name in _TURNED and value.ndim == 2
        renamed[_TURNED[name] if turned else _renamed(name)] = value.T.contiguous() if turned else value
    return renamed


def _renamed(name: str) -> str:
    for theirs, ours in _PLACES:
        if name.startswith(theirs):
            name = ours + name[len(theirs) :]
            break
    else:
        return name
    for theirs, ours in _PARTS:
        name = name.replace(theirs, ours)
    return name
