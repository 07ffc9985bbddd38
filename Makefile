# One venv under the project holds everything; nothing is installed anywhere else.
PYTHON ?= $(firstword $(shell for python in python3.11 python3.12 python3.13 python3.14 python3; do \
	command -v $$python; done))
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
ARGS   ?=
URLS   ?=
MINUTES ?= 60
# Processes that share the tests: two, since many tests wait for something most of their time.
TESTERS ?= 2

.DEFAULT_GOAL := help
.PHONY: help setup demo test check audit format docs bench bench-extract bench-frontier bench-latency bench-footprint bench-scale chaos chaos-consumers chaos-mutations drill fairness soak conformance env e2e-compose lock clean

help:  ## show this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /  make \1\t/' | expand -t 20

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

test: $(READY)  ## run the tests (ARGS="-k name" to choose; TESTERS=0 for one process and a debugger)
	@$(BIN)/python -m pytest -n $(TESTERS) $(ARGS)

check: $(READY)  ## lint, format, types, import contract, file sizes, audit
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python tests/file_sizes.py
	@$(BIN)/python -m worker.cli.docs --check
	@$(MAKE) --no-print-directory audit

audit: $(READY)  ## look the locked packages up in a service of known vulnerabilities
	@$(BIN)/python -m tests.audit

format: $(READY)  ## let ruff format and fix
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

docs: $(READY)  ## write the generated parts of the docs anew (settings, log events, schema)
	@$(BIN)/python -m worker.cli.docs

bench: $(READY)  ## measure pages/s, CPU a page, Redis cost and memory, beside peers (ARGS="--delay-ms 50")
	@$(BIN)/python -m tests.bench $(ARGS)

bench-extract: $(READY)  ## measure extraction beside trafilatura and resiliparse
	@$(BIN)/python -m tests.bench.extract $(ARGS)

bench-frontier: $(READY)  ## measure a frontier of 10^3 to 10^7 waiting URLs: 18 minutes, 2 GB (ARGS="--sizes 1e3,1e5")
	@$(BIN)/python -m tests.bench.frontier $(ARGS)

bench-latency: $(READY)  ## measure the time from queue to event, idle and under load (ARGS="--delay-ms 50")
	@$(BIN)/python -m tests.bench.latency $(ARGS)

bench-footprint: $(READY)  ## measure a worker's memory, its children's, that of a fetch, and how long starts take
	@$(BIN)/python -m tests.bench.footprint $(ARGS)

bench-scale: $(READY)  ## measure 1, 2, 4 and 8 workers, and a cluster of three; plan for a billion pages a day
	@$(BIN)/python -m tests.bench.scale_out $(ARGS)

chaos: $(READY)  ## kill, stop and cut off whatever can be; ARGS="--runs 500", "--seed 17 --runs 1" to replay
	@$(BIN)/python -m tests.chaos $(ARGS)

chaos-consumers: $(READY)  ## kill consumers 200 times over, and see whether any event is skipped (ARGS="--seed 7")
	@$(BIN)/python -m tests.chaos.consumers $(ARGS)

chaos-mutations: $(READY)  ## take rules out of a copy of the worker, one at a time: does chaos see it?
	@$(BIN)/python -m tests.chaos.mutations $(ARGS)
	@$(BIN)/python -m tests.chaos.consumer_mutations

drill: $(READY)  ## provoke every alert for real, in Prometheus (needs mtail and prometheus on PATH)
	@$(BIN)/python -m tests.deploy.drill

env: .env  ## write .env for docker-compose, with passwords of its own, if there is none

.env:
	@umask 077; sh deploy/new-env.sh > $@

e2e-compose: $(READY)  ## build, start, feed, kill, scale and take down docker-compose.yml for real (needs Docker)
	@$(BIN)/python -m tests.deploy.e2e_compose $(ARGS)

fairness: $(READY)  ## measure what hosts in trouble cost the others (ARGS="--crowd 2000" is enough)
	@$(BIN)/python -m tests.chaos.fairness $(ARGS)

soak: $(READY)  ## run at full speed for MINUTES=60, and see whether memory, files or keys grow
	@$(BIN)/python -m tests.chaos.soak --minutes $(MINUTES) $(ARGS)

conformance: $(READY)  ## run the store's tests over every server, fetched if need be (ARGS="redis-8 valkey-9/cluster")
	@$(BIN)/python -m tests.conformance $(ARGS)

lock: $(READY)  ## resolve the locked versions anew
	@$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes pyproject.toml --output-file requirements.lock
	@$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes pyproject.toml --group dev --output-file requirements-dev.lock
	@$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --group conformance --no-emit-package valkey --output-file requirements-conformance.lock
	@$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --group image --output-file requirements-image.lock
	@$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --group bench --output-file requirements-bench.lock

clean:  ## remove the venv, caches and the demo's data
	rm -rf $(VENV) .ingest .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage
