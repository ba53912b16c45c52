# make run | make test: each sets up everything it needs. Re-running is quick: stamps in .venv say what is done.
# make test TORCH=2.11.0: the same with another torch of the range, in an environment of its own (.venv-torch-2.11.0, several GB).

PYTHON ?= python3
PORT ?= $(or $(GRADIO_SERVER_PORT),7860)
VENV := .venv
PINS :=
ifdef TORCH
TORCHVISION_2.10 := 0.25
TORCHVISION_2.11 := 0.26
TORCHVISION_2.12 := 0.27
TORCHVISION := $(TORCHVISION_$(basename $(TORCH)))
$(if $(TORCHVISION),,$(error TORCH=$(TORCH) is not one of 2.10.*, 2.11.*, 2.12.*; write it in full: make test TORCH=2.11.0))
VENV := .venv-torch-$(TORCH)
PINS := 'torch==$(TORCH)' 'torchvision==$(TORCHVISION).*'
endif
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif
PY := $(BIN)/python

# Compiled tests are kept, also where the environment (a container's) says not to: each process would compile all of them again.
PYTEST := GRADIO_ANALYTICS_ENABLED=False PYTHONDONTWRITEBYTECODE= $(PY) -m pytest
IN_TWO := -n 2 --dist loadfile --no-loadscope-reorder
QUICK := not weights and not browser and not heavy and not slow and not gates and not hub and not gpu

.PHONY: help setup run test cluster-test check quick lint format bench gates pictures weights clean
.DELETE_ON_ERROR:

help:
	@echo "make run     the app on http://127.0.0.1:$(PORT) (PORT=... to change)"
	@echo "make test    the tests, with the real starter weights (TORCH=2.11.0 for another torch)"
	@echo "make cluster-test   the tests of workers in other processes, which need Ray (docs/cluster.md)"
	@echo "make check   one to four minutes: lint, types, and the tests that need no weights and no browser"
	@echo "make setup   environment, requirements and weights only"
	@echo "make lint    ruff and mypy         make bench   speed, memory, identity"
	@echo "make gates   the full sweep        make pictures   the film and screenshots of docs/"
	@echo "make clean   remove the environments and what the tools cached"

run: setup
	GRADIO_SERVER_NAME=127.0.0.1 GRADIO_SERVER_PORT=$(PORT) GRADIO_ANALYTICS_ENABLED=False $(PY) app.py

setup: $(VENV)/.ready weights

# Checked at each start, because the user may have cleared the cache; a fraction of a second when everything is there.
weights: $(VENV)/.ready
	@$(PY) -m nada_core fetch starter >/dev/null

$(VENV)/.created:
	@command -v $(PYTHON) >/dev/null 2>&1 || { echo "No $(PYTHON) found: install Python 3.10, 3.11 or 3.12, or name one: make PYTHON=python3.11" >&2; exit 2; }
	@$(PYTHON) -c "import sys; v = sys.version_info; sys.exit(0 if (3, 10) <= v[:2] <= (3, 12) else \
	f'Python {v[0]}.{v[1]} cannot be used: 3.10, 3.11 or 3.12 is needed. Name one: make PYTHON=python3.11')"
	@$(PYTHON) -c "import ensurepip, venv" 2>/dev/null || { echo "This Python cannot make environments: install its venv package (Debian: apt install python3-venv)" >&2; exit 2; }
	@# An environment that works is kept; a half-made one (interrupted) is made again.
	@$(PY) -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@touch $@

$(VENV)/.ready: requirements.txt $(VENV)/.created
	@echo "Installing the requirements: several minutes and, on Linux, several GB the first time (README.md, CPU only, for less)"
	$(PY) -m pip install --disable-pip-version-check -r requirements.txt $(PINS)
	@touch $@

$(VENV)/.ready-dev: requirements.txt requirements-dev.txt $(VENV)/.ready
	$(PY) -m pip install --disable-pip-version-check --quiet -r requirements-dev.txt $(PINS)
	@touch $@

test: $(VENV)/.ready-dev weights
	$(PYTEST) $(IN_TWO) --durations=25 $(ARGS)

$(VENV)/.ready-cluster: requirements-cluster.txt $(VENV)/.ready-dev
	$(PY) -m pip install --disable-pip-version-check --quiet -r requirements-cluster.txt $(PINS)
	@touch $@

# Two real workers on this machine's loopback, one of them killed in the middle; then everything else that needs Ray.
cluster-test: $(VENV)/.ready-cluster weights
	$(PYTEST) --durations=10 tests/cluster tests/ui/workers \
		tests/rows/test_on_ray.py tests/sweep/test_real.py tests/report/test_away.py $(ARGS)

# Beside each other, because tests of threads and processes also wait. Nothing is downloaded for it but the requirements.
check: $(VENV)/.ready-dev
	@$(MAKE) --no-print-directory -j2 lint quick

quick: $(VENV)/.ready-dev
	NADA_OFFLINE=1 $(PYTEST) $(IN_TWO) -q -m "$(QUICK)" $(ARGS)

lint: $(VENV)/.ready-dev
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy

format: $(VENV)/.ready-dev
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

bench: setup
	$(PY) -m benchmarks $(ARGS)

gates: $(VENV)/.ready-dev weights
	GRADIO_ANALYTICS_ENABLED=False $(PY) -m tests.whole.gates $(ARGS)

# The film and the screenshots of docs/pictures, from the running app in headless Chromium.
pictures: $(VENV)/.ready-dev weights
	$(PY) -m docs.make_pictures $(ARGS)

clean:
	rm -rf .venv .venv-torch-* .pytest_cache .ruff_cache .mypy_cache
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
