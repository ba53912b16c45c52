"""Which world is chosen, and an engine of other parts than the starter's."""

from __future__ import annotations

import pytest
import skimage.data
import torch
from PIL import Image

from nada_core import worlds
from nada_core.assets.store import REGISTRY
from nada_core.editing.notes import ONLY_FACES
from nada_core.engine import Engine
from nada_core.errors import AssetError, NoFaceError, OptionsError
from nada_core.images.image_io import to_tensor
from nada_core.inversion.restyle import ReStyleE4E
from nada_core.worlds import World, choose_world, missing_for_full
from tests.helpers.loopback import dead_port
from tests.helpers.small_adaptations import StandInEncoder, small_stylegan2
from tests.helpers.stylegan2_files import rosinality_state

FULL = ("stylegan2-ffhq", "restyle-e4e-ffhq", "clip-vit-b-32")


@pytest.fixture
def bare(tmp_path, monkeypatch):
    """A machine without any file of the full world, and with no way to the Hub."""
    for name in ("NADA_ASSETS", "NADA_WORLD", "NADA_OFFLINE", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NADA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{dead_port()}")
    return tmp_path


def place(folder, monkeypatch, names=FULL):
    for name in names:
        (folder / name).mkdir(parents=True)
        (folder / name / REGISTRY[name].files[0].name).write_bytes(b"weights")
    monkeypatch.setenv("NADA_ASSETS", str(folder))


def test_without_the_weights_a_cpu_works_in_the_starter_world_and_says_how_to_leave_it(bare):
    assert set(missing_for_full()) == set(FULL)
    world = choose_world("cpu")
    assert (world.name, world.base, world.encoder, world.inverter) == ("starter",) * 4
    assert "stylegan2-ffhq" in world.reason and "--world full" in world.reason


def test_with_the_weights_it_is_the_full_world(bare, monkeypatch):
    place(bare / "mine", monkeypatch)
    world = choose_world("cuda")
    assert (world.name, world.base, world.encoder, world.inverter) == ("full", "stylegan2-ffhq", "ViT-B-32", "restyle-e4e")
    assert "CPU" not in world.reason and "CPU" in choose_world("cpu").reason


def test_one_file_too_few_is_the_starter_world(bare, monkeypatch):
    place(bare / "mine", monkeypatch, FULL[1:])
    assert missing_for_full() == ["stylegan2-ffhq"]
    world = choose_world("cuda")
    assert world.name == "starter" and "stylegan2-ffhq" in world.reason and "cannot be reached" in world.reason


@pytest.mark.parametrize("name", ["NADA_OFFLINE", "HF_HUB_OFFLINE"])
def test_offline_is_not_asked_of_the_network(bare, monkeypatch, name):
    monkeypatch.setenv(name, "1")
    monkeypatch.setattr(worlds, "reach", lambda *_: pytest.fail("the network was asked"))
    assert "offline" in choose_world("cuda").reason


def test_a_gpu_and_a_hub_are_enough(bare, monkeypatch):
    fetched = []
    monkeypatch.setattr(worlds, "reach", lambda *_: "yes")
    monkeypatch.setattr(worlds, "fetch", fetched.append)
    assert choose_world("cuda").name == "full" and not fetched
    assert choose_world("cuda", download=True).name == "full" and set(fetched) == set(FULL)


def test_a_failed_download_is_the_starter_world_and_says_why(bare, monkeypatch):
    def fetch(name):
        raise AssetError(f"{name}: the Hub answered: 404")

    monkeypatch.setattr(worlds, "reach", lambda *_: "yes")
    monkeypatch.setattr(worlds, "fetch", fetch)
    world = choose_world("cuda", download=True)
    assert world.name == "starter" and "the Hub answered: 404" in world.reason


def test_what_is_asked_for_wins(bare, monkeypatch):
    assert choose_world("cpu", world="full").name == "full"
    monkeypatch.setenv("NADA_WORLD", "full")
    assert choose_world("cpu").name == "full"
    assert choose_world("cpu", world="starter").name == "starter"
    monkeypatch.setenv("NADA_WORLD", "paradise")
    with pytest.raises(OptionsError, match="no world 'paradise'; there are starter and full"):
        choose_world("cpu")
    with pytest.raises(OptionsError, match="paradise"):
        Engine("cpu")


def test_parts_can_be_mixed(bare):
    clip = choose_world("cpu", encoder="ViT-B-32")
    assert (clip.name, clip.base, clip.encoder, clip.inverter) == ("mixed", "starter", "ViT-B-32", "starter")
    ffhq = choose_world("cpu", base="stylegan2-ffhq")
    assert (ffhq.name, ffhq.encoder, ffhq.inverter) == ("mixed", "starter", "restyle-e4e")
    own = choose_world("cpu", base="/home/me/secret/cats.pt", encoder="ViT-B-32")
    assert (own.name, own.inverter) == ("full", "none")
    assert "cats.pt" in own.reason and "secret" not in own.reason
    assert choose_world("cpu", base="starter") == World("starter", choose_world("cpu").reason, "starter", "starter", "starter")


def test_a_generator_from_a_file_may_draw_anything_so_clip_reads_the_text_where_it_is_there(bare, monkeypatch):
    cats = choose_world("cpu", base="/home/me/secret/cats.pkl")
    assert (cats.name, cats.encoder) == ("mixed", "starter")
    assert "knows human faces only" in cats.reason and "--encoder ViT-B-32" in cats.reason and "secret" not in cats.reason
    place(bare / "mine", monkeypatch, ["clip-vit-b-32"])
    cats = choose_world("cpu", base="cats.pkl")
    assert (cats.name, cats.encoder, cats.inverter) == ("full", "ViT-B-32", "none")
    assert "on this machine" in cats.reason and "--encoder" not in cats.reason
    assert choose_world("cpu", base="cats.pkl", encoder="starter").encoder == "starter"
    assert choose_world("cpu", base="cats.pkl", world="starter").encoder == "starter"
    for faces in ("starter", "stylegan2-ffhq"):
        world = choose_world("cpu", base=faces)
        assert world.encoder == "starter" and "human faces" not in world.reason


def test_weights_that_are_missing_are_named_with_the_remedy(bare):
    with pytest.raises(AssetError, match=r"stylegan2-ffhq.*could not be fetched.*NADA_ASSETS"):
        _ = Engine("cpu", world="full").generator


@pytest.fixture
def mixed(tmp_path, monkeypatch):
    """An engine on a small StyleGAN2 from a file, with an encoder that takes any text."""
    small = small_stylegan2()
    torch.save({"g_ema": rosinality_state(small), "latent_avg": small.w_avg}, tmp_path / "faces.pt")
    monkeypatch.setattr("nada_core.engine.load_encoder", lambda name, device: StandInEncoder(name))
    return Engine("cpu", base=tmp_path / "faces.pt", encoder="ViT-B-32", styles_folder=tmp_path / "styles")


@pytest.mark.heavy
def test_another_generator_is_adapted_sampled_and_saved(mixed):
    assert mixed.generator.family == "stylegan2" and mixed.concepts() == [] and mixed.styles() == []
    *_, last = mixed.adapt("a face in any words", 3)
    name = mixed.save_style(last.style())
    assert [card.name for card in mixed.styles()] == [name]
    plain, styled = mixed.sample([0, 1]), mixed.sample([0, 1], name)
    assert plain.shape == styled.shape == (2, 3, 64, 64) and not torch.equal(plain, styled)
    assert mixed.preview_originals().shape == (4, 3, 64, 64)
    with pytest.raises(OptionsError, match="renders at 64"):
        mixed.sample([0], resolution=256)


@pytest.mark.weights
def test_a_photo_goes_through_a_generator_that_no_photo_encoder_knows(mixed):
    *_, last = mixed.adapt("a face in any words", 2)
    result = mixed.edit(skimage.data.astronaut(), last.style(), mode="fast")
    assert result.aligned.size == result.inverted.size == result.edited.size == (64, 64)
    assert result.inversion is not None and not torch.equal(result.inversion.ws[:, 0], mixed.generator.w_avg[None])
    assert result.reconstruction > 0
    assert ONLY_FACES in result.notes and not any("likeness" in note for note in result.notes)
    with pytest.raises(NoFaceError, match=r"No human face was found.*another --base"):
        mixed.edit(skimage.data.astronaut()[300:], last.style(), mode="fast")


def test_the_starters_photo_encoder_is_refused_for_another_generator(mixed, tmp_path):
    engine = Engine("cpu", base=tmp_path / "faces.pt", encoder="ViT-B-32", inverter="starter")
    with pytest.raises(OptionsError, match="does not know stylegan2"):
        _ = engine.editor
    with pytest.raises(OptionsError, match="'smile'"):
        _ = Engine("cpu", base=tmp_path / "faces.pt", encoder="ViT-B-32", inverter="smile").editor


@pytest.mark.weights
def test_restyle_starts_the_inversion_and_its_looks_are_shown(mixed, monkeypatch, tmp_path):
    torch.manual_seed(0)
    generator = mixed.generator
    encoder = ReStyleE4E(generator.num_ws, generator.w_dim).eval().requires_grad_(False)
    monkeypatch.setattr("nada_core.editing.load.load_inverter", lambda name, device: encoder)
    engine = Engine("cpu", base=tmp_path / "faces.pt", encoder="ViT-B-32", inverter="restyle-e4e")
    editor = engine.editor
    aligned = editor.align(skimage.data.astronaut())
    progress = list(editor.invert_steps(aligned, "fast"))
    assert [step.stage for step in progress[:5]] == [f"encoding, look {look} of 5" for look in range(1, 6)]
    assert all(step.image is not None for step in progress[:5])
    photo = to_tensor(aligned.crop.resize((64, 64), Image.Resampling.LANCZOS))
    *_, last = editor.first_guess(photo)
    assert last.inversion.ws.shape == (1, generator.num_ws, generator.w_dim)
    assert not torch.equal(last.inversion.ws[:, 0], last.inversion.ws[:, 1]), "each layer has its own code"
    first = next(step for step in progress[5:] if step.image is not None)
    assert first.stage == "encoding" and first.image.size == (64, 64)
    assert progress[-1].portrait is not None
