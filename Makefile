# One venv under the project holds everything; nothing is installed anywhere else.
PYTHON ?= $(firstword $(shell for python in python3.11 python3.12 python3.13 python3.14 python3; do \
	command -v $$python; done))
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
ARGS   ?=
URLS   ?=

.DEFAULT_GOAL := help
.PHONY: help setup demo test check format docs bench bench-extract chaos lock clean

help:  ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

setup: $(READY)  ## make .venv with every package at its locked version

$(READY): requirements-dev.lock pyproject.toml
	@test -n "$(PYTHON)" && $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "CPython 3.11 or later is needed; name it if it is not on PATH: make PYTHON=/path/to/python3"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(READY)  ## run the whole job on the bundled sample site, or on URLS="https://… https://…"
	@$(BIN)/ingest demo $(URLS)

test: $(READY)  ## run the tests (ARGS="-k name" to choose)
	@$(BIN)/python -m pytest $(ARGS)

check: $(READY)  ## lint, format, types, import contract, file sizes
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python tests/file_sizes.py
	@$(BIN)/python -m worker.cli.docs --check

format: $(READY)  ## let ruff format and fix
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

docs: $(READY)  ## write the generated parts of the docs anew (settings, log events, schema)
	@$(BIN)/python -m worker.cli.docs

bench: $(READY)  ## measure pages/s, CPU a page by stage, Redis cost and memory
	@$(BIN)/python -m tests.bench $(ARGS)

bench-extract: $(READY)  ## measure extraction beside trafilatura and resiliparse
	@$(BIN)/python -m tests.bench.extract $(ARGS)

chaos: $(READY)  ## kill workers at random for as long as ARGS="--minutes 5" says
	@$(BIN)/python -m tests.chaos $(ARGS)

lock: $(READY)  ## resolve the locked versions anew
	@$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes pyproject.toml --output-file requirements.lock
	@$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes pyproject.toml --group dev --output-file requirements-dev.lock

clean:  ## remove the venv, caches and the demo's data
	rm -rf $(VENV) .ingest .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage
