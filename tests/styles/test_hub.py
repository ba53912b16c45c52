"""Styles from and to the Hub through its real client on a loopback server, also by the command line."""

from __future__ import annotations

import os
import shlex
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch

from nada_core.cli.main import main
from nada_core.engine import Engine
from nada_core.errors import OptionsError, StyleError
from nada_core.generators.formats import ours
from nada_core.generators.formats.rosinality import to_bytes
from nada_core.styles.files import Style, compact_style, load_card, load_style, resolved_weights, save_style, styled
from nada_core.styles.hub import HubReference, fetch_style_file, parse_reference
from nada_core.styles.library import StyleLibrary
from nada_core.styles.publish import model_card, push_style
from nada_core.ui.photo.faces import find_faces
from nada_core.ui.requests import EditRequest
from nada_core.ui.tabs.gallery.run import run_compare, run_export, run_walk
from nada_core.ui.tabs.stylise.run import run_edit, run_rerender
from tests.helpers.hub_stand_in import COMMIT, TOKEN, Repo, hub_serving
from tests.helpers.loopback import dead_port
from tests.helpers.promptness import promptly
from tests.helpers.stylegan2_files import painted, rosinality_state, tiny, write


@pytest.fixture(scope="module")
def base():
    return tiny()


@pytest.fixture(scope="module")
def base_file(base, tmp_path_factory):
    path = tmp_path_factory.mktemp("base") / "base.safetensors"
    path.write_bytes(ours.to_bytes(base))
    return path


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    for name in list(os.environ):
        if name.upper().endswith("_PROXY") or name.startswith(("HF_", "HUGGING")) or name in {"NADA_OFFLINE", "NADA_WORLD"}:
            monkeypatch.delenv(name)
    monkeypatch.setenv("NADA_STYLES", str(tmp_path / "styles"))
    monkeypatch.setenv("NADA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{dead_port()}")
    values = {"HF_HUB_CACHE": str(tmp_path / "hub"), "HF_HUB_OFFLINE": False, "HF_TOKEN_PATH": str(tmp_path / "token")}
    for name, value in values.items():
        monkeypatch.setattr(f"huggingface_hub.constants.{name}", value)


@pytest.fixture
def hub(monkeypatch):
    with hub_serving() as running:
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        yield running


@pytest.fixture
def library(tmp_path):
    return StyleLibrary(tmp_path / "styles", ready=tmp_path / "ready")


@pytest.fixture(scope="module")
def style_bytes(base, tmp_path_factory):
    return save_style(painted(base), tmp_path_factory.mktemp("made") / "painted.safetensors").read_bytes()


def command(capfd, *words: object) -> tuple[int, str, str]:
    capfd.readouterr()
    try:
        code = main(["styles", *map(str, words)])
    except SystemExit as stop:
        code = int(stop.code or 0)
    return code, *capfd.readouterr()


def refused(result: tuple[int, str, str], *words: str) -> None:
    code, out, err = result
    assert (code, out) == (2, "") and len(err.splitlines()) == 1 and "Traceback" not in err
    for word in words:
        assert word in err, err


# --- from the Hub -----------------------------------------------------------------------------------------------------------------


def test_references():
    assert parse_reference("hf:some-one/a.style") == HubReference("some-one/a.style")
    full = parse_reference("hf:u/r/sub folder/x.safetensors@refs/pr/1")
    assert full == HubReference("u/r", "sub folder/x.safetensors", "refs/pr/1") and str(full) == "hf:u/r/sub folder/x.safetensors@refs/pr/1"
    for bad in ("hf:", "hf:user", "hf:/user/x", "hf:u/../x.pt", "hf:u/r/../../x.pt", "hf:u/r//x.pt", "hf:u/r@", "hf:u/r@../x", "hf:u/r\n"):
        with pytest.raises(StyleError, match="no place on the Hub"):
            parse_reference(bad)
    for bad in ("hf:u/r/x.pkl", "hf:u/r/x.py", "hf:u/r/x.bin"):
        with pytest.raises(StyleError, match="no style file"):
            parse_reference(bad)


@pytest.mark.heavy
def test_a_style_of_the_hub_loads_and_then_comes_from_the_cache(hub, base, base_file, style_bytes, library, monkeypatch):
    hub.repos["me/painted"] = Repo({"painted.safetensors": style_bytes, "README.md": b"hello"})
    engine = Engine("cpu", base=base_file, styles_folder=library.folder)
    style = engine.style("hf:me/painted")
    assert style.card.name == "painted" and engine.sample([1], "hf:me/painted", 64).shape == (1, 3, 64, 64)
    downloads = [line for line in hub.requests if line.startswith("GET /me/painted/resolve")]
    assert len(downloads) == 1, "the second time, the file is taken from the cache"
    seen = len(hub.requests)
    named = library.load("hf:me/painted/painted.safetensors")
    assert len(hub.requests) == seen, "a file named in full asks nobody"
    assert all(torch.equal(named.tensors[key], value) for key, value in style.tensors.items())
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{dead_port()}")
    for reference in ("hf:me/painted", "hf:me/painted/painted.safetensors", f"hf:me/painted@{COMMIT}", "hf:me/painted@main"):
        assert library.load(reference).card.name == "painted"


