# A machine with python3 (3.11 or later), make and a network is enough: the first target builds .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CACHE := $(CURDIR)/.cache/jax
WORKERS ?= 2

export JAX_COMPILATION_CACHE_DIR ?= $(CACHE)

.PHONY: demo test test-all bench lint clean

demo: $(VENV)/.installed
	$(BIN)/ppl run examples/eight_schools/model.ppl --data examples/eight_schools/data.json

test: $(VENV)/.installed-test
	$(BIN)/python -m pytest -q -n $(WORKERS) -m "not slow"

test-all: $(VENV)/.installed-test
	$(BIN)/python -m pytest -q -n $(WORKERS)

bench: $(VENV)/.installed-test
	for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

lint: $(VENV)/.installed-test
	$(BIN)/python -m pip install -q -c constraints.txt -e '.[dev]'
	$(BIN)/ruff check ppl tests
	$(BIN)/mypy

$(VENV)/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or later is needed; name one with make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q -c constraints.txt -e .
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	$(BIN)/python -m pip install -q -c constraints.txt -e '.[test]'
	@touch $@

clean:
	rm -rf $(VENV) .cache build *.egg-info
