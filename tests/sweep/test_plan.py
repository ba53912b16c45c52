"""Reading plans: what is taken, and that everything wrong is refused in one sentence that names the key."""

from __future__ import annotations

import pytest
from PIL import Image

from nada_core.adaptation.options import AdaptOptions
from nada_core.errors import NadaError
from nada_core.sweep import plan as module
from nada_core.sweep.options import OPTION_KINDS
from nada_core.sweep.plan import MAX_ROWS, read_plan
from tests.helpers.folders import ROOT
from tests.helpers.small_reports import selfie


@pytest.fixture
def plan(tmp_path):
    """Reads a plan beside the photo `face.png`."""
    selfie(tmp_path / "face.png")

    def read(text: str):
        (tmp_path / "plan.toml").write_text(text, "utf-8")
        return read_plan(tmp_path / "plan.toml")

    return read


def test_prompts_seeds_and_options(plan):
    read = plan(
        """
        [adapt]
        prompts = ["Joker", "  green   zombie "]
        seeds = [0, 7]
        [adapt.options]
        steps = 30
        lr = [1e-4, 2e-4]
        layers = ["all", "shape"]
        betas = [0.5, 0.99]
        max_gradient = inf
        """
    )
    assert read.adapt.prompts == ("Joker", "green zombie") and read.adapt.seeds == (0, 7) and read.edit is None
    assert len(read.adapt.options) == 4 and read.adapt.count == read.count == 16
    first = {"steps": 30, "lr": 1e-4, "layers": "all", "betas": (0.5, 0.99), "max_gradient": float("inf")}
    assert read.adapt.options[0] == first and read.adapt.options[3] == first | {"lr": 2e-4, "layers": "shape"}
    AdaptOptions(**read.adapt.options[0])


def test_several_lists_are_several_values(plan):
    read = plan('[adapt]\nprompts = ["Joker"]\n[adapt.options]\nlayer_rates = [[1, 1, 1], [0.1, 0.5, 1]]')
    assert [chosen["layer_rates"] for chosen in read.adapt.options] == [(1, 1, 1), (0.1, 0.5, 1)]


def test_photos_and_styles(plan, tmp_path):
    read = plan(
        """
        [adapt]
        prompts = ["Joker", "gold"]
        [edit]
        photos = ["face.png"]
        styles = ["joker", "adapted", {joker = 0.6, zombie = 0.4}]
        strengths = [0.5, 1]
        modes = ["fast", "balanced"]
        """
    )
    edit = read.edit
    assert edit.adapted and [style.title for style in edit.styles] == ["joker", "joker 0.6, zombie 0.4"]
    assert edit.styles[1].parts == (("joker", 0.6), ("zombie", 0.4)) and edit.strengths == (0.5, 1.0)
    assert edit.photos[0].name == "face.png" and edit.photos[0].file.content == (tmp_path / "face.png").read_bytes()
    assert read.count == 2 + 1 * (2 + 2) * 2 * 2


def test_stars_stand_for_letters(plan, tmp_path):
    (tmp_path / "class").mkdir()
    for name in ("b.png", "a.png", "[c].png"):
        selfie(tmp_path / "class" / name)
    read = plan('[edit]\nphotos = ["class/*.png"]\nstyles = ["joker"]')
    assert [photo.name for photo in read.edit.photos] == ["[c].png", "a.png", "b.png"]
    assert plan('[edit]\nphotos = ["class/[c].png"]\nstyles = ["joker"]').count == 1, "a name with brackets is that name"


def test_the_example_of_the_documentation_is_a_plan():
    assert read_plan(ROOT / "docs" / "example_plan.toml").count == 10


ADAPT, EDIT = '[adapt]\nprompts = ["Joker"]\n', '[edit]\nphotos = ["face.png"]\nstyles = ["joker"]\n'

