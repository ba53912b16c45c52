"""Around the compilation of the CUDA kernels: locks of killed processes, and what is said. No GPU, nothing is compiled."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
import types

import pytest
import torch

from nada_core.generators import stylegan2_cuda
from nada_core.generators.stylegan2_cuda import NAME, STALE, compiled_kernels, wait_for_lock
from tests.helpers.promptness import promptly


def locked(folder, age: float = 0.0):
    lock = folder / "lock"
    lock.touch()
    os.utime(lock, (time.time() - age,) * 2)
    return lock


@pytest.fixture(autouse=True)
def forgotten():
    """What was compiled, or could not be, in one test is no matter of the next."""
    compiled_kernels.cache_clear()
    yield
    compiled_kernels.cache_clear()


def compiling_with(load_inline, folder, monkeypatch):
    """torch's tools as far as they are used, with another compiler."""
    stub = types.ModuleType("torch.utils.cpp_extension")
    stub.load_inline = load_inline
    stub._get_build_directory = lambda name, verbose: str(folder)
    monkeypatch.setitem(sys.modules, stub.__name__, stub)


def test_without_a_lock_nothing_is_waited_for(tmp_path, capsys):
    assert promptly(lambda: wait_for_lock(tmp_path) or wait_for_lock(tmp_path / "not there"), 0.3) is False
    assert capsys.readouterr().err == ""


def test_the_lock_of_a_killed_process_is_removed(tmp_path):
    lock = locked(tmp_path, age=STALE + 5)
    assert wait_for_lock(tmp_path) is True and not lock.exists()


def test_a_fresh_lock_is_respected_until_it_is_released(tmp_path, capsys):
    lock = locked(tmp_path, age=STALE - 60)
    released = []

    def release():
        time.sleep(0.3)
        released.append(lock.exists())
        lock.unlink()

    other = threading.Thread(target=release)
    other.start()
    assert wait_for_lock(tmp_path, pause=0.02) is False
    other.join()
    assert released == [True]
    assert capsys.readouterr().err.count("Waiting for another process") == 1


def test_a_lock_that_grows_old_meanwhile_is_removed(tmp_path):
    lock = locked(tmp_path)
    assert wait_for_lock(tmp_path, stale=0.2, pause=0.02) is True and not lock.exists()


@pytest.mark.parametrize("built", [False, True])
def test_compiling_is_announced_once_and_in_torchs_own_folder(tmp_path, monkeypatch, capsys, built):
    seen = {}

    def load_inline(name, *_, functions, build_directory):
        seen.update(name=name, folder=build_directory, lock=os.path.exists(os.path.join(build_directory, "lock")))
        return "kernels"

    compiling_with(load_inline, tmp_path, monkeypatch)
    locked(tmp_path, age=2 * STALE)
    if built:
        (tmp_path / f"{NAME}.so").touch()
    assert stylegan2_cuda.compiled_kernels() == stylegan2_cuda.compiled_kernels() == "kernels"
    assert seen == {"name": NAME, "folder": str(tmp_path), "lock": False}
    assert capsys.readouterr().err == ("" if built else "Compiling the CUDA kernels, once: about a minute.\n")


@pytest.mark.parametrize(
    ("log", "told"),
    [
        (
            "Error building extension\nbias.cu(7): error: identifier is undefined\nninja: build stopped",
            "bias.cu(7): error: identifier is undefined",
        ),
        (
            "Error building extension\n/usr/bin/ld: cannot find -lcudart\ncollect2: error: ld returned 1 exit status",
            "/usr/bin/ld: cannot find -lcudart",
        ),
        ("CUDA_HOME environment variable is not set.", "CUDA_HOME environment variable is not set."),
    ],
)
def test_of_a_compilers_log_the_line_that_tells_is_shown(tmp_path, monkeypatch, log, told):
    def load_inline(*_, **__):
        raise RuntimeError(log)

    compiling_with(load_inline, tmp_path, monkeypatch)
    with pytest.warns(RuntimeWarning, match=re.escape(f"not available ({told}); using plain PyTorch")):
        assert stylegan2_cuda.compiled_kernels() is None


def test_kernels_that_this_device_cannot_run_are_not_used(tmp_path, monkeypatch):
    class Foreign:
        def bias_act(self, *_):
            raise RuntimeError("CUDA error: no kernel image is available for execution on the device")

    compiling_with(lambda *_, **__: Foreign(), tmp_path, monkeypatch)
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    ones = torch.ones
    monkeypatch.setattr("torch.ones", lambda *size, device: ones(*size))
    with pytest.warns(RuntimeWarning, match="no kernel image is available"):
        assert stylegan2_cuda.compiled_kernels() is None


@pytest.mark.heavy
def test_torch_still_has_the_names_that_are_used(tmp_path):
    """In a process of its own: an older setuptools cannot be imported where distutils was loaded before, as other tests do."""
    program = f"from torch.utils import cpp_extension; print(cpp_extension._get_build_directory({NAME!r}, verbose=False))"
    variables = os.environ | {"TORCH_EXTENSIONS_DIR": str(tmp_path)}
    run = subprocess.run([sys.executable, "-c", program], env=variables, capture_output=True, text=True, check=True, timeout=300)
    folder = run.stdout.strip().splitlines()[-1]
    assert folder.startswith(str(tmp_path)) and NAME in folder


def test_without_a_compiler_the_plain_path_remains(monkeypatch):
    """One line of explanation, no exception; asked again, no second attempt."""
    attempts = []

    def fail(*args, **kwargs):
        attempts.append(1)
        raise RuntimeError("no compiler\nand a long log")

    # in its place, not in it: importing the real one fails where an older setuptools meets a loaded distutils
    stub = types.ModuleType("torch.utils.cpp_extension")
    stub.load_inline = fail
    monkeypatch.setitem(sys.modules, stub.__name__, stub)
    with pytest.warns(RuntimeWarning, match="plain PyTorch") as caught:
        assert compiled_kernels() is None
    (line,) = [str(warning.message) for warning in caught if "plain PyTorch" in str(warning.message)]
    assert "\n" not in line and "no compiler" in line
    assert compiled_kernels() is None and len(attempts) == 1
    x = torch.randn(1, 2, 3, 3)
    assert stylegan2_cuda.fused_bias_act(x, torch.zeros(2), torch.ones(1, 2), None, None) is None
