"""The app without workers loads nothing of them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.helpers.folders import ROOT

_LOOK = (
    "import sys, app; app.build_app(lambda **wish: None);"
    "print(sorted(name for name in sys.modules if name == 'ray' or name.startswith(('ray.', 'nada_core.ui.workers'))))"
)


@pytest.mark.heavy
def test_the_app_loads_neither_ray_nor_the_program_of_workers():
    done = subprocess.run([sys.executable, "-c", _LOOK], cwd=ROOT, capture_output=True, text=True, check=True, timeout=300)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.heavy
def test_what_cannot_be_joined_is_a_sentence_and_no_app():
    done = subprocess.run([sys.executable, "app.py", "--cluster", "nowhere"], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 2 and done.stderr.strip() == (
        "'nowhere' is no address of a cluster. Give HOST:PORT as `ray start --head` names it, or auto."
    )
