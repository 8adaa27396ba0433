# What can be done here. Every path below is relative, so that a clone may stand in a folder with a space in its name.
# PYTHON=/path/to/python3.12 make …   chooses the interpreter that the virtual environment is made with.

N = 200000 # orders in the benchmark
WORKERS = auto # processes that share the tests, each with a database server and a browser of its own

.PHONY: help run test bench lint clean

help:     ## this list
	@grep -E '^[a-z]+: .*##' Makefile | sed 's/: *##/\t/'

run:      ## the portal with everything it needs; Ctrl-C ends it
	@.ci/prepare run
	@.venv/bin/python -m services.portal

test:     ## all tests, those in a browser included
	@.ci/prepare test
	@.venv/bin/python -m pytest -n $(WORKERS) --maxprocesses 4 --dist loadfile --no-loadscope-reorder

bench:    ## the benchmark: prints its tables, writes bench/results/
	@.ci/prepare test
	@.venv/bin/python -m bench --orders $(N)

lint:     ## formatting, lint and types
	@.ci/prepare test
	.venv/bin/python -m ruff format --check .
	.venv/bin/python -m ruff check .
	.venv/bin/python -m mypy
	.venv/bin/lint-imports

clean:    ## forgets the virtual environment and the caches; the data in .data stays
	rm -rf .venv .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find . -name __pycache__ -type d -not -path './.data/*' -prune -exec rm -rf {} +
