PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
ROOM := fauxlab_mock/engine
NUMBER := 20
SEED := 1

.PHONY: setup test test-all check mutants sample demo bench generate lock clean

setup: $(READY)

# A virtual environment with everything pinned by hash; made anew whenever the pins or the project's own metadata change.
$(READY): requirements/dev.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $(READY)

# Tests whose threads settle in real time come first, on a quiet machine; the others side by side.
test: setup
	$(BIN)/python -m pytest -m "alone and not slow"
	$(BIN)/python -m pytest -n 2 -m "not alone and not slow"

# With the score boards and what else takes its time.
test-all: setup
	$(BIN)/python -m pytest -m alone
	$(BIN)/python -m pytest -n 2 -m "not alone"

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

# How many broken servers and clients are seen, and whether right ones are left alone; fails on a survivor.
mutants: setup
	$(BIN)/python tests/mutants/score.py
	$(BIN)/python tests/client_mutants/score.py

# Random breaks of one room that its tests do not notice: make sample ROOM=fauxlab_mock/engine NUMBER=20 SEED=1
sample: setup
	$(BIN)/python tools/sample_mutants.py $(ROOM) --number $(NUMBER) --seed $(SEED)

demo: setup
	$(BIN)/python examples/demo.py

bench: setup
	$(BIN)/python benchmarks/cold_start.py
	$(BIN)/python benchmarks/throughput.py
	$(BIN)/python benchmarks/memory.py
	$(BIN)/python benchmarks/strategies.py
	$(BIN)/python benchmarks/in_process.py

# What the client knows of the contract, written anew from openapi.yaml.
generate: setup
	$(BIN)/python tools/generate_client.py client/fauxlab_client

lock: setup
	$(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
		--no-header --extra pytest --output-file requirements/dev.txt pyproject.toml requirements/dev.in

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
