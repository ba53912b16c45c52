"""Format durations, waiting times, file sizes and style titles as plain text."""

from __future__ import annotations

from nada_core.styles.names import style_heading

__all__ = ["duration", "readable_size", "rough", "style_title", "time_left", "waiting_words"]


def duration(seconds: float) -> str:
    """Say seconds as a person does, in minutes from 90 s on."""
    if seconds != seconds or seconds < 0:
        return "a moment"
    whole = round(seconds)
    return f"{whole} s" if whole < 90 else f"{whole // 60} min {whole % 60:02d} s"


def rough(seconds: float) -> str:
    """Say an estimate as a person does: nobody can keep a promise of seconds."""
    if seconds < 57.5:
        return f"{max(5 * round(seconds / 5), 5)} s"
    halves = round(seconds / 30)
    return f"{halves // 2}{'½' if halves % 2 else ''} min" if halves < 20 else f"{round(seconds / 60)} min"


def time_left(elapsed: float, fraction: float) -> str:
    """Estimate the rest of a job from the share done in ``elapsed`` seconds; nothing while that says little."""
    return f"about {duration(elapsed * (1 - fraction) / fraction)} left" if 0.1 < fraction < 1 and elapsed > 0.5 else ""


def readable_size(size: int) -> str:
    """Return a number of bytes as a person says it, in kB or MB."""
    return f"{size / 2**20:.1f} MB" if size >= 100_000 else f"{max(round(size / 1024), 1)} kB"


def waiting_words(ahead: int) -> str:
    """Say how many jobs come before this one."""
    return f"Waiting: {ahead} {'job' if ahead == 1 else 'jobs'} ahead of you"


def style_title(name: str, prompt: str = "", title: str = "") -> str:
    """Write a style's name as a heading: spelled as its card's title or prompt is (:func:`style_heading`), beginning with a capital."""
    readable = style_heading(name, prompt, title).replace("'", "’")
    return readable[:1].upper() + readable[1:]
