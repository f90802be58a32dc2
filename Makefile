PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PINS := requirements/dev.txt
READY := $(VENV)/.ready
OLDEST := python3.11
ROOM := fauxlab_mock/engine
NUMBER := 20
SEED := 1
WORKERS := 3 # of pytest; many tests wait for sockets and other processes, so one more than the cores of CI

.PHONY: setup setup-lowest test test-all test-lowest test-pythons installs check audit mutants sample demo bench generate lock clean

setup: $(READY)

# A virtual environment with everything pinned by hash; made anew whenever the pins or the project's own metadata change.
$(READY): $(PINS) pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(PINS)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $(READY)

# Tests whose threads settle in real time come first, on a quiet machine; the others side by side.
test: setup
	$(BIN)/python -m pytest -m "alone and not slow"
	$(BIN)/python -m pytest -n $(WORKERS) -m "not alone and not slow"

# With the score boards and what else takes its time.
test-all: setup
	$(BIN)/python -m pytest -m alone
	$(BIN)/python -m pytest -n $(WORKERS) -m "not alone"

# With the lowest versions that pyproject.toml allows, on the oldest Python: the rooms that call other packages. All of
# them with ROOMS=tests. What is slow is left to the newest versions, and so is httpx2, which is newer than the lowest.
ROOMS := tests/client tests/clock tests/generation tests/inprocess tests/openapi \
	tests/pytest_plugin tests/server
setup-lowest:
	$(MAKE) setup VENV=.venv-lowest PINS=requirements/lowest.txt PYTHON=$(OLDEST)
test-lowest: setup-lowest
	.venv-lowest/bin/python -m pytest -n $(WORKERS) -m "not alone and not slow" -k "not httpx2" $(ROOMS)

# With each other Python that is here, found by its name or through pyenv: make test-pythons PYTHONS="3.13"
PYTHONS := 3.12 3.13 3.14
test-pythons:
	@for version in $(PYTHONS); do \
		python=$$(PYENV_VERSION=$$(pyenv latest $$version 2>/dev/null) python$$version -c 'import sys; print(sys.executable)' 2>/dev/null) \
			|| { echo "Python $$version is not here"; continue; }; \
		$(MAKE) setup VENV=.venv-$$version PYTHON=$$python || exit 1; \
		.venv-$$version/bin/python -m pytest -n $(WORKERS) -m "not alone and not slow" || exit 1; \
	done

# The wheel, installed as users do: plain, with an extra, beside services with older packages.
installs: setup
	$(BIN)/python tools/try_installs.py

check: setup audit
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

# Our own document: what the vendor's document and its published sample say against each other, and what it leaves open,
# is known by name; anything else fails.
SAMPLE := the vendor publishes this sample and this schema, and the live API takes the sample
AS_WRITTEN := the vendor writes it so; we add no promise
audit: setup
	$(BIN)/fauxlab audit openapi.yaml --fail-on warning \
		--waive 'sample-number-as-text:width=$(SAMPLE)' \
		--waive 'sample-number-as-text:height=$(SAMPLE)' \
		--waive 'sample-number-as-text:num_inference_steps=$(SAMPLE)' \
		--waive 'sample-null-for-required:seed=$(SAMPLE)' \
		--waive 'sample-null:webhook=$(SAMPLE)' \
		--waive 'sample-null:track_id=$(SAMPLE)' \
		--waive 'branches-overlap=$(AS_WRITTEN)' \
		--waive 'reply-slips-through=$(AS_WRITTEN)' \
		--waive 'branch-requires-nothing=$(AS_WRITTEN)' \
		--waive 'no-lower-limit:width=$(AS_WRITTEN)' \
		--waive 'no-lower-limit:height=$(AS_WRITTEN)' \
		--waive 'no-lower-limit:num_inference_steps=$(AS_WRITTEN)'

# How many broken servers and clients are seen, and whether right ones are left alone; fails on a survivor.
mutants: setup
	$(BIN)/python tests/mutants/score.py
	$(BIN)/python tests/client_mutants/score.py
	-$(BIN)/python tests/client_mutants/score_others.py
	-$(BIN)/python tests/mutants/score_others.py

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

LOCK := $(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-header \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host
lock: setup
	$(LOCK) --extra pytest --output-file requirements/dev.txt pyproject.toml requirements/dev.in
	$(LOCK) --output-file requirements/lowest.txt requirements/lowest.in

clean:
	rm -rf $(VENV) .venv-* build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
