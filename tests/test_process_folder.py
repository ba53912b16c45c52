"""Temporary files of the app: in one folder that goes with its process, or with the next start."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from nada_core.ui.process_folder import TempFolder

_PROGRAM = """
import sys, tempfile, time
from pathlib import Path
from nada_core.ui.process_folder import TempFolder
from gradio.utils import get_upload_folder

folder = TempFolder()
Path(get_upload_folder()).mkdir()
(Path(get_upload_folder()) / "selfie.jpg").write_bytes(b"me")
tempfile.mkdtemp(prefix="nada-pictures-")
print(folder.path, flush=True)
time.sleep(60)
"""


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    for name in ("TMPDIR", "GRADIO_TEMP_DIR"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


def other_process(temporary) -> tuple[subprocess.Popen, Path]:
    process = subprocess.Popen([sys.executable, "-c", _PROGRAM], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_everything_goes_with_the_process(temporary):
    folder = TempFolder()
    with tempfile.NamedTemporaryFile(delete=False) as file:
        assert Path(file.name).parent == folder.path and folder.path.parent == temporary
    assert os.environ["GRADIO_TEMP_DIR"].startswith(str(folder.path)) and os.environ["TMPDIR"] == str(folder.path)
    folder.remove()
    assert list(temporary.iterdir()) == [] and os.environ["TMPDIR"] == os.environ["GRADIO_TEMP_DIR"] == str(temporary)
    assert Path(tempfile.mkdtemp()).parent == temporary


def test_what_a_killed_process_left_goes_at_the_next_start(temporary):
    (temporary / "nada-demo-1-notes").mkdir()  # without a lock: a process that died between two steps, or nobody's
    (temporary / "of-another-program").mkdir()
    process, left = other_process(temporary)
    try:
        assert (left / "gradio" / "selfie.jpg").exists() and left.parent == temporary
        TempFolder().remove()
        assert (left / "gradio" / "selfie.jpg").exists()  # it is still running
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        assert (left / "gradio" / "selfie.jpg").exists()
        TempFolder().remove()
    finally:
        process.kill()
    assert [path.name for path in temporary.iterdir()] == ["of-another-program"]


def test_a_link_in_the_shared_folder_is_not_followed(temporary):
    (temporary / "mine").mkdir()
    (temporary / "mine" / "letter.txt").write_text("kept")
    (temporary / "nada-demo-9-link").symlink_to(temporary / "mine")
    TempFolder().remove()
    assert (temporary / "mine" / "letter.txt").exists()
