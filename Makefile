# Two commands for users: `make demo` and `make test`. All they need is Python 3.10 or newer, pip and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OUT ?= out
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --maxprocesses 8

.PHONY: demo test test-all lint format bench clean data

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "Python 3.10 or newer is needed: make PYTHON=python3.11 …")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/demo.stamp: $(BIN)/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[plot]'
	@touch $@

$(VENV)/dev.stamp: $(VENV)/demo.stamp
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

data: $(VENV)/demo.stamp
	@$(BIN)/python -m kerasish datasets fashion_mnist || { \
		echo 'Trying the system package with the same files …'; \
		(apt-get install --yes dataset-fashion-mnist || \
			{ apt-get update && apt-get install --yes dataset-fashion-mnist; }) >/dev/null && \
		$(BIN)/python -m kerasish datasets fashion_mnist; }

demo: data
	$(BIN)/python examples/lecture.py --output $(OUT)

lint: $(VENV)/dev.stamp
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

test: $(VENV)/dev.stamp data lint
	$(PYTEST) -m "not slow"

test-all: $(VENV)/dev.stamp data lint
	$(PYTEST)

format: $(VENV)/dev.stamp
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/dev.stamp data
	$(BIN)/python compat/benchmarks/training.py

clean:
	rm -rf $(VENV) $(OUT) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
