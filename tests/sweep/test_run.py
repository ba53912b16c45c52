"""Whole sweeps on a tiny engine that really adapts: what is written, what a second start does, what is refused."""

from __future__ import annotations

import io
import json
import re
import shutil
from pathlib import Path

import pytest
from PIL import Image

from nada_core.errors import NadaError
from nada_core.styles.files import load_style
from nada_core.sweep.run import SHEET
from tests.helpers.small_sweeps import Reader, SmallEngine, plan_folder, sweep, sweep_steps

pytestmark = pytest.mark.heavy

ADAPT = '[adapt]\nprompts = ["Joker", "gold"]\nseeds = [0, 1]\n[adapt.options]\nsteps = 2\nresolution = 128\ncrops = 0\n'
EDIT = '[edit]\nphotos = ["face.png"]\nstyles = ["blue.safetensors", "adapted"]\n'


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    """Plan and results, not to be changed."""
    folder = tmp_path_factory.mktemp("sweep")
    assert sweep(plan_folder(folder, ADAPT + EDIT), folder / "out", SmallEngine()).complete
    return folder


@pytest.fixture
def folder(finished, tmp_path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(finished, tmp_path / "copy"))


def rows(out: Path) -> list[dict]:
    return json.loads((out / "table.json").read_text())["rows"]


def states(out: Path) -> list[str]:
    return [row["state"] for row in rows(out)]


def test_what_a_sweep_leaves(finished):
    table = rows(finished / "out")
    assert [row["title"] for row in table] == [
        *("Joker, seed 0", "Joker, seed 1", "gold, seed 0", "gold, seed 1", "face.png, blue.safetensors"),
        *("face.png, Joker, seed 0", "face.png, Joker, seed 1", "face.png, gold, seed 0", "face.png, gold, seed 1"),
    ]
    assert {row["state"] for row in table} == {"done"} and all(row["seconds"] > 0 for row in table)
    adapted = finished / "out" / "rows" / table[1]["name"]
    assert {path.name for path in adapted.iterdir()} == {"row.json", "style.safetensors", "before.jpg", "faces.jpg"}
    card = load_style(adapted / "style.safetensors").card
    assert (card.prompt, card.seed, card.steps) == ("Joker", 1, 2) and card.storage == "delta4"
    edited = finished / "out" / "rows" / table[5]["name"]
    assert {path.name for path in edited.iterdir()} == {"row.json", "aligned.jpg", "rebuilt.jpg", "edited.jpg"}
    with Image.open(io.BytesIO((edited / "edited.jpg").read_bytes())) as picture, Image.open(adapted / "faces.jpg") as strip:
        assert b"AI-generated" in picture.info["comment"] and strip.width == 4 * strip.height
    pictures = {(finished / "out" / "rows" / row["name"] / "edited.jpg").read_bytes() for row in table[4:]}
    assert len(pictures) == 5, "every style is worn differently"


def test_the_sheet_shows_every_row_and_all_its_addresses_lead_somewhere(finished):
    text = (finished / "out" / SHEET).read_text("utf-8")
    addresses = re.findall(r'(?:src|href)="([^"]+)"', text)
    assert len(addresses) > 20 and all((finished / "out" / address).is_file() for address in addresses)
    assert "<b>9 of 9 rows are done</b>" in text and "<script" not in text and str(finished) not in text
    assert text.count("faces.jpg") == 2 * 4 and text.count("edited.jpg") == 2 * 5 and text.count("rebuilt.jpg") == 2


def test_a_person_is_rebuilt_once_for_all_styles(tmp_path):
    engine = SmallEngine()
    plan = plan_folder(tmp_path, '[edit]\nphotos = ["face.png"]\nstyles = ["blue.safetensors"]\nstrengths = [0.5, 1.0]\n')
    assert sweep(plan, tmp_path / "out", engine).complete
    assert engine.editor.log == ["invert", "wear"]


def test_a_second_start_does_nothing(folder):
    engine = SmallEngine()
    before = (folder / "out" / SHEET).read_bytes()
    steps = list(sweep_steps(folder / "plan.toml", folder / "out", engine))
    assert engine.log == [] and engine.editor.log == [] and len(steps) == 2 and steps[0].changed == "" and steps[-1].complete
    assert (folder / "out" / SHEET).read_bytes() == before


def test_an_interruption_costs_one_row(tmp_path):
    plan = plan_folder(tmp_path, ADAPT + EDIT)
    with pytest.raises(KeyboardInterrupt):
        sweep(plan, tmp_path / "out", SmallEngine(stop_at=3))
    assert states(tmp_path / "out") == ["done", "done"] + ["waiting"] * 7
    assert "2 of 9 rows are done</b> (7 waiting)" in (tmp_path / "out" / SHEET).read_text("utf-8")
    engine = SmallEngine()
    assert sweep(plan, tmp_path / "out", engine).complete
    assert engine.log == ["gold", "gold"]


