#!/usr/bin/env bash
# Ray 2.60.0: what a thread meets that waits in `ray.get` or `ray.wait` while another one calls `ray.shutdown()`.
#
# Expected: an error of Ray's, as any later call has (RaySystemError: "Ray has not been started yet"), which `except Exception` sees.
# Happens:  SystemExit(0), which is no Exception: it passes by every `except Exception`, Python ends the thread without a word, and what the
#           thread held is never told. A main thread that waits while another one shuts Ray down ends the program so, with exit code 0: as if
#           all had gone well.
# Seen:     a thread in ray.get: SystemExit(0)
#           a thread in ray.wait: SystemExit(0)
#           a main thread in ray.get: the program ended with exit code 0, before its last line
# Here:     workers are awaited in threads that hold nothing, and the app shuts Ray down last (app.py).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "ray==2.60.0"
export RAY_USAGE_STATS_ENABLED=0
cat > "$folder/waiting.py" <<'PYTHON'
import sys
import threading
import time

import ray


@ray.remote
def slow():
    time.sleep(60)


ray.init("local", num_cpus=1, include_dashboard=False, log_to_driver=False, logging_level="ERROR", _temp_dir=sys.argv[1])
ref, met, ways = slow.remote(), {}, {"ray.get": lambda: ray.get(ref), "ray.wait": lambda: ray.wait([ref])}


def wait(name):
    try:
        ways[name]()
    except BaseException as error:
        met[name] = repr(error)


def end():
    time.sleep(3)
    ray.shutdown()


if sys.argv[2:] == ["main"]:
    threading.Thread(target=end).start()
    ray.get(ref)
    print("the last line")
    sys.exit(3)
threads = [threading.Thread(target=wait, args=(name,)) for name in ways]
for thread in threads:
    thread.start()
end()
for thread in threads:
    thread.join()
for name in ways:
    print(f"a thread in {name}: {met.get(name)}")
sys.exit(0 if set(met.values()) == {"SystemExit(0)"} and len(met) == 2 else "This has changed.")
PYTHON
"$folder/venv/bin/python" "$folder/waiting.py" "$folder"
if said=$("$folder/venv/bin/python" "$folder/waiting.py" "$folder" main) && [ -z "$said" ]; then
    echo "a main thread in ray.get: the program ended with exit code 0, before its last line"
else
    echo "This has changed." >&2
    exit 1
fi
