"""``selfcheck``: the starter world passes it, and what is broken is found and named while the other stages go on."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
import skimage.data
import torch
import torch.nn.functional as F
from PIL import Image

from nada_core.adaptation.options import AdaptOptions
from nada_core.alignment.ffhq import FaceDetector, crop_face
from nada_core.assets.store import REGISTRY
from nada_core.checks import parts as selfcheck_parts
from nada_core.checks import selfcheck as selfcheck_module
from nada_core.checks.parts import PartChecks
from nada_core.checks.selfcheck import DLIB, files_of, selfcheck, without_folders
from nada_core.cli import selfcheck as command
from nada_core.cli.main import main
from nada_core.engine import Engine
from nada_core.errors import AssetError, EncoderError, GeneratorError, NadaError
from nada_core.images.image_io import to_tensor
from nada_core.inversion.starter import StarterInverter
from nada_core.worlds import choose_world
from tests.helpers.brief_edits import brief_edits
from tests.helpers.small_adaptations import ReadingEncoder, StandInEncoder, small_stylegan2
from tests.helpers.stylegan2_files import rosinality_state

pytestmark = pytest.mark.weights  # the features by which pictures are compared

STARTER_FILES = ["mobile-stylegan-ffhq", "efficientnet-lite0", *DLIB]
TRIED = ["generator", "text-image encoder", "photo encoder", "face finder", "faces in samples"]
TRIED += ["words for a photo", "words for faces", "first guess", "adaptation", "photo"]


@pytest.mark.slow
def test_the_starter_world_passes_and_the_report_can_be_sent_back(engine, monkeypatch, tmp_path, capsys):
    brief_edits(monkeypatch, latent_steps=10, tuning_steps=8)
    monkeypatch.setattr(selfcheck_parts, "AdaptOptions", partial(AdaptOptions, batch=1))
    monkeypatch.setattr(command, "Engine", lambda *args, **parts: engine)
    assert main(["selfcheck", "--steps", "10", "--out", str(tmp_path / "report.json")]) == 0
    said = capsys.readouterr().out
    assert "FAILED" not in said and "all 15 stages passed" in said
    text = (tmp_path / "report.json").read_text()
    found = json.loads(text)
    assert [stage["passed"] for stage in found["stages"]] == [True] * 15
    assert sorted(stage["name"] for stage in found["stages"]) == sorted([*(f"file {name}" for name in STARTER_FILES), *TRIED])
    assert str(Path.home()) not in text and str(tmp_path) not in text
    photo = found["stages"][-1]
    assert photo["name"] == "photo" and photo["figures"]["identity_inverted"] < 0.3


@pytest.fixture
def noise(tmp_path):
    """The file of a generator that draws no faces."""
    small = small_stylegan2()
    torch.save({"g_ema": rosinality_state(small), "latent_avg": small.w_avg}, tmp_path / "noise.pt")
    return tmp_path / "noise.pt"


@pytest.fixture
def fetched(monkeypatch):
    """Names that were asked for; those put into ``missing`` cannot be had, and files of the full world are only said to be here."""
    asked, missing, real = [], set(), selfcheck_module.fetch

    def fetch(name, **options):
        asked.append(name)
        if name in missing:
            raise AssetError(f"{name} could not be fetched: no connection.")
        return real(name, **options) if REGISTRY[name].world == "starter" else Path(name)

    monkeypatch.setattr(selfcheck_module, "fetch", fetch)
    return SimpleNamespace(asked=asked, missing=missing)


@pytest.fixture(scope="module")
def finder():
    """A face finder that looks once for the faces of a picture: most tests here look for those of the same three."""
    detector, seen = FaceDetector(), {}
    models, real = detector._load(), FaceDetector.detect

    def detect(self, image, everyone=False):
        key = image.tobytes(), image.size, everyone
        if key not in seen:
            seen[key] = real(self, image, everyone)
        return list(seen[key])

    return models, detect


@pytest.fixture(autouse=True)
def no_search(request, monkeypatch, finder):
    """Looking for faces in noise takes longest, and is right about it; a test that is about faces asks for ``looking``."""
    models, detect = finder
    everywhere = "looking" in request.fixturenames or "engine" in request.fixturenames

    def search(self, image, everyone=False):
        return detect(self, image, everyone) if everywhere or max(image.size) > 200 else []

    monkeypatch.setattr(FaceDetector, "_load", lambda self: models)
    monkeypatch.setattr(FaceDetector, "detect", search)


@pytest.fixture
def looking():
    """The real search for faces."""


def own(base, monkeypatch, encoder=None, **parts):
    """An engine of a generator's file with a stand-in encoder; ``parts`` replace those of its world."""
    monkeypatch.setattr("nada_core.engine.load_encoder", lambda name, device: encoder or StandInEncoder(name))
    engine = Engine("cpu", base=base, world="full")
    engine.parts = replace(engine.parts, **parts)
    return engine


