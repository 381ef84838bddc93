# The commands of a fresh clone. Each sets up its own virtual environment first; a second call is instant.
#   make up      run engine, control and dashboard on the demo data, and print one URL     (ARGS="--no-traffic" …)
#   make test    lint, then every test, browser tests included
#   make lint    formatting, style, types, floors
#   make bench   the benchmarks; writes benchmarks/results.json and docs/BENCHMARKS.md
#   make screenshots  pictures of every page into docs/images, of the running copy or of a fresh one
#   make clean   remove the virtual environment and caches; the data in .fairlead/ stays
# PYTHON=… names the Python to use (3.11 or newer).

SHELL := /bin/sh
BIN := .venv/bin
PYTHONS := $(PYTHON) python3.12 python3.11 python3 python
PIP := $(BIN)/python -m pip --disable-pip-version-check install -q
ARGS ?=

.PHONY: up test lint bench screenshots clean
.DELETE_ON_ERROR:

up: .venv/.run
	@exec $(BIN)/fairlead up $(ARGS)

lint: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: lint
	@CHROMIUM="$$($(BIN)/python tests/chromium.py)" && export CHROMIUM && \
	echo "Chromium: $$CHROMIUM" && \
	$(BIN)/pytest -q --durations=25 -n 2 --dist worksteal -m "not e2e" && \
	$(BIN)/pytest -q --durations=40 -n 2 --dist loadgroup -m e2e tests

bench: .venv/.dev
	$(BIN)/python -m benchmarks $(ARGS)

screenshots: .venv/.dev
	$(BIN)/python -m tests.pictures $(ARGS)

clean:
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(BIN)/python:
	@for python in $(PYTHONS); do \
	  if "$$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
	    echo "Python: $$("$$python" --version) ($$python)" >&2; exec "$$python" -m venv --clear .venv; \
	  fi; \
	done; \
	echo "No Python 3.11 or newer with venv and ensurepip was found (tried: $(strip $(PYTHONS)))." >&2; \
	echo "Install one (Debian, Ubuntu: apt-get install python3 python3-venv) or name it: make $(MAKECMDGOALS) PYTHON=/path/to/python3.12" >&2; \
	exit 1

.venv/.run: locks/run.txt pyproject.toml | $(BIN)/python
	@echo "Installing what Fairlead runs on (locks/run.txt) …" >&2
	@$(PIP) --no-deps --require-hashes -r locks/run.txt
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

.venv/.dev: locks/dev.txt pyproject.toml | $(BIN)/python
	@echo "Installing what Fairlead runs on and its tests need (locks/dev.txt) …" >&2
	@$(PIP) --no-deps --require-hashes -r locks/dev.txt
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch .venv/.run $@
