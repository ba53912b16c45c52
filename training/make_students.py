"""Train the students of the ready styles together: one network for all, and a few thousand numbers a style.

python -m training.make_students --minutes 60                                     # all ready styles: draws pairs, trains, writes the file
python -m training.make_students --start checkpoints/students.safetensors ...     # goes on from there; styles may join
python -m training.make_students --styles joker clown vampire --pairs runs/pairs  # some; drawn pairs are kept in that folder
python -m training.make_students --start checkpoints/students.safetensors --alone --styles joker  # its own numbers; all else stays as it is
python -m training.make_students --textured --styles pencil-sketch tiger ...      # the network of textures, begun at that of paints
"""

from __future__ import annotations

import argparse
import functools
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from nada_core.engine import Engine
from nada_core.students.distil import FITTED, HELD, measured, student_loss
from nada_core.students.files import (
    READY_STUDENTS,
    TEXTURED_STUDENTS,
    StudentCard,
    StyleStudent,
    load_students,
    save_students,
    style_digest,
)
from nada_core.students.lines import is_paint
from nada_core.students.network import Student, fit_output, with_grain
from nada_core.students.pairs import Pairs, draw_pairs, seen
from nada_core.students.textures import STAGES, Features
from nada_core.styles.files import Style, styled
from nada_core.styles.library import READY
from nada_core.system.allocator import tune_cpu_allocator
from nada_core.system.threads import wait_politely

__all__ = ["Lesson", "main", "train"]

NETWORK_RATE, OWN_RATE, BATCH = 2e-3, 4e-3, 6
#: How often a style is drawn; all others once.
OFTEN = {"joker": 4.0, "joker-face": 2.0, "joker-makeup": 2.0, "joker-cosplay": 2.0, "clown": 2.0, "vampire": 2.0, "zombie": 2.0}
SAVED_EVERY = 300.0  # seconds


@dataclass(frozen=True, eq=False)
class Lesson:
    """Hold a style and its pairs; the last :data:`HELD` are never trained on."""

    style: Style
    digest: str
    pairs: Pairs

    @functools.cached_property
    def painted(self) -> bool:
        """Tell whether the style is paint, under which a face keeps its own lines."""
        return is_paint(self.pairs.before[:FITTED], self.pairs.after[:FITTED])


def draw(engine: Engine, style: Style, count: int, seed: int, folder: Path | None = None) -> Lesson:
    """Return a style's pairs, from the folder where they were drawn before, however many they are."""
    digest = style_digest(style)
    kept = None if folder is None else folder / f"{style.card.name}-{digest[:16]}.safetensors"
    if kept is not None and kept.is_file():
        tensors = load_file(kept)
        return Lesson(style, digest, Pairs(tensors["before"], tensors["after"]))
    parts = list(draw_pairs(engine.generator, styled(engine.generator, style, engine.base_hash), count, seed))
    pairs = Pairs(torch.cat([part.before for part in parts]), torch.cat([part.after for part in parts]))
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        save_file({"before": pairs.before.contiguous(), "after": pairs.after.contiguous()}, kept)
    return Lesson(style, digest, pairs)


def train(
    features: Features,
    lessons: Sequence[Lesson],
    network: Student,
    codes: Tensor,
    minutes: float,
    rate: float = 1.0,
    seed: int = 0,
    kept: Callable[[int], None] = lambda steps: None,
    alone: bool = False,
) -> int:
    """Train a network and the styles' codes ``[K, code_size]`` in place, for so many minutes; returns the number of steps.

    Args:
        rate: factor on the learning rates.
        kept: called with the number of steps every few minutes.
        alone: only the codes learn.
    """
    network.requires_grad_(not alone)
    optimiser = torch.optim.AdamW(
        [{"params": [codes], "weight_decay": 0.0}, *([] if alone else [{"params": list(network.parameters())}])],
        weight_decay=1e-4,
        betas=(0.9, 0.98),
    )
    often = torch.tensor([OFTEN.get(lesson.style.card.name, 1.0) for lesson in lessons])
    rng, begun, step, saved = torch.Generator().manual_seed(seed), time.monotonic(), 0, time.monotonic()
    while (done := (time.monotonic() - begun) / (60 * minutes)) < 1:
        wave = rate * min(1.0, (step + 1) / 40) * (0.02 + 0.49 * (1 + math.cos(math.pi * done)))
        for group, base in zip(optimiser.param_groups, (OWN_RATE, NETWORK_RATE)):
            group["lr"] = base * wave
        which = torch.multinomial(often, BATCH, replacement=True, generator=rng).tolist()
        rows = [int(torch.randint(len(lessons[k].pairs) - HELD, (1,), generator=rng)) for k in which]
        before, after = (torch.stack([getattr(lessons[k].pairs, name)[row] for k, row in zip(which, rows)]) for name in ("before", "after"))
        loss = student_loss(network, codes[which], features, *seen(before, after, rng, [lessons[k].painted for k in which]), rng)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_([codes] if alone else network.parameters(), 1.0)
        optimiser.step()
        step += 1
        if step % 50 == 0:
            print(f"{step} steps, {time.monotonic() - begun:.0f} s, loss {loss.item():.3f}", flush=True)
        if time.monotonic() - saved > SAVED_EVERY:
            saved = time.monotonic()
            kept(step)
    return step