def test_a_changed_plan_is_noticed_and_only_what_is_new_is_done(folder):
    plan = folder / "plan.toml"
    plan.write_text((ADAPT + EDIT).replace('"gold"', '"wood"'))
    engine = SmallEngine()
    steps = list(sweep_steps(plan, folder / "out", engine))
    assert "5 rows are the same, 4 are new, 4 are not in it any more" in steps[0].changed
    assert engine.log == ["wood", "wood"] and steps[-1].complete and len(steps[-1].entries) == 9
    assert len(list((folder / "out" / "rows").iterdir())) == 13, "what is not in the plan any more stays"


def test_another_photo_of_the_same_name_is_noticed(folder):
    shutil.copy(Path(__file__).parents[2] / "nada_core" / "assets" / "astronaut.jpg", folder / "face.png")
    engine = SmallEngine()
    steps = list(sweep_steps(folder / "plan.toml", folder / "out", engine))
    assert "4 rows are the same, 5 are new" in steps[0].changed and engine.log == [] and engine.editor.log.count("invert") == 1


def test_other_weights_are_other_rows(folder):
    engine = SmallEngine()
    engine.generator.const.add_(1)
    plan = folder / "plan.toml"
    plan.write_text(ADAPT)
    assert "0 rows are the same, 4 are new" in next(iter(sweep_steps(plan, folder / "out", engine))).changed


def test_a_failed_row_does_not_stop_the_others_and_is_tried_again(tmp_path):
    class Flaky(SmallEngine):
        def adapt(self, prompt, options):
            if prompt == "Joker" and options.seed == 0:
                self.log.append("refused")
                raise NadaError("Not today.")
            return super().adapt(prompt, options)

    plan, engine = plan_folder(tmp_path, ADAPT + EDIT), Flaky()
    last = sweep(plan, tmp_path / "out", engine)
    assert not last.complete and (last.count("done"), last.count("failed"), last.count("left")) == (7, 1, 1)
    table = rows(tmp_path / "out")
    assert table[0]["error"] == "Not today." and table[5]["error"] == "The style 'Joker, seed 0' was not made."
    text = (tmp_path / "out" / SHEET).read_text("utf-8")
    assert "failed: Not today." in text and "left out: The style" in text
    again = SmallEngine()
    assert sweep(plan, tmp_path / "out", again).complete and again.log == ["Joker"]


def test_a_photo_without_a_face_fails_alone(tmp_path):
    plan = plan_folder(tmp_path, '[edit]\nphotos = ["face.png", "small.png"]\nstyles = ["blue.safetensors"]\n')
    Image.new("RGB", (90, 90)).save(tmp_path / "small.png")
    last = sweep(plan, tmp_path / "out", SmallEngine())
    assert [entry.state for entry in last.entries] == ["done", "failed"] and "No face was found" in last.entries[1].error


def test_steps_that_are_not_chosen_are_those_that_suit_the_generator(tmp_path):
    plan = plan_folder(tmp_path, '[adapt]\nprompts = ["Joker"]\n[adapt.options]\nresolution = 128\n')
    first = next(iter(sweep_steps(plan, tmp_path / "out", SmallEngine())))
    assert first.entries[0].row.settings["options"]["steps"] == 150, "of an encoder that reads sentences"


REFUSED = {
    '[adapt]\nprompts = ["gold", "gibberish"]\n[adapt.options]\nresolution = 128': r"^\[adapt\] prompts: Nothing in 'gibberish' is known",
    '[adapt]\nprompts = ["gold"]\n[adapt.options]\nsteps = [2, 0]\nresolution = 128': r"^\[adapt\.options\]: steps is 0; it must be",
    '[adapt]\nprompts = ["gold"]\n[adapt.options]\npreset = "mine"': r"^\[adapt\.options\]: preset is 'mine'; it must be paper or source",
    '[edit]\nphotos = ["face.png"]\nstyles = ["nobody"]': r"^\[edit\] styles: There is no style 'nobody'\. Similar: ",
    '[edit]\nphotos = ["face.png"]\nstyles = ["no.safetensors"]': r"^\[edit\] styles: 'no\.safetensors' cannot be read: No such file",
    '[edit]\nphotos = ["face.png"]\nstyles = ["broken.safetensors"]': r"^\[edit\] styles: .*damaged",
    '[edit]\nphotos = ["face.png"]\nstyles = ["blue.safetensors"]\nmodes = ["instant"]': r"^\[edit\] modes: There is no instant version",
    '[edit]\nphotos = ["face.png"]\nstyles = ["joker", "Joker"]': r"^The plan asks twice for the same: 'face\.png, joker' and",
}


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: text[-40:])
def test_what_only_networks_can_tell_is_refused_before_anything_is_done(tmp_path, text):
    plan, engine = plan_folder(tmp_path, text), SmallEngine()
    (tmp_path / "broken.safetensors").write_bytes(b"nothing")
    engine.encoder = Reader()
    with pytest.raises(NadaError, match=REFUSED[text]):
        sweep(plan, tmp_path / "out", engine)
    assert engine.log == [] and engine.editor.log == [] and not (tmp_path / "out").exists()
