"""Pieces of JavaScript that events run in the page."""

from __future__ import annotations

__all__ = ["press", "reveal", "show_stage"]


def press(element: str) -> str:
    """Press a hidden download button, which holds a file by now: the browser's own download starts."""
    return f"() => {{ const a = document.querySelector('#{element}'); (a.querySelector('a, button') || a).click(); }}"


def show_stage(element: str) -> str:
    """On a phone the result is below the fold: bring it into view when the work starts. The arguments pass through unchanged."""
    return f"""(...values) => {{ if (window.innerWidth <= 760) {{
  document.querySelector('#{element}').scrollIntoView({{ behavior: 'smooth', block: 'start' }}); }} return values; }}"""


def reveal(element: str) -> str:
    """Scroll a gallery, and only the gallery, so that its chosen picture can be seen."""
    return f"""() => requestAnimationFrame(() => {{
  const box = document.querySelector('#{element} .grid-wrap'), one = box && box.querySelector('.selected');
  if (!one) return;
  const a = box.getBoundingClientRect(), b = one.getBoundingClientRect();
  box.scrollBy(Math.min(0, b.left - a.left - 8) + Math.max(0, b.right - a.right + 8),
               Math.min(0, b.top - a.top - 8) + Math.max(0, b.bottom - a.bottom + 8));
}})"""
