"""Links that open the page with something filled in: what they may ask for, and what hostile ones get."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from nada_core.ui.shared_link import SharedLink, read_link
from tests.helpers.fake_engine import FakeCard, FakeEngine, FakeStyle
from tests.helpers.served import chromium, expect, in_chromium, open_app, serving, settled

STYLES = [("Joker", "joker"), ("Van Gogh painting", "van-gogh-painting"), ("Джокер", "джокер")]


@pytest.mark.parametrize(
    ("search", "link"),
    [
        ("", SharedLink()),
        ("?utm_source=x&__theme=dark", SharedLink()),
        ("?prompt=green%20zombie", SharedLink("green zombie", tab="adapt")),
        ("?prompt=a+b&style=joker", SharedLink("a b", "joker", "adapt")),
        ("?style=joker", SharedLink(style="joker", tab="stylise")),
        ("?style=VAN+Gogh+Painting&tab=compare", SharedLink(style="van-gogh-painting", tab="compare")),
        ("?style=%D0%94%D0%B6%D0%BE%D0%BA%D0%B5%D1%80", SharedLink(style="джокер", tab="stylise")),
        ("?tab=Gallery", SharedLink(tab="gallery")),
        ("?prompt=one&prompt=two", SharedLink("one", tab="adapt")),
        (None, SharedLink()),
        (["x"], SharedLink()),
        ("?" + "a=1&" * 500, SharedLink()),
    ],
)
def test_what_a_link_asks_for(search, link):
    assert read_link(search, STYLES) == link


@pytest.mark.parametrize(
    ("search", "words"),
    [
        ("?prompt=" + "x" * 300, "cannot be used. The prompt has 300 characters"),
        ("?prompt=123", "no words"),
        ("?style=nothing", "“nothing”, which is not here"),
        ("?style=mine:abcdef", "is not here"),
        ("?style=../../etc/passwd", "is not here"),
        ("?style=" + "y" * 3000, "y…”"),
        ("?style=%00%1b[2J", "is not here"),
        ("?tab=admin", "there are adapt, stylise, compare, mirror, gallery"),
        ("?tab=%ff%fe", "asks for the tab"),
    ],
)
def test_what_cannot_be_had_is_said_kindly(search, words):
    link = read_link(search, STYLES)
    (sentence,) = link.refused
    assert words in sentence and len(sentence) < 300 and sentence.isprintable() and not (link.prompt or link.style)


@in_chromium
def test_a_link_fills_in_and_runs_nothing():
    engine = FakeEngine(delay=0.01)
    engine.saved["zombie"] = FakeStyle(FakeCard("zombie", "Zombie"))
    with serving(engine) as (url, demo), chromium() as browser:
        page = browser.new_page()
        page.goto(f"{url}?prompt={quote('<img src=x onerror=alert(1)> Zombie')}&style=no{quote('<b>')}")
        expect(page.locator("#prompt :is(input, textarea)")).to_have_value("<img src=x onerror=alert(1)> Zombie")
        expect(page.locator("#arrival")).to_contain_text("asks for the style “no<b>”")
        assert page.locator("#arrival b, #advice img").count() == 0
        page.goto(f"{url}?style=zombie")
        expect(page.get_by_role("tab", name="Stylise a photo")).to_have_attribute("aria-selected", "true")
        expect(page.locator("#style input")).to_have_value("Zombie")
        page.get_by_role("tab", name="Adapt").click()
        page.goto(f"{url}?prompt=Gold")
        expect(page.locator("#prompt :is(input, textarea)")).to_have_value("Gold")
        page.locator("#prompt :is(input, textarea)").fill("Joker")
        page.reload()  # the page's own state counts from here on
        page.locator("#arrival").get_by_text("leaves the server").wait_for()
        settled(page)
        expect(page.locator("#prompt :is(input, textarea)")).to_have_value("Joker")
        assert not demo.context.jobs.all()


@in_chromium
def test_links_and_pictures_are_copied(photo):
    engine = FakeEngine(delay=0.003)
    with serving(engine) as (url, _), chromium() as browser:
        context = browser.new_context()
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = open_app(context.new_page(), url)
        page.locator("#prompt :is(input, textarea)").fill("Zombie")
        page.locator("#copy-prompt-link").click()
        expect(page.locator("#kept")).to_contain_text("?prompt=Zombie")
        assert page.evaluate("navigator.clipboard.readText()") == f"{url}?prompt=Zombie"
        page.get_by_role("tab", name="Stylise").click()
        page.locator("#copy-style-link").click()
        expect(page.locator("#taking")).to_contain_text("?style=joker")
        page.locator("#photo input[type=file]").set_input_files(photo)
        page.locator("#stylise").click()
        expect(page.locator("#copy-picture")).to_be_enabled()
        page.locator("#copy-picture").click()
        expect(page.locator("#taking")).to_contain_text("The picture is copied")
        kinds = page.evaluate("navigator.clipboard.read().then((items) => items[0].types)")
        assert kinds == ["image/png"]
