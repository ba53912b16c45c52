"""Build the report as one HTML file: pictures inside it as data, no script, nothing fetched from anywhere."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path

from nada_core.alignment.faces import SAME_PERSON
from nada_core.errors import NadaError
from nada_core.images.sheets import AI_NOTE
from nada_core.report.charts import Line, chart, smooth
from nada_core.report.findings import LEARNED, TAUGHT, UNTESTABLE, Finding, compare, judge
from nada_core.report.frame import document
from nada_core.report.frame import escaped as _text
from nada_core.report.pictures import picture_bytes
from nada_core.report.plan import Plan
from nada_core.report.results import LatentResult, Probe, RunResult

__all__ = ["MAX_PAGE_BYTES", "build_page"]

MAX_PAGE_BYTES = 15_000_000
#: JPEG qualities tried until the page is small enough; None takes the stored files as they are.
_QUALITIES = (None, 80, 65, 45)
_CLASSES = {"holds": "holds", "holds in part": "part", "does not hold": "fails"}
_MARKS = {
    LEARNED: "the numbers came out of the training; nothing was told about them",
    TAUGHT: "the starter encoder was trained on drawings of these very prompts, so the answer was shown to it beforehand",
    UNTESTABLE: "a number that the rule needs does not exist in this report",
}


def build_page(
    plan: Plan, results: Mapping[str, RunResult], latent: LatentResult | None, folders: Mapping[str, Path], facts: Mapping[str, str]
) -> bytes:
    """Return the whole page, at most :data:`MAX_PAGE_BYTES`. The same results give the same bytes.

    Args:
        results: by run name; the page says which runs of the plan are missing.
        latent: the moved latents; None where there are none yet.
        folders: where each run's pictures lie.
        facts: lines under the title, name to value.

    Raises:
        NadaError: a picture is missing, or the page is too large even with small pictures.
    """
    for quality in _QUALITIES:
        page = _page(plan, results, latent, folders, facts, quality).encode()
        if len(page) <= MAX_PAGE_BYTES:
            return page
    raise NadaError(f"The page would have {len(page) / 1e6:.0f} MB; at most {MAX_PAGE_BYTES / 1e6:.0f} are allowed. Give fewer photos.")


def _page(
    plan: Plan,
    results: Mapping[str, RunResult],
    latent: LatentResult | None,
    folders: Mapping[str, Path],
    facts: Mapping[str, str],
    quality: int | None,
) -> str:
    done = [results[run.name] for run in plan.runs if run.name in results]
    short = " This is the quick report: fewer steps, so that what happens past 100 steps cannot be seen." if plan.quick else ""
    body = [
        "<h1>The Joker experiment, repeated</h1>",
        f"<p>Five prompts with the baseline of the source project (Adam, two faces a step, all layers, four sample faces), then one factor "
        f"at a time for “Joker”: {len(done)} runs of {plan.steps} steps. Last, StyleCLIP on the same faces.{short}</p>",
        f'<p class="soft">{" · ".join(f"{_text(name)}: {_text(value)}" for name, value in facts.items())}</p>',
        f'<p class="soft">{_text(AI_NOTE)}</p>',
        "<h2>Findings of the source</h2>",
        _findings(judge({result.name: result for result in done}, plan.world)),
        "<h2>All runs</h2>",
        _table(done),
        f'<section id="{_text(plan.latent.name)}"><h2>{_text(plan.latent.title)}</h2>{_latent(latent, folders, quality)}</section>',
        "<h2>Run by run</h2>",
        *(_run(result, folders[result.name], quality) for result in done),
    ]
    return document("The Joker experiment, repeated", "\n".join(body))


def _findings(findings: Sequence[Finding]) -> str:
    rows = []
    for finding in findings:
        style = _CLASSES.get(finding.verdict, "none")
        mark = "" if finding.mark == finding.verdict else _text(finding.mark)
        rows.append(
            f'<tr><td>{_text(finding.statement)}<div class="rule">{_text(finding.rule)}</div></td>'
            f'<td class="verdict {style}">{_text(finding.verdict)}</td><td>{mark}</td><td>{_text(finding.numbers)}</td></tr>'
        )
    legend = "; ".join(f"<b>{name}</b>: {_text(words)}" for name, words in _MARKS.items())
    return (
        '<div class="wide"><table class="findings"><thead><tr><th>The source found</th><th>Here it</th><th>Worth</th><th>Numbers</th></tr>'
        f'</thead><tbody>{"".join(rows)}</tbody></table></div><p class="soft">{legend}.</p>'
    )


def _table(done: Sequence[RunResult]) -> str:
    if not done:
        return "<p>No run has been done.</p>"
    half, steps = done[0].half, done[0].steps
    heads = ["run", "rate", "layers", "training faces", "last loss", "similarity"]
    heads += [f"{name}, {step} steps" for name in ("identity", "diversity", "photos") for step in (half, steps)] + ["seconds"]
    rows = []
    for run in done:
        middle = run.at(run.half)
        losses = [value for value in run.losses[-10:] if value is not None]
        photos = [[getattr(photo, key) for photo in run.photos] for key in ("half", "final")]
        cells = [
            _text(run.title),
            f"{run.rate:.2g}",
            _text(run.layers),
            str(run.pool) if run.pool else "fresh",
            _number(sum(losses) / len(losses) if losses else None),
            _number(run.final.similarity),
            _number(middle.identity if middle else None),
            _number(run.final.identity),
            _number(middle.diversity if middle else None),
            _number(run.final.diversity),
            *(_number(sum(values) / len(values) if values else None) for values in photos),
            f'<span class="time">{run.seconds:.0f}</span>',
        ]
        rows.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    return (
        f'<div class="wide"><table><thead><tr>{"".join(f"<th>{head}</th>" for head in heads)}</tr></thead><tbody>{"".join(rows)}</tbody>'
        '</table></div><p class="soft">Last loss: mean of the last ten steps. Similarity: directional similarity with the run’s own text '
        f"on unseen faces, 1 at best. Identity: dlib’s distance to the face before, below {SAME_PERSON} the same person. Diversity: mean "
        "perceptual distance of the faces to one another, 1 as before. Photos: dlib’s distance to the photo.</p>"
    )


def _run(run: RunResult, folder: Path, quality: int | None) -> str:
    parts = [f'<section class="run" id="{_text(run.name)}"><h3>{_text(run.title)}</h3>']
    what = run.changed or "the baseline"
    parts.append(
        f'<p class="soft">“{_text(run.prompt)}”, {_text(what)}; rate {run.rate:.2g}; <span class="time">{run.seconds:.0f}</span> s.</p>'
    )
    parts += [f'<p class="soft">{_text(note)}</p>' for note in run.notes]
    for photo in run.photos:
        captions = (
            ("aligned", "original, aligned", None),
            ("inverted", "rebuilt", photo.inverted),
            (run.half, f"{run.half} steps", photo.half),
            (run.steps, f"{run.steps} steps", photo.final),
        )
        figures = [
            _figure(folder / f"{photo.name}-{key}.jpg", f"{photo.name}: {words}", f"{words}{_distance(score)}", quality)
            for key, words, score in captions
        ]
        parts.append(f'<div class="row four">{"".join(figures)}</div>')
    faces = []
    for index in range(1, run.samples + 1):
        for key, words in ((0, "before"), (run.half, f"{run.half} steps"), (run.steps, f"{run.steps} steps")):
            faces.append(_figure(folder / f"face-{index}-{key}.jpg", f"generated face {index}: {words}", words, quality))
    parts.append(f'<div class="row faces">{"".join(faces)}</div>')
    parts.append(f'<div class="charts">{_charts(run)}</div></section>')
    return "\n".join(parts)


def _latent(result: LatentResult | None, folders: Mapping[str, Path], quality: int | None) -> str:
    if result is None:
        return "<p>This has not been done.</p>"
    parts = [
        f"<p>{_text(compare(result))}</p>",
        '<p class="soft">StyleCLIP (Patashnik et al. 2021, section 4) leaves the generator as it is and moves each face’s latent codes '
        f"towards “{_text(result.prompt)}”: {result.steps} steps of Adam a face, rate {result.rate:g} at the top of its ramp, the "
        f"squared distance to the start weighted by {result.l2_weight:g}, {_identity_term(result)}. "
        "The same text-image encoder guides both ways. The adapted generator is the run "
        f'“{_text(result.against)}” after {result.last} steps. <span class="time">{result.seconds:.0f}</span> s.</p>',
        _latent_table(result),
    ]
    old, new = folders[result.against], folders[result.name]
    generated = []
    for face in result.faces:
        files = [(old, "aligned", "original, aligned"), (old, "inverted", "rebuilt")] if face.photo else [(old, "0", "before")]
        files.append((old, str(result.last), f"adapted generator{_distance(face.adapted.identity)}"))
        files.append((new, "moved", f"moved latent{_distance(face.moved.identity)}"))
        figures = [_figure(folder / f"{face.name}-{key}.jpg", f"{face.name}: {words}", words, quality) for folder, key, words in files]
        if face.photo:
            parts.append(f'<div class="row four">{"".join(figures)}</div>')
        else:
            generated += figures
    parts.append(f'<div class="row faces">{"".join(generated)}</div>')
    return "\n".join(parts)


def _identity_term(result: LatentResult) -> str:
    if result.identity_weight is None:
        return "no identity term: ArcFace, which would give one, was not on the machine, and dlib’s recogniser only judges"
    return f"the face’s change in ArcFace’s eyes by {result.identity_weight:g}; dlib’s recogniser, which judges, guides nothing"


def _latent_table(result: LatentResult) -> str:
    adapted, moved = result.means()
    rows = []
    for name, first, second in [*((f.name, f.adapted, f.moved) for f in result.faces), ("mean", adapted, moved)]:
        values = (first.similarity, second.similarity, first.identity, second.identity, first.distance, second.distance)
        rows.append(f"<tr><td>{_text(name)}</td>{''.join(f'<td>{_number(value)}</td>' for value in values)}</tr>")
    heads = "".join(
        f"<th>{name}, {way}</th>" for name in ("similarity", "identity", "distance to the text") for way in ("adapted", "moved")
    )
    return (
        f'<div class="wide"><table><thead><tr><th>face</th>{heads}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'
        '<p class="soft">Measured on the pictures below as they are stored. Similarity: directional similarity with the text, which the '
        "adaptation maximises. Distance to the text: what StyleCLIP minimises. Identity: dlib’s distance to the face before, for a photo "
        "to the photo; lower is better for both distances.</p>"
    )


def _charts(run: RunResult) -> str:
    raw = [(index + 1.0, value) for index, value in enumerate(run.losses) if value is not None]

    def over_steps(value: str, start: float) -> list[tuple[float, float]]:
        return [(0.0, start)] + [(float(p.step), getattr(p, value)) for p in run.probes if getattr(p, value) is not None]

    identity: Sequence[Probe] = [probe for probe in run.probes if probe.identity is not None]
    return "".join(
        (
            chart("Loss", [Line(raw, "faint"), Line(smooth(run.losses), "one", "mean of nine steps")], run.steps),
            chart(
                "Identity: distance to the face before",
                [Line(over_steps("identity", 0.0) if identity else [], "one")],
                run.steps,
                [(SAME_PERSON, "another person")],
            ),
            chart(
                "Diversity and similarity of unseen faces",
                [Line(over_steps("diversity", 1.0), "one", "diversity"), Line(over_steps("similarity", 0.0), "two", "similarity")],
                run.steps,
            ),
        )
    )


def _figure(path: Path, alt: str, caption: str, quality: int | None) -> str:
    data = base64.b64encode(picture_bytes(path, quality)).decode()
    return f'<figure><img src="data:image/jpeg;base64,{data}" alt="{_text(alt)}"><figcaption>{_text(caption)}</figcaption></figure>'


def _distance(score: float | None) -> str:
    return "" if score is None else f", distance {score:.2f}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
