# Two commands: `make run` sets everything up and starts the server with a demo call; `make test` tests it.
# Others: `make check` (format, lint, types), `make golden` (rewrite the golden traces), `make clean`.

PYTHON   ?= python3
PIP_ARGS ?=
DEMO     ?= 1
# Tests run in three processes: much of their time is waiting for pages. `make test TESTERS=0`: one by one. One that
# fails is asked up to twice more, a little later, and named in the summary: a machine may be busy, an error stays.
TESTERS  ?= 3

VENV := .venv
BIN  := $(VENV)/bin

# Found, or installed from Debian where that is allowed: tests of the pages need a browser and a Chinese font.
CHROMIUM = which chromium chromium-browser google-chrome 2>/dev/null | grep -q .
FONT     = fc-list :lang=zh 2>/dev/null | grep -q .
AS_ROOT  = $(if $(filter 0,$(shell id -u)),,sudo -n)
APT      = $(AS_ROOT) env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -qq -o Acquire::http::Timeout=30

# Servers that tests start for themselves: a command, and the Debian package it comes with, which starts none.
SERVICES = initdb:postgresql redis-server:redis-server sipp:sip-tester
MISSING  = for pair in $(SERVICES); do PATH="$$PATH:$$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tail -1)" \
             command -v $${pair%%:*} >/dev/null || printf '%s ' $${pair\#*:}; done

.PHONY: run setup test check golden browser services clean

run: $(VENV)/.run
	$(BIN)/zhiting setup
	$(BIN)/zhiting serve --login $(if $(filter 1,$(DEMO)),--demo)

setup: $(VENV)/.run
	$(BIN)/zhiting setup

test: $(VENV)/.dev browser services
	$(BIN)/zhiting models fetch
	$(BIN)/python -m pytest -n $(TESTERS) --dist loadfile --no-loadscope-reorder \
	  --reruns 2 --reruns-delay 5 -raR

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

golden: $(VENV)/.dev
	ZHITING_WRITE_GOLDEN=1 $(BIN)/python -m pytest tests/test_live.py

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit("Zhiting needs Python 3.11 to 3.13" if not (3, 11) <= sys.version_info[:2] <= (3, 13) else 0)'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install $(PIP_ARGS) -e .
	@touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install $(PIP_ARGS) -e '.[dev]'
	@touch $@ $(VENV)/.run

browser:
	@if $(CHROMIUM) && $(FONT); then exit 0; fi; \
	echo "Installing Chromium and a Chinese font for the tests of the pages."; \
	$(APT) update && $(APT) install -y chromium fonts-noto-cjk >/dev/null; \
	$(CHROMIUM) || echo "There is no Chromium here and it could not be installed: tests of the pages are skipped."

services:
	@missing="$$($(MISSING))"; if [ -z "$$missing" ]; then exit 0; fi; \
	echo "Installing for the tests: $$missing"; \
	$(APT) update && $(APT) install -y --no-install-recommends $$missing >/dev/null; \
	missing="$$($(MISSING))"; \
	[ -z "$$missing" ] || echo "Not here and not installed: $$missing. Tests with them are skipped."

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
