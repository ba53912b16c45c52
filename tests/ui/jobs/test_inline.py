"""One job inside the request, for ZeroGPU."""

from __future__ import annotations

import pickle
import sys
import threading
import types

import pytest

from nada_core.ui.tabs.adapt.run import AdaptRequest, run_adaptation
from tests.helpers.adapting import runs


def test_inline_the_request_does_the_work(make_app):
    app, engine = make_app(inline=True)
    app.open()  # loading is not the request's work
    before = set(threading.enumerate())
    views = list(run_adaptation(app, AdaptRequest("Joker", steps=12)))
    assert views[-1].phase == "done" and set(threading.enumerate()) <= before  # an earlier test's may end meanwhile
    assert app.shelf.get(views[-1].style_id, [views[-1].style_id]).steps == 12
    views = run_adaptation(app, AdaptRequest("Joker", steps=500))
    while (view := next(views)).step < 4:
        pass
    watched = next(app.jobs.watch(view.job))  # another page may look on
    assert watched.step >= 4
    views.close()  # the request is gone, and the GPU with it
    ended = app.jobs.find(view.job)
    assert ended.state == "stopped" and app.shelf.get(view.job, [view.job]).steps >= 4
    assert runs(engine) == ["open", "close"] * 2 and len(app.line) == 0


@pytest.mark.heavy
def test_inline_stop_and_turns(make_app):
    app, engine = make_app(inline=True, delay=0.02)
    views = run_adaptation(app, AdaptRequest("Joker", steps=500))
    for view in views:
        if view.step == 4:
            assert app.jobs.cancel(view.job)
    assert view.phase == "stopped" and 4 <= view.step < 20
    ended: list = [None, None]

    def work(number):
        *_, ended[number] = run_adaptation(app, AdaptRequest("Joker", steps=10))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(300)
    assert [view.phase for view in ended] == ["done", "done"] and runs(engine) == ["open", "close"] * 3


def test_on_zero_gpu_the_work_is_handed_to_spaces(make_app, monkeypatch):
    """A stand-in for `spaces` that, like the real one, may only be sent what can be pickled, and whose shelf is not ours."""
    tickets = []

    def GPU(duration):
        def wrap(function):
            def call(ticket):
                tickets.append(pickle.loads(pickle.dumps(ticket)))  # noqa: S301 - our own bytes
                for view in function(tickets[-1]):
                    yield pickle.loads(pickle.dumps(view))  # noqa: S301
                app.shelf.discard([ticket.id])

            return call

        return wrap

    module = types.ModuleType("spaces")
    module.GPU = GPU
    module.__spec__ = types.SimpleNamespace(name="spaces")
    monkeypatch.setitem(sys.modules, "spaces", module)
    assert not make_app()[0].jobs.inline  # the package alone is not ZeroGPU
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    app, engine = make_app()
    assert app.jobs.inline
    *_, view = run_adaptation(app, AdaptRequest("Joker", steps=12))
    assert view.phase == "done" and len(tickets) == 1 and "on cuda" in engine.log  # the app's own engine is on the CPU
    assert app.shelf.get(view.style_id, [view.style_id]).steps == 12  # read back from the disk
