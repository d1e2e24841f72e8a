# The commands of the project. Each creates its environment first if need be; uv is used where it is there, never needed.
# Another Python has an environment of its own: make test PYTHON=python3.13 lies in .venv-python3.13.
PYTHON ?= python3.11
VENV ?= .venv$(if $(filter python3.11,$(notdir $(PYTHON))),,-$(notdir $(PYTHON)))
CONSTRAINTS ?= constraints.txt
BIN := $(VENV)/bin
UV := $(shell command -v uv 2>/dev/null)

PYTEST := $(BIN)/python -m pytest -n 2 --dist loadgroup
# whatever the machine says, modules are compiled once: not by each worker, and by each of the hundreds of processes of the tests
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo lab docs servers check test fuzz soak mutants portable lowest coverage lint bench clean

demo: $(VENV)/demo
	$(BIN)/python -m riskkit demo
	$(BIN)/python -m riskkit warm

lab: $(VENV)/demo
	$(BIN)/jupyter lab notebooks/00_tour.ipynb

# the documentation from docstrings and stored notebooks, in out/docs; a warning or a broken link is an error
docs: $(VENV)/docs
	$(BIN)/python notebooks/docs/build.py out/docs

# before each commit: the linters, and the tests that compile nothing, start no process and are not marked slow or lengthy, of each two cases
check: lint
	$(PYTEST) --fast --few -q

test: $(VENV)/dev
	$(PYTEST) --nbval --nbval-current-env tests riskkit notebooks

# the servers that tests of the service start; where they are absent, those tests are skipped
SERVERS := redis-server postgresql prometheus $(if $(shell command -v npm),,nodejs npm)
servers:
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get install -qq --yes --no-install-recommends $(SERVERS) || \
		{ apt-get update -qq && apt-get install -qq --yes --no-install-recommends $(SERVERS); }; \
	else echo "install as root, with apt-get or what your system has: $(SERVERS)"; fi
	npm ci --silent --legacy-peer-deps --no-audit --no-fund --prefix tests/service/timescale

# the properties on more cases, each time others, the tests of killed processes again and again, and ten minutes of atheris;
# of one kind of attack only by PROFILE=numbers, files, signals, names or guided
PROFILE ?=
FUZZ_SECONDS ?= 600
fuzz: $(VENV)/fuzz
ifneq ($(PROFILE),guided)
	$(PYTEST) --long tests$(if $(PROFILE),/house/test_fuzz_$(PROFILE).py)
endif
ifneq ($(filter guided,$(or $(PROFILE),guided)),)
	mkdir -p out/fuzz
	$(BIN)/python tests/guided_fuzz.py -max_total_time=$(FUZZ_SECONDS) -artifact_prefix=out/fuzz/
endif

# workers at a broker for an hour, at 2,000 events a second, with limits that change, kills, restarts and a silent broker
SOAK ?= 3600
soak: $(VENV)/dev
	SOAK_SECONDS=$(SOAK) SOAK_RATE=2000 SOAK_EVERY=120 $(BIN)/python -m pytest -n 0 -q tests/service/test_stream_soak.py

# a sample of the package with one token changed each: the tests must notice; survivors are printed, more than 5 % fail
SAMPLE ?= 30
SEED ?= 1
FILES ?=
mutants: $(VENV)/dev
	$(BIN)/python tests/mutants.py --sample $(SAMPLE) --seed $(SEED) $(FILES)

# what computes in floats, as on other processors: the kernels of other BLAS, numpy without wide vectors, the C library
# without fused operations, arrays whose last bit is not that of numbers, and one core
FLOATS := attribution covariance desk liquidity montecarlo performance pnl reference returns stress var
FLOAT_TESTS := $(sort $(wildcard $(FLOATS:%=tests/test_%*.py) $(FLOATS:%=tests/%*) $(FLOATS:%=riskkit/%*)))
WIDE = from numpy._core._multiarray_umath import __cpu_dispatch__ as known, __cpu_features__ as found; \
	print(*(name for name in known if found[name]))
portable: $(VENV)/dev
	OPENBLAS_CORETYPE=Haswell $(PYTEST) -q $(FLOAT_TESTS)
	OPENBLAS_CORETYPE=Nehalem $(PYTEST) -q $(FLOAT_TESTS)
	NPY_DISABLE_CPU_FEATURES="$$($(BIN)/python -c '$(WIDE)')" $(PYTEST) -q $(FLOAT_TESTS)
	GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX2,-FMA,-FMA4 $(PYTEST) -q $(FLOAT_TESTS)
	$(CC) -O2 -fPIC -shared -fno-builtin -o $(VENV)/other_processor.so tests/other_processor.c -ldl -lm
	LD_PRELOAD=$(abspath $(VENV))/other_processor.so $(PYTEST) -q $(FLOAT_TESTS)
	taskset -c 0 $(PYTEST) -q $(FLOAT_TESTS)

# the oldest dependencies that pyproject.toml admits; those of the notebooks admit none so old
lowest:
	$(MAKE) $(VENV)-lowest/lowest VENV=$(VENV)-lowest CONSTRAINTS=tests/constraints-lowest.txt
	$(VENV)-lowest/bin/python -m pytest -n 2 --dist loadgroup tests

# kernels run as plain Python, so that their lines count; fails below 95 % (pyproject.toml)
coverage: $(VENV)/dev
	NUMBA_DISABLE_JIT=1 $(BIN)/python -m coverage run -m pytest -n 2 --dist loadgroup
	$(BIN)/python -m coverage combine --quiet
	$(BIN)/python -m coverage report --skip-covered

lint: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/bench
	$(BIN)/python -m benchmarks replay

clean:
	rm -rf .venv* out

$(VENV)/bin/python:
ifeq ($(UV),)
	$(PYTHON) -m venv $(VENV) || python3 -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --upgrade pip
else
	$(UV) venv --quiet --python $(PYTHON) $(VENV) || $(UV) venv --quiet $(VENV)
endif

# what was installed is remembered by an empty file, made anew when the lists change
INSTALL = $(if $(UV),$(UV) pip install --quiet --python $(BIN)/python,$(BIN)/python -m pip install --quiet) --constraint $(CONSTRAINTS)

$(VENV)/demo: $(VENV)/bin/python pyproject.toml $(CONSTRAINTS)
	$(INSTALL) --editable '.[notebooks]'
	touch $@

$(VENV)/dev: $(VENV)/demo
	$(INSTALL) --editable '.[notebooks,garch,shrinkage]' --group test --group lint
	touch $@

$(VENV)/fuzz: $(VENV)/dev
	$(INSTALL) --group fuzz
	touch $@

$(VENV)/docs: $(VENV)/demo
	$(INSTALL) --editable '.[notebooks]' --group docs
	touch $@

$(VENV)/lowest: $(VENV)/bin/python pyproject.toml $(CONSTRAINTS)
	$(INSTALL) --editable '.[garch,shrinkage]' --group test
	touch $@

$(VENV)/bench: $(VENV)/dev
	$(INSTALL) --group benchmark
	touch $@
