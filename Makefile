# Two commands matter: `make serve` and `make test`. Both set up what they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help setup serve test test-slow coverage docs screenshots mutation bench bench-serve bench-generate check types format constraints clean

help: ## Show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort

setup: $(READY) ## Make the virtual environment with everything in it

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "deadringer needs Python 3.11 or newer; name one with: make PYTHON=python3.12 ..."; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  --constraint constraints.txt --editable . --group dev
	$(BIN)/python -m compileall -q package contracts fixtures mockserver # the first start is as quick as the next
	$(BIN)/python -c 'from deadringer import contracts; contracts.load_specification()'
	@touch $(READY)

# Much of a test is waiting: three workers keep two cores busy.
SPREAD := -n 3 --dist loadgroup --durations 20

serve: $(READY) ## Serve the mock on http://127.0.0.1:4010
	@$(BIN)/deadringer serve

test: check ## Run every check, and every test but the slow ones
	@$(BIN)/python -m tests.browser.chromium
	$(BIN)/python -m pytest $(SPREAD) -m "not slow"

test-slow: $(READY) ## Run the slow tests: whole checks, every contract fault, wheels, load, pictures
	@$(BIN)/python -m tests.browser.chromium
	$(BIN)/python -m pytest $(SPREAD) -m slow

coverage: check ## Run every test, slow ones too, list the lines that no test ran, and hold the floor
	$(BIN)/python -m pytest $(SPREAD) --cov --cov-report=term

docs: $(READY) ## Write the generated pages, then build the documentation into build/docs
	$(BIN)/python -m docs.generate
	$(BIN)/zensical build --clean --strict
	@echo 'Read it with: $(BIN)/python -m http.server --bind 127.0.0.1 --directory build/docs'

screenshots: $(READY) ## Write a picture of every page into build/screenshots
	$(BIN)/python -m tests.browser.screenshots build/screenshots

mutation: $(READY) ## Run the check against every contract fault and print who found it
	$(BIN)/python -m tests.mutation

bench: $(READY) ## Measure speed against other tools and write the results (QUICK=1: a short try)
	$(BIN)/python -m benchmarks all $(if $(QUICK),--quick)

bench-serve: $(READY) ## The part of bench about serving
	$(BIN)/python -m benchmarks serve $(if $(QUICK),--quick)

bench-generate: $(READY) ## The part of bench about generating
	$(BIN)/python -m benchmarks generate $(if $(QUICK),--quick)

# mypy finds packages by folders, so it gets the layout of the wheel as links.
NAMES := build/names/deadringer

check: types ## Lint, formatting, types, spelling
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell

types: $(READY) ## Types alone
	@rm -rf $(NAMES) && mkdir -p $(NAMES)
	@ln -s $(CURDIR)/package/deadringer/*.py $(CURDIR)/contracts $(CURDIR)/fixtures $(CURDIR)/mockserver $(NAMES)
	$(BIN)/mypy
	$(BIN)/mypy package/wheel_hook.py

format: $(READY) ## Put the code in order
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

constraints: $(READY) ## Renew constraints.txt from what is installed now
	$(BIN)/python -m pip freeze --exclude-editable > constraints.new
	mv constraints.new constraints.txt

clean: ## Remove everything that was built
	rm -rf $(VENV) benchmarks/.peers dist build .coverage .coverage.* .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis
