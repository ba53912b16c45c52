#!/usr/bin/env bash
# Ray 2.60.0: what an error of a task still knows where `ray.get` raises it.
#
# Expected: the documentation says that it is an instance of both RayTaskError and the task's own class, so that `except FileNotFoundError as
#           error` gets what it always gets: `errno`, `filename`; of an ImportError the module's `name`, of a KeyError the key as `args[0]`.
# Happens:  the class is right and what it holds is empty: `errno`, `filename` and `name` are None, without a complaint, since they are found
#           on the built-in class before Ray's `__getattr__` is asked. `args[0]` is the error itself. So `if error.errno == errno.ENOSPC` is
#           never true. Attributes that a class sets in Python are there; all are in `error.cause`.
# Seen:     here:      errno 2, filename '/nowhere/at/all', name 'no_such_module', key 'k', own 'mine'
#           by ray.get: errno None, filename None, name None, key KeyError('k'), own 'mine'
#           its cause: errno 2, filename '/nowhere/at/all', name 'no_such_module', key 'k', own 'mine'
# Here:     workers answer with an error's class and words, and the error is made anew (nada_core/cluster/walking.py).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "ray==2.60.0"
export RAY_USAGE_STATS_ENABLED=0
"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import importlib
import sys

import ray


class Own(Exception):
    def __init__(self, word):
        super().__init__(word)
        self.word = word


def opening():
    open("/nowhere/at/all")


def importing():
    importlib.import_module("no_such_module")


def looking_up():
    {}["k"]


def refusing():
    raise Own("mine")


WORK = (opening, importing, looking_up, refusing)
KINDS = (FileNotFoundError, ImportError, KeyError, Own)


def errors(call):
    found = []
    for work, kind in zip(WORK, KINDS):
        try:
            call(work)
        except kind as error:
            found.append(error)
    return found


def told(where, found):
    file, module, key, own = found
    print(f"{where} errno {file.errno}, filename {file.filename!r}, name {module.name!r}, key {key.args[0]!r}, own {own.word!r}")
    return file.errno, file.filename, module.name, own.word


ray.init("local", num_cpus=1, include_dashboard=False, log_to_driver=False, logging_level="ERROR", _temp_dir=sys.argv[1])
here = told("here:     ", errors(lambda work: work()))
there = errors(lambda work: ray.get(ray.remote(work).remote()))
got = told("by ray.get:", there)
causes = told("its cause:", [error.cause for error in there])
ray.shutdown()
as_described = here == causes == (2, "/nowhere/at/all", "no_such_module", "mine") and got == (None, None, None, "mine")
sys.exit(0 if as_described and isinstance(there[2].args[0], KeyError) else "This has changed.")
PYTHON
