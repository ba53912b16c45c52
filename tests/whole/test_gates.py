"""Pixel gates on the ready styles, and the gates' own test: hand-made pictures must pass where they should and fail everywhere else."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

from nada_core.assets.shipped import CHECKPOINTS
from nada_core.styles.files import load_card
from tests.whole.gates.__main__ import main as sweep
from tests.whole.gates.checks import judge
from tests.whole.gates.concepts import CONCEPTS, checks_for
from tests.whole.gates.controls import CONTROLS, control
from tests.whole.gates.faces import QUICK, unseen_faces
from tests.whole.gates.measure import measure, weave
from tests.whole.gates.regions import to_lab, to_rgb
from tests.whole.gates.rendering import compare_with_rendering
from tests.whole.gates.sweep import concept_of, difference, judge_pictures, measure_style, too_alike

pytestmark = pytest.mark.heavy

#: The ready styles that a row of checks was written for; the others are judged by what their texts ask for (tests/whole/gates/looks).
STYLES = [path for path in sorted((CHECKPOINTS / "styles").glob("*.safetensors")) if concept_of(load_card(path).prompt)]

#: Whose picture may pass whose checks: (checks of, picture of). Green hair is all that "Joker cosplay" asks for, and so on.
RELATED = {
    ("joker face", "joker smile"),
    ("joker smile", "joker face"),
    ("joker cosplay", "joker"),
    ("joker cosplay", "green hair"),
    ("green hair", "joker cosplay"),
    ("vampire", "joker makeup"),
    ("pale skin", "joker makeup"),
    ("pale skin", "vampire"),
    ("ghost", "marble"),
    ("robot", "silver"),
    ("orange light", "gold"),
}


#: What some ready styles do not reach yet on some of the six faces, by the checks' labels. They ship because they look right to the eye.
#: The limits stay as they were written, nothing else may fail, and a style leaves this list when it passes. The Joker may not be on it.
SHORTFALLS = {
    "black-and-white": {"whole picture without colour", "no woven pattern of single pixels"},
    "ghost": {
        "face not burnt out",
        "skin without colour",
        "hair less coloured",
        "faded, not polished",
        "eyes keep their detail",
        "eyes are the same eyes",
    },
    "hulk": {"cheeks green", "neck and ears green", "eyes are the same eyes"},
    "joker-makeup": {"eyes keep their detail"},
    "na-vi": {"no woven pattern of single pixels"},
    "neon": {"light and shade of the face kept", "features where they were"},
    "pencil-sketch": {"whole picture without colour"},
    "robot": {"eyes are the same eyes"},
    "vampire": {"hair not dyed"},
    "watercolour": {"background near paper"},
    "zombie": {"no woven pattern of single pixels"},
}


@pytest.fixture(scope="module")
def faces(engine):
    (seeds, psi), *_ = QUICK
    return unseen_faces(engine, seeds, psi)


@pytest.fixture(scope="module")
def measured(engine, faces):
    """Each ready style is rendered and measured once for all tests."""

    @cache
    def get(path: Path):
        return measure_style(engine, path.stem, load_card(path).prompt, path, faces, quick=True)

    return get


@pytest.fixture(scope="module")
def painted(faces):
    """Measures of every hand-made picture, and of the untouched faces as ``unchanged``."""
    found = {"unchanged": judge_pictures("", None, faces, faces.before).measures}
    for concept in CONTROLS:
        pictures = torch.stack([control(concept, b, r) for b, r in zip(faces.before, faces.regions)])
        found[concept] = judge_pictures("", None, faces, pictures).measures
    return found


def failures(concept, measures):
    return [str(verdict) for verdict in (judge(check, measures) for check in checks_for(concept)) if not verdict.passed]


def test_joker_is_among_the_ready_styles():
    assert "joker" in [path.stem for path in STYLES]


@pytest.mark.parametrize("path", STYLES, ids=lambda path: path.stem)
def test_ready_style(measured, path):
    result = measured(path)
    assert result.concept, f"no row of checks for the prompt '{load_card(path).prompt}'"
    known = SHORTFALLS.get(path.stem, set())
    unexpected = [verdict for verdict in result.failures if verdict.check.label not in known]
    assert not unexpected, "\n" + "\n".join(map(str, unexpected))
    if result.failures:
        pytest.xfail("; ".join(map(str, result.failures)))


def test_the_joker_has_no_shortfalls_and_most_styles_have_none():
    names = {path.stem for path in STYLES}
    assert set(SHORTFALLS) <= names and "joker" not in SHORTFALLS
    assert len(SHORTFALLS) < len(names) / 2


@pytest.mark.parametrize("path", STYLES, ids=lambda path: path.stem)
def test_ready_style_is_the_same_at_1024(measured, path):
    assert measured(path).consistency.failures == []


def test_ready_styles_are_told_apart(measured, faces):
    assert too_alike([measured(path) for path in STYLES], faces) == []


@pytest.mark.parametrize("concept", CONTROLS)
def test_checks_pass_a_picture_made_by_hand(painted, concept):
    assert failures(concept, painted[concept]) == []


@pytest.mark.parametrize("concept", CONCEPTS)
def test_checks_fail_the_untouched_faces(painted, concept):
    assert failures(concept, painted["unchanged"])


@pytest.mark.parametrize("concept", [c for c in CONCEPTS if c not in ("dark", "bright")])
def test_checks_fail_pictures_of_other_concepts(painted, concept):
    others = {other for other in CONTROLS if other != concept and not failures(concept, painted[other])}
    assert others <= {picture for checks, picture in RELATED if checks == concept}


def damaged(faces, how):
    """The Joker made by hand, then spoilt."""
    pictures = []
    for before, regions in zip(faces.before, faces.regions):
        picture = control("joker", before, regions)
        pictures.append(how(picture, before, regions))
    return judge_pictures("joker", "joker", faces, torch.stack(pictures))


def blinded(picture, before, regions):
    eyes = torch.from_numpy(regions.masks["eyes"])
    picture[:, eyes] = picture[:, eyes].mean(1, keepdim=True)
    return picture


def green_everywhere(picture, before, regions):
    mask = torch.from_numpy(~regions.masks["face"])
    picture[1] += 0.5 * mask
    return picture


def not_finite(picture, before, regions):
    picture[0, 0, 0] = float("nan")
    return picture


@pytest.mark.parametrize(
    ("how", "label"),
    [
        (blinded, "eyes keep their detail"),
        (green_everywhere, "background kept"),
        (not_finite, "no NaN or infinity"),
        (lambda picture, before, regions: picture.flip(-1), "features where they were"),
        (lambda picture, before, regions: picture * 4, "colours inside the range"),
        (lambda picture, before, regions: before, "hair green"),
    ],
    ids=["blind", "green background", "nan", "another pose", "overdriven", "nothing done"],
)
def test_a_spoilt_joker_fails(faces, how, label):
    assert label in [verdict.check.label for verdict in damaged(faces, how).failures]


def test_a_fabric_of_pixels_is_seen_and_skin_is_not_taken_for_one(faces):
    """As a badly adapted upsampling leaves it: a checkerboard of two L, or bars eight pixels wide."""
    light = to_lab(to_rgb(faces.before[0]))[..., 0]
    y, x = np.mgrid[:256, :256]
    assert weave(light) < 0.35 < 1.0 < weave(light + (-1.0) ** (x + y))
    large = light.repeat(4, 0).repeat(4, 1)
    bars = 2 * np.cos(2 * np.pi * np.arange(1024) / 8)
    assert weave(large + bars, (2, 4, 8)) > max(1.5, 1.5 * weave(large, (2, 4, 8)))


def test_one_joker_for_everybody_fails(faces):
    """A collapsed generator: a fine Joker, but the same one for every latent, or all halfway to it."""
    pictures = torch.stack([control("joker", b, r) for b, r in zip(faces.before, faces.regions)])
    for share in (1.0, 0.75):
        same = judge_pictures("joker", "joker", faces, share * pictures[:1] + (1 - share) * pictures)
        assert "faces still differ from one another" in [verdict.check.label for verdict in same.failures]


def test_the_same_picture_twice_is_called_alike(faces):
    joker, clown, again = (
        judge_pictures(name, None, faces, torch.stack([control(concept, b, r) for b, r in zip(faces.before, faces.regions)]))
        for name, concept in (("one", "joker"), ("two", "clown"), ("three", "joker"))
    )
    assert [pair[:2] for pair in too_alike([joker, clown, again], faces)] == [("one", "three")]
    assert min(difference(joker.after, clown.after, faces)) > 0.06


def test_a_hard_edged_rendering_is_called_rougher_than_a_soft_one(faces):
    def rendering(prompt, images):
        return torch.stack([control("blue skin", b, r) for b, r in zip(images, faces.regions)])

    hard = rendering("", faces.before)
    soft = torch.stack([0.6 * b + 0.4 * torch.nn.functional.avg_pool2d(h, 7, 1, 3) for b, h in zip(faces.before, hard)])
    result = judge_pictures("blue", "blue skin", faces, soft)
    assert compare_with_rendering(result, faces, rendering, "Na'vi").smoother
    swapped = judge_pictures("blue", "blue skin", faces, hard)
    assert not compare_with_rendering(swapped, faces, lambda prompt, images: soft, "Na'vi").smoother


def test_prompts_find_their_row():
    assert [concept_of(p) for p in ("Joker", "Hulk", "Na'vi", "Pencil  sketch", "no such thing")] == [
        "joker", "green skin", "blue skin", "sketch", None,
    ]  # fmt: skip


def test_regions_hold_what_they_say(faces):
    """Cheeks and neck share a hue, lips are redder, and hair is another colour than skin."""
    for regions, m in zip(faces.regions, [measure(b, b, r) for b, r in zip(faces.before, faces.regions)]):
        assert {"lips", "eyes", "cheeks", "face"} <= set(regions.masks)
        assert m["lips.redder_than_skin"] > 0
        if "body" in regions.masks:
            assert abs((m["body.h"] - m["cheeks.h"] + 180) % 360 - 180) < 35
        if "hair" in regions.masks:
            background = regions.masks.get("background", False)  # none where hair reaches both corners
            assert not (regions.masks["hair"] & (regions.masks["cheeks"] | regions.masks["eyes"] | background)).any()
            assert np.hypot(m["hair.L"] - m["skin.L"], m["hair.C"] - m["skin.C"]) > 10


def test_gates_share_no_code_with_the_training_scripts():
    """Whoever taught the encoder must not be the one who examines it."""
    for path in Path(__file__).parent.joinpath("gates").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = (
                [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else [a.name for a in node.names]
                if isinstance(node, ast.Import)
                else []
            )
            assert not [name for name in names if name.split(".")[0] in ("training",)], path.name


def test_sweep_of_a_folder_without_styles_is_refused(tmp_path, capsys):
    assert sweep(["--styles", str(tmp_path), "--out", str(tmp_path / "out")]) == 2
    assert "No style files" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.gates
def test_full_sweep(tmp_path):
    """What ``python -m tests.whole.gates`` does: every concept adapted live, half an hour and more."""
    assert sweep(["--out", str(tmp_path)]) == 0
