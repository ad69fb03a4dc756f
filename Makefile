# make run    the sandbox: a proxy to try, with nothing to configure
# make test   every test; first installs the programs that some tests drive
# make check  formatting, lint, types, and audit
# make audit  known vulnerabilities of what it runs on, where the network can be asked
# make fuzz   requests and responses made up to break it, for ten minutes
# make bench  what the proxy costs, beside nginx, Caddy and others, in 40 minutes
# make bench-quick   the core of it in a minute
# make bench-micro   its layers alone: time and allocations
# make bench-report  the last results into docs/performance.md
# make reliability  kills, races, full disks and outages for some 20 minutes
# make reference  docs/reference from the code: settings, commands, metrics
# make release-check  build, install and try the last commit, for each Python here
# make clean  forget the environment and everything built
#
# The first of these makes .venv. PYTHON=... picks the Python it is made with, and
# ARGS=... goes to what is run: make run ARGS="--scenario short-lived",
# make test ARGS="-k login", make fuzz ARGS="--fuzz 60",
# make reliability ARGS="kill --kills 100", make bench ARGS="--idle 600 --soak 60",
# make bench-quick ARGS="--also ../another-checkout".

SHELL := /bin/sh
BIN := .venv/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check --no-input
ARGS ?=

# Part of the tests tells nothing about coverage.
COVERAGE := $(if $(ARGS),,--cov --cov-report=term)
# A file runs as a whole in one process, so that what its tests share starts once.
PYTEST := $(BIN)/python -m pytest -n auto --maxprocesses 8 --dist loadfile

.PHONY: run test check audit fuzz bench bench-quick bench-micro bench-report reliability \
	reference release-check clean

run: .venv/installed
	@$(BIN)/telemed-proxy sandbox $(ARGS) || test $$? -eq 130

test: .venv/developer
	@$(BIN)/python -m tests.programs
	$(PYTEST) $(COVERAGE) $(ARGS)

check: .venv/developer
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	@$(BIN)/python scripts/audit.py

audit: .venv/developer
	@$(BIN)/python scripts/audit.py

# Its share of the time is each property's own, so none waits for others of its file.
fuzz: .venv/developer
	$(PYTEST) --dist load tests/fuzz --fuzz 10 $(ARGS)

bench: .venv/bench
	@$(BIN)/python -m bench $(ARGS)

bench-quick: .venv/bench
	@$(BIN)/python -m bench quick $(ARGS)

bench-micro: .venv/bench
	@$(BIN)/python -m pytest -c bench/micro/pytest.ini bench/micro --benchmark-columns min,median,iqr,ops \
		--benchmark-sort name --quiet $(ARGS)
	@$(BIN)/python -m bench.micro.allocations

bench-report: .venv/bench
	@$(BIN)/python -m bench report

reliability: .venv/developer
	@$(BIN)/python -m tests.reliability $(ARGS)

reference: .venv/installed
	@$(BIN)/python scripts/reference.py $(ARGS)

release-check: .venv/installed
	@$(BIN)/python scripts/release_check.py $(ARGS)

clean:
	rm -rf .venv .coverage* .mypy_cache .pytest_cache .ruff_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp each, newer than pyproject.toml: the second run installs nothing.
.venv/installed: pyproject.toml scripts/environment
	@scripts/environment
	@echo "Installing telemed-proxy into .venv ..." >&2
	@$(PIP) install --editable .
	@touch $@

# pip knows dependency groups since 25.1. An extra is what users may add: tested, too.
.venv/developer: .venv/installed
	@echo "Installing what the tests need into .venv ..." >&2
	@$(PIP) install --upgrade 'pip>=25.1'
	@$(PIP) install --editable '.[encryption,keyring,redis,speed]' --group dev
	@touch $@

# What is measured is the proxy with its faster event loop.
.venv/bench: .venv/installed
	@echo "Installing what the benchmark needs into .venv ..." >&2
	@$(PIP) install --upgrade 'pip>=25.1'
	@$(PIP) install --editable '.[speed]' --group bench
	@touch $@