WRONG = {
    "": r"^The plan 'plan\.toml' is empty; it needs a table \[adapt\], \[edit\] or both\.$",
    "[adapt": r"^The plan 'plan\.toml' is not TOML: .*\.$",
    "adapt = 1": r"^adapt is 1; it must be a table: \[adapt\] on a line of its own\.$",
    "[adapts]": r"^The plan has the unknown key 'adapts'; known are adapt, edit\.$",
    "[adapt]\n": r"^\[adapt\] has no prompts; give a list of texts, for example",
    '[adapt]\nprompts = "Joker"': r"^\[adapt\] prompts is 'Joker'; it must be a list of texts",
    "[adapt]\nprompts = []": r"^\[adapt\] prompts is \[\]; it must be a list of texts",
    "[adapt]\nprompts = [1]": r"^\[adapt\] prompts is \[1\]; it must be a list of texts",
    '[adapt]\nprompts = [""]': r"^\[adapt\] prompts: The prompt is empty",
    f'[adapt]\nprompts = ["{"long " * 99}"]': r"^\[adapt\] prompts: The prompt has .* at most 200",
    '[adapt]\nprompts = ["gold", " gold"]': r"^\[adapt\] prompts has gold twice",
    ADAPT + "seeds = [1.5]": r"^\[adapt\] seeds is \[1\.5\]; it must be a list of whole numbers",
    ADAPT + "seeds = [true]": r"^\[adapt\] seeds is \[True\]; it must be a list of whole numbers",
    ADAPT + "seeds = [-1]": r"^\[adapt\] seeds has -1; a seed is between 0 and",
    ADAPT + "seeds = [3, 3]": r"^\[adapt\] seeds has 3 twice",
    ADAPT + "steps = 3": r"^\[adapt\] has the unknown key 'steps'; known are prompts, seeds, options\.$",
    ADAPT + "options = 3": r"^\[adapt\] options is 3; it must be a table",
    ADAPT + "[adapt.options]\nstep = 3": r"^\[adapt\.options\] has the unknown key 'step'; known are steps, batch,",
    ADAPT + "[adapt.options]\nseed = 3": r"^\[adapt\.options\] has the unknown key 'seed'",
    ADAPT + '[adapt.options]\nsteps = "3"': r"^\[adapt\.options\] steps is '3'; it must be a whole number, or several in a list\.$",
    ADAPT + "[adapt.options]\nsteps = 3.0": r"^\[adapt\.options\] steps is 3\.0; it must be a whole number",
    ADAPT + "[adapt.options]\nsteps = []": r"^\[adapt\.options\] steps is an empty list",
    ADAPT + "[adapt.options]\nsteps = [3, 3]": r"^\[adapt\.options\] steps has 3 twice",
    ADAPT + "[adapt.options]\nlr = nan": r"^\[adapt\.options\] lr is nan; it must be a number",
    ADAPT
    + "[adapt.options]\nbetas = 0.5": r"^\[adapt\.options\] betas is 0\.5; it must be a list of numbers, or several lists in a list\.$",
    ADAPT + "[adapt.options]\nlayers = 1": r"^\[adapt\.options\] layers is 1; it must be a text",
    ADAPT + "[adapt.options]\nofficial_mapping = 1": r"^\[adapt\.options\] official_mapping is 1; it must be true or false",
    ADAPT + "seeds = [" + ",".join(map(str, range(1001))) + "]": r"^The plan has 1001 rows; at most 1000 are done at once\.",
    EDIT + "photo = 1": r"^\[edit\] has the unknown key 'photo'; known are photos, styles, strengths, modes\.$",
    '[edit]\nstyles = ["joker"]': r"^\[edit\] has no photos",
    '[edit]\nphotos = ["face.png"]': r"^\[edit\] has no styles",
    '[edit]\nphotos = ["no.png"]\nstyles = ["joker"]': r"^\[edit\] photos: there is no file 'no\.png' beside the plan\.",
    '[edit]\nphotos = ["no*.png"]\nstyles = ["joker"]': r"^\[edit\] photos: there is no file 'no\*\.png' beside the plan\.",
    '[edit]\nphotos = ["\\u0000"]\nstyles = ["joker"]': r"^\[edit\] photos: there is no file",
    '[edit]\nphotos = ["plan.toml"]\nstyles = ["joker"]': r"^\[edit\] photos: plan\.toml is ",
    '[edit]\nphotos = ["face.png", "./face.png"]\nstyles = ["joker"]': r"^\[edit\] photos has face\.png twice",
    '[edit]\nphotos = ["face.png"]\nstyles = ["joker", "joker"]': r"^\[edit\] styles has joker twice",
    '[edit]\nphotos = ["face.png"]\nstyles = [1]': r"^\[edit\] styles is \[1\]; it must be a list of names",
    '[edit]\nphotos = ["face.png"]\nstyles = ["adapted"]': r"^\[edit\] styles has 'adapted', the styles that \[adapt\] makes",
    '[edit]\nphotos = ["face.png"]\nstyles = [{joker = 3}]': r"^\[edit\] styles has .*; a blend is 1 to 4 styles with shares from 0 to 1",
    '[edit]\nphotos = ["face.png"]\nstyles = [{joker = true}]': r"^\[edit\] styles has .*; a blend is",
    '[edit]\nphotos = ["face.png"]\nstyles = [{}]': r"^\[edit\] styles has .*; a blend is",
    '[edit]\nphotos = ["face.png"]\nstyles = [{adapted = 1}]': r"^\[edit\] styles has .*; a blend is",
    EDIT + "strengths = [2]": r"^\[edit\] strengths has 2; a strength is between 0 and 1\.5\.$",
    EDIT + "strengths = [nan]": r"^\[edit\] strengths has nan; a strength is between",
    EDIT + 'strengths = ["1"]': r"^\[edit\] strengths is \['1'\]; it must be a list of numbers",
    EDIT + 'modes = ["slow"]': r"^\[edit\] modes has 'slow'; known are fast, balanced, faithful, instant\.$",
    ADAPT + '[edit]\nphotos = ["face.png"]\nstyles = ["adapted"]\nmodes = ["instant"]': r"^\[edit\] modes has 'instant', which styles just",
}


