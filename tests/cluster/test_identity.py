"""Who a worker is, and which ones are refused by name."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

import nada_core
from nada_core.cluster import identity
from nada_core.cluster.identity import Identity, check_same, product
from nada_core.errors import ClusterError

OURS = Identity("0.1.0 (11111111)", "starter", "a" * 16, "starter")


def test_the_product_is_its_version_and_its_sources(monkeypatch, tmp_path):
    assert re.fullmatch(re.escape(nada_core.__version__) + r" \([0-9a-f]{8}\)", product())
    package = tmp_path / "__init__.py"
    monkeypatch.setattr(identity.nada_core, "__file__", str(package))
    said = []
    for source in (b"one = 1\n", b"one = 1\r\n", b"one = 2\n"):
        package.write_bytes(source)
        product.cache_clear()
        said.append(product())
    (tmp_path / "words.txt").write_text("joker: hair 46/-44/34")
    product.cache_clear()
    said.append(product())
    product.cache_clear()
    assert said[3] not in said[:3], "word lists decide what a prompt means"
    assert said[0] == said[1] != said[2]  # a checkout on Windows has other line ends and is the same


def test_the_same_is_taken():
    check_same("The worker on here", OURS, OURS)
    check_same("The worker on here", replace(OURS, base="/elsewhere/starter.safetensors"), OURS)  # the same weights under another name


@pytest.mark.parametrize(
    ("theirs", "sentence"),
    [
        (replace(OURS, product="0.2.0 (22222222)"), "box has version 0.2.0 (22222222) and this app 0.1.0 (11111111)."),
        (replace(OURS, base_hash="b" * 16), "box has other weights of the generator starter (bbbbbbbb) than this app (aaaaaaaa)."),
        (replace(OURS, encoder="ViT-B-32"), "box has the encoder ViT-B-32 and this app starter."),
        (replace(OURS, encoder="ViT-B-32@sent-0123456789abcdef/c.pt"), "box has the encoder ViT-B-32@c.pt and this app starter."),
    ],
)
def test_another_is_refused_by_name(theirs, sentence):
    with pytest.raises(ClusterError) as refused:
        check_same("box", theirs, OURS)
    assert str(refused.value).startswith(sentence)
