"""Judge by stated rules which findings of the source project hold here. Verdicts come from measured numbers only.

Every number is a mean over faces that no run trained on. "Similarity" is the directional similarity with the text, "identity" dlib's
distance to the face before, "change" a colour distance in CIE Lab.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from nada_core.alignment.faces import SAME_PERSON
from nada_core.report.results import LatentResult, RunResult

__all__ = ["LEARNED", "TAUGHT", "UNTESTABLE", "Finding", "compare", "judge"]

LEARNED, TAUGHT, UNTESTABLE = "learned", "taught", "not testable here"
HOLDS, PARTLY, FAILS = "holds", "holds in part", "does not hold"

#: A difference of mean similarities that counts as one; two seeds of one setting differ by less.
SIMILAR = 0.02
#: How much better a run must do on its own training faces than on unseen ones to be overfitted.
OVERFIT = 0.05
#: Share of the diversity at half the steps that is left when faces converge.
CONVERGED = 0.9
#: A step in dlib's distance that counts.
LOST = 0.05
#: Colour change, CIE Lab, that reads as paint.
PAINTED = 8.0
#: Share by which a mouth is wider when it smiles; landmarks of the same face differ by half of it.
SMILES = 0.04

Runs = Mapping[str, RunResult]


@dataclass(frozen=True)
class Finding:
    """Hold one statement of the source and its verdict, which follows from ``numbers`` by ``rule``; ``mark`` says what it is worth."""

    statement: str
    rule: str
    verdict: str
    numbers: str
    mark: str


@dataclass(frozen=True)
class _Rule:
    statement: str
    rule: str
    judge: Callable[[Runs], tuple[str, str]]
    taught: bool
    """Whether the starter encoder was shown the answer."""


class _Missing(Exception):
    """Report that a number the rule needs was not measured."""


def judge(runs: Runs, world: str) -> list[Finding]:
    """Return all findings of the source, judged on the runs there are.

    Args:
        runs: results by the plan's names; missing ones make the findings that need them untestable.
        world: ``starter``, where some answers were taught to the encoder, or ``full``.
    """
    found = []
    for rule in _RULES:
        try:
            verdict, numbers = rule.judge(runs)
            mark = TAUGHT if rule.taught and world == "starter" else LEARNED
        except _Missing as reason:
            verdict, numbers, mark = UNTESTABLE, str(reason), UNTESTABLE
        found.append(Finding(rule.statement, rule.rule, verdict, numbers, mark))
    return found


def compare(result: LatentResult) -> str:
    """Say in a sentence whether the adapted generator or the moved latent says the text better, keeps the person better, and wins.

    Compares means over all faces and photos; similarities nearer than :data:`SIMILAR` and identities nearer than :data:`LOST` are equal.
    """
    adapted, moved = result.means()

    def ahead(lead: float, least: float) -> int:
        return 0 if abs(lead) < least else 1 if lead > 0 else -1

    names = {1: "the adapted generator", -1: "the moved latent"}
    text = f"“{result.prompt}”"
    says = ahead(adapted.similarity - moved.similarity, SIMILAR)
    numbers = f"(similarity {adapted.similarity:.3f} adapted, {moved.similarity:.3f} moved)"
    first = f"{names[says]} says {text} better {numbers}" if says else f"both say {text} about equally well {numbers}"
    if adapted.identity is None or moved.identity is None:
        return f"Here {first}; who keeps the person better could not be measured, so neither is said to win."
    keeps = ahead(moved.identity - adapted.identity, LOST)
    numbers = f"(identity {adapted.identity:.3f} adapted, {moved.identity:.3f} moved; above {SAME_PERSON} it is another person)"
    second = f"{names[keeps]} keeps the person better {numbers}" if keeps else f"both keep the person about equally well {numbers}"
    total = says + keeps
    wins = f"{names[1 if total > 0 else -1]} wins" if total else "each wins one and neither both" if says else "neither wins"
    return f"Here {first}, and {second}: {wins}."


def _get(runs: Runs, name: str) -> RunResult:
    if name not in runs:
        raise _Missing(f"The run '{name}' is not part of this report.")
    return runs[name]


def _need(value: float | None, what: str) -> float:
    if value is None:
        raise _Missing(f"{what} could not be measured: no face was found.")
    return value


def _zone(run: RunResult, zone: str) -> float:
    return _need(run.final.change.get(zone), f"The {zone} of '{run.title}'")


def _all_or_some(*conditions: bool) -> str:
    return HOLDS if all(conditions) else PARTLY if any(conditions) else FAILS


def _overfit(runs: Runs) -> tuple[str, str]:
    gaps, lines = [], []
    for pool in (1, 2, 4):
        run = runs.get(f"joker-pool-{pool}")
        if run is None and pool == 4:
            continue
        run = _get(runs, f"joker-pool-{pool}")
        own = _need(run.training_similarity, f"The training faces of '{run.title}'")
        lines.append(f"pool of {pool}: {own:.3f} on its own, {run.final.similarity:.3f} on unseen faces")
        gaps += [own - run.final.similarity] if pool < 4 else []
    lines.append(f"fresh faces: {_get(runs, 'joker').final.similarity:.3f} on unseen faces")
    return _all_or_some(*(gap >= OVERFIT for gap in gaps)), "; ".join(lines)


def _converge(runs: Runs) -> tuple[str, str]:
    run = _get(runs, "joker")
    half, last = run.at(100), run.at(200)
    if half is None or last is None:
        raise _Missing(f"The runs end at step {run.steps}; this needs steps 100 and 200.")
    before, after = _need(half.identity, "Identity"), _need(last.identity, "Identity")
    converged = half.diversity > 0 and last.diversity / half.diversity <= CONVERGED
    lost = after > SAME_PERSON and after - before >= LOST
    numbers = f"diversity {half.diversity:.3f} at 100, {last.diversity:.3f} at 200; identity {before:.3f} at 100, {after:.3f} at 200"
    return _all_or_some(converged, lost), numbers


def _layers(runs: Runs) -> tuple[str, str]:
    every, fewer = _get(runs, "joker").final.similarity, _get(runs, "joker-texture").final.similarity
    verdict = HOLDS if fewer <= every - SIMILAR else FAILS
    return verdict, f"similarity {every:.3f} with all layers, {fewer:.3f} with the texture layers only"


def _rate(runs: Runs) -> tuple[str, str]:
    base = _get(runs, "joker").final
    kept = _need(base.identity, "Identity")
    fine, lines = [], [f"the baseline: similarity {base.similarity:.3f}, identity {kept:.3f}"]
    for name, words in (("joker-rate-third", "a third"), ("joker-rate-triple", "three times")):
        last = _get(runs, name).final
        identity = _need(last.identity, "Identity")
        better = last.similarity >= base.similarity + SIMILAR and identity <= kept + LOST
        kinder = identity <= kept - LOST and last.similarity >= base.similarity - SIMILAR
        fine.append(not (better or kinder))
        lines.append(f"{words}: {last.similarity:.3f}, {identity:.3f}")
    return _all_or_some(*fine), "; ".join(lines)


def _closest(runs: Runs) -> tuple[str, str]:
    names = ("joker", "joker-face", "joker-smile", "joker-makeup", "joker-cosplay")
    joker, *others = (_get(runs, name) for name in names)
    best = max(run.final.closeness for run in others)
    numbers = "similarity with “Joker”: " + ", ".join(f"{run.title} {run.final.closeness:.3f}" for run in (joker, *others))
    own = joker.final.closeness
    return (HOLDS if own >= best + SIMILAR else PARTLY if own > best else FAILS), numbers


def _skin(runs: Runs) -> tuple[str, str]:
    plain, face = (_zone(_get(runs, name), "skin") for name in ("joker", "joker-face"))
    verdict = HOLDS if face <= 0.5 * plain else PARTLY if face <= 0.75 * plain else FAILS
    return verdict, f"change of the skin: Joker {plain:.1f}, Joker face {face:.1f}"


def _make_up(runs: Runs) -> tuple[str, str]:
    makeup, cosplay = _get(runs, "joker-makeup"), _get(runs, "joker-cosplay")
    paint = sum(_zone(makeup, zone) for zone in ("skin", "eyes", "mouth")) / 3
    hair = _zone(cosplay, "hair")
    numbers = f"Joker makeup: skin, eyes and mouth change by {paint:.1f}; Joker cosplay: the hair changes by {hair:.1f}"
    return _all_or_some(paint >= PAINTED, hair >= PAINTED), numbers


def _smile(runs: Runs) -> tuple[str, str]:
    run = _get(runs, "joker-smile")
    mouth, others = _zone(run, "mouth"), {zone: _zone(run, zone) for zone in ("skin", "eyes", "hair")}
    most = max(others.values())
    verdict = HOLDS if mouth >= 1.5 * most else PARTLY if mouth > most else FAILS
    return verdict, f"change: mouth {mouth:.1f}, " + ", ".join(f"{zone} {value:.1f}" for zone, value in others.items())


def _unasked(runs: Runs) -> tuple[str, str]:
    names = ("joker", "joker-face", "joker-makeup", "joker-cosplay")
    wide, red, words = [], [], []
    for run in (_get(runs, name) for name in names):
        wide.append(_need(run.final.smile, f"The mouths of '{run.title}'"))
        red.append(_need(run.final.lips, f"The lips of '{run.title}'"))
        words.append(f"{run.title} {100 * wide[-1]:+.0f}% and {red[-1]:+.0f}")
    smiling = sum(value >= SMILES for value in wide)
    verdict = HOLDS if smiling >= 3 else PARTLY if smiling or min(red) >= PAINTED else FAILS
    return verdict, "width of the mouth, and redness of the lips against the skin: " + "; ".join(words)


_RULES = (
    _Rule(
        "Training on one or two images overfits.",
        f"Holds if, for a pool of 1 and of 2, the similarity is higher by {OVERFIT} or more on the training faces than on unseen ones.",
        _overfit,
        False,
    ),
    _Rule(
        "Past about 100 steps the faces converge to one Joker and lose the person.",
        f"Holds if diversity at step 200 is at most {CONVERGED} of that at 100, and identity at 200 is above {SAME_PERSON} (another "
        f"person) and {LOST} or more above that at 100; in part if one of them.",
        _converge,
        False,
    ),
    _Rule(
        "Training fewer layers is worse for this change.",
        f"Holds if the texture layers alone reach a similarity lower by {SIMILAR} or more.",
        _layers,
        False,
    ),
    _Rule(
        "A higher or a lower rate does not help.",
        f"A rate helps if it gains {SIMILAR} similarity without costing more than {LOST} of identity, or keeps identity better by {LOST} "
        f"without costing more than {SIMILAR} of similarity. Holds if neither rate helps.",
        _rate,
        False,
    ),
    _Rule(
        "“Joker” is the closest of the five prompts.",
        f"Similarity of each prompt's faces with the text “Joker”. Holds if “Joker” leads by {SIMILAR} or more, in part if by less. Its "
        "run is trained on just this number, so this is more of a check than a discovery.",
        _closest,
        True,
    ),
    _Rule(
        "“Joker face” keeps the skin's colour.",
        "Holds if the skin changes at most half as much as with “Joker”, in part up to three quarters.",
        _skin,
        True,
    ),
    _Rule(
        "“Joker makeup” and “Joker cosplay” move towards make-up and hair.",
        f"Holds if make-up changes skin, eyes and mouth by {PAINTED:.0f} or more on average and cosplay the hair by as much.",
        _make_up,
        True,
    ),
    _Rule(
        "“Joker smile” moves mainly towards the smile.",
        "Holds if the mouth changes at least 1.5 times as much as skin, eyes and hair each, in part if more than each.",
        _smile,
        True,
    ),
    _Rule(
        "Smiles appear unasked.",
        f"Holds if the mouth becomes wider by {SMILES:.0%} or more with at least three of the four prompts without “smile”; in part if "
        f"with fewer, or if all four only paint it red (a* of the lips up by {PAINTED:.0f} or more against the skin).",
        _unasked,
        True,
    ),
)