def tried(engine, photo=None):
    return {finding.name: finding for finding in selfcheck(engine, photo, steps=10)}


def test_without_clip_the_generator_is_judged_and_nothing_else_is_blamed(noise, fetched, monkeypatch):
    fetched.missing.add("clip-vit-b-32")
    found = tried(own(noise, monkeypatch))
    assert found["generator"].passed and found["generator"].figures["family"] == "stylegan2"
    assert "no connection" in found["file clip-vit-b-32"].detail
    needs = {name: finding.detail for name, finding in found.items() if not finding.tried}
    assert needs == {
        "text-image encoder": "not tried: needs file clip-vit-b-32",
        "words for a photo": "not tried: needs text-image encoder",
        "words for faces": "not tried: needs text-image encoder, faces in samples",
        "adaptation": "not tried: needs text-image encoder",
        "photo": "not tried: needs text-image encoder, adaptation",
    }
    assert not any(found[name].passed for name in needs) and found["face finder"].passed
    assert "photo encoder" not in found, "none knows a generator from a file"
    assert not {"stylegan2-ffhq", "restyle-e4e-ffhq", "mobile-stylegan-ffhq"} & set(fetched.asked)


def test_an_encoder_that_does_not_load_is_named_itself(noise, fetched, monkeypatch):
    engine = own(noise, monkeypatch)

    def damaged(name, device):
        raise EncoderError("'clip.pt' is damaged, in /home/anna/models/clip.pt. See https://huggingface.co/a/b/c.")

    monkeypatch.setattr("nada_core.engine.load_encoder", damaged)
    found = tried(engine)
    assert found["generator"].passed and found["face finder"].passed
    assert found["text-image encoder"].tried and "is damaged, in …/clip.pt" in found["text-image encoder"].detail
    assert "https://huggingface.co/a/b/c" in found["text-image encoder"].detail
    assert "needs text-image encoder" in found["adaptation"].detail


@pytest.mark.parametrize("fails", ["fetch", "load", "codes"])
def test_an_inverter_fails_in_its_own_stage(noise, fetched, monkeypatch, fails):
    class Inverter(StarterInverter):
        def __init__(self):
            torch.nn.Module.__init__(self)
            self.out = torch.nn.Linear(1, 32)

        def forward(self, images):
            return torch.zeros(len(images), 32)

    def load(name, device):
        assert name == "restyle-e4e"
        if fails == "load":
            raise GeneratorError("'restyle.pt' does not fit.")
        return Inverter()

    if fails == "fetch":
        fetched.missing.add("restyle-e4e-ffhq")
    monkeypatch.setattr(selfcheck_parts, "load_inverter", load)
    found = tried(own(noise, monkeypatch, inverter="restyle-e4e"))
    said = {"fetch": "not tried: needs file restyle-e4e-ffhq", "load": "does not fit", "codes": "are the same for different inputs"}
    assert not found["photo encoder"].passed and said[fails] in found["photo encoder"].detail
    assert found["generator"].passed and found["text-image encoder"].passed and found["adaptation"].passed
    assert found["first guess"].detail == found["photo"].detail == "not tried: needs photo encoder"


def test_a_missing_generator_leaves_the_others_judged(fetched, monkeypatch):
    fetched.missing |= {"stylegan2-ffhq", "restyle-e4e-ffhq"}
    found = tried(own("stylegan2-ffhq", monkeypatch))
    assert found["text-image encoder"].passed and found["face finder"].passed
    assert found["generator"].detail == "not tried: needs file stylegan2-ffhq"
    assert found["photo"].detail == "not tried: needs generator, photo encoder, adaptation"


