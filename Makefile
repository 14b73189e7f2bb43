# Every target makes the virtual environment and installs pinned requirements first, if needed.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
export ENVIRONMENT ?= development
export PYTHONUNBUFFERED = 1
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help install demo run test check bench migrations translations clean

help: ## Show what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(VENV)/runtime: requirements.txt
	$(PYTHON) -c 'import sys; sys.exit("Hookline needs Python 3.11 or newer, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) -r requirements.txt
	touch $@

$(VENV)/development: requirements-dev.txt $(VENV)/runtime
	$(PIP) -r requirements-dev.txt
	touch $@

install: $(VENV)/runtime ## Make the virtual environment

demo: $(VENV)/runtime ## Send a demo campaign to a local receiver and check what arrived
	$(BIN)/python -m config.demo

# A trial may send to the receiver on this machine; by default no webhook reaches a private address.
run: export WEBHOOK_ALLOWED_NETWORKS ?= 127.0.0.1/32
run: export WEBHOOK_ALLOWED_PORTS ?= 8765
run: $(VENV)/runtime ## Open the admin with demo data, web and workers running
	$(BIN)/python manage.py migrate --verbosity 0
	$(BIN)/python manage.py collectstatic --noinput --verbosity 0
	$(BIN)/python manage.py load_demo --admin
	$(BIN)/python manage.py run --receiver 8765

test: $(VENV)/development ## Run the tests (DATABASE_URL chooses the database)
	$(BIN)/python -m pytest $(ARGS)

check: $(VENV)/development ## Lint, types, import directions, missing migrations
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python manage.py check

bench: $(VENV)/development ## Run the benchmarks and rewrite docs/benchmarks.md
	$(BIN)/python -m benchmarks

migrations: $(VENV)/development
	$(BIN)/python manage.py makemigrations

translations: $(VENV)/development ## Gather texts into locale/, compile, list what is not translated
	$(BIN)/python manage.py translations

clean: ## Remove the virtual environment, data and builds
	rm -rf $(VENV) data build staticfiles