def test_offline_is_said_within_two_seconds(library, monkeypatch):
    def refusal(reference, words):
        with pytest.raises(StyleError, match=words):
            library.load(reference)

    for reference in ("hf:me/painted", "hf:me/painted/x.safetensors"):
        promptly(partial(refusal, reference, r"hf:me/painted.* is not on this machine, and there is no connection to 127.0.0.1"), 2)
    monkeypatch.setenv("HF_ENDPOINT", "https://no-such-host.invalid")
    promptly(lambda: refusal("hf:me/painted", r"no connection to no-such-host.invalid"), 2)
    monkeypatch.setenv("NADA_OFFLINE", "1")
    with pytest.raises(StyleError, match="as asked by the environment"):
        library.load("hf:me/painted")


@pytest.mark.heavy
def test_what_the_hub_does_not_give(hub, library, style_bytes, tmp_path):
    hub.repos |= {
        "me/secret": Repo({"x.safetensors": style_bytes}, refused=(401, "")),
        "me/hidden": Repo({"x.safetensors": style_bytes}, refused=(401, "RepoNotFound")),
        "me/gated": Repo({"x.safetensors": style_bytes}, refused=(403, "GatedRepo")),
        "me/broken": Repo({"x.safetensors": style_bytes}, refused=(500, "")),
        "me/empty": Repo({"README.md": b"", "model.bin": b"x"}),
        "me/many": Repo({f"s{n}.pt": b"x" for n in range(9)} | {"deep/joker.safetensors": style_bytes}),
        "me/huge": Repo({"x.safetensors": b"x"}, sizes={"x.safetensors": 600 << 20}),
        "me/giant": Repo({"x.pt": b"x"}, sizes={"x.pt": 3 << 30}),
        "me/text": Repo({"x.safetensors": b"this is no style"}),
        "me/cut": Repo({"x.safetensors": style_bytes[:-50]}),
        "me/html": Repo({"x.pt": b"<html>"}),
    }
    cases = {
        "hf:me/nothing": "no 'me/nothing' on the Hub, or it is private.*hf auth login",
        "hf:me/nothing/x.pt": "no 'me/nothing' on the Hub",
        "hf:me/secret": "no 'me/secret' on the Hub, or it is private",
        "hf:me/hidden": "no 'me/hidden' on the Hub, or it is private",
        "hf:me/gated": "asks for its conditions to be accepted",
        "hf:me/broken": "answered 500",
        "hf:me/empty": "holds no style",
        "hf:me/many": r"holds 10 files: deep/joker.safetensors, s0.pt, .* and 2 more. Name one: hf:me/many/deep/joker.safetensors",
        "hf:me/many/other.pt": "has no file 'other.pt'. It has deep/joker",
        "hf:me/many@v9": "no such revision",
        "hf:me/huge": "has 600 MB; such a style file has at most 512 MB. Nothing was downloaded",
        "hf:me/giant": "has 3072 MB; such a style file has at most 2048 MB",
        "hf:me/text": "not a style file, or it is damaged",
        "hf:me/cut": "damaged",
        "hf:me/html": "is a web page",
    }
    for reference, words in cases.items():
        with pytest.raises(StyleError, match=words) as caught:
            library.load(reference)
        assert str(tmp_path) not in str(caught.value) and "\n" not in str(caught.value)
    assert library.load("hf:me/many/deep/joker.safetensors").card.name == "painted"
    assert not [line for line in hub.requests if "resolve" in line and ("huge" in line or "giant" in line)]


@pytest.mark.heavy
def test_a_login_opens_a_private_repository(hub, library, style_bytes, monkeypatch):
    hub.repos["me/secret"] = Repo({"x.safetensors": style_bytes}, private=True, refused=(401, ""))
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    assert library.load("hf:me/secret").card.name == "painted"


@pytest.mark.heavy
def test_a_strangers_card_is_tidied(hub, base, library, tmp_path):
    loud = Style(replace(painted(base).card, prompt="red\x1b[31m\nclown"), painted(base).tensors)
    hub.repos["me/loud"] = Repo({"x.safetensors": save_style(loud, tmp_path / "x.safetensors").read_bytes()})
    assert library.load("hf:me/loud").card.prompt == "red [31m clown"


