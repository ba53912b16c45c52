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


def locked(folder, age: float = 0.0):
    lock = folder / "lock"
    lock.touch()
    os.utime(lock, (time.time() - age,) * 2)
    return lock


def test_without_a_lock_nothing_is_waited_for(tmp_path, capsys):
    started = time.monotonic()
    assert wait_for_lock(tmp_path) is False and wait_for_lock(tmp_path / "not there") is False
    assert time.monotonic() - started < 0.3 and capsys.readouterr().err == ""


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

    stub = types.ModuleType("torch.utils.cpp_extension")
    stub.load_inline = load_inline
    stub._get_build_directory = lambda name, verbose: str(tmp_path)
    monkeypatch.setitem(sys.modules, stub.__name__, stub)
    locked(tmp_path, age=2 * STALE)
    if built:
        (tmp_path / f"{NAME}.so").touch()
    compiled_kernels.cache_clear()
    try:
        assert stylegan2_cuda.compiled_kernels() == stylegan2_cuda.compiled_kernels() == "kernels"
    finally:
        compiled_kernels.cache_clear()
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

    stub = types.ModuleType("torch.utils.cpp_extension")
    stub.load_inline = load_inline
    stub._get_build_directory = lambda name, verbose: str(tmp_path)
    monkeypatch.setitem(sys.modules, stub.__name__, stub)
    compiled_kernels.cache_clear()
    try:
        with pytest.warns(RuntimeWarning, match=re.escape(f"not available ({told}); using plain PyTorch")):
            assert stylegan2_cuda.compiled_kernels() is None
    finally:
        compiled_kernels.cache_clear()


def test_kernels_that_this_device_cannot_run_are_not_used(tmp_path, monkeypatch):
    class Foreign:
        def bias_act(self, *_):
            raise RuntimeError("CUDA error: no kernel image is available for execution on the device")

    stub = types.ModuleType("torch.utils.cpp_extension")
    stub.load_inline = lambda *_, **__: Foreign()
    stub._get_build_directory = lambda name, verbose: str(tmp_path)
    monkeypatch.setitem(sys.modules, stub.__name__, stub)
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    ones = torch.ones
    monkeypatch.setattr("torch.ones", lambda *size, device: ones(*size))
    compiled_kernels.cache_clear()
    try:
        with pytest.warns(RuntimeWarning, match="no kernel image is available"):
            assert stylegan2_cuda.compiled_kernels() is None
    finally:
        compiled_kernels.cache_clear()


def test_torch_still_has_the_names_that_are_used(tmp_path):
    """In a process of its own: an older setuptools cannot be imported where distutils was loaded before, as other tests do."""
    program = f"from torch.utils import cpp_extension; print(cpp_extension._get_build_directory({NAME!r}, verbose=False))"
    variables = os.environ | {"TORCH_EXTENSIONS_DIR": str(tmp_path)}
    run = subprocess.run([sys.executable, "-c", program], env=variables, capture_output=True, text=True, check=True, timeout=120)
    folder = run.stdout.strip().splitlines()[-1]
    assert folder.startswith(str(tmp_path)) and NAME in folder
