"""The report on a tiny engine that really adapts: whole pages, what survives an interruption, and the rules on made-up numbers."""

from __future__ import annotations

import base64
import errno
import io
import json
import os
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

from nada_core.cli.main import main
from nada_core.errors import NadaError, NoFaceError, OptionsError, PhotoError
from nada_core.looks.prompts import SOURCE_PROMPTS
from nada_core.report import command, page, store
from nada_core.report.charts import Line, chart, smooth
from nada_core.report.command import make_report
from nada_core.report.plan import make_plan
from nada_core.report.results import RunResult
from nada_core.report.run import settings_of
from nada_core.report.store import RunStore
from nada_core.report.zones import ZONES
from nada_core.styles.files import load_style, resolved_weights
from nada_core.system import files
from tests.helpers.fake_laboratory import Laboratory
from tests.helpers.small_reports import finished_report, report, selfie, shrunk_plan, without_times

pytestmark = pytest.mark.heavy

# -- the whole report, tiny


@pytest.fixture
def tiny(monkeypatch):
    monkeypatch.setattr(command, "make_plan", shrunk_plan)


@pytest.fixture(scope="module")
def photo(tmp_path_factory) -> Path:
    return selfie(tmp_path_factory.mktemp("photos") / "My <b>selfie.jpg")


