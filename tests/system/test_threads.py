"""How torch's threads wait, as the environment says it before torch is loaded."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from nada_core.system.threads import wait_politely


@pytest.mark.parametrize(
    ("before", "after"),
    [({}, "2000"), ({"GOMP_SPINCOUNT": "7"}, "7"), ({"OMP_WAIT_POLICY": "PASSIVE"}, None)],
)
def test_what_the_user_set_wins(monkeypatch, before, after):
    for name in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in before.items():
        monkeypatch.setenv(name, value)
    wait_politely()
    assert os.environ.get("GOMP_SPINCOUNT") == after


@pytest.mark.heavy
@pytest.mark.parametrize("entry", ["import nada_core.__main__", "import app"])
def test_the_entries_load_no_torch_before_it_is_said(entry):
    code = f"import sys; {entry}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=300).returncode == 0
