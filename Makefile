# make run | make test: each sets up everything it needs. Re-running is quick: stamps in .venv say what is done.

PYTHON ?= python3
PORT ?= $(or $(GRADIO_SERVER_PORT),7860)
VENV := .venv
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif
PY := $(BIN)/python

.PHONY: help setup run test lint format bench gates weights clean
.DELETE_ON_ERROR:

help:
	@echo "make run     the app on http://127.0.0.1:$(PORT) (PORT=... to change)"
	@echo "make test    the tests, with the real starter weights"
	@echo "make setup   environment, requirements and weights only"
	@echo "make lint    ruff and mypy         make bench   speed, memory, identity"
	@echo "make gates   the full sweep        make clean   remove .venv and what the tools cached"

run: setup
	GRADIO_SERVER_NAME=127.0.0.1 GRADIO_SERVER_PORT=$(PORT) GRADIO_ANALYTICS_ENABLED=False $(PY) app.py

setup: $(VENV)/.ready weights

# Checked at each start, because the user may have cleared the cache; a fraction of a second when everything is there.
weights: $(VENV)/.ready
	@$(PY) -m nada_core.starter_weights

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
	$(PY) -m pip install --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.ready-dev: requirements.txt requirements-dev.txt $(VENV)/.ready
	$(PY) -m pip install --disable-pip-version-check --quiet -r requirements-dev.txt
	@touch $@

test: $(VENV)/.ready-dev weights
	GRADIO_ANALYTICS_ENABLED=False $(PY) -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

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
	GRADIO_ANALYTICS_ENABLED=False $(PY) -m tests.gates $(ARGS)

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache .mypy_cache
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