class Checker(HTMLParser):
    """Tags are closed in order, and nothing points outside the page."""

    _VOID = frozenset({"meta", "img", "br", "path"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: dict[str, int] = {}
        self.images: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.seen[tag] = self.seen.get(tag, 0) + 1
        if tag not in self._VOID:
            self.open.append(tag)
        for name, value in attrs:
            assert not name.startswith("on")
            if name in ("src", "href", "srcset", "data", "poster"):
                assert value.startswith("data:image/jpeg;base64,"), value[:60]
                self.images.append(value)

    def handle_endtag(self, tag):
        if tag not in self._VOID:
            assert self.open.pop() == tag


def check_page(text: str) -> Checker:
    checker = Checker()
    checker.feed(text)
    checker.close()
    assert checker.open == []
    assert "script" not in checker.seen and "link" not in checker.seen and "iframe" not in checker.seen
    style = text[text.index("<style>") : text.index("</style>")]
    assert "url(" not in style and "@import" not in style
    assert "prefers-color-scheme: dark" in style and "@media print" in style
    return checker


@pytest.fixture(scope="module")
def finished(photo, tmp_path_factory) -> Path:
    """A report of seed 0, not to be changed."""
    return finished_report(tmp_path_factory.mktemp("finished") / "out", photo, shrunk_plan)


@pytest.fixture
def report_folder(tiny, finished, tmp_path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(finished, tmp_path / "report"))


def test_a_whole_report(tiny, photo, tmp_path):
    laboratory = Laboratory()
    steps = list(make_report(laboratory, tmp_path, [photo]))
    assert len([step for step in steps if step.result]) == 11 and laboratory.editor.log.count("invert") == 1
    assert laboratory.editor.log.count("wear") == 22
    assert [step.fraction for step in steps] == sorted(step.fraction for step in steps)
    assert any(step.left is not None and step.left > 0 for step in steps)
    assert str(tmp_path / "report.html") in steps[-1].text
    text = (tmp_path / "report.html").read_text("utf-8")
    checker = check_page(text)
    assert len(checker.images) == 12 * (4 + 4 * 3) and checker.seen["svg"] == 33
    with Image.open(io.BytesIO(base64.b64decode(checker.images[0].split(",")[1]))) as picture:
        assert picture.size == (128, 128)
    for words in ("Moving the latent instead (StyleCLIP)", 'id="styleclip"', "AI-generated", "my-b-selfie", *SOURCE_PROMPTS):
        assert words in text
    assert "<b>selfie" not in text and str(photo.parent) not in text and str(tmp_path) not in text
    assert len(text) < page.MAX_PAGE_BYTES


def test_what_a_run_leaves_in_the_folder(finished):
    folder = finished / "runs" / "joker"
    names = {path.name for path in folder.iterdir()}
    assert {"result.json", "faces.jpg", "photos.jpg", "style_1.safetensors", "style_2.safetensors"} <= names
    style = load_style(folder / "style_1.safetensors")
    assert style.card.steps == 1 and style.card.prompt == "Joker"
    assert resolved_weights(style, Laboratory().generator)
    raw = json.loads((folder / "result.json").read_text())
    result = RunResult.from_json(raw["result"])
    assert [probe.step for probe in result.probes] == [1, 2] and len(result.losses) == 2
    assert result.final.identity is not None and set(result.final.change) == set(ZONES)
    assert json.loads(json.dumps(result.to_json())) == raw["result"]
    own = {name: json.loads((finished / "runs" / name / "result.json").read_text())["result"] for name in ("joker", "joker-pool-1")}
    assert own["joker"]["training_similarity"] is None and own["joker-pool-1"]["training_similarity"] is not None


def test_same_seed_same_page_other_seed_other_page(monkeypatch, photo, tmp_path):
    def two_kinds(*args, **options):
        plan = shrunk_plan(*args, **options)
        return replace(plan, runs=tuple(run for run in plan.runs if run.name in ("joker", "joker-pool-1")))

    monkeypatch.setattr(command, "make_plan", two_kinds)
    first, same = (without_times(report(Laboratory(), tmp_path / name, photo)) for name in ("first", "same"))
    other = without_times(report(Laboratory(), tmp_path / "other", photo, seed=8))
    assert first.count("joker-pool-1") and first == same
    shown, others = (set(re.findall(r'src="data:image/[^"]+"', page)) for page in (first, other))
    assert shown and len(others - shown) >= 4, "faces of another seed, not only another number in the text"


def test_finished_runs_are_reused(report_folder, photo):
    before = (report_folder / "report.html").read_text("utf-8")
    again = Laboratory()
    assert report(again, report_folder, photo) == before
    assert again.log == [] and again.editor.log == [] and again.moved == []
    assert [path.name for path in report_folder.glob("report*")] == ["report.html"]


def test_an_interruption_costs_one_run(tiny, finished, photo, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        report(Laboratory(stop_at=4), tmp_path, photo)
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["joker", "joker-face", "joker-smile"]
    assert not (tmp_path / "report.html").exists()
    resumed = Laboratory()
    text = report(resumed, tmp_path, photo)
    assert len(resumed.log) == 8 and resumed.log[0] == "Joker makeup"
    assert without_times(text) == without_times((finished / "report.html").read_text("utf-8"))


def test_the_command_says_how_to_go_on(report_folder, photo, monkeypatch, capsys):
    for name in ("joker-rate-third", "joker-rate-triple"):
        shutil.rmtree(report_folder / "runs" / name)
    laboratories = iter((Laboratory(stop_at=2), Laboratory()))
    monkeypatch.setattr(command, "Engine", lambda *args, **options: next(laboratories))
    words = ["report", "--out", str(report_folder), "--photo", str(photo)]
    assert main(words) == 130
    assert "same command goes on" in capsys.readouterr().err
    assert main(words) == 0
    out, err = capsys.readouterr()
    assert "report.html: 12 runs" in out
    assert "found in the folder" in err and " left" in err and "run 12/12" in err


def test_a_half_written_run_is_done_again(report_folder, photo):
    (report_folder / "runs" / "joker-face" / "result.json").write_text('{"schema": 1, "settings"')
    again = Laboratory()
    report(again, report_folder, photo)
    assert again.log == ["Joker face"]
    assert (report_folder / "runs" / "joker-face.older-1").is_dir()


def test_an_older_report_with_other_settings_is_kept(report_folder, photo):
    old = (report_folder / "report.html").read_text("utf-8")
    old_result = (report_folder / "runs" / "joker" / "result.json").read_bytes()
    laboratory = Laboratory()
    new = report(laboratory, report_folder, photo, seed=2)
    assert len(laboratory.log) == 11 and new != old
    assert (report_folder / "report.older-1.html").read_text("utf-8") == old
    assert (report_folder / "runs" / "joker.older-1" / "result.json").read_bytes() == old_result


def test_other_photos_and_other_weights_are_other_settings(photo):
    laboratory, plan = Laboratory(), make_plan("starter", lambda prompt: 1e-3)
    aligned = laboratory.editor.align(photo)
    base = settings_of(laboratory, plan, plan.runs[0], [("a", aligned)])
    json.dumps(base, allow_nan=False)
    other = replace(aligned, crop=aligned.crop.transpose(Image.Transpose.FLIP_LEFT_RIGHT))
    assert settings_of(laboratory, plan, plan.runs[0], [("a", other)]) != base
    assert settings_of(laboratory, replace(plan, fitted=False), plan.runs[0], [("a", aligned)]) != base
    laboratory.generator.const.add_(1)
    assert settings_of(laboratory, plan, plan.runs[0], [("a", aligned)]) != base


# -- bad input


def test_a_photo_without_a_face_is_named_before_any_run(tiny, photo, tmp_path):
    small = tmp_path / "landscape.png"
    Image.new("RGB", (90, 90)).save(small)
    laboratory = Laboratory()
    with pytest.raises(NoFaceError, match=r"landscape\.png: No face was found"):
        list(make_report(laboratory, tmp_path / "out", [photo, small]))
    with pytest.raises(PhotoError, match=r"nothing\.jpg"):
        list(make_report(laboratory, tmp_path / "out", [tmp_path / "nothing.jpg"]))
    assert laboratory.log == [] and not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("photos", "options", "message"),
    [
        (7, {}, "7 photos; between 1 and 6"),
        (0, {}, "0 photos"),
        (1, {"world": "full"}, "full world.*starter world: no hub"),
        (1, {"seed": -1}, "seed"),
    ],
)
def test_what_cannot_be_reported(photo, tmp_path, photos, options, message):
    with pytest.raises(OptionsError, match=message):
        list(make_report(Laboratory(), tmp_path / "out", [photo] * photos, **options))
    assert not (tmp_path / "out").exists()


def test_photos_of_one_name_stay_apart(photo):
    names = [name for name, _ in command.align_photos(Laboratory(), [photo, photo])]
    assert names == ["my-b-selfie", "my-b-selfie-2"]


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_full_disk_keeps_what_is_there(report_folder, photo, monkeypatch):
    kept, really = contents(report_folder), os.fsync

    def full(handle):
        really(handle)
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(files.os, "fsync", full)
        with pytest.raises(NadaError, match="disk is full"):
            report(Laboratory(), report_folder, photo, seed=2)
    assert contents(report_folder) == kept
    again = Laboratory()
    report(again, report_folder, photo)
    assert again.log == []


def test_a_run_whose_folder_cannot_be_made(report_folder, photo, monkeypatch):
    kept = contents(report_folder)

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(store.tempfile, "mkdtemp", full)
    with pytest.raises(NadaError, match=r"'joker' could not be stored: No space left.*same command again"):
        report(Laboratory(), report_folder, photo, seed=2)
    assert contents(report_folder) == kept


def test_a_disk_that_is_full_when_the_page_is_written(report_folder, monkeypatch):
    old = (report_folder / "report.html").read_bytes()

    def full(path, content):
        raise NadaError("Cannot write report.html: the disk is full.")

    monkeypatch.setattr(store, "write_bytes", full)
    with pytest.raises(NadaError, match="disk is full"):
        store.PageFile(report_folder).write(b"another page")
    assert (report_folder / "report.html").read_bytes() == old, "the older page comes back to its name"
    assert len(list(report_folder.glob("report*"))) == 1


def test_folder_that_is_a_file(photo, tmp_path):
    (tmp_path / "out").write_text("mine")
    with pytest.raises(OptionsError, match="cannot be written"):
        list(make_report(Laboratory(), tmp_path / "out", [photo]))
    assert (tmp_path / "out").read_text() == "mine"


def test_scratch_of_killed_processes_goes_after_a_while(tmp_path):
    (tmp_path / "runs" / ".joker-abc").mkdir(parents=True)
    (tmp_path / "runs" / ".joker-def").mkdir()
    os.utime(tmp_path / "runs" / ".joker-abc", (0, 0))
    RunStore(tmp_path)
    assert [path.name for path in (tmp_path / "runs").iterdir()] == [".joker-def"], "a young one may belong to a live process"


def test_a_picture_that_was_deleted(report_folder, photo):
    (report_folder / "runs" / "joker" / "face-1-0.jpg").unlink()
    with pytest.raises(NadaError, match=r"face-1-0\.jpg.*Delete the folder runs/joker"):
        report(Laboratory(), report_folder, photo)


def test_a_page_too_large_gets_smaller_pictures(report_folder, photo, monkeypatch):
    whole = (report_folder / "report.html").stat().st_size
    monkeypatch.setattr(page, "MAX_PAGE_BYTES", whole - 1000)
    text = report(Laboratory(), report_folder, photo)
    check_page(text)
    assert len(text.encode()) <= whole - 1000
    monkeypatch.setattr(page, "MAX_PAGE_BYTES", 10_000)
    with pytest.raises(NadaError, match="Give fewer photos"):
        report(Laboratory(), report_folder, photo)


# -- charts


def test_charts_draw_what_they_are_given():
    drawn = chart("Loss <1>", [Line([(0, 1.0), (100, 0.5), (200, 0.25)], "one", "a line")], 200, [(0.6, "limit")])
    check = Checker()
    check.feed(drawn)
    assert check.open == [] and "Loss &lt;1&gt;" in drawn and "limit" in drawn
    path = re.search(r'class="one" d="(M[^"]+)"', drawn).group(1)
    xs, ys = zip(*[map(float, pair.split()) for pair in re.split("[ML]", path)[1:]])
    assert xs[0] < xs[1] < xs[2] and ys[0] < ys[1] < ys[2] and xs[1] - xs[0] == pytest.approx(xs[2] - xs[1], abs=0.2)
    assert "not measured" in chart("Identity", [Line([], "one")], 200)
    assert chart("Flat", [Line([(0, 0.0), (2, 0.0)], "one")], 2), "a flat line has no range to divide by"


def test_running_mean_skips_what_is_missing():
    assert smooth([1.0, None, 3.0], 3) == [(1.0, 1.0), (2.0, 2.0), (3.0, 3.0)]
    assert smooth([None, None], 1) == []
