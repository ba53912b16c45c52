"""Temporary files of the app: in one folder that goes with its process, or with the next start."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from nada_core.ui.jobs.process_folder import TempFolder

pytestmark = pytest.mark.heavy

_PROGRAM = """
import sys, tempfile, time
from pathlib import Path
from nada_core.ui.jobs.process_folder import TempFolder
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
    own = [temporary / "nada-demo-tmp-notes", temporary / "nada-demo-space", temporary / "of-another-program"]
    for folder in own:  # somebody's own, however it is called
        folder.mkdir()
        (folder / "lock").write_text("kept")
    process, left = other_process(temporary)
    try:
        assert (left / "gradio" / "selfie.jpg").exists() and left.parent == temporary
        TempFolder().remove()
        assert (left / "gradio" / "selfie.jpg").exists()  # it is still running
        process.send_signal(signal.SIGKILL)
        process.wait(300)
        assert (left / "gradio" / "selfie.jpg").exists()
        TempFolder().remove()
    finally:
        process.kill()
    assert sorted(temporary.iterdir()) == sorted(own) and all((folder / "lock").read_text() == "kept" for folder in own)


def test_a_link_in_the_shared_folder_is_not_followed(temporary):
    (temporary / "mine").mkdir()
    (temporary / "mine" / "letter.txt").write_text("kept")
    (temporary / "mine" / ".of-a-running-nada-demo").write_text("")
    (temporary / "nada-demo-tmp-9-link").symlink_to(temporary / "mine")
    (temporary / "nada-demo-tmp-8").mkdir()
    (temporary / "nada-demo-tmp-8" / ".of-a-running-nada-demo").symlink_to(temporary / "mine" / "letter.txt")
    TempFolder().remove()
    assert (temporary / "mine" / "letter.txt").exists() and (temporary / "nada-demo-tmp-8").exists()
