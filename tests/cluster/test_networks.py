"""Networks under names that every machine understands: files go by their content, and no path of this one is sent."""

from __future__ import annotations

import pickle
import tempfile

import pytest
import torch

from nada_core.cluster.networks import Networks, loaded_engine, named_networks, unpacked, write_file
from nada_core.errors import ClusterError, EncoderError, GeneratorError
from nada_core.rows.where import asked_networks
from tests.helpers.stylegan2_files import rosinality_state, tiny


@pytest.fixture
def home(tmp_path, monkeypatch):
    """The home folder, which is the one at hand too, with two generators of one name."""
    for number, folder in enumerate((tmp_path / "somebody", tmp_path / "somebody" / "other")):
        folder.mkdir()
        torch.save({"g_ema": rosinality_state(tiny(number))}, folder / "mine.pt")
    monkeypatch.setenv("HOME", str(tmp_path / "somebody"))
    monkeypatch.chdir(tmp_path / "somebody")
    return tmp_path / "somebody"


@pytest.mark.parametrize("name", [None, "starter", "mobile-stylegan-ffhq", "stylegan2-ffhq"])
def test_what_every_machine_knows_goes_by_its_name(name):
    assert named_networks(name, "starter") == Networks(name, "starter")
    assert named_networks(name, "ViT-B-32:1,ViT-B-16@openai:0.5").files == {}


def test_a_file_goes_by_its_content_wherever_it_lies(home):
    ways = [named_networks(way, None) for way in ("mine.pt", "~/mine.pt", "./other/../mine.pt", home / "mine.pt")]
    assert len({way.base for way in ways}) == 1 and ways[0].base.endswith("/mine.pt")
    assert ways[0].files == {ways[0].base: (home / "mine.pt").read_bytes()}
    assert named_networks("other/mine.pt", None).base != ways[0].base
    assert str(home).encode() not in pickle.dumps(ways)


def test_a_file_of_an_encoder_goes_the_same_way(home):
    (home / "clip.pt").write_bytes(b"weights")
    sent = named_networks(None, "ViT-B-32@laion2b_s34b_b79k=~/clip.pt:1,ViT-B-16@clip.pt:0.5")
    (word,) = sent.files
    assert sent.encoder == f"ViT-B-32@laion2b_s34b_b79k={word}:1,ViT-B-16@{word}:0.5" and sent.files[word] == b"weights"
    write_file(word, b"weights", home / "there")
    there = home / "there" / word
    assert unpacked(sent.encoder, sent.files, home / "there") == f"ViT-B-32@laion2b_s34b_b79k={there}:1,ViT-B-16@{there}:0.5"
    assert there.read_bytes() == b"weights"


def test_a_file_that_is_not_here_is_refused_here(home):
    with pytest.raises(GeneratorError, match=r"^There is no generator file 'none\.pt'\. Give the path of one, or 'starter'\.$"):
        named_networks("~/none.pt", None)
    with pytest.raises(GeneratorError, match=r"^'other' is a folder"):
        named_networks("other", None)
    with pytest.raises(EncoderError, match=r"^There is no file 'none\.pt' with weights of ViT-B-32"):
        named_networks(None, "ViT-B-32@none.pt")


@pytest.mark.parametrize("word", ["sent-0123456789abcdef/mine.pt", "mine.pt", "../mine.pt", "sent-{}/../mine.pt", "sent-{}/a/b"])
def test_what_arrives_is_what_was_sent(word, tmp_path):
    with pytest.raises(ClusterError, match="cannot be read"):
        write_file(word.format("2cf24dba5fb0a30e"), b"hello", tmp_path / "there")
    assert not (tmp_path / "there").exists()


def test_an_engine_of_sent_files_needs_no_file_afterwards(home, monkeypatch, starter_weights):
    sent = named_networks("mine.pt", "starter")
    (home / "mine.pt").unlink()
    temp = home / "temp"
    temp.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temp))
    engine = loaded_engine("cpu", None, pickle.loads(pickle.dumps(sent)))  # noqa: S301 (its own)
    assert engine.base_hash == tiny(0).content_hash() and not list(temp.iterdir())


def test_rows_elsewhere_are_asked_for_by_content_and_a_world(home, monkeypatch):
    from argparse import Namespace

    monkeypatch.setenv("NADA_WORLD", "starter")
    assert asked_networks(Namespace(workers=None, cluster=None, world=None, base="mine.pt")) == (None, Networks("mine.pt"))
    world, networks = asked_networks(Namespace(workers=2, cluster=None, world=None, base="mine.pt"))
    assert world == "starter" and set(networks.files) == {networks.base}
