"""What the report measures and how it judges: zones of a face, and the rules on made-up numbers."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from PIL import Image

from nada_core.report.findings import compare, judge
from nada_core.report.results import EditScore, FacePair, LatentResult, Probe, RunResult
from nada_core.report.zones import ZONES, colour_change, find_zones, mouth_width, redness, to_lab
from tests.helpers.fake_laboratory import face_landmarks

# -- zones of a face


def test_zones_lie_where_they_should_and_apart():
    zones = find_zones((256, 256), face_landmarks())
    assert set(zones) == set(ZONES)
    heights = {name: np.argwhere(mask).mean(0)[0] for name, mask in zones.items()}
    assert heights["hair"] < heights["eyes"] < heights["skin"] < heights["mouth"]
    assert not (zones["skin"] & (zones["eyes"] | zones["mouth"] | zones["hair"])).any()
    assert not (zones["eyes"] & zones["mouth"]).any()
    assert "hair" not in find_zones((256, 256), face_landmarks() - [0, 90]), "a zone outside the picture is left out"


def test_colours_are_cie_lab():
    """Against the values of scikit-image."""
    from skimage import color

    pixels = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    np.testing.assert_allclose(to_lab(Image.fromarray(pixels)), color.rgb2lab(pixels), atol=0.05)


def test_paint_is_measured_where_it_is():
    zones = find_zones((256, 256), face_landmarks())
    plain = np.full((256, 256, 3), (200, 160, 140), np.uint8)
    painted = plain.copy()
    painted[zones["mouth"]] = (200, 30, 30)
    before, after = to_lab(Image.fromarray(plain)), to_lab(Image.fromarray(painted))
    assert redness(before, zones) == 0 and redness(after, zones) > 30 and redness(after, {}) is None
    assert colour_change(before, after, zones["mouth"]) > 30
    assert all(colour_change(before, after, zones[name]) == 0 for name in ("skin", "eyes", "hair"))


def test_a_smile_makes_the_mouth_wider():
    calm, smiling = face_landmarks(), face_landmarks()
    smiling[[48, 54], 0] += (-5.2, 5.2)
    assert mouth_width(smiling) / mouth_width(calm) == pytest.approx(1.2)
    assert mouth_width(3 * smiling + 7) == pytest.approx(mouth_width(smiling)), "the size of the picture does not matter"


# -- the rules, on made-up numbers


def made_up(name: str, half: dict | None = None, own: float | None = None, steps=(100, 200), **final) -> RunResult:
    facts = {"similarity": 0.8, "closeness": 0.5, "diversity": 0.8, "identity": 0.5, "smile": 0.01, "lips": 1.0}
    facts["change"] = {"skin": 5.0, "eyes": 5.0, "mouth": 5.0, "hair": 5.0}
    first, last = Probe(steps[0], **{**facts, **(half or {})}), Probe(steps[1], **{**facts, **final})
    title = {"joker": "Joker"}.get(name, name)
    return RunResult(name, title, "Joker", "", steps[0], steps[1], 1e-3, "all", None, (0.5,), (first, last), own, (), 4, 1.0)


def verdicts(world="starter", **runs) -> list:
    names = ["joker", "joker-face", "joker-smile", "joker-makeup", "joker-cosplay", "joker-texture", "joker-pool-1", "joker-pool-2"]
    names += ["joker-pool-4", "joker-rate-third", "joker-rate-triple"]
    results = {name: made_up(name, own=0.8 if "pool" in name else None) for name in names}
    results |= {name.replace("_", "-"): value for name, value in runs.items()}
    return judge(results, world)


def pool(size: int, own: float | None, unseen: float) -> RunResult:
    return made_up(f"joker-pool-{size}", own=own, similarity=unseen)


CASES = [
    (0, {"joker_pool_1": pool(1, 0.9, 0.7), "joker_pool_2": pool(2, 0.8, 0.74)}, "holds"),
    (0, {"joker_pool_1": pool(1, 0.9, 0.7), "joker_pool_2": pool(2, 0.8, 0.78)}, "holds in part"),
    (0, {"joker_pool_1": pool(1, 0.8, 0.9)}, "does not hold"),
    (0, {"joker_pool_1": pool(1, None, 0.9)}, "not testable here"),
    (1, {"joker": made_up("joker", {"diversity": 0.8, "identity": 0.55}, diversity=0.7, identity=0.65)}, "holds"),
    (1, {"joker": made_up("joker", {"diversity": 0.8, "identity": 0.4}, diversity=0.7, identity=0.55)}, "holds in part"),
    (1, {"joker": made_up("joker", {"diversity": 0.8, "identity": 0.62}, diversity=0.79, identity=0.63)}, "does not hold"),
    (1, {"joker": made_up("joker", steps=(16, 32))}, "not testable here"),
    (1, {"joker": made_up("joker", identity=None)}, "not testable here"),
    (2, {"joker_texture": made_up("joker-texture", similarity=0.7)}, "holds"),
    (2, {"joker_texture": made_up("joker-texture", similarity=0.79)}, "does not hold"),
    (3, {}, "holds"),
    (3, {"joker_rate_triple": made_up("joker-rate-triple", similarity=0.9, identity=0.7)}, "holds"),
    (3, {"joker_rate_triple": made_up("joker-rate-triple", similarity=0.9, identity=0.52)}, "holds in part"),
    (
        3,
        {
            "joker_rate_triple": made_up("t", similarity=0.9, identity=0.52),
            "joker_rate_third": made_up("t", similarity=0.79, identity=0.4),
        },
        "does not hold",
    ),
    (4, {"joker": made_up("joker", closeness=0.8)}, "holds"),
    (4, {"joker": made_up("joker", closeness=0.51)}, "holds in part"),
    (4, {"joker_face": made_up("joker-face", closeness=0.9)}, "does not hold"),
    (5, {"joker": made_up("joker", change={"skin": 20.0}), "joker_face": made_up("f", change={"skin": 8.0})}, "holds"),
    (5, {"joker": made_up("joker", change={"skin": 20.0}), "joker_face": made_up("f", change={"skin": 14.0})}, "holds in part"),
    (5, {"joker": made_up("joker", change={"skin": 20.0}), "joker_face": made_up("f", change={"skin": 18.0})}, "does not hold"),
    (5, {"joker": made_up("joker", change={})}, "not testable here"),
    (
        6,
        {
            "joker_makeup": made_up("m", change={"skin": 9.0, "eyes": 9.0, "mouth": 9.0}),
            "joker_cosplay": made_up("c", change={"hair": 12.0}),
        },
        "holds",
    ),
    (6, {"joker_cosplay": made_up("c", change={"hair": 12.0})}, "holds in part"),
    (6, {}, "does not hold"),
    (7, {"joker_smile": made_up("s", change={"skin": 4.0, "eyes": 4.0, "mouth": 9.0, "hair": 3.0})}, "holds"),
    (7, {"joker_smile": made_up("s", change={"skin": 4.0, "eyes": 8.0, "mouth": 9.0, "hair": 3.0})}, "holds in part"),
    (7, {"joker_smile": made_up("s", change={"skin": 4.0, "eyes": 9.5, "mouth": 9.0, "hair": 3.0})}, "does not hold"),
    (8, {f"joker{part}": made_up("x" + part, smile=0.06) for part in ("", "_face", "_makeup")}, "holds"),
    (8, {f"joker{part}": made_up("x" + part, smile=0.06) for part in ("", "_face")}, "holds in part"),
    (8, {f"joker{part}": made_up("x" + part, lips=9.0) for part in ("", "_face", "_makeup", "_cosplay")}, "holds in part"),
    (8, {f"joker{part}": made_up("x" + part, lips=9.0) for part in ("", "_face", "_makeup")}, "does not hold"),
    (8, {"joker_face": made_up("joker-face", smile=None)}, "not testable here"),
    (8, {}, "does not hold"),
]


@pytest.mark.parametrize(("number", "runs", "expected"), CASES)
def test_rules(number, runs, expected):
    finding = verdicts(**runs)[number]
    assert finding.verdict == expected, finding.numbers
    assert finding.rule and finding.numbers


def test_every_finding_of_the_source_is_there_with_what_it_is_worth():
    found = verdicts()
    assert len(found) == 9
    assert [finding.mark for finding in found] == ["learned"] * 2 + ["learned"] * 2 + ["taught"] * 5
    assert {finding.mark for finding in verdicts("full")} == {"learned"}
    assert {finding.mark for finding in judge({}, "starter")} == {"not testable here"}
    assert all(re.search(r"\d", finding.numbers) for finding in found)


def test_numbers_are_the_measured_ones():
    finding = verdicts(joker_texture=made_up("joker-texture", similarity=0.4321), joker=made_up("joker", similarity=0.8765))[2]
    assert "0.876" in finding.numbers and "0.432" in finding.numbers


# -- the adapted generator beside moved latents


def beside(*faces: tuple[float, float | None, float, float | None]) -> LatentResult:
    """Faces as similarity and identity, adapted and moved."""
    pairs = tuple(FacePair(f"face-{i}", False, EditScore(a, 0.5, b), EditScore(c, 0.4, d)) for i, (a, b, c, d) in enumerate(faces, 1))
    return LatentResult("styleclip", "Joker", "joker", 200, 200, 0.1, 0.008, pairs, 1.0)


@pytest.mark.parametrize(
    ("face", "says", "keeps", "verdict"),
    [
        ((0.8, 0.3, 0.4, 0.5), "the adapted generator says", "the adapted generator keeps", "the adapted generator wins"),
        ((0.8, 0.5, 0.4, 0.52), "the adapted generator says", "both keep", "the adapted generator wins"),
        ((0.41, 0.3, 0.4, 0.5), "both say", "the adapted generator keeps", "the adapted generator wins"),
        ((0.4, 0.5, 0.8, 0.3), "the moved latent says", "the moved latent keeps", "the moved latent wins"),
        ((0.8, 0.5, 0.4, 0.3), "the adapted generator says", "the moved latent keeps", "each wins one and neither both"),
        ((0.4, 0.3, 0.8, 0.5), "the moved latent says", "the adapted generator keeps", "each wins one and neither both"),
        ((0.81, 0.5, 0.8, 0.51), "both say", "both keep", "neither wins"),
        ((0.8, None, 0.4, None), "the adapted generator says", "could not be measured", "neither is said to win"),
    ],
)
def test_the_sentence_follows_from_the_numbers(face, says, keeps, verdict):
    sentence = compare(beside(face))
    assert says in sentence and keeps in sentence and sentence.endswith(f"{verdict}.")
    assert f"{face[0]:.3f} adapted, {face[2]:.3f} moved" in sentence and sentence.count(".") == len(re.findall(r"\d\.\d", sentence)) + 1


def test_means_of_a_comparison():
    adapted, moved = beside((0.8, 0.3, 0.4, 0.5), (0.6, None, 0.2, 0.9), (0.7, 0.5, 0.3, 0.7)).means()
    assert adapted.similarity == pytest.approx(0.7) and moved.similarity == pytest.approx(0.3)
    assert (adapted.identity, moved.identity) == pytest.approx((0.4, 0.6)), "only faces that both were found on"
    assert (adapted.distance, moved.distance) == pytest.approx((0.5, 0.4))
    result = beside((0.8, 0.3, 0.4, None))
    assert LatentResult.from_json(json.loads(json.dumps(result.to_json()))) == result
    with pytest.raises(KeyError):
        LatentResult.from_json({**result.to_json(), "faces": []})
