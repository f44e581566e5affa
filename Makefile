# Everything sets itself up: a machine needs Python 3.11 or newer, make and git.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run test lint fix bench faults soak clean browser

PYTHON ?= $(shell command -v python3.11 || command -v python3)
UV := uv==0.13.9
BIN := .venv/bin
# Checks need settings that load, not servers.
CHECKS := DEBUG=1 FRONTDESK_DEMO=1
# What a deployment would set; these values open nothing.
DEPLOYED := DEBUG= SECRET_KEY=for-the-check-only-5f0e2b7c9d1a4e6f8b3c7d2a1e9f4b6c8d0a2e4f DATA_KEYS=YSBrZXkgZm9yIGxpbnQsIG5ldmVyIGZvciBhIHNpdGU= \
	ALLOWED_HOSTS=desk.example.com PUBLIC_URL=https://desk.example.com
FIND_BROWSER := command -v chromium chromium-browser google-chrome >/dev/null
FIND_FONTS := fc-list :lang=zh 2>/dev/null | grep -q .

help:  ## Say what can be made
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1	\2/p' Makefile | expand -t 16

run: .venv/.ready  ## Start the product with its demo on http://127.0.0.1:8000 (PORT)
	@$(BIN)/python -m config.run

test: .venv/.ready browser  ## Run the tests (ARGS="tests/config -k port")
	@$(BIN)/python -m pytest -m "not thorough" $(ARGS)

faults: .venv/.ready  ## Break everything that can break, and see what customers are told
	@$(BIN)/python -m pytest tests/faults $(ARGS)

soak: .venv/.ready  ## Break it at random for ten minutes (ARGS="--minutes 2 --seed 7")
	@$(BIN)/python -m tests.faults.soak $(ARGS)

lint: .venv/.ready  ## Check style, types, imports, migrations and settings
	@echo "ruff" && $(BIN)/ruff check . && $(BIN)/ruff format --check .
	@echo "mypy" && $(CHECKS) $(BIN)/mypy .
	@echo "import-linter" && $(BIN)/lint-imports
	@echo "migrations" && $(CHECKS) $(BIN)/python -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run
	@echo "settings" && $(DEPLOYED) $(BIN)/python manage.py check --deploy --fail-level WARNING

fix: .venv/.ready  ## Format the code and mend what ruff can mend
	@$(BIN)/ruff check --fix . && $(BIN)/ruff format .

bench: .venv/.ready  ## Measure speed (ARGS="--conversations 25")
	@$(BIN)/python -m tests.bench.turns $(ARGS)

clean:  ## Remove the virtual environment and all caches; the data in var/ stay
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache static-root
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	@echo "The data in var/ are kept; remove that folder yourself to start anew."

.venv/.ready: pyproject.toml uv.lock
	@[ -n "$(PYTHON)" ] && "$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Frontdesk needs Python 3.11 or newer: install it, or name one with PYTHON=/path/to/python3." >&2; exit 1; }
	@echo "Installing the dependencies into .venv …"
	@[ -x $(BIN)/pip ] || "$(PYTHON)" -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check $(UV)
	@VIRTUAL_ENV= $(BIN)/uv sync --frozen --compile-bytecode --quiet --python $(BIN)/python
	@touch $@

browser:
	@$(FIND_BROWSER) && $(FIND_FONTS) || { \
		[ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
		&& echo "Installing chromium and fonts-noto-cjk for the browser tests …" \
		&& apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium fonts-noto-cjk >/dev/null; } \
		|| $(FIND_BROWSER) \
		|| { echo "The browser tests need chromium; on Debian: apt-get install chromium fonts-noto-cjk." >&2; exit 1; }
