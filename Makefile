# Two commands matter: `make sandbox` to see it, `make test` to trust it.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
# Tools in an environment of their own: beside the project they would hide a missing dependency.
TOOLS  := $(VENV)/tools/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# Tests mostly wait for servers and processes, so run more of them than there are cores.
WORKERS ?= 6
# In the order of their names the slow files come first, so none is left alone at the end.
PYTEST := $(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help sandbox run doctor install test chaos mutations lint check format lock audit site clean

help: ## show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

sandbox: $(VENV)/.run ## run the bot and a simulated Telegram on this machine: no token, no key
	@$(BIN)/python -m bot sandbox

run: $(VENV)/.run ## run the bot on Telegram with the settings of .env
	@$(BIN)/python -m bot run

doctor: $(VENV)/.run ## find out what is wrong with the settings and how to fix it
	@$(BIN)/python -m bot doctor

install: $(VENV)/.dev ## install all development tools into .venv

test: install ## run all the tests
	@$(PYTEST)

CHAOS = SEED STORE PROCESSES REQUESTS KILLS EVERY FAULTS KEEP
lower = $(shell echo $(1) | tr A-Z a-z)

chaos: install ## kill the bot at random for minutes; SEED=7 repeats a run, MINUTES=30, STORE=postgres PROCESSES=3 REQUESTS=2000
	@PYTHONPATH=tests $(BIN)/python -m chaos --minutes $(or $(MINUTES),3) \
		$(foreach name,$(CHAOS),$(if $($(name)),--$(call lower,$(name)) $($(name))))

mutations: install ## break the bot on purpose, one promise at a time, and check that a test notices
	@PYTHONPATH=tests $(BIN)/python -m chaos.mutations $(if $(ONLY),--only "$(ONLY)")

lint: install ## check format, lint, types and import rules
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

check: lint test ## run lint and test: must pass before a commit

format: install ## format the code and fix what can be fixed automatically
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

LOCK = $(TOOLS)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
  --no-emit-index-url --custom-compile-command "make lock$(if $(UPGRADE), UPGRADE=1)" $(if $(UPGRADE),--upgrade)

lock: $(TOOLS)/python ## pin every dependency with its hashes, in requirements/; UPGRADE=1 takes the newest
	@$(TOOLS)/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9,<1'
	@$(LOCK) pyproject.toml --all-extras --output-file requirements/run.txt
	@$(LOCK) pyproject.toml --all-extras --group dev --output-file requirements/dev.txt
	@$(LOCK) --group build --output-file requirements/build.txt

audit: $(TOOLS)/python ## ask whether a pinned dependency has a known vulnerability; needs the network
	@$(TOOLS)/python -m pip install --quiet --disable-pip-version-check 'pip-audit>=2.9,<3' \
	  || { echo "pip-audit could not be installed: it needs the network."; exit 1; }
	@$(TOOLS)/pip-audit --strict --require-hashes --disable-pip --progress-spinner off \
	  $(patsubst %,--requirement %,$(wildcard requirements/*.txt)) || \
	  { echo "Not passed: a vulnerability is listed above, or the list of vulnerabilities cannot be reached."; exit 1; }

site: install ## build the documentation as a site, in site/
	@$(BIN)/zensical build --clean --strict

clean: ## remove the environment and the caches
	@rm -rf $(VENV) site .cache .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || \
	  { echo "Dreamreel needs Python 3.11 or newer, and '$(PYTHON)' was not found. Install it, or name one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Dreamreel needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) -V 2>&1). Name a newer one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	  { echo "Python's venv module is missing. On Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

$(TOOLS)/python: | $(BIN)/python
	@$(BIN)/python -m venv $(VENV)/tools

# First the pinned packages, each file by its hash; then what pyproject.toml needs beyond that, until `make lock`.
$(VENV)/.run: pyproject.toml requirements/run.txt | $(BIN)/python
	@echo "Installing what running needs into $(VENV) (once) ..."
	@$(PIP) --require-hashes --requirement requirements/run.txt
	@$(PIP) --editable .
	@touch $@

$(VENV)/.dev: pyproject.toml requirements/dev.txt | $(BIN)/python
	@echo "Installing the development tools into $(VENV) (once) ..."
	@$(PIP) --upgrade 'pip>=25.1'
	@$(PIP) --require-hashes --requirement requirements/dev.txt
	@$(PIP) --editable . --group dev
	@touch $@ $(VENV)/.run
