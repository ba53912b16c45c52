"""What is remembered of a page that may come back."""

from __future__ import annotations

from nada_core.ui.page.scripts import PAGE_WORDS
from nada_core.ui.shelves.pages import LeftPage, PageMemory, read_page_words

KEY = "0123456789abcdef" * 2


def test_pages_are_remembered_by_their_key_and_for_a_while():
    now = [0.0]
    pages = PageMemory(capacity=2, seconds=100, clock=lambda: now[0])
    for forged in ("", "x", KEY[:-1], KEY.upper(), KEY + "0", "../" + KEY):
        pages.remember(forged, photo="mine")
        assert pages.recall(forged) is None
    pages.remember(KEY, photo="mine", face=2)
    pages.remember(KEY, points=((1.0, 2.0),))
    assert pages.recall(KEY) == LeftPage("mine", 2, ((1.0, 2.0),))
    now[0] = 50
    pages.remember(KEY, photo="another")
    assert pages.recall(KEY) == LeftPage("another", when=50)  # nothing of the first photo is left
    now[0] = 149
    assert pages.recall(KEY) is not None
    now[0] = 150
    pages.tidy()
    assert len(pages) == 0 and pages.recall(KEY) is None
    for letter in "abc":
        pages.remember(letter * 32, photo=letter)
    assert pages.recall("a" * 32) is None and pages.recall("c" * 32) == LeftPage("c", when=150)


def test_what_a_page_says_of_itself_may_be_anything():
    assert read_page_words(f"{KEY} stylise") == (KEY, "stylise")
    for strange in (None, 3, ["x"], "", "../../etc passwd", f"{KEY}x nowhere"):
        assert read_page_words(strange) == ("", "")
    assert "sessionStorage" in PAGE_WORDS and "localStorage" not in PAGE_WORDS  # not for the next person at the same machine