@pytest.mark.heavy
def test_offline_with_several_cached_files_names_them(hub, library, style_bytes, monkeypatch):
    hub.repos["me/two"] = Repo({"a.safetensors": style_bytes, "b.safetensors": style_bytes})
    for name in "ab":
        fetch_style_file(f"hf:me/two/{name}.safetensors")
    monkeypatch.setenv("NADA_OFFLINE", "1")
    with pytest.raises(StyleError, match=r"2 files: a.safetensors, b.safetensors"):
        library.load("hf:me/two")


@pytest.mark.heavy
def test_a_published_network_of_the_hub_needs_the_base(hub, base, base_file, library):
    hub.repos["me/nada"] = Repo({"pixar.pt": to_bytes(styled(base, painted(base)))})
    style = Engine("cpu", base=base_file, styles_folder=library.folder).style("hf:me/nada/pixar.pt")
    assert style.card.name == "pixar" and resolved_weights(style, base)
    with pytest.raises(StyleError, match="whole network"):
        library.load("hf:me/nada/pixar.pt")


# --- the command line -------------------------------------------------------------------------------------------------------------


@pytest.mark.heavy
def test_import_command(hub, base, base_file, style_bytes, tmp_path, capfd):
    compact = save_style(compact_style(painted(base), base), tmp_path / "small.safetensors")
    published = write(tmp_path / "pixar.pt", {"g_ema": rosinality_state(styled(base, painted(base)))})
    hub.repos["me/painted"] = Repo({"x.safetensors": style_bytes})
    for file, name in ((compact, "painted"), ("hf:me/painted", "painted-2"), (published, "pixar")):
        code, out, err = command(capfd, "--import", file, "--base", base_file)
        assert (code, err.splitlines()[-1:] and "error" in err) in ((0, []), (0, False)), err
        assert out.startswith(f"{name}: imported")
        assert f"`python -m nada_core edit PHOTO --style {name} --out DIR --base {shlex.quote(str(base_file))}`" in out
    listed = command(capfd)[1]
    assert all(word in listed for word in ("painted-2", "pixar", "imported, stylegan2"))


@pytest.mark.heavy
def test_import_command_refuses(hub, base, base_file, style_bytes, tmp_path, capfd):
    other = tmp_path / "other.safetensors"
    other.write_bytes(ours.to_bytes(tiny(seed=4)))
    style = tmp_path / "style.safetensors"
    style.write_bytes(style_bytes)
    (tmp_path / "cut.safetensors").write_bytes(style_bytes[:-9])
    refused(command(capfd, "--import", style, "--base", other), "was made for stylegan2", base.content_hash()[:8], "matching base")
    refused(command(capfd, "--import", tmp_path / "none.safetensors", "--base", base_file), "There is no style file 'none.safetensors'")
    refused(command(capfd, "--import", tmp_path / "cut.safetensors", "--base", base_file), "damaged")
    refused(command(capfd, "--import", base_file, "--base", base_file), "is the base itself")
    refused(command(capfd, "--import", "me/painted", "--base", base_file), "write hf:me/painted")
    refused(command(capfd, "--import", "hf:me/none", "--base", base_file), "no 'me/none' on the Hub")
    refused(command(capfd, "--import", style, "--json"), "not allowed with")
    for words in (["--full"], ["--repo", "a/b"], ["--private"], ["--push", "x"], ["--push", "x", "--repo", "x"], ["--export", "a", "b.pt"]):
        refused(command(capfd, *words))
    assert not (tmp_path / "styles").exists()


def test_export_command(base, base_file, library, tmp_path, capfd):
    library.save(painted(base), "painted")
    for flags, storage in (([], "delta4"), (["--full"], "full")):
        out = tmp_path / f"{storage}.safetensors"
        assert command(capfd, "--export", "painted", out, *flags, "--base", base_file)[0] == 0
        assert load_card(out).storage == storage
    full = load_style(tmp_path / "full.safetensors")
    assert all(torch.equal(full.tensors[name], value) for name, value in painted(base).tensors.items())
    assert command(capfd, "--import", tmp_path / "delta4.safetensors", "--base", base_file)[0] == 0
    assert command(capfd, "--export", "painted-2", tmp_path / "again.safetensors", "--full", "--base", base_file)[0] == 0
    again, small = load_style(tmp_path / "again.safetensors"), load_style(tmp_path / "delta4.safetensors")
    wanted = resolved_weights(small, base)
    assert again.card.storage == "full" and all(torch.equal(again.tensors[name], value) for name, value in wanted.items())
    refused(command(capfd, "--export", "nobody", tmp_path / "x.safetensors", "--base", base_file), "There is no style 'nobody'")


# --- to the Hub -------------------------------------------------------------------------------------------------------------------


