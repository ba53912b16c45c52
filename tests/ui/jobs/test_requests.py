"""What a job may be asked for: target pictures, blocked words, the check before the line."""

from __future__ import annotations

import types
from pathlib import Path

import pytest
from PIL import Image

from nada_core.errors import NadaError, OptionsError, PromptError
from nada_core.ui.server.backend import check_request
from nada_core.ui.server.blocklist import check_words
from nada_core.ui.tabs.adapt.run import AdaptRequest, run_adaptation
from tests.helpers.adapting import last, runs, start
from tests.helpers.fake_engine import FakeEncoder, FakeGenerator, draw_face


@pytest.mark.heavy
def test_pictures_as_the_target_are_copied_shrunk_and_deleted(make_app, tmp_path):
    app, engine = make_app()
    paths = []
    for number, size in enumerate(((3000, 1500), (200, 200))):
        paths.append(str(tmp_path / f"{number}.png"))
        draw_face(number).resize(size).save(paths[-1])
    with app.line.join():
        job = start(app, "My look", images=tuple(paths), steps=3)
        for path in paths:
            Path(path).unlink()  # the page's upload is gone before the turn comes
    assert last(app, job).phase == "done" and engine.log[0] == "images 2048x1024 200x200"
    assert app.shelf.get(job.id, [job.id]).prompt == "My look"
    assert not any(Path(file).exists() for file in job.request.images)
    with pytest.raises(OptionsError, match="17 target pictures"):
        start(app, "My look", images=("x.png",) * 17)
    Image.new("RGB", (300, 200), "red").save(tmp_path / "red.png")
    with pytest.raises(NadaError, match=r"red\.png is one flat colour"):
        start(app, "My look", images=(str(tmp_path / "red.png"),))
    text = tmp_path / "letter.jpg"
    text.write_text("dear all")
    with pytest.raises(NadaError, match=r"letter\.jpg"):
        start(app, "My look", images=(str(text),))


def test_the_real_check_needs_no_computing():
    from nada_core.adaptation.loop import AdaptOptions

    class Reading(FakeEncoder):
        """Knows two looks; everything else it has would be computing."""

        def regions(self, images):
            raise AssertionError

        maps = encode_image = regions

        def look(self, text):
            if not any(word in text.lower() for word in ("joker", "zombie")):
                raise PromptError("Nothing of this is known here as a look.")

    engine = types.SimpleNamespace(generator=FakeGenerator(), encoder=Reading())
    check_request(engine, "a photo of the Joker", AdaptOptions())
    check_request(engine, None, AdaptOptions())
    for prompt, options in (("oil painting", AdaptOptions()), ("Joker", AdaptOptions(steps=0)), ("12", AdaptOptions())):
        with pytest.raises(NadaError):
            check_request(engine, prompt, options)
    engine.encoder = FakeEncoder()  # CLIP takes any text
    check_request(engine, "oil painting", AdaptOptions())


def test_blocked_words_are_refused_on_a_public_server_only(make_app, monkeypatch):
    monkeypatch.setenv("NADA_BLOCKED_PROMPTS", " Zombie, oil   Painting,, ")
    public, engine = make_app(public=True)
    assert public.blocked == ("zombie", "oil painting")
    for values in (
        {"prompt": "ZOMBIE!"},
        {"prompt": "Zömbie"},
        {"prompt": "an oil-painting"},
        {"prompt": "Joker", "source": "a zombie face"},
    ):
        *_, view = run_adaptation(public, AdaptRequest(**values))
        assert view.phase == "failed" and "does not allow" in view.error and "ombie" not in view.error
    assert runs(engine) == [] and not public.jobs.all()
    assert last(public, start(public, "Joker", steps=2)).phase == "done"
    check_words(["zombies", "oil", "painting"], public.blocked)  # whole words, whole phrases
    private, _ = make_app()
    assert last(private, start(private, "Zombie", steps=2)).phase == "done"
