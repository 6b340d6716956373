# Everything that a person or a CI job does with this repository. Targets set up what they need by themselves: a virtual
# environment in .venv, and, for the tests and as root, Debian's cross compilers and linkers.

PYTHON ?= $(firstword $(shell command -v python3.11 python3))
JOBS ?= 2
VENV := .venv
BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest -n $(JOBS)

.DEFAULT_GOAL := help
.PHONY: help demo test sweep bench lint docs tools clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST)

demo: $(VENV)/runtime ## check the example in examples/demo, as it was and mended
	@$(BIN)/python examples/demo/run.py

test: tools lint ## set up all that the tests need, lint, and run the tests
	$(PYTEST) -m "not sweep"

sweep: TOOLS := sweep
sweep: tools $(VENV)/dev ## the longer differential runs
	$(PYTEST) -m sweep

bench: TOOLS := sweep
bench: tools $(VENV)/dev ## how long things take, as ratios of paired runs
	$(BIN)/python -m benchmarks

lint: $(VENV)/dev ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/mypy

docs: $(VENV)/dev ## the reference from the code, and the site from docs/ into site/
	$(BIN)/python -m tools.reference
	$(BIN)/python -m sphinx -W --keep-going -q docs site

# As root this installs what is missing; otherwise it says what is, and the tests that need it skip.
tools: $(VENV)/runtime
	@missing="$$($(BIN)/python tests/support/tools.py $(TOOLS))"; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then \
	  echo "missing, and the tests that need them will skip; as root: apt-get install" $$missing; exit 0; \
	fi; \
	echo "installing" $$missing; \
	for try in 1 2 3; do \
	  DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends $$missing >/dev/null && exit 0; \
	  apt-get -qq update || true; \
	done; \
	echo "not all of them could be installed; the tests that need them will skip"

$(VENV)/bin/python:
	@echo "making $(VENV)"
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "no venv module; as root: apt-get install python3-venv"; exit 1; }

# The two stamps: what running ldcheck needs, and what working on it needs.
$(VENV)/runtime: pyproject.toml | $(VENV)/bin/python
	@$(BIN)/python -m pip install --quiet --editable .
	@$(BIN)/python -m compileall -q ldcheck
	@$(BIN)/python -m tools.compiled
	@touch $@

$(VENV)/dev: pyproject.toml | $(VENV)/bin/python
	@$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@$(BIN)/python -m compileall -q ldcheck
	@$(BIN)/python -m tools.compiled
	@touch $@ $(VENV)/runtime

clean: ## remove the environment and all caches
	rm -rf $(VENV) dist site .cache .mypy_cache .pytest_cache .ruff_cache
