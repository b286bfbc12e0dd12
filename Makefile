# Reward Margins. `make book` and `make test` set up everything that they need; `make help` lists the rest.
PYTHON ?= python3
VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint requirements.lock
VENDOR := book/static/vendor/static-widgets.js
export PYDEVD_DISABLE_FILE_VALIDATION := 1
export TOKENIZERS_PARALLELISM := false

.DEFAULT_GOAL := help
.PHONY: help book chapter watch check test lab serve pdf notebooks costs reproduce audit bench lock lint model browser clean

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
	@$(BIN)/python -m book.tools.build --strict
	@echo "The book is in _build/html/index.html; 'make serve' shows it"

chapter: $(VENV)/base $(VENDOR) model ## build one page, N=05; or lay out a new chapter, NEW=09_name
	@$(BIN)/python -m book.tools.build $(if $(NEW),--new $(NEW),$(or $(N),$(error say which: make chapter N=05, or NEW=09_name)))

watch: $(VENV)/base $(VENDOR) model ## show the book, and build each page again when its source is saved
	@$(BIN)/python -m book.tools.build --watch

check: $(VENV)/test ## style, and all tests but pages, model and slow, with few draws, in about a minute
	@$(BIN)/ruff check src tests book
	@$(BIN)/python -m pytest -n 2 --dist loadfile --hypothesis-profile check -m "not pages and not model and not slow"

test: book $(VENV)/test browser ## build the book and run every test, on two cores
	@$(BIN)/ruff check src tests book
	@$(BIN)/python -m pytest -n 2 --dist loadfile

browser: $(VENV)/test ## find or install a Chromium for the page tests
	@$(BIN)/python -m book.tools.site browser

lint: $(VENV)/test ## check the style of the code
	@$(BIN)/ruff check src tests book

lab: $(VENV)/lab model ## open the chapters in JupyterLab; FLAGS="--no-browser --port 9000" are passed on
	@cd chapters && $(BIN)/jupyter lab $(if $(filter 0,$(shell id -u)),--allow-root) $(FLAGS)

serve: $(VENV)/base ## show the built book at http://localhost:8000
	@$(BIN)/python -m book.tools.site serve

pdf: book $(VENV)/test browser ## write the built book as one PDF, _build/reward-margins.pdf
	@$(BIN)/python -m book.tools.pdf

notebooks: $(VENV)/base ## write chapters/*.ipynb from chapters/*.md, with the costs that the last build measured
	@$(BIN)/python -m book.tools.costs
	@$(BIN)/python -m book.tools.export

audit: $(VENV)/base model ## audit your own pairs before training, DATA=pairs.jsonl; MODEL=... OUT=audit.html
	@$(BIN)/python -m helpers.advice $(or $(DATA),$(error say which: make audit DATA=pairs.jsonl)) $(if $(MODEL),--model $(MODEL)) --out $(or $(OUT),audit.html)

bench: book $(VENV)/test browser ## time training against TRL and a dense head, and the pages, into records/
	@$(BIN)/python -m book.tools.bench
	@$(BIN)/python -m book.tools.bench_pages

reproduce: $(VENV)/base model ## make the records that are missing (hours); an interrupted one goes on
	@$(BIN)/python -m book.tools.data_card
	@$(BIN)/python -m book.tools.reproduce

lock: $(VENV)/test $(VENV)/lab ## pin what is installed, into requirements.lock and environment.yml
	@$(BIN)/python -m book.tools.lock

clean: ## remove what the build made; the environment and the model stay
	rm -rf _build book/static/vendor book/assets/node_modules
