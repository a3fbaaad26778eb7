# `make demo` and `make test` each do all the set-up on a fresh Debian machine with python3 and make.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
PIP    := $(BIN)/python -m pip --disable-pip-version-check

# Set-up runs again only when what it installs from has changed. The stamp holds a hash of those files,
# not their dates, so that a checkout or a clone's new dates never cause a reinstall.
WANTED = $(shell cat pyproject.toml setup.py constraints.txt | sha256sum | cut -c1-64)

.DEFAULT_GOAL := help
.PHONY: help setup demo bench bench-full test test-slow test-browser figures measures docs lint format constraints clean

help:  ## what each target does
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

setup:  ## create .venv and install everything (once)
	@if [ -x $(BIN)/python ] && [ "$$(cat $(READY) 2>/dev/null)" = "$(WANTED)" ]; then exit 0; fi; \
	set -e; \
	if [ ! -x $(BIN)/python ] || ! $(BIN)/python -c 'import pip' 2>/dev/null; then \
	  command -v $(PYTHON) >/dev/null || { echo "make: no $(PYTHON) found; install it: apt-get install python3 python3-venv" >&2; exit 2; }; \
	  $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "make: Python 3.11 or newer is needed, $(PYTHON) is $$($(PYTHON) -c 'import platform; print(platform.python_version())');" \
	      "name another one: make PYTHON=python3.12" >&2; exit 2; }; \
	  $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	    echo "make: this Python cannot create virtual environments; install that part: apt-get install python3-venv" >&2; exit 2; }; \
	  echo "Creating $(VENV)"; \
	  $(PYTHON) -m venv $(VENV); \
	fi; \
	echo "Installing into $(VENV): PyTorch with its companions, about 3 GB to download, 7 GB on disk; some minutes, once only."; \
	$(PIP) install -qq -c constraints.txt torch torchvision -e '.[train,dev,onnx,dask,stac]'; \
	$(BIN)/python -c 'import torch, torchvision; torchvision.ops.nms'; \
	echo "$(WANTED)" > $(READY); \
	echo "Set-up done."

demo: setup  ## find the strikes of datasets/kampala_strikes and compare with the truth
	@$(BIN)/python scripts/demo.py --out demo_out

bench: setup  ## render the small simulated benchmark, score all baselines and models, write the leaderboard
	@$(BIN)/python scripts/strikebench.py bench --set small

bench-full: setup  ## the same with ten times the scenes, about ten times as long (it says how long); goes on where it was stopped
	@$(BIN)/python scripts/strikebench.py bench --set full --resume

test: setup  ## run the tests
	@$(BIN)/python -m pytest

test-slow: setup  ## run the tests that take minutes
	@$(BIN)/python -m pytest -m slow

test-browser: setup  ## run the tests of the report in headless Chromium (installs both where it can)
	@command -v chromium chromium-browser google-chrome >/dev/null || apt-get install -y -qq chromium || { \
	  echo "make: no Chromium found; install it: apt-get install chromium" >&2; exit 2; }
	@$(PIP) install -qq -c constraints.txt -e '.[browser]'
	@$(BIN)/python -m pytest -m browser

MODEL ?= small
DATA  ?= ../shared/data
RUN    = models/$(MODEL)/figures

figures: setup  ## measure MODEL (default small) and write its card's figures anew; needs DATA (../shared/data)
	mkdir -p $(RUN) runs/figures/$(MODEL)
	$(BIN)/python scripts/check_gsd.py --model $(MODEL) --backgrounds $(DATA) --out $(RUN)/gsd.json
	$(BIN)/python scripts/evaluate_simulated.py --model $(MODEL) --backgrounds $(DATA) --metrics --out runs/figures/$(MODEL)/simulated.json
	$(BIN)/python scripts/evaluate_simulated.py --model $(MODEL) --backgrounds $(DATA) --look --out $(RUN)/look.json
	$(BIN)/python scripts/evaluate_simulated.py --model $(MODEL) --backgrounds $(DATA) --tta --out $(RUN)/tta.json
	$(BIN)/python scripts/evaluate.py --model $(MODEL) --data $(DATA)/arcade_dev --out runs/figures/$(MODEL)/real --json $(RUN)/real.json
	$(BIN)/python scripts/evaluate.py --detections runs/figures/$(MODEL)/real/detections.csv --threshold $$(sed -n 's/^score_threshold: //p' models/$(MODEL)/model.yaml) --without 59 --data $(DATA)/arcade_dev --out runs/figures/$(MODEL)/real_without_59 --json $(RUN)/real_without_59.json
	$(BIN)/python scripts/check_false_alarms.py --model $(MODEL) --data $(DATA) --out runs/figures/$(MODEL)/false_alarms
	cp runs/figures/$(MODEL)/false_alarms/false_alarms.json $(RUN)/false_alarms.json
	$(BIN)/python scripts/benchmark_models.py --model $(MODEL) --json $(RUN)/speed.json
	$(if $(filter small,$(MODEL)),$(MAKE) measures MODEL=small)
	$(BIN)/python scripts/write_card.py --model $(MODEL) $(if $(filter small,$(MODEL)),README.md docs/false_alarms.md)

measures: setup  ## measure craters and patterns with MODEL and run the demo, for its card; some 20 minutes on an idle machine
	mkdir -p $(RUN) runs/figures/$(MODEL)
	for part in oracle floor network shadow speed; do \
	  $(BIN)/python scripts/check_craters.py --part $$part --scenes 24 --model $(MODEL) --data $(DATA) --json $(RUN)/craters.json || exit; done
	$(BIN)/python scripts/check_craters.py --part touching --scenes 16 --model $(MODEL) --data $(DATA) --json $(RUN)/craters.json
	for maps in network oracle; do \
	  $(BIN)/python scripts/check_patterns.py judge --maps $$maps --model $(MODEL) --data $(DATA) --minutes 90 --cache runs/figures/$(MODEL)/patterns --json $(RUN)/patterns.json || exit; done
	$(BIN)/python scripts/check_by_eye.py count --answers docs/by_eye.yaml --model $(MODEL) --backgrounds $(DATA) --out $(RUN)/by_eye.json
	$(BIN)/python scripts/demo.py --model $(MODEL) --out runs/figures/$(MODEL)/demo --json $(RUN)/demo.json

docs: setup  ## build the documentation site into build/site (installs what it needs once, then needs no network)
	@$(BIN)/python -c 'import mkdocs, mkdocstrings_handlers.python' 2>/dev/null || $(PIP) install -qq -c constraints.txt -e '.[docs]'
	@$(BIN)/mkdocs build --strict --clean --quiet
	@echo "open build/site/index.html"

lint: setup  ## check style, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: setup  ## apply the format and the safe fixes of ruff
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

constraints: setup  ## write the installed versions to constraints.txt
	@$(BIN)/python scripts/write_constraints.py

clean:  ## remove .venv, caches and build folders; results and runs stay
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find cv_pipeline scripts tests -name __pycache__ -type d -prune -exec rm -rf {} +
