"""Run ``python -m nada_core adapt``: from a prompt to a style file and pictures in a folder."""

from __future__ import annotations

import argparse
import contextlib
import shlex
import sys
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from nada_core.adaptation.options import MAX_STEPS
from nada_core.adaptation.resume import TrainingState, load_training
from nada_core.arguments import target_pictures
from nada_core.cli.adapt_flags import TRAINING_FILE, given_options, parts_again
from nada_core.cli.adapt_work import STYLE_FILE, AdaptTask, Told, adapt_elsewhere, adapt_steps
from nada_core.cli.interrupt import finishing_steps
from nada_core.images.image_io import decode_photo
from nada_core.looks.prompts import check_prompt
from nada_core.system.files import output_folder, write_bytes

__all__ = ["adapt"]


def adapt(args: argparse.Namespace) -> int:
    """Write style.safetensors, steps.jsonl, before_after.png, preview_*.png, summary.json; training.safetensors to be resumed."""
    state = None if args.resume is None else load_training(args.resume)
    prompt = check_prompt(state.prompt if args.prompt is None and state else args.prompt or "")  # before the networks are loaded
    encoder = args.encoder or (state.encoder if state else None)
    parts = {"device": args.device, "base": args.base, "encoder": encoder, "world": args.world}
    task = AdaptTask(prompt, parts, given_options(args), args.images, args.keep_training)
    folder = _Folder(args.out, prompt, parts_again(args), state.step if state else 0)
    away = args.workers is not None or args.cluster is not None
    with _steps(args, task, state) as steps:
        while (told := next(steps)) is None:
            print("waiting for a worker that is free", file=sys.stderr)
        with finishing_steps(2 if away else 1) as asked_to_stop:  # from here on there is something to keep
            _walk(told, steps, folder, asked_to_stop)
    return folder.end()


@contextlib.contextmanager
def _steps(args: argparse.Namespace, task: AdaptTask, state: TrainingState | None) -> Iterator[Generator[Told | None, bool, None]]:
    """Yield the run, here or on a worker. Raises NadaError: there is none, or what is to be sent cannot be read."""
    if args.workers is None and args.cluster is None:
        with contextlib.closing(adapt_steps(task, state)) as steps:
            yield steps
        return
    from nada_core.cluster.connect import connect
    from nada_core.cluster.walking import walk_there
    from nada_core.rows.where import asked_networks

    images = None
    if args.images is not None:
        for picture in target_pictures(args.images):
            decode_photo(picture)  # a worker could not name the file that cannot be read
        images = [Path(picture).read_bytes() for picture in args.images]
    training = b"" if state is None else args.resume.read_bytes()
    world, networks = asked_networks(args, task.engine["encoder"])
    engine = {**task.engine, "base": networks.base, "encoder": networks.encoder, "world": world}
    work = partial(adapt_elsewhere, replace(task, engine=engine, images=images), training, networks.files)
    with connect(args.workers, args.cluster) as cluster, contextlib.closing(walk_there(cluster, work)) as steps:
        yield steps


def _walk(told: Told | None, steps: Generator[Told | None, bool, None], folder: _Folder, asked_to_stop: Callable[[], bool]) -> None:
    """Take what is told, from the first to its end; from a Ctrl-C on the run is asked to stop."""
    stop = False
    while True:
        try:
            if told is not None:  # else a worker was lost, and another one has not begun
                folder.take(told)
            stop = stop or asked_to_stop()
        except KeyboardInterrupt:  # the second one, and not during a step
            stop = True
        try:
            told = steps.send(stop)
        except StopIteration:
            return


@dataclass
class _Folder:
    """Hold the folder of a run, and show and write what is told of it.

    Args:
        parts: flags that go on with it (:func:`parts_again`).
        earlier: steps of the run that it goes on from, whose log is kept where it lies in the same folder.
    """

    out: Path
    prompt: str
    parts: str
    earlier: int = 0
    log: list[str] = field(default_factory=list)
    last: Told | None = None

    def take(self, told: Told) -> None:
        """Show what is told and write its files."""
        if not told.index:
            self._begin()
        if told.record:
            self.log.append(told.record)
        if told.ended and not (self.last and self.last.ended):
            print("\ninterrupted: keeping the style so far\n" if told.interrupted else "", file=sys.stderr)
        if told.line:
            print(f"\r{told.line}", end="", file=sys.stderr)
        for words in told.words:
            print(f"\n{words}" if told.line else words, file=sys.stderr)
        self.last = told if told.index else None
        for name, content in told.files.items():
            write_bytes(self.out / name, content)
        if STYLE_FILE in told.files:
            write_bytes(self.out / "steps.jsonl", ("\n".join(self.log) + "\n").encode())
            print(f"{self.out / STYLE_FILE}: '{self.prompt}' after {told.index} steps, {told.seconds:.0f} s")
        if TRAINING_FILE in told.files:
            print(self._continuation(told))

    def end(self) -> int:
        """Return the exit code."""
        if self.last is None:
            print("\ninterrupted before the first step: nothing is kept", file=sys.stderr)
        return 130 if self.last is None or self.last.interrupted else 0

    def _begin(self) -> None:
        if self.log:
            print("\nThe worker was lost: another one begins again.", file=sys.stderr)
        output_folder(self.out)
        path = self.out / "steps.jsonl"
        self.log = path.read_text().splitlines()[: self.earlier] if self.earlier and path.is_file() else []

    def _continuation(self, told: Told) -> str:
        """Return the command that goes on from the training with the same parts."""
        path = self.out / TRAINING_FILE
        if told.index >= MAX_STEPS:
            return f"{path}: {MAX_STEPS} steps, the most there can be"
        more = f" --steps {min(2 * told.index, MAX_STEPS)}" if told.index >= told.steps else ""  # a run that is done goes on only so
        words = " ".join(shlex.quote(str(word)) for word in ("--resume", path, "--out", path.parent))
        return f"{path}: to go on, `python -m nada_core adapt {words}{more}{self.parts}`"
