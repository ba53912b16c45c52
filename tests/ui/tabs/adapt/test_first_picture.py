"""Before the first step the page shows the ready styles' blend that a run begins at."""

from __future__ import annotations

from nada_core.ui.tabs.adapt.run import AdaptRequest, run_adaptation


def test_the_blend_is_shown_before_anything_is_trained(make_app):
    app, engine = make_app(inline=True, begins_near=True)
    app.open()
    views = list(run_adaptation(app, AdaptRequest("Joker", steps=4)))
    originals = next(view.originals for view in views if view.originals)
    (blend,) = [view for view in views if "Begun at a blend" in view.progress.note and view.step == 0]
    assert blend.phase == "wait" and blend.previews and blend.previews != originals
    assert views[-1].phase == "done" and views[-1].step == 4
    assert len(app.jobs.find(views[-1].job).view.chart.losses) == 4, "what is not a step is on no curve"
    assert engine.options.preview_start


def test_a_run_stopped_then_still_ends_with_a_style(make_app):
    app, _ = make_app(inline=True, begins_near=True)
    views = run_adaptation(app, AdaptRequest("Joker", steps=500))
    for view in views:
        if "Begun at a blend" in view.progress.note and view.step == 0:
            assert app.jobs.cancel(view.job)
    assert view.phase == "stopped" and view.step == 1 and app.shelf.get(view.job, [view.job]).steps == 1
