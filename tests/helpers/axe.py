"""Ask axe-core what on a page those meet who do not see it, do not hear it, or have no mouse."""

from __future__ import annotations

import importlib.resources
from typing import Any

__all__ = ["complaints"]

_ASK = """async () => (await axe.run(document, { resultTypes: ['violations'] })).violations
  .map((one) => one.id + ': ' + one.help + ' at '
    + one.nodes.slice(0, 4).map((node) => node.target.join(' ') + ' ' + node.html.slice(0, 120))
  .join(' | ') + ' (' + one.nodes.length + ')')"""


def complaints(page: Any) -> list[str]:
    """What axe finds on a page as it is now, by all of its rules: a line each, with the places."""
    if not page.evaluate("!!window.axe"):
        script = importlib.resources.files("axe_playwright_python") / "axe.min.js"
        page.evaluate(script.read_text(encoding="utf-8"))
    return page.evaluate(_ASK)
