# Gemma Studio. `make run` sets up and starts the app; `make test` sets up and passes the tests.
# The environment lives in .venv; put it elsewhere with `make run VENV=/some/folder`.

VENV ?= .venv
PYTHON ?= python3

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
ROOT := $(if $(filter-out 0,$(shell id -u)),sudo,)

.PHONY: help run test check proofs docs bench embedded tools clean

help:  ## say what there is to make
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(BIN)/.run  ## set up and start the app
	@$(BIN)/gemma-studio serve

test: check tools  ## set up and pass the tests
	@$(BIN)/python -m pytest -W error -m "not slow" -n logical --dist loadfile

check: $(BIN)/.test  ## lint and types only
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy --strict

proofs: $(BIN)/.test tools  ## the slow, full form of the proofs
	@$(BIN)/python -m pytest -W error -m slow

docs: $(BIN)/.run  ## write docs/reference.md from the configurations
	@$(BIN)/python -m docs.generate

bench: $(BIN)/.test  ## measure every claim of speed in the README
	@for benchmark in benchmarks/[a-z]*.py; do echo "$$benchmark"; $(BIN)/python -m "$$(echo "$${benchmark%.py}" | tr / .)" || exit 1; done

# The recipes' pages are the recipes: their commands are run as they stand there.
embedded: $(BIN)/.test  ## train the embedded models anew: Debian, two cores, ten hours
	@sed -n '/^```sh/,/^```/{//!p;}' recipes/judge/README.md recipes/clip/README.md recipes/vqa/README.md recipes/science/README.md | PATH="$(abspath $(BIN)):$$PATH" bash -eu

clean:  ## forget the environment
	rm -rf $(VENV)

# A stamp is newer than the requirements it was made from, so nothing is installed twice.
$(BIN)/.run: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Gemma Studio needs Python 3.11 or newer. Install one, then: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv --clear $(VENV) || { \
		echo "Python cannot make a virtual environment. On Debian and Ubuntu: $(ROOT) apt-get install python3-venv" >&2; exit 1; }
	@echo "Installing into $(VENV); the first time takes some minutes."
	@$(PIP) install --quiet --requirement requirements.txt --editable .
	@touch $@

$(BIN)/.test: requirements-dev.txt $(BIN)/.run
	@$(PIP) install --quiet --requirement requirements-dev.txt
	@touch $@

# The browser test drives Chromium through Playwright, whose own node wants libatomic; ffmpeg reads a .cube as a film
# maker's tools do.
tools: $(BIN)/.test
	@command -v ffmpeg >/dev/null || wanted="ffmpeg"; \
	command -v "$${CHROMIUM:-chromium}" >/dev/null || wanted="$$wanted chromium"; \
	$(BIN)/playwright --version >/dev/null 2>&1 || wanted="$$wanted libatomic1"; \
	test -z "$$wanted" && exit 0; \
	command -v apt-get >/dev/null || { \
		echo "The tests need: $$wanted. Install them; a browser elsewhere is named with CHROMIUM=/path/to/chrome" >&2; exit 1; }; \
	$(ROOT) apt-get update -qq && \
	$(ROOT) env DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends $$wanted >/dev/null
