"""Which models of open_clip's list can be read, and that CoCa, which is built otherwise, embeds as open_clip's own does."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import save_file

from nada_core.encoders.load import load_encoder
from nada_core.encoders.load_clip import check_clip
from nada_core.errors import EncoderError
from tests.helpers.clip_pictures import CONFIG, picture


def test_models_of_open_clip_are_refused_only_for_their_tokens(tmp_path, open_clip):
    """95 of 144 in open_clip 3.3. The others have vocabularies of the Hub."""
    (tmp_path / "w.pt").touch()
    refused = set()
    names = [name for name in open_clip.list_models() if not name.startswith("Tiny")]
    for name in names:
        try:
            check_clip(name, tmp_path / "w.pt")
        except EncoderError as error:
            assert "not CLIP's own" in str(error)
            refused.add(name)
    texts = {name: open_clip.get_model_config(name)["text_cfg"] for name in names}
    assert refused == {name for name, text in texts.items() if any(key.startswith("hf_") for key in text)}
    assert len(names) - len(refused) >= 95 and {"coca_ViT-B-32", "EVA02-B-16", "MobileCLIP-S1", "RN50x4"} <= set(names) - refused


@pytest.mark.heavy
def test_coca_embeds_as_open_clip_does(tmp_path, monkeypatch, open_clip):
    """Against open_clip's own making, reading and tokens of it; the part that writes captions is dropped."""
    config = {
        "embed_dim": 16,
        "vision_cfg": {**CONFIG["vision_cfg"], "layers": 2, "attentional_pool": True, "attn_pooler_heads": 2, "output_tokens": True},
        "text_cfg": {**CONFIG["text_cfg"], "context_length": 76, "embed_cls": True, "output_tokens": True},
        "multimodal_cfg": {"context_length": 76, "vocab_size": 49408, "width": 64, "heads": 1, "layers": 1},
        "custom_text": True,
    }
    monkeypatch.setitem(open_clip.factory._MODEL_CONFIGS, "Tiny-CoCa", config)
    theirs = open_clip.create_model("Tiny-CoCa", load_weights=False)
    rng = torch.Generator().manual_seed(2)
    save_file(
        {name: 0.3 * torch.randn(value.shape, generator=rng) for name, value in theirs.state_dict().items()}, tmp_path / "c.safetensors"
    )
    open_clip.load_checkpoint(theirs.eval(), str(tmp_path / "c.safetensors"))
    ours = load_encoder("Tiny-CoCa", weights=tmp_path / "c.safetensors")
    assert not hasattr(ours.model, "text_decoder") and ours.model.visual.transformer.batch_first is False
    pixels = (picture(32) + 1) / 2 - torch.tensor(open_clip.OPENAI_DATASET_MEAN)[:, None, None]
    pixels = pixels / torch.tensor(open_clip.OPENAI_DATASET_STD)[:, None, None]
    texts = ["a photo of a Joker.", "zombie"]
    with torch.no_grad():
        torch.testing.assert_close(ours.encode_image(picture(32)), theirs.encode_image(pixels), rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(ours.encode_text(texts), theirs.encode_text(open_clip.get_tokenizer("Tiny-CoCa")(texts)))
    first, second = ours.encode_text(texts)
    assert float(first @ second) < 0.999
