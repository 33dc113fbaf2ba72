# Each target does all the set-up it needs, and little the second time. `make` alone lists them.

PYTHON ?= python3
VENV   := .venv
PY     := $(VENV)/bin/python
PIP    := $(PY) -m pip --quiet --disable-pip-version-check

export PIP_ROOT_USER_ACTION := ignore

COMPILED := $(shell find src/mizzle -name '*.pyx' -o -name '*.pxd')

.PHONY: help venv demo test test-quick test-freethreaded bench lint types format clean
.NOTPARALLEL:

help:
	@echo 'make demo        a thousand green threads against a throwaway server, with a picture'
	@echo 'make test        everything: servers, lint, types, all tests'
	@echo 'make test-quick  the engine tests; no server, seconds'
	@echo 'make test-freethreaded  threads without a GIL: builds such a Python first, minutes'
	@echo 'make bench       mizzle beside the other drivers'
	@echo 'make lint        ruff, and whether the generated files are current'
	@echo 'make types       mypy and pyright'
	@echo 'make format      format the sources and write the generated files'
	@echo 'make venv        only set up: .venv with mizzle built in it and all that development needs'
	@echo 'make clean       remove what was built, and .venv'
	@echo
	@echo 'PYTHON=python3.13 chooses the Python of a new .venv. MIZZLE_URL=mysql://… runs the demo on a server of yours.'

$(PY):
	@echo '==> making $(VENV)'
	@$(PYTHON) tools/prepare.py venv $(VENV)

# Installing builds the engine once, with the venv's own Cython; from then on only what changed is built again.
$(VENV)/.installed: pyproject.toml setup.py | $(PY)
	@echo '==> building mizzle and installing it with its development tools into $(VENV) (a minute or two)'
	@$(PIP) install --upgrade setuptools Cython
	@rm -f src/mizzle/engine/*.c  # setup.py may have other directives for them
	@$(PIP) install --no-build-isolation --editable '.[dev]'
	@touch $@

$(VENV)/.built: $(VENV)/.installed $(COMPILED)
	@echo '==> building what changed since'
	@$(PY) setup.py --quiet build_ext --inplace --parallel 2
	@touch $@

venv: $(VENV)/.built

demo: venv
	@$(PY) -m tools.prepare server
	@$(PY) -m examples.booking

test: venv
	@echo '==> server programs'
	@$(PY) -m tools.lab fetch || test -z "$$CI"
	@$(MAKE) --no-print-directory lint types
	@echo '==> tests'
	@$(PY) -m pytest -n 2 --features=.features.json
	@echo '==> docs/protocol.md'
	@$(PY) -m tools.protocol_page --check .features.json

test-quick: venv
	@$(PY) -m pytest -q tests/engine

test-freethreaded: venv
	@$(PY) -m tools.freethreading

bench: venv
	@$(PY) -m tools.prepare server
	@echo '==> the other drivers'
	@$(PY) -m bench.install_peers
	@echo '==> measuring'
	@$(PY) -m bench --rounds 3 --check-targets

lint: venv
	@echo '==> lint'
	@$(PY) -m ruff check --quiet .
	@$(PY) -m ruff format --check --quiet .
	@$(PY) tools/unasync.py --check
	@$(PY) tools/generate_constants.py --check

types: venv
	@echo '==> types'
	@$(PY) -m mypy
	@$(VENV)/bin/basedpyright --pythonpath $(PY)

format: venv
	@$(PY) -m ruff check --fix --quiet .
	@$(PY) -m ruff format --quiet .
	@$(PY) tools/unasync.py
	@$(PY) tools/generate_constants.py

clean:
	rm -rf $(VENV) .venv-freethreaded build dist src/*.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find src -name '*.so' -delete -o -name '*.c' -delete
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
