# The commands of the project. Each creates .venv first if need be; uv is used where it is there, never needed.
PYTHON ?= python3.11
BIN := .venv/bin
UV := $(shell command -v uv 2>/dev/null)

.PHONY: demo lab test fuzz coverage lint bench clean

demo: .venv/demo
	$(BIN)/python -m riskkit demo

lab: .venv/demo
	$(BIN)/jupyter lab notebooks/00_tour.ipynb

test: .venv/dev
	$(BIN)/python -m pytest -n 2 --dist loadgroup
	$(BIN)/python -m pytest -n 2 --dist loadfile --nbval --nbval-current-env notebooks

# the properties again, each time on cases never tried before
fuzz: .venv/dev
	$(BIN)/python -m pytest -n 2 --dist loadgroup --hypothesis-profile new tests

# kernels run as plain Python, so that their lines count; fails below 95 % (pyproject.toml)
coverage: .venv/dev
	NUMBA_DISABLE_JIT=1 $(BIN)/python -m coverage run -m pytest -n 2 --dist loadgroup
	$(BIN)/python -m coverage combine --quiet
	$(BIN)/python -m coverage report --skip-covered

lint: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: .venv/bench
	$(BIN)/python -m benchmarks replay

clean:
	rm -rf .venv out

.venv/bin/python:
ifeq ($(UV),)
	$(PYTHON) -m venv .venv || python3 -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --upgrade pip
else
	$(UV) venv --quiet --python $(PYTHON) .venv || $(UV) venv --quiet .venv
endif

# what was installed is remembered by an empty file, made anew when the lists change
INSTALL = $(if $(UV),$(UV) pip install --quiet --python $(BIN)/python,$(BIN)/python -m pip install --quiet) --constraint constraints.txt

.venv/demo: .venv/bin/python pyproject.toml constraints.txt
	$(INSTALL) --editable '.[notebooks]'
	touch $@

.venv/dev: .venv/demo
	$(INSTALL) --editable '.[notebooks,garch,shrinkage]' --group test --group lint
	touch $@

.venv/bench: .venv/dev
	$(INSTALL) --group benchmark
	touch $@
