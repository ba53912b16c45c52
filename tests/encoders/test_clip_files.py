"""Where CLIP's weights come from and what is refused, with a model small enough to write to a file in every test."""

from __future__ import annotations

import gc
import json
import os
import socket
import subprocess
import sys
import weakref
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from nada_core.encoders.clip import ImageInput
from nada_core.encoders.ensemble import EncoderEnsemble
from nada_core.encoders.load import load_encoder, missing_encoders
from nada_core.errors import AssetError, EncoderError, NadaError
from tests.helpers.clip_pictures import CONFIG, picture
from tests.helpers.folders import ROOT
from tests.helpers.loopback import COMMIT, dead_port, serving
from tests.helpers.promptness import promptly

pytestmark = pytest.mark.heavy

PROMISE = 2.0  # seconds
PUBLISHED = {
    "openai": {"url": "", "hf_hub": "nobody/tiny.openai/", "quick_gelu": True},
    "laion": {"url": "", "hf_hub": "nobody/tiny.laion/"},
    "elsewhere": {"url": "https://example.org/w.pt", "hf_hub": ""},
}


@pytest.fixture(autouse=True)
def tiny(monkeypatch, open_clip):
    """``Tiny-16`` and ``Tiny-16-wide`` in open_clip's lists."""
    wide = {**CONFIG, "embed_dim": 24}
    for name, config in {"Tiny-16": CONFIG, "Tiny-16-wide": wide}.items():
        monkeypatch.setitem(open_clip.factory._MODEL_CONFIGS, name, config)
        monkeypatch.setitem(open_clip.pretrained._PRETRAINED, name, PUBLISHED)


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty cache of the Hub client, no proxies, no weights placed by hand."""
    for name in list(os.environ):
        if name.upper().endswith("_PROXY") or name in {"NADA_ASSETS", "NADA_OFFLINE", "HF_HUB_OFFLINE"}:
            monkeypatch.delenv(name)
    monkeypatch.setenv("NADA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{dead_port()}")
    return tmp_path


@pytest.fixture
def connections(monkeypatch):
    """Every attempt at the network."""
    seen: list[object] = []

    def refuse(*arguments, **_):
        seen.append(arguments)
        raise OSError("no network in this test")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    return seen


def state(seed: int = 0, embed_dim: int = 16) -> dict[str, torch.Tensor]:
    """Random weights, large enough that the activation function matters."""
    import open_clip

    model = open_clip.CLIP(**{**CONFIG, "embed_dim": embed_dim})
    rng = torch.Generator().manual_seed(seed)
    return {name: 0.5 * torch.randn(value.shape, generator=rng) for name, value in model.state_dict().items()}


def cached(home: Path, repo: str, file: str, weights: dict[str, torch.Tensor]) -> None:
    """What the Hub's client leaves behind."""
    folder = home / "hub" / f"models--nobody--{repo}"
    (folder / "snapshots" / COMMIT).mkdir(parents=True)
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text(COMMIT)
    path = folder / "snapshots" / COMMIT / file
    save_file(weights, path) if file.endswith(".safetensors") else torch.save(weights, path)


@pytest.mark.parametrize("write", ["safetensors", "pt", "half", "wrapped", "module", "settings"])
def test_shapes_of_a_state_dict(tmp_path, write):
    weights, file = state(), tmp_path / ("w.safetensors" if write == "safetensors" else "w.pt")
    stored = {
        "half": {name: value.half() for name, value in weights.items()},
        "wrapped": {"epoch": 3, "state_dict": weights},
        "module": {f"module.{name}": value for name, value in weights.items()},
        "settings": weights | {"input_resolution": torch.tensor(32), "context_length": torch.tensor(77), "vocab_size": torch.tensor(49408)},
    }.get(write, weights)
    save_file(stored, file) if write == "safetensors" else torch.save(stored, file)
    encoder = load_encoder("Tiny-16", weights=str(file))
    expected = weights["visual.conv1.weight"].half().float() if write == "half" else weights["visual.conv1.weight"]
    torch.testing.assert_close(encoder.model.visual.conv1.weight.detach(), expected)
    assert encoder.encode_image(picture()).dtype == torch.float32
    assert encoder.encode_image(picture()).norm().item() == pytest.approx(1, abs=1e-5)


def test_the_argument_decides_on_quickgelu(tmp_path, home):
    save_file(state(), tmp_path / "w.safetensors")
    cached(home, "tiny.openai", "open_clip_model.safetensors", state())
    cached(home, "tiny.laion", "open_clip_pytorch_model.bin", state())

    def embed(weights, quick_gelu=None):
        return load_encoder("Tiny-16", weights=weights, quick_gelu=quick_gelu).encode_image(picture())

    quick, plain = embed(tmp_path / "w.safetensors"), embed(tmp_path / "w.safetensors", quick_gelu=False)
    assert (quick - plain).norm() > 1e-3, "a file of a model that OpenAI published is read as OpenAI's"
    torch.testing.assert_close(embed("openai"), quick)
    torch.testing.assert_close(embed("openai", quick_gelu=False), plain)
    torch.testing.assert_close(embed("laion"), plain)
    torch.testing.assert_close(embed("laion", quick_gelu=True), quick)
    torch.testing.assert_close(embed(f"laion={tmp_path / 'w.safetensors'}"), plain)
    torch.testing.assert_close(embed(f"openai={tmp_path / 'w.safetensors'}"), quick)


def test_one_line_says_how_a_file_without_a_tag_is_read(tmp_path, home, caplog):
    file = tmp_path / "w.safetensors"
    save_file(state(), file)
    cached(home, "tiny.openai", "open_clip_model.safetensors", state())
    with caplog.at_level("WARNING", "nada_core"):
        load_encoder("Tiny-16", weights=file)
        (record,) = caplog.records
        assert record.getMessage() == (
            "'w.safetensors' does not say its activation: it is read with QuickGELU, as OpenAI's. If its weights use GELU, as LAION's, "
            "name their tag: Tiny-16@TAG=w.safetensors."
        )
        caplog.clear()
        load_encoder("Tiny-16", weights=file, quick_gelu=False)
        load_encoder("Tiny-16", weights=f"laion={file}")
        load_encoder("Tiny-16", weights="openai")
    assert not caplog.records


def test_a_file_of_published_weights_is_read_as_its_tag_says(tmp_path, home, connections):
    """What the message about weights that cannot be fetched advises."""
    file = tmp_path / "open_clip_model=1.safetensors"
    save_file(state(), file)
    with pytest.raises(AssetError, match=r"name the file with the tag: Tiny-16@laion=FILE"):
        load_encoder("Tiny-16@laion")
    encoder = load_encoder(f"Tiny-16@laion={file}:0.5")
    assert encoder.name == f"Tiny-16@laion={file.name}"
    torch.testing.assert_close(
        encoder.encode_image(picture()), load_encoder("Tiny-16", weights=file, quick_gelu=False).encode_image(picture())
    )
    assert missing_encoders(f"Tiny-16@laion={file}") == []


@pytest.mark.parametrize(("tag", "file"), [("openai", "open_clip_model.safetensors"), ("laion", "open_clip_pytorch_model.bin")])
def test_cached_weights_need_no_network(home, connections, tag, file):
    cached(home, f"tiny.{tag}", file, state())
    encoder = load_encoder(f"Tiny-16@{tag}")
    assert connections == []
    assert encoder.name == ("Tiny-16" if tag == "openai" else "Tiny-16@laion")


