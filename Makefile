# Reward Margins. `make book` and `make test` set up everything that they need; `make help` lists the rest.
PYTHON ?= python3
VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint requirements.lock
VENDOR := book/static/vendor/static-widgets.js
export PYDEVD_DISABLE_FILE_VALIDATION := 1
export TOKENIZERS_PARALLELISM := false

.DEFAULT_GOAL := help
.PHONY: help book test lab serve notebooks reproduce bench lock lint model browser clean

help: ## list the commands
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "make %-10s %s\n", $$1, $$2}'

$(VENV)/base: pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and f"Python 3.11 or newer is needed, {sys.executable} is {sys.version.split()[0]}; set PYTHON=...")'
	@echo "Creating $(VENV) and installing the pinned packages"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP) --editable '.[book]'
	@touch $@

$(VENV)/test: $(VENV)/base
	@echo "Installing the test packages"
	@$(PIP) --editable '.[book,test]'
	@touch $@

$(VENV)/lab: $(VENV)/base
	@$(PIP) --editable '.[book,lab]'
	@touch $@

$(VENDOR): $(VENV)/base $(wildcard book/assets/*.js book/assets/*.mjs book/assets/*.json book/assets/*.py)
	@echo "Building the scripts of the static page"
	@$(BIN)/python book/assets/build.py
	@touch $@

model: $(VENV)/base ## fetch and convert the language model, once for every checkout
	@$(BIN)/python -m helpers.llm.default_model

book: $(VENV)/base $(VENDOR) model ## build the book into _build/html
	@$(BIN)/python -m book.tools.export
	@$(BIN)/python -m book.tools.run
	@$(BIN)/jupyter-book build . --toc book/_toc.yml --config _config.yml -W -n --keep-going --quiet
	@echo "The book is in _build/html/index.html; 'make serve' shows it"

test: book $(VENV)/test browser ## build the book and run every test
	@$(BIN)/ruff check src tests book
	@$(BIN)/python -m pytest

browser: $(VENV)/test ## find or install a Chromium for the page tests
	@$(BIN)/python -m book.tools.site browser

lint: $(VENV)/test ## check the style of the code
	@$(BIN)/ruff check src tests book

lab: $(VENV)/lab model ## open the chapters in JupyterLab
	@cd chapters && $(BIN)/jupyter lab

serve: ## show the built book at http://localhost:8000
	@$(BIN)/python -m http.server 8000 --bind 127.0.0.1 --directory _build/html

notebooks: $(VENV)/base ## write chapters/*.ipynb from chapters/*.md
	@$(BIN)/python -m book.tools.export

bench: book $(VENV)/test browser ## time training against TRL and a dense head, and the pages, into records/
	@$(BIN)/python -m book.tools.bench
	@$(BIN)/python -m book.tools.bench_pages

reproduce: $(VENV)/base model ## make every record of records/ again (slow)
	@$(BIN)/python -m book.tools.data_card

lock: $(VENV)/test $(VENV)/lab ## pin what is installed, into requirements.lock and environment.yml
	@$(BIN)/python -m book.tools.lock

clean: ## remove what the build made; the environment and the model stay
	rm -rf _build book/static/vendor book/assets/node_modules
