"""The command `adapt` and a film of the page with real workers and the starter's networks: the same to the bit, Ctrl-C, killed workers."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import torch

from nada_core.cluster.connect import connect, cores_here
from nada_core.styles.files import load_style
from nada_core.ui import build_app
from nada_core.ui.server.backend import default_backend
from nada_core.ui.tabs.mirror.film_work import FilmRequest, run_film
from nada_core.ui.workers.crew import RayCrew
from tests.helpers.adapting import wait_for
from tests.helpers.films import frames_of, moving, portraits, write_film
from tests.helpers.folders import ROOT
from tests.helpers.needs_ray import needs_ray
from tests.helpers.stylegan2_files import rosinality_state, tiny

pytestmark = [pytest.mark.heavy, pytest.mark.slow, needs_ray]
PATIENCE = 600.0


def adapt(*words: object, at: str = "", then=None) -> tuple[int, str, str]:
    """The command in a process of its own, in which `then` happens once it has said `at`: exit code, output, standard error."""
    command = [sys.executable, "-m", "nada_core", "adapt", *map(str, words)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    assert process.stdout is not None and process.stderr is not None
    said = b""
    while part := os.read(process.stderr.fileno(), 4096):
        said += part
        if at and at.encode() in said:
            at = ""
            then(process)
    return process.wait(PATIENCE), process.stdout.read().decode(), said.decode()


def walkers() -> list[int]:
    """The processes of Ray that walk a work."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if command.startswith(b"ray::_Walker"):
            found.append(int(folder.name))
    return found


def same_style(one: Path, other: Path) -> bool:
    styles = [load_style(folder / "style.safetensors") for folder in (one, other)]
    return styles[0].tensors.keys() == styles[1].tensors.keys() and all(
        torch.equal(tensor, styles[1].tensors[name]) for name, tensor in styles[0].tensors.items()
    )


@pytest.fixture(scope="module")
def whole(starter_weights, tmp_path_factory):
    """What the command writes without workers."""
    out = tmp_path_factory.mktemp("adapt") / "whole"
    code, _, err = adapt("Joker", "--steps", 4, "--keep-training", "--out", out)
    assert code == 0, err
    return out


def test_the_files_are_the_same(whole, tmp_path):
    code, out, err = adapt("Joker", "--steps", 4, "--keep-training", "--out", tmp_path / "out", "--workers", 1)
    assert code == 0 and "after 4 steps" in out, err
    names = [{path.name for path in folder.iterdir()} - {"preview_0002.png", "preview_0003.png"} for folder in (whole, tmp_path / "out")]
    assert names[0] == names[1] and same_style(whole, tmp_path / "out")  # pictures between the first and the last step come by the clock
    for name in ("preview_0001.png", "preview_0004.png", "before_after.png"):
        assert (whole / name).read_bytes() == (tmp_path / "out" / name).read_bytes()


def test_ctrl_c_keeps_what_goes_on_here(whole, tmp_path):
    out = tmp_path / "out"
    code, said, err = adapt(
        *("Joker", "--steps", 4, "--out", out, "--workers", 1),
        at="step 1/4",
        then=lambda process: os.killpg(process.pid, signal.SIGINT),  # a terminal sends it to all
    )
    assert code == 130 and "keeping the style so far" in err
    wait_for(lambda: not walkers(), PATIENCE)
    assert not [path.name for path in out.iterdir() if path.name.startswith(".")]
    (command,) = re.findall(r"`python -m nada_core adapt (.*)`$", said, re.MULTILINE)
    words = shlex.split(command)
    assert words[-2:] == ["--workers", "1"]
    code, _, err = adapt(*words[:-2])
    assert code == 0 and same_style(whole, out), err


def test_a_killed_worker_is_followed_by_another(whole, tmp_path):
    def kill(_):
        for pid in walkers():
            os.kill(pid, signal.SIGKILL)

    code, _, err = adapt("Joker", "--steps", 4, "--out", tmp_path / "out", "--workers", 1, at="step 2/4", then=kill)
    assert code == 0 and "another one begins again" in err and same_style(whole, tmp_path / "out"), err


def test_a_generator_of_ones_own_travels(tmp_path):
    """The path is relative, and the worker's own folder another."""
    torch.save({"g_ema": rosinality_state(tiny())}, tmp_path / "mine.pt")
    base = os.path.relpath(tmp_path / "mine.pt", ROOT)
    flags = ("gold", "--steps", 2, "--batch", 1, "--world", "starter", "--base", base)
    for out, where in (("here", ()), ("there", ("--workers", 1))):
        code, _, err = adapt(*flags, *where, "--out", tmp_path / out)
        assert code == 0, err
    assert same_style(tmp_path / "here", tmp_path / "there")
    assert str(tmp_path) not in (tmp_path / "there" / "summary.json").read_text()


@pytest.fixture(scope="module")
def films(engine, tmp_path_factory):
    """A film of somebody who talks, an app without workers, and one with two."""
    source = write_film(tmp_path_factory.mktemp("film") / "me.mp4", frames_of([(portraits()[0], moving(40))]))
    alone = build_app(backend=default_backend(lambda **wish: engine))
    with connect(workers=2) as cluster:
        crew = RayCrew(cluster)
        crewed = build_app(backend=default_backend(lambda **wish: engine), crew=crew)
        try:
            crewed.context.open()
            crew.start(crewed.context)
            wait_for(lambda: all(facts.doing == "idle" for facts in crew.report()), PATIENCE)
            yield str(source), alone.context, crewed.context
        finally:
            for demo in (alone, crewed):
                demo.context.shutdown()
            crew.close()


def painted(context, source: str, then=None, at: int = 10) -> tuple[list, bytes | None]:
    """All views of a film, and the file; at this view something happens."""
    stop, views, kept = threading.Event(), [], None
    for view in run_film(context, FilmRequest(source, "joker"), stop):
        views.append(view)
        kept = Path(view.file).read_bytes() if view.file else kept
        if then is not None and len(views) == at:
            then(stop)
    return views, kept


def doing(context) -> list[str]:
    return sorted(facts.doing for facts in context.crew.report())


def test_a_film_is_the_same_to_the_bit(films):
    source, alone, crewed = films
    cores = torch.get_num_threads()
    torch.set_num_threads(max(1, cores_here() // 2))
    try:
        here, file = painted(alone, source)
    finally:
        torch.set_num_threads(cores)
    seen = []
    there, sent = painted(crewed, source, lambda stop: seen.extend(doing(crewed)))
    assert here[-1].phase == there[-1].phase == "done" and sent == file and seen == ["filming", "idle"]
    assert here[-1].progress.note == there[-1].progress.note and len(crewed.line) == 0


def test_a_film_whose_worker_is_killed_is_begun_again(films):
    source, _, crewed = films

    def kill(stop):
        (busy,) = [place for place in crewed.crew._places if place.busy]
        os.kill(busy.colleague.pid, signal.SIGKILL)

    views, kept = painted(crewed, source, kill)
    assert views[-1].phase == "done" and kept and "Moved to another machine" in [view.progress.headline for view in views]
    wait_for(lambda: doing(crewed) == ["idle", "idle"], PATIENCE)


def test_stop_acts_within_a_few_frames(films):
    source, _, crewed = films
    views, kept = painted(crewed, source, lambda stop: stop.set())
    frames = [int(view.progress.headline.split()[1]) for view in views if view.progress.headline.startswith("Frame")]
    assert views[-1].phase == "stopped" and kept and max(frames) < 40
