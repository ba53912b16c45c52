"""In a Python that lacks torch the command line says in one line what to do."""

from __future__ import annotations

import subprocess
import sys

from tests.helpers.folders import ROOT


def test_without_torch_one_line_says_what_to_do():
    program = "import sys; sys.modules['torch'] = None; from nada_core.cli.main import main; sys.exit(main(['sample', '--out', 'x.png']))"
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert run.returncode == 2 and run.stdout == ""
    assert run.stderr.count("\n") == 1 and "torch is not installed in this Python" in run.stderr and ".venv/bin/python" in run.stderr