def beginning(lessons: Sequence[Lesson], known: dict[str, StyleStudent]) -> tuple[Student, Tensor]:
    """Return the network and codes ``[K, code_size]`` to begin with: known ones, or the known ones' mean with an output layer that fits."""
    network = next(iter(known.values())).network.train().requires_grad_(True) if known else Student()
    mean = torch.cat([one.code for one in known.values()]).mean(0, keepdim=True) if known else network.neutral()
    by_name = {one.card.name: one for one in known.values()}
    codes = []
    for lesson in lessons:
        old = known.get(lesson.digest) or by_name.get(lesson.style.card.name)
        if old is not None:
            codes.append(old.code)
        elif not known:
            codes.append(mean)
        else:
            before, after = (x[:-HELD][:FITTED].float() / 127.5 - 1 for x in (lesson.pairs.before, lesson.pairs.after))
            codes.append(fit_output(network, mean, before, after))
    return network, torch.cat(codes).requires_grad_()


def write(
    lessons: Sequence[Lesson],
    network: Student,
    codes: Tensor,
    steps: int,
    out: Path,
    told: bool = False,
    others: Sequence[StyleStudent] = (),
) -> None:
    """Write the students as they are, each with what it does on pairs that it never saw, beside ``others`` of the same network."""
    network.eval()
    students = list(others)
    for lesson, code in zip(lessons, codes.detach().clone().split(1)):
        figures = measured(network, code, lesson.pairs.split(HELD)[1])
        card = lesson.style.card
        students.append(StyleStudent(StudentCard(card.name, card.prompt, lesson.digest, steps, figures), network, code))
        if told:
            print(f"{card.name}: error {figures['error']}, doing nothing {figures['unchanged']}")
    save_students(sorted(students, key=lambda one: (one.card.name != "joker", one.card.name)), out)
    network.train()


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--styles", nargs="+", default=None, help="names of ready styles; default: all that are shipped")
    parser.add_argument("--minutes", type=float, default=60.0, help="of training")
    parser.add_argument("--count", type=int, default=64, help="pairs drawn a style")
    parser.add_argument("--pairs", type=Path, default=None, help="folder that keeps the drawn pairs")
    parser.add_argument("--start", type=Path, default=None, help="go on from the students of this file")
    parser.add_argument("--alone", action="store_true", help="with --start: the network and its other students stay as they are")
    parser.add_argument("--textured", action="store_true", help="train the network of textures; without --start it begins at the other one")
    parser.add_argument("--rate", type=float, default=1.0, help="factor on the learning rates")
    parser.add_argument("--out", type=Path, default=None, help="default: the file that is shipped")
    args = parser.parse_args(argv)
    out = args.out or (TEXTURED_STUDENTS if args.textured else READY_STUDENTS)
    if args.alone and (args.start is None or not args.styles):
        parser.error("--alone goes on from students (--start) and needs the names of those that learn (--styles).")
    wait_politely()
    tune_cpu_allocator()
    engine = Engine("cpu")
    names = args.styles or sorted(path.stem for path in READY.glob("*.safetensors"))
    lessons = []
    for number, name in enumerate(names):
        lessons.append(draw(engine, engine.style(name), args.count, 100 + number, args.pairs))
        print(f"{number + 1} of {len(names)}: {name}", flush=True)
    start = {} if args.start is None else load_students(args.start)
    if args.textured and not start:
        paints = load_students(READY_STUDENTS)
        network = with_grain(next(iter(paints.values())).network)
        start = {digest: replace(one, network=network) for digest, one in paints.items()}
    network, codes = beginning(lessons, start)
    known = max((one.card.steps for one in start.values()), default=0)
    others = [one for one in start.values() if args.alone and one.card.name not in names]
    steps = train(
        functools.partial(engine.editor.perceptual.backbone, stages=STAGES),
        lessons,
        network,
        codes,
        args.minutes,
        args.rate,
        kept=lambda step: write(lessons, network, codes, known + step, out, others=others),
        alone=args.alone,
    )
    write(lessons, network, codes, known + steps, out, told=True, others=others)
    print(f"{out}: {out.stat().st_size / 1e6:.2f} MB")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
