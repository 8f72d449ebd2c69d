# The four commands of a developer; each sets up what it needs in .venv and nothing elsewhere.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
ARGS ?=

.PHONY: run test check lint bench docs captures clean

run: .venv/.ready-run $(if $(DEMO),.venv/.ready-demo)
	@exec $(BIN)/sanso $(if $(DEMO),demo,top) $(ARGS)

test: .venv/.ready-dev
	$(BIN)/python -m pytest -m "not browser" $(ARGS)

check: lint
	$(BIN)/python -m pytest -m browser

docs: .venv/.ready-dev
	$(BIN)/python docs/generate.py

lint: .venv/.ready-dev
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/.ready-dev
	@for file in benchmarks/*.py; do echo "== $$file"; $(BIN)/python $$file || exit 1; done

captures: .venv/.ready-dev
	SANSO_UPDATE_CAPTURES=1 $(BIN)/python -m pytest -q tests/tui

clean:
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Sanso needs Python 3.11 or newer: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@echo "Setting up .venv ..."
	@$(PYTHON) -m venv .venv

.venv/.ready-run: .venv/bin/python pyproject.toml constraints.txt
	@$(PIP) --editable .
	@touch $@

.venv/.ready-dev: .venv/bin/python pyproject.toml constraints.txt
	@$(PIP) --editable '.[dev]'
	@touch $@ .venv/.ready-run

.venv/.ready-demo: .venv/bin/python pyproject.toml constraints.txt
	@$(PIP) --editable '.[demo]'
	@touch $@
