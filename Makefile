# Two commands matter: `make serve` and `make test`. Both set up what they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help setup serve test test-slow coverage docs screenshots mutation bench bench-serve bench-generate bench-validate check types format constraints clean

help: ## Show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort

setup: $(READY) ## Create the virtual environment

$(READY): pyproject.toml constraints.txt
	@echo 'Setting up $(VENV); the first time takes a few minutes' >&2
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "deadringer needs Python 3.11 or newer; select one with: make PYTHON=python3.12 ..."; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  --constraint constraints.txt --editable . --group dev
	$(BIN)/python -m compileall -q package contracts fixtures mockserver # so that the first start is fast too
	$(BIN)/python -c 'from deadringer import contracts; contracts.load_specification()'
	@touch $(READY)

# Tests spend much time waiting: three workers use two cores fully.
SPREAD := -n 3 --dist loadgroup --durations 20

serve: $(READY) ## Serve the mock on http://127.0.0.1:4010
	@$(BIN)/deadringer serve

test: check ## Run all checks and all tests except the slow ones
	@$(BIN)/python -m tests.browser.chromium
	$(BIN)/python -m pytest $(SPREAD) -m "not slow"

test-slow: $(READY) ## Run the slow tests: full checks, some faulty servers, wheels, load, screenshots
	@$(BIN)/python -m tests.browser.chromium
	$(BIN)/python -m pytest $(SPREAD) -m slow

coverage: $(READY) ## Run the tests of `make test` with coverage, list untested lines, and hold the floor
	$(BIN)/python -m pytest $(SPREAD) -m "not slow" --cov --cov-report=term

docs: $(READY) ## Generate the reference pages and build the documentation into build/docs
	$(BIN)/python -m docs.generate
	$(BIN)/zensical build --clean --strict
	@echo 'Read it with: $(BIN)/python -m http.server --bind 127.0.0.1 --directory build/docs'

screenshots: $(READY) ## Write a screenshot of every page into build/screenshots
	$(BIN)/python -m tests.browser.screenshots build/screenshots

mutation: $(READY) ## Run the check against every faulty and correct server, and print which rules found what
	$(BIN)/python -m tests.mutation

bench: $(READY) ## Measure speed against other tools and write the results (QUICK=1: a short run)
	$(BIN)/python -m benchmarks all $(if $(QUICK),--quick)

bench-serve: $(READY) ## Only the serving part of bench
	$(BIN)/python -m benchmarks serve $(if $(QUICK),--quick)

bench-generate: $(READY) ## Only the generating part of bench
	$(BIN)/python -m benchmarks generate $(if $(QUICK),--quick)

bench-validate: $(READY) ## Only the validating part of bench
	$(BIN)/python -m benchmarks validate $(if $(QUICK),--quick)

# mypy finds packages by folder, so link the layout of the wheel.
NAMES := build/names/deadringer

check: types ## Check lint, formatting, types and spelling
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell

types: $(READY) ## Check types only
	@rm -rf $(NAMES) && mkdir -p $(NAMES)
	@ln -s $(CURDIR)/package/deadringer/*.py $(CURDIR)/contracts $(CURDIR)/fixtures $(CURDIR)/mockserver $(NAMES)
	$(BIN)/mypy
	$(BIN)/mypy package/wheel_hook.py
	$(BIN)/mypy $(shell find tests -name '*.py' ! -name 'test_*' ! -path '*/generators/use/*')

format: $(READY) ## Fix lint and formatting
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

constraints: $(READY) ## Update constraints.txt from the installed versions
	$(BIN)/python -m pip freeze --exclude-editable > constraints.new
	mv constraints.new constraints.txt

clean: ## Remove everything that was built
	rm -rf $(VENV) benchmarks/.peers dist build .coverage .coverage.* .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis
