"""Call the command line in this process or in one of its own, and read how it refuses."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from PIL import Image

from tests.helpers.folders import ROOT

COMMAND = [sys.executable, "-m", "nada_core"]


def process(*argv: object, **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *map(str, argv)], cwd=ROOT, text=True, capture_output=True, timeout=300, **options)


def refused(result: tuple[int, str, str] | subprocess.CompletedProcess[str]) -> str:
    """The one line on standard error of a call that was refused."""
    code, out, err = result if isinstance(result, tuple) else (result.returncode, result.stdout, result.stderr)
    assert code == 2
    assert out == ""
    assert len(err.splitlines()) == 1 and err.endswith("\n"), err
    assert "Traceback" not in err
    return err


def png_text(path: Path) -> dict[str, str]:
    with Image.open(path) as image:
        image.load()
        return dict(image.text)
