"""Import Gradio without its writing type stubs.

Gradio (6.31) reads and parses the source of each of its components at every import, to keep a `.pyi` file for editors beside it: a third
of the processor time that the import takes. It leaves out a component whose source file cannot be named.

Upstream: gradio-app/gradio issue 7791 asks for a quicker import.
Remove when `import gradio` writes no stubs, or a setting leaves them out.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["without_stubs"]


@contextmanager
def without_stubs() -> Iterator[None]:
    """While this lasts, components that are defined get no stubs; where Gradio is loaded already they have them."""
    real = inspect.getfile

    def getfile(object: Any) -> str:  # named as the one in its place
        if sys._getframe(1).f_code.co_name == "create_or_modify_pyi":
            raise OSError("no stubs")
        return real(object)

    inspect.getfile = getfile
    try:
        yield
    finally:
        inspect.getfile = real


with without_stubs():
    import gradio  # noqa: F401 - nada_core.ui imports this module first, so that nothing there loads Gradio otherwise