@pytest.mark.parametrize("text", WRONG, ids=lambda text: text[:60])
def test_what_is_wrong_is_said_in_one_sentence(plan, text):
    with pytest.raises(NadaError, match=WRONG[text]) as caught:
        plan(text)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 600


def test_plans_that_are_no_files(tmp_path):
    with pytest.raises(NadaError, match=r"^The plan 'none\.toml' cannot be read: No such file"):
        read_plan(tmp_path / "none.toml")
    with pytest.raises(NadaError, match="cannot be read"):
        read_plan(tmp_path)
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(NadaError, match=r"'binary\.toml' is not TOML"):
        read_plan(tmp_path / "binary.toml")
    (tmp_path / "long.toml").write_bytes(b"#" * (1 << 21))
    with pytest.raises(NadaError, match="more than 1 MB"):
        read_plan(tmp_path / "long.toml")
    (tmp_path / "deep.toml").write_text("a = " + "[" * 5000)
    with pytest.raises(NadaError, match="is not TOML"):
        read_plan(tmp_path / "deep.toml")


def test_too_many_rows_are_counted_before_any_photo_is_read(plan, monkeypatch):
    monkeypatch.setattr(module, "decode_photo", lambda path: pytest.fail("a photo was read"))
    strengths = ", ".join(str(n / 1000) for n in range(MAX_ROWS))
    with pytest.raises(NadaError, match="The plan has 1001 rows"):
        plan(f'{ADAPT}[edit]\nphotos = ["face.png"]\nstyles = ["joker"]\nstrengths = [{strengths}]')


def test_combinations_are_counted_not_made(plan):
    grid = "\n".join(f"{name} = [{', '.join(str(n) for n in range(1, 90))}]" for name, kind in OPTION_KINDS.items() if kind == "number")
    with pytest.raises(NadaError, match=r"The plan has \d{10,} rows"):
        plan(f"{ADAPT}[adapt.options]\n{grid}")


def test_a_picture_that_cannot_be_read_is_named(plan, tmp_path):
    Image.new("RGB", (20, 20)).save(tmp_path / "tiny.png")
    with pytest.raises(NadaError, match=r"^\[edit\] photos: tiny\.png has only 20 x 20 pixels"):
        plan('[edit]\nphotos = ["tiny.png"]\nstyles = ["joker"]')
