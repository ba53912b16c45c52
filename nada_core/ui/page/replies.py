"""Send a finished file to the page's download button, or show a refusal as an error message."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from nada_core.errors import NadaError
from nada_core.ui.html.text import coded
from nada_core.ui.html.widgets import progress_bar
from nada_core.ui.jobs.views import Progress
from nada_core.ui.wording import waiting_words

__all__ = ["delivered", "refusal"]


def delivered(
    write: Callable[[Path], Generator[int, None, Path]], button: gr.DownloadButton, notice: gr.HTML, title: str
) -> Iterator[dict[Any, Any]]:
    """Run `write` in a temporary folder and hand its file to the hidden download button; `title` names it.

    While it yields how many jobs come before, `notice` says so.

    Raises:
        gr.Error: it could not be made; the sentence says why.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="nada-download-") as folder:  # Gradio copies the file when it is delivered
            writing = write(Path(folder))
            while True:
                try:
                    ahead = next(writing)
                except StopIteration as end:
                    yield {button: str(end.value), notice: ""}
                    return
                words = f"{title}: {waiting_words(ahead).lower()}" if ahead else f"{title}: the file is being made"
                yield {notice: progress_bar(Progress(0, words, kind="wait"))}
    except NadaError as error:
        yield {notice: ""}
        raise refusal(error, f"{title}: not downloaded") from None


def refusal(error: Exception | str, title: str, seconds: float = 10) -> gr.Error:
    """Return an error to raise: it shows its sentence for `seconds` and logs nothing. Gradio 6.31 does not show the `title`."""
    return gr.Error(coded(str(error)), title=title, duration=seconds, print_exception=False)