@pytest.mark.heavy
def test_push_command_and_back(hub, base, library, monkeypatch, capfd):
    library.save(painted(base), "painted")
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    code, out, err = command(capfd, "--push", "painted", "--repo", "crew/painted", "--private")
    assert code == 0 and f"{hub.url}/crew/painted: uploaded, private" in out, err
    repo = hub.repos["crew/painted"]
    assert set(repo.files) == {"painted.safetensors", "README.md"} and repo.private
    assert hub.cards == [repo.files["README.md"].decode()] and hub.cards[0].startswith("---\nlicense: other\n")
    back = library.load("hf:crew/painted")
    assert all(torch.equal(back.tensors[name], value) for name, value in painted(base).tensors.items())
    assert command(capfd, "--push", "painted", "--repo", "crew/painted", "--private")[0] == 0, "the same style again is an update"


@pytest.mark.heavy
def test_a_ready_styles_picture_goes_with_it(hub, base, library, monkeypatch, tmp_path):
    path = save_style(painted(base), library.ready / "painted.safetensors")
    path.with_suffix(".jpg").write_bytes(b"a picture")
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    assert push_style(path, "crew/painted", thumbnail=library.entries()[0].thumbnail) == f"{hub.url}/crew/painted"
    files = hub.repos["crew/painted"].files
    assert files["painted.jpg"] == b"a picture" and b"](painted.jpg)" in files["README.md"] and not hub.repos["crew/painted"].private


@pytest.mark.heavy
def test_push_is_refused(hub, base, library, monkeypatch, capfd):
    library.save(painted(base), "painted")
    push = ("--push", "painted", "--repo")
    refused(command(capfd, *push, "crew/new"), "no login to the Hub", "hf auth login")
    monkeypatch.setenv("HF_TOKEN", "hf_expired")
    refused(command(capfd, *push, "crew/new"), "refused this machine's login")
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    refused(command(capfd, "--push", "nobody", "--repo", "crew/new"), "There is no style 'nobody'")
    refused(command(capfd, *push, "crew"), "it looks like user/name")
    hub.read_only = True
    refused(command(capfd, *push, "crew/new"), "may not do that")
    hub.read_only = False
    before = {"README.md": b"my own page"}
    hub.repos |= {"crew/page": Repo(dict(before)), "crew/other": Repo({"zombie.safetensors": b""}), "crew/public": Repo()}
    refused(command(capfd, *push, "crew/page"), "already holds 'README.md'")
    refused(command(capfd, *push, "crew/other"), "already holds 'zombie.safetensors'")
    refused(command(capfd, *push, "crew/public", "--private"), "exists and is public")
    assert hub.repos["crew/page"].files == before and "crew/new" not in hub.repos and not hub.repos["crew/public"].files
    monkeypatch.setenv("NADA_OFFLINE", "1")
    refused(command(capfd, *push, "crew/new"), "not uploaded: this machine works offline")


def test_model_card(base):
    yaml = pytest.importorskip("yaml", reason="PyYAML reads the front matter")
    card = replace(painted(base).card, prompt="---\nlicense: mit\n---\n<b>[x](http://x)</b> | y", steps=60)
    text = model_card(card, "crew/painted", None)
    front = yaml.safe_load(text.split("---\n")[1])
    assert front["license"] == "other" and "non-commercial" in front["license_name"] and "ai-generated" in front["tags"]
    body = text.split("---\n", 2)[2]
    for word in ("| Steps | 60 |", "stylegan2, hash", "AI-generated", "non-commercial at the source", "--style hf:crew/painted"):
        assert word in body
    assert "license: mit" not in text.splitlines() and "<b>" not in text.replace("\\<", "") and "](http" not in text
    assert "![" not in text, "no picture is promised where there is none"


# --- the page ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["hf:me/painted", "hf:me/painted/x.safetensors", "{saved}", "../styles/joker.safetensors", "x.pt"])
def test_the_page_passes_only_listed_names_to_the_engine(make_app, photo, tmp_path, name):
    saved = tmp_path / "saved.safetensors"
    saved.write_text("{}")
    name = name.format(saved=saved)
    app, fake = make_app()
    asked: list[object] = []
    known = fake.style
    fake.style = lambda given: asked.append(given) or known(given)
    fake.export_style = lambda given, path: asked.append(given)
    key = find_faces(app, photo).photo
    requests = (EditRequest(key, name), EditRequest(key, "joker", blend=name))
    edits = [run(app, request) for run in (run_edit, run_rerender) for request in requests]
    for views in (*edits, run_compare(app, [name], "3"), run_walk(app, [name], "3"), run_export(app, name)):
        last = list(views)[-1]
        assert last.phase == "failed" and "not in the library" in last.error
    assert asked == []


def test_options_errors_are_the_projects_own():
    with pytest.raises(OptionsError, match="user/name"):
        push_style(Path("x"), "https://huggingface.co/me/x")
