"""The form for another world as pages meet it, for whom it is absent, and the change between real networks, small ones."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path

import gradio as gr
import pytest
import skimage.data
import torch
from PIL import Image

from nada_core import worlds
from nada_core.engine import Engine
from nada_core.errors import AssetError, EncoderError, GeneratorError, StyleError
from nada_core.ui import build_app
from nada_core.ui.app import make_context
from nada_core.ui.page.shared_components import write_memory
from nada_core.ui.server.backend import default_backend
from nada_core.ui.server.change_world import WorldRefused, change_world
from nada_core.ui.server.context import Wish
from nada_core.ui.style_menu.choices import OWN
from nada_core.ui.style_menu.pictures import run_style_pictures
from nada_core.ui.tabs.adapt.other_strengths import choose_step
from nada_core.ui.tabs.adapt.run import AdaptRequest, run_adaptation
from tests.helpers.apps import components, handlers, named
from tests.helpers.edits import edited
from tests.helpers.fake_engine import FakeEngine, fake_backend
from tests.helpers.other_worlds import Maker, full
from tests.helpers.served import PHONE, chromium, expect, fits, in_chromium, open_app, serving, typed
from tests.helpers.small_adaptations import StandInEncoder, small_stylegan2
from tests.helpers.stylegan2_files import rosinality_state
from tests.helpers.visitor import Visitor

pytestmark = pytest.mark.heavy


def test_the_form_tells_how_it_went():
    maker = Maker(FakeEngine(delay=0.0), GeneratorError("'<b>x</b>.pt' is damaged."), full())
    demo = build_app(backend=replace(fake_backend(), engine=maker))
    demo.context.open()
    parts, apply = components(demo), handlers(demo)["apply_wish"]
    assert parts["change-world"].open is False and parts["wish-file"].visible is False
    assert handlers(demo)["show_file"]("file")["visible"] and not handlers(demo)["show_file"]("")["visible"]
    seen = []
    with pytest.raises(gr.Error, match="damaged"):
        for update in apply("", "file", "/models/x.pt", ""):
            seen.append(named(update))
    assert "Loading" in seen[0]["wish-notice"] and not seen[0]["wish-apply"]["interactive"]
    assert "&lt;b&gt;" in seen[1]["wish-notice"] and seen[1]["wish-apply"]["interactive"]
    assert maker.wishes[-1]["base"] == "/models/x.pt"
    *_, last = map(named, apply("full", "", "", ""))
    assert "Ready" in last["wish-notice"]
    (arrived,) = map(named, handlers(demo)["arrive"]([]))
    assert "Full world" in arrived["world"] and arrived["style"]["value"] == "pixar"
    assert arrived["size"] == arrived["compare-size"] == gr.update(choices=[("64 px", 64)], value=64)
    assert (arrived["wish-world"], arrived["wish-base"], arrived["wish-encoder"]) == ("full", "", "")
    (variety,) = [block for block in demo.blocks.values() if getattr(block, "elem_id", "") == "variety"]
    reset = {one.elem_id: value for one, value in handlers(demo)["reset_settings"]().items()}
    assert arrived["variety"] == reset["variety"] == 1 and variety.value == 0.8  # StyleGAN2 was trained untruncated; the starter is not


def test_the_form_shows_what_is_in_use():
    demo = build_app(backend=replace(fake_backend(), engine=Maker(FakeEngine(delay=0.0), full(base=Path("/models/x<b>.pt"), reads="RN50"))))
    (arrived,) = map(named, handlers(demo)["arrive"]([]))
    assert arrived["wish-file"] == gr.update(value="", placeholder="/models/mine.pkl", visible=False) and arrived["wish-world"] == ""
    assert "In use: Starter: MobileStyleGAN, faces. Starter: reads looks." in arrived["wish-words"]
    list(handlers(demo)["apply_wish"]("", "file", "/models/x<b>.pt", "RN50"))
    (arrived,) = map(named, handlers(demo)["arrive"]([]))
    assert (arrived["wish-base"], arrived["wish-encoder"]) == ("file", "RN50")
    assert arrived["wish-file"] == gr.update(value="", placeholder="x<b>.pt", visible=True)
    assert "In use: x&lt;b&gt;.pt. RN50." in arrived["wish-words"] and "/models" not in arrived["wish-words"]


def test_a_finished_run_of_the_former_world_is_not_shown_again():
    demo = build_app(backend=replace(fake_backend(), engine=Maker(FakeEngine(delay=0.0), full())))
    demo.context.open()
    *_, made = run_adaptation(demo.context, AdaptRequest("Joker", steps=3), "browser")
    memory = write_memory("browser", [made.job])
    before = list(handlers(demo)["resume"](memory))
    assert "Done: 3 steps" in named(before[-1])["adapt-progress"]
    list(handlers(demo)["apply_wish"]("full", "", "", ""))
    (after,) = map(named, handlers(demo)["resume"](memory))
    assert "adapt-progress" not in after and OWN + made.job in [value for _, value in after["style"]["choices"]]


def test_strangers_get_no_form_and_no_endpoint():
    engine = FakeEngine(delay=0.0)
    demo = build_app(backend=fake_backend(engine), public=True)
    private = build_app(backend=fake_backend(engine))
    assert not [name for name in components(demo) if name.startswith(("wish-", "change-world"))] and "change-world" in components(private)
    names = {block.fn.__name__ for block in demo.fns.values() if block.fn}
    assert not {"apply_wish", "show_file"} & names and "arrive" in names and "apply_wish" in handlers(private)
    demo.context.open()
    with pytest.raises(WorldRefused, match="public server"):
        change_world(demo.context, Wish("starter"))
    assert all(block.api_visibility == "private" for block in private.fns.values() if block.fn and "wish" in block.fn.__name__)


def test_over_http_another_session_stays_whole(photo):
    maker = Maker(FakeEngine(delay=0.0), full(), FakeEngine(lacking=("clip-vit-b-32",)))
    with serving(FakeEngine(), engine=maker) as (url, demo):
        demo.context.open()
        owner, other = Visitor(url, demo), Visitor(url, demo)
        assert owner.ask("arrive", [])[0] and other.ask("arrive", [])[0]
        edit = ["", "", "joker", 1.0, 1.0, 1.0, 1.0, None, 0.5, 0, [], "fast", 256, False, [], False]
        photo = {"path": None, "url": _data_url(photo), "meta": {"_type": "gradio.FileData"}}
        assert other.ask("arrived", photo, "", "", 1, 0)[0] and other.ask("edit", *edit)[0]
        for wish in (("paradise", "", "", ""), ("", "/etc/passwd", "", ""), (["full"], {}, 5, None)):
            owner.refused("apply_wish", *wish)
        assert len(maker.wishes) == 1
        success, answer, _ = owner.ask("apply_wish", "full", "", "", "")
        assert success and "Ready" in answer
        assert "not in the library" in other.refused("edit", *edit)  # the styles of its page are not those of this world
        other.ask("rerender", *edit)
        answer = other.refused("edit", *["", "", "pixar", *edit[3:]])  # nor are its sizes
        assert "not in the list of choices" in answer or "renders at 64" in answer
        assert other.ask("arrive", [])[0]
        assert other.ask("edit", *["", "", "pixar", *edit[3:12], 64, *edit[13:]])[0]  # loaded again, with the same photo
        assert "fetch clip-vit-b-32" in owner.refused("apply_wish", "", "", "", "ViT-B-32")
        assert demo.context.open()[1].name == "full" and len(demo.context.line) == 0
        answer = owner.web.post("/gradio_api/run/apply_wish", json={"data": ["", "", "", ""]})
        assert answer.status_code >= 400


def _data_url(path: str) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(Path(path).read_bytes()).decode()


@in_chromium
def test_in_a_browser_the_page_reloads_in_the_new_world():
    maker = Maker(FakeEngine(delay=0.0), GeneratorError("There is no generator file 'mine.pt'."), full())
    with serving(FakeEngine(), engine=maker) as (url, _), chromium() as browser:
        page = open_app(browser.new_page(viewport=PHONE), url)
        apply = page.locator("#wish-apply")
        expect(apply).to_be_hidden()
        page.get_by_text("Change the world").click()
        expect(apply).to_be_visible()
        fits(page)
        page.locator("#wish-base input").click()
        page.get_by_role("option", name="A file on this server").click()
        typed(page, page.locator("#wish-file input, #wish-file textarea").first, "mine.pt")
        page.evaluate("window.same = true")
        apply.click()
        page.locator("#wish-notice").get_by_text("no generator file").wait_for()
        expect(page.locator("#world")).to_contain_text("Starter")
        assert page.evaluate("window.same")
        page.locator("#wish-world").get_by_text("Full").click()
        page.locator("#wish-base input").click()
        page.get_by_role("option", name="The world's own").click()
        apply.click()
        page.locator("#world strong", has_text="Full world").wait_for()
        page.wait_for_function("window.same === undefined")  # another page
        page.get_by_role("tab", name="Stylise a photo").click()
        page.locator("#size").get_by_text("64 px").wait_for()
        expect(page.locator("#size label")).to_have_count(1)


# --- real networks, small ones ----------------------------------------------------------------------------------------------------


@pytest.fixture
def generators(tmp_path, monkeypatch):
    """Files of two small StyleGAN2, and a stand-in for CLIP; nothing of the full world is on the machine."""
    for name in ("NADA_ASSETS", "NADA_WORLD"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NADA_OFFLINE", "1")
    for seed, name in enumerate(("one.pt", "two.pt")):
        small = small_stylegan2(seed)
        torch.save({"g_ema": rosinality_state(small), "latent_avg": small.w_avg}, tmp_path / name)
    monkeypatch.setattr("nada_core.engine.load_encoder", lambda name, device: StandInEncoder(name))
    return tmp_path


def engines_in(folder: Path):
    """Makes engines whose generator is by default a file of the folder, which also keeps their styles."""

    def factory(world=None, base=str(folder / "one.pt"), encoder="starter"):
        return Engine("cpu", base=base, encoder=encoder, styles_folder=folder / "styles", world=world)

    return factory


@pytest.mark.weights
def test_a_real_generator_from_a_file_and_styles_of_the_other(generators, monkeypatch):
    demo = build_app(backend=replace(default_backend(engines_in(generators)), jobs_folder=lambda: generators / "jobs"))
    app, functions = demo.context, handlers(demo)
    monkeypatch.setattr(app, "backend", replace(app.backend, check=lambda *_: None))  # the stand-in takes any text
    one, facts = app.open()
    assert facts.sizes == (64,) and one.missing() == []
    *_, made = run_adaptation(app, AdaptRequest("A face in any words", steps=3))
    assert made.phase == "done", made.error
    list(functions["apply_wish"]("", "file", str(generators / "two.pt"), "starter"))
    two, facts = app.open()
    assert two is not one and two.base_hash != one.base_hash and "two.pt" in facts.reason and str(generators) not in facts.reason
    # what the finished run made is still there
    assert app.shelf.get(made.style_id, [made.style_id]).steps == 3 and choose_step(app, made.style_id, [made.style_id], 3).step == 3
    view = app.jobs.find(made.style_id).view
    assert all(Path(path).exists() for path in (*view.originals, *view.previews)) and len(view.originals) == 4
    Image.fromarray(skimage.data.astronaut()).save(generators / "me.jpg")
    view, _ = edited(app, str(generators / "me.jpg"), OWN + made.style_id, owned=(made.style_id,), mode="fast")
    assert view.phase == "failed" and "was made for stylegan2" in view.error and "Load the matching base" in view.error
    with pytest.raises(StyleError, match="was made for"):
        two.sample([0], style=app.shelf.get(made.style_id, [made.style_id]).style)
    with pytest.raises(gr.Error, match="no generator file"):
        list(functions["apply_wish"]("", "file", str(generators / "three.pt"), "starter"))
    assert app.open()[0] is two
    change_world(app, Wish(None, str(generators / "one.pt"), "starter"))
    *_, shown = run_style_pictures(app, (made.style_id,))
    assert OWN + made.style_id in shown.names and app.thumbnails.file(f"{OWN}{made.style_id}-3")
    app.shutdown()


def test_the_full_world_is_not_fetched_by_a_click(generators, monkeypatch):
    monkeypatch.setenv("NADA_CACHE", str(generators / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(generators / "hub"))
    monkeypatch.delenv("NADA_OFFLINE")
    for place in ("nada_core.worlds.fetch", "nada_core.engine.fetch", "nada_core.encoders.clip_weights.fetch"):
        monkeypatch.setattr(place, lambda name, **_: pytest.fail(f"{name} was fetched"))
    monkeypatch.setattr(worlds, "reach", lambda *_: "yes")  # there is a connection

    app = make_context(replace(default_backend(engines_in(generators)), jobs_folder=lambda: generators / "jobs"))
    old, _ = app.open()
    with pytest.raises(AssetError, match=r"stylegan2-ffhq, restyle-e4e-ffhq, clip-vit-b-32.*nada_core fetch full`"):
        change_world(app, Wish("full"))
    with pytest.raises(AssetError, match=r"fetch stylegan2-ffhq restyle-e4e-ffhq`"):
        change_world(app, Wish(None, "stylegan2-ffhq", "starter"))
    with pytest.raises(AssetError, match=r"fetch clip-vit-b-32 clip-vit-b-16`"):
        change_world(app, Wish("starter", None, "ViT-B-32,ViT-B-16"))
    with pytest.raises(AssetError, match=r"the weights 'laion2b_s32b_b82k' of ViT-L-14.*--encoder 'ViT-L-14@laion2b_s32b_b82k'"):
        change_world(app, Wish("starter", None, "ViT-L-14@laion2b_s32b_b82k"))
    with pytest.raises(EncoderError, match="Did you mean"):
        change_world(app, Wish("starter", None, "ViT-B-33"))
    assert app.open()[0] is old
    # a GPU and a connection are enough for the automatic choice at the start; a click is not
    engine = engines_in(generators)(base=None, encoder=None)
    monkeypatch.setattr(engine, "_choose", lambda download: worlds.choose_world("cuda", download=download))
    assert set(engine.missing()) == set(worlds.missing_for_full())
    folder = generators / "clip-vit-b-32"
    folder.mkdir()
    (folder / "open_clip_model.safetensors").write_bytes(b"weights")
    monkeypatch.setenv("NADA_ASSETS", str(generators))
    assert change_world(app, Wish(None, str(generators / "two.pt"), "ViT-B-32")).sizes == (64,)  # fetched meanwhile
