"""``python -m tests.whole.gates``: adapt every concept with the default options, measure, print a table (the sweep of ``make gates``).

Adaptations are kept in ``DIR/adapted`` and not made again by the next start, unless the program, its weights or the options have changed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from nada_core.alignment.ffhq import FaceRecogniser
from nada_core.cluster.connect import add_cluster_flags
from nada_core.engine import Engine
from nada_core.errors import NadaError
from nada_core.rows.fill import fill
from nada_core.rows.run import Executor, InProcess
from nada_core.rows.where import executor_for
from nada_core.styles.files import Style, load_card
from tests.whole.gates.adapting import STYLE_FILE, AdaptWork, adapt_rows, open_work
from tests.whole.gates.faces import SWEEP, join, unseen_faces
from tests.whole.gates.rendering import compare_with_rendering, load_rendering
from tests.whole.gates.report import contact_sheet, table, write_numbers
from tests.whole.gates.sweep import measure_style, too_alike


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.whole.gates", description=__doc__.splitlines()[0])
    parser.add_argument("--prompts", help="comma-separated prompts to adapt; all that the encoder knows by default")
    parser.add_argument("--styles", type=Path, metavar="DIR", help="measure the style files of a folder instead of adapting")
    parser.add_argument("--steps", type=int, help="steps of each adaptation; the engine's default otherwise")
    parser.add_argument("--out", type=Path, default=Path("out/gates"), metavar="DIR", help="where gates.txt, gates.json and sheet.png go")
    parser.add_argument("--faces", type=int, metavar="N", help="fewer faces: N truncated and N / 2 free ones")
    parser.add_argument("--large", type=int, default=1, metavar="N", help="faces that are also rendered at 1024 px (several seconds each)")
    parser.add_argument("--rendering", metavar="MODULE:FUNCTION", help="compare with a plain rendering: function(prompt, images) -> images")
    parser.add_argument("--device", default="auto")
    add_cluster_flags(parser)
    return parser.parse_args(arguments)


def jobs(
    engine: Engine, options: argparse.Namespace, executor: Executor
) -> Iterator[tuple[str, str, Style | Path, float | None, list[str]]]:
    """Name, prompt, style, seconds it took, notes: adapted row by row, those first that an earlier start made, or read from a folder.

    Raises:
        NadaError: a prompt could not be adapted to; at the end, when all others were.
    """
    if options.styles:
        for path in sorted(options.styles.glob("*.safetensors")):
            yield path.stem, load_card(path).prompt, path, None, []
        return
    prompts = [p.strip() for p in options.prompts.split(",")] if options.prompts else engine.concepts()
    work = (lambda: AdaptWork(engine)) if isinstance(executor, InProcess) else partial(open_work, options.device)
    failed = []
    for entry in fill(options.out / "adapted", adapt_rows(prompts, options.steps, engine), work, executor):
        if entry.kept is None:
            failed.append(f"{entry.row.title}: {entry.error}")
            print(failed[-1], file=sys.stderr, flush=True)
            continue
        style, prompt = entry.kept.folder / STYLE_FILE, entry.row.title
        yield prompt, prompt, style, entry.seconds, entry.kept.facts["notes"]
    if failed:
        raise NadaError(f"{len(failed)} of {len(prompts)} prompts could not be adapted to. The same command tries them again.")


def main(arguments: list[str] | None = None) -> int:
    options = parse(arguments)
    if options.styles and not any(options.styles.glob("*.safetensors")):
        print(f"No style files in {options.styles}.", file=sys.stderr)
        return 2
    options.out.mkdir(parents=True, exist_ok=True)
    try:
        engine = Engine(options.device)
        rendering = load_rendering(options.rendering) if options.rendering else None
        sets = [unseen_faces(engine, seeds[: _count(options.faces, psi)], psi) for seeds, psi in SWEEP]
        faces = join(sets)
        print(
            f"{len(faces.before)} unseen faces, {len(sets[1].before)} of them without truncation, {len(faces.turned())} turned", flush=True
        )
        recogniser = FaceRecogniser()
        results, comparisons = [], []
        with executor_for(options.workers, options.cluster) as executor:
            for name, prompt, style, seconds, notes in jobs(engine, options, executor):
                result = measure_style(
                    engine, name, prompt, style, faces, large=options.large, recogniser=recogniser, seconds=seconds, notes=tuple(notes)
                )
                results.append(result)
                print(table([result]).split("\n", 1)[1], flush=True)
                if rendering:
                    comparisons.append(compare_with_rendering(result, faces, rendering, prompt))
                    print(f"    {comparisons[-1]}", flush=True)
    except NadaError as error:
        print(error, file=sys.stderr)
        return 2
    pairs = too_alike(results, faces)
    lines = [table(results), *map(str, comparisons)]
    lines += [f"FAIL {a} and {b} look alike (RMS {whole:.3f}, {regional:.3f} where they differ most)" for a, b, whole, regional in pairs]
    # a rendering is compared only where somebody asks for it
    worse = [c.name for c in comparisons if not (c.smoother and c.holds_when_turned)]
    lines.append(
        f"{sum(r.passed for r in results)} of {len(results)} styles pass all their checks; {len(pairs)} pairs look alike"
        + (f"; {len(worse)} no better than their rendering: {', '.join(worse)}" if comparisons else "")
    )
    (options.out / "gates.txt").write_text("\n".join(lines) + "\n")
    write_numbers(results, options.out / "gates.json")
    contact_sheet(results, faces).save(options.out / "sheet.png")
    print("\n" + "\n".join(lines[1:]) + f"\nWritten: {options.out}/gates.txt, gates.json, sheet.png")
    return 0 if all(r.passed for r in results) and not pairs and not worse else 1


def _count(faces: int | None, psi: float) -> int | None:
    if faces is None:
        return None
    return faces if psi < 1 else max(1, faces // 2)


if __name__ == "__main__":
    sys.exit(main())
