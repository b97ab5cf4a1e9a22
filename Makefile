# A newcomer needs two of these: `make demo` and `make test`.
.DEFAULT_GOAL := help
.PHONY: help demo test lab bench lint unit integration sanity molecule metrics format lock clean

PYTHON := .venv/bin/python

help: ## show this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

demo: ## run the pages of sponsorships, providers and clients against a local lab, and show what was observed
	@python3 tools/prepare.py demo
	@$(PYTHON) -m tests.demo

test: prepared ## run everything that CI runs
	@python3 tools/check.py

lab: prepared ## bring the lab up for people; Ctrl-C stops it
	@$(PYTHON) -m tests.lab up --with-stack

bench: prepared ## print requests, wall time and peak memory of the flows that must be quick
	@PYTHONPATH=collections $(PYTHON) -m tests.bench

lint: prepared ## run the linters only
	@python3 tools/check.py ruff mypy yamllint docs changelog ansible-lint

unit: prepared ## run the unit tests
	@$(PYTHON) -m pytest -q tests/unit

integration: prepared ## run the integration tests
	@$(PYTHON) -m pytest -q -n 2 tests/integration

sanity: prepared ## run ansible-test sanity on the oldest and the newest ansible-core
	@python3 tools/check.py sanity-oldest sanity-newest

molecule: prepared ## run the Molecule scenarios
	@python3 tools/check.py molecule

metrics: prepared ## print size, complexity, typing and test coverage of the code
	@$(PYTHON) -m tools.metrics

format: prepared ## format the Python code and repair what the linter can repair
	@.venv/bin/ruff check --fix .
	@.venv/bin/ruff format .

lock: prepared ## renew the lock files from requirements/*.in (needs uv)
	@for name in test oldest newest; do \
	  python=3.11; [ $$name = newest ] && python=3.12; \
	  uv pip compile --quiet --upgrade --universal --python-version $$python --no-header --no-emit-index-url --no-annotate \
	    requirements/$$name.in -o requirements/$$name.txt; \
	done

clean: ## remove everything that these targets have made here
	rm -rf .venv .venv-oldest .venv-newest .ansible .cache .hypothesis .mypy_cache .pytest_cache .ruff_cache \
	  tests/e2e/node_modules bw-selfhost-*.tar.gz
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: prepared
prepared:
	@python3 tools/prepare.py test
