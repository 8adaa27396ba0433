# What can be done here. Every path below is relative, so that a clone may stand in a folder with a space in its name.
# PYTHON=/path/to/python3.12 make …   chooses the interpreter that the virtual environment is made with.

N = 200000 # orders in the benchmark
WORKERS = auto # processes that share the tests, each with a database server and a browser of its own

PYTEST = .venv/bin/python -m pytest -n $(WORKERS) --maxprocesses 4 --dist loadfile --no-loadscope-reorder

.PHONY: help install run start shop test test-fast test-slow bench lint pins clean

help:     ## this list
	@grep -E '^[a-z-]+:.*##' Makefile | sed 's/:.*##/\t/'

install:  ## the virtual environment with what the portal needs
	@.ci/prepare run

start:    ## the portal, which was installed before: needs no package index
	@.venv/bin/python -m services.portal

run: install ## the portal with everything it needs; Ctrl-C ends it
	@.venv/bin/python -m services.portal

shop: install ## the portal with demo data, and a pretend shop that is connected to it
	@.venv/bin/python -m bench.shop

test:     ## all tests, those in a browser included
	@.ci/prepare test
	@$(PYTEST)

test-fast: ## services and database, without races and sweeps
	@.ci/prepare test
	@$(PYTEST) -m "not slow" tests/services tests/db tests/system

test-slow: ## races and sweeps, five times as often as in `make test`
	@.ci/prepare test
	@RACE_ROUNDS=200 WORKER_KILLS=50 $(PYTEST) -m slow

bench:    ## the benchmark: prints its tables, writes bench/results/
	@.ci/prepare test
	@.venv/bin/python -m bench --orders $(N)

lint:     ## formatting, lint and types
	@.ci/prepare test
	.venv/bin/python -m ruff format --check .
	.venv/bin/python -m ruff check .
	.venv/bin/python -m mypy
	.venv/bin/lint-imports

pins:     ## compiles requirements.in and tests/requirements.in into lists of exact releases and their hashes
	@.ci/prepare test
	@.venv/bin/python -m uv pip compile -q --universal --generate-hashes --python-version 3.11 --no-header \
		requirements.in -o requirements.txt
	@.venv/bin/python -m uv pip compile -q --universal --generate-hashes --python-version 3.11 --no-header \
		-c requirements.txt tests/requirements.in -o tests/requirements.txt

clean:    ## forgets the virtual environment and the caches; the data in .data stays
	rm -rf .venv .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find . -name __pycache__ -type d -not -path './.data/*' -prune -exec rm -rf {} +