def test_weights_are_fetched_once_and_safetensors_come_first(home, monkeypatch):
    with serving() as server:
        for name, value in {"ENDPOINT": server.url, "HF_HUB_OFFLINE": False}.items():
            monkeypatch.setattr(f"huggingface_hub.constants.{name}", value)
        monkeypatch.setattr(
            "huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", server.url + "/{repo_id}/resolve/{revision}/{filename}"
        )
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        torch.save(state(), home / "w.bin")
        server.files["open_clip_pytorch_model.bin"] = (home / "w.bin").read_bytes()
        load_encoder("Tiny-16@laion")
        asked = [request.rpartition("/")[2] for request in server.requests if "/resolve/" in request]
        assert asked[0] == "open_clip_model.safetensors" and "open_clip_pytorch_model.bin" in asked
        seen = len(server.requests)
        load_encoder("Tiny-16@laion")
        assert len(server.requests) == seen


@pytest.mark.parametrize("name", ["ViT-B-32", "ViT-B-16", "ViT-B-32@laion2b_s34b_b79k", "Tiny-16@laion"])
def test_missing_weights_are_said_within_two_seconds(home, name):

    def refusal() -> str:
        with pytest.raises(AssetError) as caught:
            load_encoder(name)
        return str(caught.value)

    message = promptly(refusal, PROMISE)
    assert "no connection to 127.0.0.1" in message and "on a connected machine" in message
    if "@" in name:
        assert f"{name}=FILE" in message
    assert "open_clip_model.safetensors" in message
    assert "\n" not in message and str(home) not in message


def test_offline_by_wish(home, connections, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(AssetError, match="working offline as asked"):
        load_encoder("Tiny-16@laion")
    assert connections == []


def test_weights_that_are_not_on_the_hub():
    with pytest.raises(AssetError, match=r"not on the Hugging Face Hub\. Download https://example\.org/w\.pt"):
        load_encoder("Tiny-16@elsewhere")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("ViT-B-23", "no encoder 'ViT-B-23'.*Did you mean .*ViT-B-32"),
        ("vit-b-32", "Did you mean ViT-B-32"),
        ("strater", "no encoder 'strater'.*'starter'"),
        ("", "no encoder ''"),
        ("ViT-B-16-SigLIP", "tokens of timm/ViT-B-16-SigLIP, not CLIP's own.*Use a model with CLIP's tokens, such as ViT-B-32"),
        ("roberta-ViT-B-32", "tokens of roberta-base, not CLIP's own"),
        ("coca_roberta-ViT-B-32", "tokens of roberta-base, not CLIP's own"),
        ("coca_ViT-B-32", "OpenAI published no weights of coca_ViT-B-32: .*laion2b_s13b_b90k"),
        ("hf-hub:foo/bar", "from a 'hf-hub:' address.*NAME@FILE"),
        ("hf-hub:foo/bar@laion:0.5", "from a 'hf-hub:' address.*NAME@FILE"),
        ("local-dir:/secret/x", "from a 'local-dir:' address.*NAME@FILE"),
        ("ViT-B-32@hf-hub:foo/bar", "no file 'bar'"),
        ("Tiny-16@laoin", "no weights 'laoin' of Tiny-16: published are openai, laion, elsewhere"),
        ("Tiny-16@nowhere.pt", "no file 'nowhere.pt'"),
        ("Tiny-16@laion=/secret/nowhere.pt", "no file 'nowhere.pt'"),
        ("Tiny-16@laoin=x.pt", "no file 'laoin=x.pt'"),
        ("/secret/clip.pt", "'clip.pt' is a file: say which model's weights it holds, NAME@FILE, for example ViT-B-32@clip.pt"),
        ("Tiny-16@/secret/place/nowhere", "no file 'nowhere'"),
        ("ViT-S-32", "OpenAI published no weights of ViT-S-32"),
        ("starter@openai", "comes with its own weights"),
        ("Tiny-16,Tiny-16:0", "each must be a number above 0"),
        ("Tiny-16,Tiny-16:nan", "each must be a number above 0"),
        ("Tiny-16:0", "weight of the encoder 'Tiny-16' is 0; each must be a number above 0"),
        ("Tiny-16:1,Tiny-16-wide:-2", "weight of the encoder 'Tiny-16-wide' is -2"),
        ("starter,Tiny-16@laoin", "no weights 'laoin'"),
        ("Tiny-16,ViT-B-23", "no encoder 'ViT-B-23'"),
        ("Tiny-16,starter@openai", "comes with its own weights"),
        (["Tiny-16", "hf-hub:foo/bar"], "from a 'hf-hub:' address"),
    ],
)
def test_names_that_mean_nothing(home, connections, monkeypatch, name, words):
    """Whatever is wrong in a name, also in the last of several, is said before a file is read or the network asked."""
    cached(home, "tiny.openai", "open_clip_model.safetensors", state())

    def loaded(*_arguments, **_options):
        raise AssertionError("something was loaded")

    monkeypatch.setattr("nada_core.encoders.load_clip.read_weights", loaded)
    monkeypatch.setattr("nada_core.encoders.load.load_starter_encoder", loaded)
    with pytest.raises(EncoderError, match=words) as caught:
        load_encoder(name)
    assert "/secret" not in str(caught.value) and connections == []
    if not str(name).startswith(("starter@", "Tiny-16,starter@")):
        with pytest.raises(EncoderError, match=words):
            missing_encoders(name)


def test_the_spelling_of_openai_is_understood(home):
    with pytest.raises(AssetError, match="clip-vit-b-32"):
        load_encoder("ViT-B/32")


def _nan(weights):
    weights["visual.proj"][3, 4] = float("nan")
    return weights


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda w: state(embed_dim=24), r"another model than Tiny-16: text_projection is \(64, 24\), expected \(64, 16\)"),
        (lambda w: {k: v for k, v in w.items() if k != "visual.proj"}, "no visual.proj .1 missing and 0 unknown"),
        (lambda w: w | {"visual.extra": torch.zeros(1)}, "it has visual.extra"),
        (lambda w: {"synthesis.b4.const": torch.zeros(3)}, "does not hold the weights of Tiny-16"),
        (_nan, "visual.proj holds values that are not finite"),
        (lambda w: w | {"visual.proj": w["visual.proj"].to(torch.int8)}, "visual.proj' in 'w.pt' is stored as int8; expected float32"),
        (lambda w: w | {"visual.proj": w["visual.proj"].to(torch.float8_e4m3fn)}, "is stored as float8_e4m3fn; expected float32"),
        (lambda w: [1, 2], "holds no state dict"),
        (lambda w: {}, "holds no state dict"),
        (lambda w: {"a": "text"}, "holds no state dict"),
    ],
)
def test_weights_that_do_not_fit(tmp_path, spoil, words):
    torch.save(spoil(state()), tmp_path / "w.pt")
    with pytest.raises(EncoderError, match=words) as caught:
        load_encoder("Tiny-16", weights=tmp_path / "w.pt")
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize("suffix", ["pt", "safetensors"])
@pytest.mark.parametrize("keep", [0, 4, 200, -1000])
def test_truncated_files(tmp_path, suffix, keep):
    file = tmp_path / f"w.{suffix}"
    save_file(state(), file) if suffix == "safetensors" else torch.save(state(), file)
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(EncoderError, match="is damaged" if keep else "is empty"):
        load_encoder("Tiny-16", weights=file)


class _Runs:
    def __reduce__(self):
        return (Path.touch, (Path("was-run"),))


def test_no_file_runs_code(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"w": _Runs()}, tmp_path / "w.pt")
    with pytest.raises(EncoderError, match="more than tensors, which is refused"):
        load_encoder("Tiny-16", weights=tmp_path / "w.pt")
    assert not (tmp_path / "was-run").exists()


class _Archive(torch.nn.Module):
    """The tensors of a state dict under their names, as an archive of torch.jit."""

    def __init__(self, weights):
        super().__init__()
        for name, value in weights.items():
            *path, last = name.split(".")
            place: torch.nn.Module = self
            for part in path:
                if not hasattr(place, part):
                    place.add_module(part, torch.nn.Module())
                place = getattr(place, part)
            place.register_buffer(last, value)


def test_archives_are_opened_only_if_openai_published_them(tmp_path, monkeypatch, open_clip):
    from nada_core.assets.checksums import sha256_of

    file = tmp_path / "ViT.pt"
    torch.jit.save(torch.jit.script(_Archive(state())), str(file))
    with pytest.raises(EncoderError, match="OpenAI did not publish"):
        load_encoder("Tiny-16", weights=file)
    published = {**PUBLISHED, "openai": {"url": f"https://openaipublic.example/clip/models/{sha256_of(file)}/ViT.pt"}}
    monkeypatch.setitem(open_clip.pretrained._PRETRAINED, "Tiny-16", published)
    encoder = load_encoder("Tiny-16", weights=file)
    torch.testing.assert_close(encoder.model.visual.proj.detach(), state()["visual.proj"])


@pytest.mark.parametrize("given", ["Tiny-16:1,Tiny-16-wide@laion:0.5", ["Tiny-16", "Tiny-16-wide@laion:0.5"]])
def test_ensembles_by_name(home, given):
    cached(home, "tiny.openai", "open_clip_model.safetensors", state())
    cached(home, "tiny.laion", "open_clip_model.safetensors", state(1, 24))
    both = load_encoder(given)
    assert isinstance(both, EncoderEnsemble)
    assert both.weights == (1.0, 0.5) and both.embedding_dim == 40
    assert both.name == "Tiny-16:1,Tiny-16-wide@laion:0.5"
    first, second = both.split(both.encode_image(picture()))
    torch.testing.assert_close(first, load_encoder("Tiny-16").encode_image(picture()))
    torch.testing.assert_close(second, load_encoder("Tiny-16-wide@laion").encode_image(picture()))
    with pytest.raises(EncoderError, match="One `weights` for several"):
        load_encoder(given, weights="openai")


def test_an_encoder_is_freed(tmp_path):
    save_file(state(), tmp_path / "w.safetensors")
    encoder = load_encoder("Tiny-16", weights=tmp_path / "w.safetensors")
    encoder.encode_text(["Joker"])
    there = weakref.ref(encoder.model)
    del encoder
    gc.collect()
    assert there() is None


@pytest.mark.parametrize("size", [(32, 32), (48, 48), (20, 20), (40, 64), (63, 41), (33, 50)])
def test_preprocessing_is_that_of_torchvision(size):
    from torchvision.transforms import v2

    images = picture(64)[..., : size[0], : size[1]]
    ours = ImageInput((32, 32), (0.4, 0.5, 0.6), (0.2, 0.3, 0.4))(images)
    bicubic = v2.InterpolationMode.BICUBIC
    resize = [v2.Resize(32, bicubic, antialias=True), v2.CenterCrop(32), v2.Normalize((0.4, 0.5, 0.6), (0.2, 0.3, 0.4))]
    torch.testing.assert_close(ours, v2.Compose(resize)((images + 1) / 2), rtol=1e-5, atol=1e-5)


def test_preprocessing_without_a_crop_keeps_the_borders():
    images = torch.full((1, 3, 32, 64), -1.0)
    images[..., :8] = 1.0
    squash = ImageInput((32, 32), (0.0,) * 3, (1.0,) * 3, resize_mode="squash")
    assert squash(images)[..., 0].min() > 0.9
    assert ImageInput((32, 32), (0.0,) * 3, (1.0,) * 3)(images).max() < 0.01


def test_open_clip_waits_until_it_is_needed():
    code = "import sys; import nada_core.encoders.load, nada_core.losses, nada_core.encoders.clip; print('open_clip' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=300, check=True)
    assert done.stdout.strip() == "False"


def test_errors_are_the_projects_own():
    assert issubclass(EncoderError, NadaError)
    assert json.loads(json.dumps(CONFIG)) == CONFIG, "the tests' configuration is never changed by loading"
