"""CLIP files with the names of transformers are read as the same model."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import save_file

from nada_core.encoders.clip_transformers import to_open_clip
from nada_core.encoders.clip_weights import fill_model, read_weights
from nada_core.errors import EncoderError
from tests.helpers.clip_pictures import CONFIG


@pytest.fixture(scope="module")
def model(open_clip):
    torch.manual_seed(0)
    return open_clip.CLIP(**CONFIG)


def theirs(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The names that ``CLIPModel.state_dict()`` has, written down layer by layer."""
    named = {
        "logit_scale": state["logit_scale"],
        "text_projection.weight": state["text_projection"].T,
        "visual_projection.weight": state["visual.proj"].T,
        "text_model.embeddings.position_ids": torch.arange(77)[None],
        "text_model.embeddings.token_embedding.weight": state["token_embedding.weight"],
        "text_model.embeddings.position_embedding.weight": state["positional_embedding"],
        "vision_model.embeddings.class_embedding": state["visual.class_embedding"],
        "vision_model.embeddings.patch_embedding.weight": state["visual.conv1.weight"],
        "vision_model.embeddings.position_embedding.weight": state["visual.positional_embedding"],
    }
    for part in ("weight", "bias"):
        named[f"text_model.final_layer_norm.{part}"] = state[f"ln_final.{part}"]
        named[f"vision_model.pre_layrnorm.{part}"] = state[f"visual.ln_pre.{part}"]
        named[f"vision_model.post_layernorm.{part}"] = state[f"visual.ln_post.{part}"]
        for tower, blocks in (("text_model", "transformer"), ("vision_model", "visual.transformer")):
            for layer in range(sum(name.startswith(f"{blocks}.resblocks") and name.endswith("ln_1.bias") for name in state)):
                here, there = f"{tower}.encoder.layers.{layer}", f"{blocks}.resblocks.{layer}"
                named[f"{here}.layer_norm1.{part}"] = state[f"{there}.ln_1.{part}"]
                named[f"{here}.layer_norm2.{part}"] = state[f"{there}.ln_2.{part}"]
                named[f"{here}.mlp.fc1.{part}"] = state[f"{there}.mlp.c_fc.{part}"]
                named[f"{here}.mlp.fc2.{part}"] = state[f"{there}.mlp.c_proj.{part}"]
                named[f"{here}.self_attn.out_proj.{part}"] = state[f"{there}.attn.out_proj.{part}"]
                for name, third in zip("qkv", state[f"{there}.attn.in_proj_{part}"].chunk(3), strict=True):
                    named[f"{here}.self_attn.{name}_proj.{part}"] = third
    return {name: value.contiguous().clone() for name, value in named.items()}


def test_all_of_it_is_found_again(model, tmp_path):
    ours = model.state_dict()
    save_file(theirs(ours), tmp_path / "model.safetensors")
    read = read_weights(tmp_path / "model.safetensors")
    assert read.keys() == ours.keys() and all(torch.equal(read[name], value) for name, value in ours.items())


def test_one_tower_alone_and_other_networks_are_not_taken_for_it(model, tmp_path):
    state = theirs(model.state_dict())
    text = to_open_clip({name: value for name, value in state.items() if not name.startswith("vis")})
    with pytest.raises(EncoderError, match=r"it has no visual\.class_embedding"):
        fill_model(model, text, "text.safetensors", "Tiny")
    with pytest.raises(EncoderError, match=r"it has vision_model\.head\.probe"):
        fill_model(model, to_open_clip(state | {"vision_model.head.probe": torch.zeros(1)}), "siglip.safetensors", "Tiny")


@pytest.mark.parametrize("shapes", [((4,), (4,), (5,)), ((), (), ()), ((2, 2), (2, 2), (2, 2)), ((4,), (4,))], ids=repr)
def test_a_damaged_layer_is_not_joined(shapes):
    state = {f"text_model.encoder.layers.0.self_attn.{part}_proj.bias": torch.zeros(shape) for part, shape in zip("qkv", shapes)}
    assert all(".attn.in_proj_" not in name for name in to_open_clip(state)) and len(to_open_clip(state)) == len(shapes)
