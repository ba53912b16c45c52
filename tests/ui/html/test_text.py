"""Words and small drawings of the page: whatever they are given, the markup is sound."""

from __future__ import annotations

from nada_core.system.files import slug
from nada_core.ui.html.text import banner, chips, group_concepts, identity_words
from nada_core.ui.html.widgets import loss_chart, progress_bar
from nada_core.ui.jobs.views import LossCurve, Progress
from nada_core.ui.wording import duration
from tests.helpers.fake_engine import CONCEPTS


def test_every_concept_has_one_chip_and_html_is_inert():
    rows = dict(group_concepts(CONCEPTS))
    assert rows["The classic five"] == ["Joker", "Joker face", "Joker smile", "Joker makeup", "Joker cosplay"]
    assert sorted(name for names in rows.values() for name in names) == sorted(CONCEPTS)
    assert "Zombie" in rows["Characters"] and "Blue skin" in rows["Colours and light"] and "Oil painting" in rows["Styles and materials"]
    assert '<b x="' not in chips(['<b x="1">']) and "<script" not in banner("starter", "<script>", True)


def test_the_chart_keeps_its_shape_and_survives_bad_numbers():
    assert loss_chart(LossCurve(60)).count("<") == loss_chart(LossCurve(60, (1.0, 0.5, float("nan"), float("inf")))).count("<")
    long = loss_chart(LossCurve(5000, tuple(1 / (i + 1) for i in range(5000))))
    assert len(long) < 8000 and "nan" not in loss_chart(LossCurve(1, (float("nan"),)))
    assert "<b>" not in progress_bar(Progress(0.5, "<b>", "<b>", note="<b>")) and "width:100.0%" in progress_bar(Progress(7, ""))
    bar = progress_bar(Progress(0.5, "a", "b", "run", "c"))
    assert all(part in bar for part in ("progress-run", "<span>a</span><span>b</span>", "width:50.0%", ">c</p>"))


def test_measurements_in_words():
    assert duration(34.4) == "34 s" and duration(125) == "2 min 05 s" and duration(float("nan")) == "a moment"
    assert identity_words(0.16) != identity_words(0.55) != identity_words(0.7) and "lower strength" in identity_words(0.7)
    assert slug("Joker <3 ../x") == "joker-3-x" and slug("Джокер") == "джокер"
