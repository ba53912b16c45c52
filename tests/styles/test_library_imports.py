"""Files imported into the library: written anew, checked, tidied, or refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from nada_core.errors import StyleError
from nada_core.generators.base import Generator
from nada_core.styles.files import Style, StyleCard, compact_style, load_style, save_style
from nada_core.styles.library import MAX_COMPACT_BYTES
from tests.helpers.stylegan2_files import painted, tiny


class Tiny(Generator):
    """As much of a generator as style files need."""

    family = "tiny"

    def __init__(self, seed: int = 0):
        super().__init__()
        self.const = nn.Parameter(torch.randn(2, 2, generator=torch.Generator().manual_seed(seed)))


def made_for(base: Generator, name: str = "Blue Skin", storage: str = "delta") -> Style:
    card = StyleCard(name=name, prompt="blue skin", base=base.family, base_hash=base.content_hash())
    full = Style(card, {"const": base.const.detach() + 0.25})
    return full if storage == "full" else compact_style(full, base)


def files(library):
    return sorted(path.name for path in library.folder.iterdir())


def test_import_writes_the_style_anew_under_a_name_of_its_own(library, tmp_path):
    base = Tiny()
    upload = save_style(made_for(base, "../../Blue <Skin>"), tmp_path / "joker.safetensors")
    assert library.import_file(upload, base, compact=True) == "blue-skin"  # not what the upload is called, nor the card as it stands
    assert library.import_file(upload, base) == "blue-skin-2"
    kept = load_style(library.folder / "blue-skin.safetensors")
    assert kept.card.name == "blue-skin" and torch.allclose(kept.tensors["const"].float(), torch.full((2, 2), 0.25), atol=1e-3)
    assert files(library) == ["blue-skin-2.safetensors", "blue-skin.safetensors"] and upload.exists()


def test_import_refuses_what_does_not_fit(library, tmp_path):
    base = Tiny()
    good, eight = made_for(base), torch.full((2, 1), 127, dtype=torch.int8)
    cases = {
        "made for": made_for(Tiny(seed=1)),
        "does not have": Style(good.card, {"other": torch.ones(2, 2)}),
        "shape": Style(good.card, {"const": torch.ones(3, 3)}),
        "no usable weights": Style(good.card, {"const": torch.full((2, 2), float("nan"))}),
        "overflow": Style(
            replace(good.card, storage="delta"), {"const|up": torch.full((2, 1), 3e38), "const|down": torch.full((1, 2), 3e38)}
        ),
        "weights of .* overflow": Style(
            good.card, {"const|up": eight, "const|down": eight.T.clone(), "const|scale": torch.full((1,), 3e38)}
        ),
        "full": made_for(base, storage="full"),
        "stored as": Style(replace(good.card, storage="pickle"), good.tensors),
        "far longer": Style(replace(good.card, prompt="x" * 5000), good.tensors),
        "longer than": Style(replace(good.card, options={"x": "y" * 50_000}), good.tensors),
    }
    for words, bad in cases.items():
        path = save_style(bad, tmp_path / "upload.safetensors")
        with pytest.raises(StyleError, match=words) as refused:
            library.import_file(path, base, compact=True)
        assert str(tmp_path) not in str(refused.value)
    (tmp_path / "text.safetensors").write_text("not a style")
    with pytest.raises(StyleError, match="not a style file"):
        library.import_file(tmp_path / "text.safetensors", base, compact=True)
    with pytest.raises(StyleError, match="There is no style file"):
        library.import_file(tmp_path / "nothing.safetensors", base)
    assert not library.folder.exists()
    full = save_style(made_for(base, "Whole", "full"), tmp_path / "whole.safetensors")
    assert library.import_file(full, base) == "whole"  # the command line takes full ones


def test_a_style_whose_finite_weights_draw_nothing_is_not_imported(library, tmp_path):
    base = tiny()
    sound = painted(base)
    name = next(name for name in sound.tensors if name.endswith("torgb.bias"))
    for more, words in ((1e30, "of the style 'painted' overflow"), (1e5, "'painted' draws nothing: its weights make no sense")):
        huge = Style(sound.card, dict(sound.tensors) | {name: sound.tensors[name] + more})
        with pytest.raises(StyleError, match=words):
            library.import_file(save_style(huge, tmp_path / "huge.safetensors"), base, trial=True)
    assert not library.folder.exists()
    assert library.import_file(save_style(sound, tmp_path / "sound.safetensors"), base, trial=True) == "painted"


def test_import_from_the_web_has_a_size_limit(library, tmp_path):
    base = Tiny()
    padded = Style(made_for(base).card, {"const": torch.zeros(MAX_COMPACT_BYTES // 4)})
    path = save_style(padded, tmp_path / "large.safetensors")
    with pytest.raises(StyleError, match="at most 8 MB"):
        library.import_file(path, base, compact=True)


def test_an_imported_card_is_tidied(library, tmp_path):
    base = Tiny()
    good = made_for(base)
    path = save_style(Style(replace(good.card, prompt="blue\n\x1b[31m  skin\x00"), good.tensors), tmp_path / "x.safetensors")
    assert library.load(library.import_file(path, base)).card.prompt == "blue [31m skin"