@pytest.mark.parametrize(
    ("given", "files"),
    [
        ({"world": "starter"}, STARTER_FILES),
        ({"world": "full"}, ["stylegan2-ffhq", "clip-vit-b-32", "restyle-e4e-ffhq", *DLIB, "efficientnet-lite0"]),
        ({"world": "full", "base": "my/own.pt"}, ["clip-vit-b-32", *DLIB, "efficientnet-lite0"]),
        (
            {"world": "full", "encoder": "ViT-B-32@my/own.pt"},
            ["stylegan2-ffhq", "restyle-e4e-ffhq", *DLIB, "efficientnet-lite0"],
        ),
        (
            {"world": "full", "base": "my/own.pt", "encoder": "ViT-B/32:1,ViT-B-16@openai:0.5"},
            ["clip-vit-b-32", "clip-vit-b-16", *DLIB, "efficientnet-lite0"],
        ),
        ({"world": "starter", "inverter": "none", "base": "my/own.pt"}, ["efficientnet-lite0", *DLIB]),
    ],
)
def test_only_the_chosen_parts_files_are_needed(given, files):
    needed = files_of(choose_world("cpu", **given))
    assert sorted({name for part in needed.values() for name in part}) == sorted(files)


def test_a_generator_without_faces_is_found_and_the_rest_is_tried(noise, monkeypatch, fetched, tmp_path, looking):
    found = tried(own(noise, monkeypatch), tmp_path / "nobody.png")
    assert not found["faces in samples"].passed and "face was found in" in found["faces in samples"].detail
    assert found["generator"].passed and found["text-image encoder"].passed and found["adaptation"].passed
    assert found["photo"].tried and not found["photo"].passed and "nobody.png" in found["photo"].detail


class Knowing(ReadingEncoder):
    """Knows one photo; everything else is nearly a face to it."""

    def encode_image(self, images):
        photo = to_tensor(Image.fromarray(skimage.data.astronaut()))
        sizes = [F.interpolate(pictures, size=(16, 16), mode="bilinear", antialias=True) for pictures in (images, photo)]
        same = (sizes[0] - sizes[1]).abs().mean((1, 2, 3)) < 0.02
        face, astronaut = self.encode_text(["a photo of a face.", "a photo of an astronaut."])
        return torch.where(same[:, None], astronaut, F.normalize(face + 0.1 * super().encode_image(images), dim=-1))


def test_an_encoder_that_reads_must_know_what_it_sees(noise, monkeypatch):
    bench = PartChecks(own(noise, monkeypatch, Knowing()), None, 10)
    bench.encoder()
    _, figures = bench.words_for_photo()
    assert figures["cosines"]["an astronaut"] == 1 > figures["cosine of shuffled pixels"]
    bench.words_for_faces()
    for number in range(8):  # random weights: whatever text is nearest is so to both pictures, or one is not known
        random = PartChecks(own(noise, monkeypatch, ReadingEncoder(f"random {number}")), None, 10)
        random.encoder()
        with pytest.raises(NadaError, match=r"does not know what it sees|in shuffled pixels as well"):
            random.words_for_photo()
            random.words_for_faces()


def test_an_encoder_without_sentences_is_not_asked_for_words(noise, monkeypatch):
    bench = PartChecks(own(noise, monkeypatch), None, 10)
    assert "reads no sentences" in bench.words_for_photo()[0] and "reads no sentences" in bench.words_for_faces()[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: 2 * rows, "have lengths"),
        (lambda rows: rows * math.nan, "not finite"),
        (lambda rows: rows[:, :-1], "expected finite"),
        (lambda rows: rows[:1].expand_as(rows), "are the same for different inputs"),
        (lambda rows: rows.detach().requires_grad_(True), "[Gg]radient|differentiated"),
    ],
)
def test_embeddings_that_nothing_can_be_learnt_from_are_found(noise, monkeypatch, change, message):
    class Changed(StandInEncoder):
        def encode_image(self, images):
            return change(super().encode_image(images))

    bench = PartChecks(own(noise, monkeypatch, Changed()), None, 10)
    with pytest.raises((NadaError, RuntimeError), match=message):
        bench.encoder()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda pictures: pictures * 9, r"far outside \[-1, 1\]"),
        (lambda pictures: pictures * math.nan, "finite ones of 64 px"),
        (lambda pictures: pictures[..., :32], "of shape"),
        (lambda pictures: pictures * 0, "the same picture"),
    ],
)
def test_pictures_that_cannot_be_are_found(noise, monkeypatch, change, message):
    bench = PartChecks(own(noise, monkeypatch), None, 10)
    drawn = bench.engine.generator.synthesis
    monkeypatch.setattr(bench.engine.generator, "synthesis", lambda ws, *args: change(drawn(ws, *args)))
    with pytest.raises(NadaError, match=message):
        bench.generator()


def test_the_face_finder_must_find_align_and_know_again(noise, monkeypatch):
    bench = PartChecks(own(noise, monkeypatch), None, 10)
    _, figures = bench.faces()
    assert figures["moved"] < 0.05 and 0 < figures["identity_mirrored"] < 0.6
    detect = bench.detector.detect
    for found, message in [
        (lambda image: [], "0 faces were found in the portrait"),
        (lambda image: detect(image) if image.width == 512 else [], "0 faces were found in the aligned portrait"),
        (lambda image: [replace(f, landmarks=f.landmarks + 20 * (image.width == 512)) for f in detect(image)], "is not aligned"),
    ]:
        monkeypatch.setattr(bench.detector, "detect", found)
        with pytest.raises(NadaError, match=message):
            bench.faces()


class Painter:
    """Draws the portrait where its latents are 1, something brighter and turned where they are 0."""

    w_avg, num_ws, resolutions = torch.zeros(4), 2, (256,)

    def __init__(self, crop):
        self.crop = crop

    def synthesis(self, ws, resolution):
        share = ws.mean()
        return share * self.crop + (1 - share) * (0.5 + 0.5 * self.crop.flip(-2))


@pytest.mark.parametrize(("code", "passes"), [(0.9, True), (-0.5, False)])
def test_a_first_guess_must_be_nearer_than_the_mean_face(noise, monkeypatch, code, passes):
    class Inverter(StarterInverter):
        def __init__(self):
            torch.nn.Module.__init__(self)

        def forward(self, images):
            return torch.full((1, 4), code)

    engine = own(noise, monkeypatch)
    bench = PartChecks(engine, None, 10)
    bench.faces()
    photo, face = bench.portrait
    engine.__dict__["generator"] = Painter(to_tensor(crop_face(photo, face.landmarks, 256)))
    bench.photo_encoder = Inverter()
    if passes:
        _, figures = bench.guess()
        assert figures["identity"]["guess"] < 0.3 and figures["error"]["guess"] < figures["error"]["mean face"]
    else:
        with pytest.raises(NadaError, match="no nearer to the portrait than the mean face"):
            bench.guess()


def test_paths_lose_their_folders_and_addresses_do_not():
    hidden = without_folders("[Errno 2] No such file: '/home/anna/models/x.pt' in C:\\Users\\Anna\\y.pkl, rate 3/4 and a/b")
    at_home = without_folders(f"No such file: '{Path.home()}/my models/x.pt', nor '{Path.home()}'")
    address = "get https://huggingface.co/timm/vit/resolve/main/x.pt of huggingface.co/timm/vit/x"
    assert str(Path.home()) not in at_home and "x.pt" in at_home
    assert "anna" not in hidden.lower() and "x.pt" in hidden and "y.pkl" in hidden and "3/4" in hidden
    assert without_folders(address) == address


def test_a_failed_adaptation_leaves_no_style_for_the_photo(noise, fetched, monkeypatch):
    def fall(*args, **options):
        raise RuntimeError("out of memory")

    engine = own(noise, monkeypatch)
    monkeypatch.setattr(engine, "adapt", fall)
    found = tried(engine)
    assert found["adaptation"].detail == "RuntimeError: out of memory"
    assert found["photo"].detail == "not tried: needs adaptation"


def test_bad_options(capsys):
    assert main(["selfcheck", "--full", "--world", "starter"]) == 2
    assert main(["selfcheck", "--steps", "3"]) == 2
    assert "between 10 and 2000" in capsys.readouterr().err
