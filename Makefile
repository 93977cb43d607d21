# wampy: every command that a developer needs. `make help` lists them.
#
# A fresh machine needs Rust, Python 3.11 or later with venv and pip, Node.js with npm, and make;
# each target installs the rest into directories of this checkout; only valgrind, for `make counts`, is
# a package of the system.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CARGO ?= cargo
RELEASE := target/release/wampy
DEBUG := target/debug/wampy

.PHONY: help
help: ## List the commands.
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

.PHONY: build
build: ## Build the `wampy` command: target/release/wampy.
	$(CARGO) build --release --locked -p wampy-cli

# The virtual environment of the Python package and its checks.
$(VENV)/.tools: python/requirements-dev.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet -r python/requirements-dev.txt
	touch $@

RUST_SOURCES := $(shell git ls-files 'crates/*' Cargo.toml Cargo.lock)
PYTHON_SOURCES := $(shell git ls-files 'python/wampy/*' pyproject.toml)

# The package as a user gets it: one abi3 wheel, installed.
$(VENV)/.wheel: $(VENV)/.tools $(RUST_SOURCES) $(PYTHON_SOURCES)
	rm -rf target/wheels
	$(BIN)/maturin build --locked --out target/wheels --quiet
	$(BIN)/pip install --quiet --force-reinstall --no-deps target/wheels/wampy-*.whl
	touch $@

.PHONY: wheel
wheel: $(VENV)/.wheel ## Build the Python wheel and install it into .venv.

.PHONY: demo
demo: build wheel ## Router up, a Python service, called from Python and from Rust.
	$(CARGO) build --locked --quiet -p wampy --examples
	$(BIN)/python examples/demo.py

.PHONY: test
test: test-rust test-python test-interop ## Run every test: Rust, Python, interop.

.PHONY: test-rust
test-rust: ## Rust: unit, property, scenario and documentation tests.
	$(CARGO) test --locked

.PHONY: test-python
test-python: wheel ## Python: the package and the founding documents.
	$(BIN)/python -m pytest python/tests -v

# All Pythons that are found, unless told otherwise: `make test-wheel PYTHONS="python3.10 python3.13"`.
.PHONY: test-wheel
test-wheel: wheel ## Python: the wheel alone, in a fresh environment of each of PYTHONS.
	PYTHONS="$(PYTHONS)" python/test-wheel target/wheels/wampy-*.whl

.PHONY: test-interop
test-interop: wheel ## Third-party clients and routers beside ours.
	$(CARGO) build --locked --quiet
	interop/setup
	WAMPY_BIN=$(DEBUG) $(BIN)/python -m pytest interop -v

# Each night other walks; a failure names the seed that repeats it: `make nightly SEED=… WALKS=1`.
SEED ?= $(shell date +%s)
WALKS ?= 500

.PHONY: nightly
nightly: ## The realm's random walk against its model: 10 million steps.
	@echo "seed $(SEED) and following, $(WALKS) walks of 20000 steps"
	WALK_SEED=$(SEED) WALKS=$(WALKS) $(CARGO) test --release --locked --quiet -p wampy-realm \
		--test routing random_walk -- --nocapture

.PHONY: features
features: ## Write docs/features.md from the tables that it shows.
	WRITE_FEATURES=1 $(CARGO) test --locked --quiet -p wampy-proto --test features

.PHONY: reference
reference: $(VENV)/.tools ## Write docs/python/reference.md from the docstrings.
	$(BIN)/python python/write-reference

# Not a part of `make test`: the suite runs on Python 2.7 only, and for some minutes.
.PHONY: autobahn
autobahn: ## The Autobahn test suite against our WebSocket, with compression. Needs Python 2.7.
	$(CARGO) build --release --locked --quiet -p wampy-proto --examples
	interop/autobahn

# cargo-deny comes as source and takes some minutes to build, once.
.tools/bin/cargo-deny:
	$(CARGO) install cargo-deny --version 0.20.2 --locked --quiet --root .tools

SCRIPTS := benches/check-counts benches/write-steps benches/where-time-goes python/write-reference benches/python

# All that the installed package makes public has to have a type; pyright looks for it by PATH.
TYPES_COMPLETE := PATH="$(CURDIR)/$(BIN):$$PATH" pyright --verifytypes wampy --ignoreexternal

.PHONY: lint
lint: $(VENV)/.wheel .tools/bin/cargo-deny ## Formatting, clippy, rustdoc, ruff, mypy, pyright, types, stubtest, licenses.
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --no-deps --quiet
	$(BIN)/ruff check python interop examples $(SCRIPTS)
	$(BIN)/ruff format --check python interop examples $(SCRIPTS)
	$(BIN)/mypy --strict python/wampy
	$(BIN)/pyright
	$(TYPES_COMPLETE) > target/types.log || { cat target/types.log; exit 1; }
	$(BIN)/python -m mypy.stubtest wampy._wampy
	$(BIN)/python python/write-reference --check
	.tools/bin/cargo-deny --locked check bans licenses sources

# The library and the runner must have the same version: this one stands in Cargo.toml, too.
GUNGRAUN_VERSION := 0.20.0
GUNGRAUN := .tools/gungraun-$(GUNGRAUN_VERSION)/bin/gungraun-runner

$(GUNGRAUN):
	$(CARGO) install gungraun-runner --version $(GUNGRAUN_VERSION) --locked --quiet \
		--root .tools/gungraun-$(GUNGRAUN_VERSION)

.PHONY: valgrind
valgrind:
	@if ! command -v valgrind > /dev/null; then \
		if [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null; then \
			apt-get update -qq && apt-get install -qq -y --no-install-recommends valgrind; \
		else \
			echo "Counting needs valgrind: install your system's package of this name." >&2; exit 1; \
		fi; \
	fi

# Old results go first: a function that is not counted any more must not be found there.
.PHONY: count
count: valgrind $(GUNGRAUN)
	rm -rf target/gungraun target/counts.log
	mkdir -p target
	GUNGRAUN_RUNNER=$(CURDIR)/$(GUNGRAUN) $(CARGO) bench --locked --quiet \
		-p wampy-proto -p wampy-realm -p wampy-router --bench instructions \
		-- --save-summary=json --callgrind-args=--cache-sim=no > target/counts.log \
		|| { cat target/counts.log; exit 1; }

.PHONY: counts
counts: count ## Instructions of the hot functions, against those in docs.
	benches/check-counts

.PHONY: counts-accept
counts-accept: count ## Write the instruction counts into docs.
	benches/check-counts --accept
	benches/write-steps

.PHONY: bench
bench: bench-compare bench-scale bench-python ## All of the benchmarks; writes pages and charts of docs.

.PHONY: bench-compare
bench-compare: build ## Our router, others and the floor, side by side; writes docs/benchmarks.md.
	benches/setup-crossbar
	benches/setup-nexus
	benches/setup-nats
	$(CARGO) run --release --locked -p wampy-bench -- compare --wampy $(RELEASE)

.PHONY: bench-scale
bench-scale: build ## How cost grows; writes docs/scaling.md and its charts.
	$(CARGO) run --release --locked -p wampy-bench -- scale --wampy $(RELEASE)

.PHONY: bench-python
bench-python: build ## Python clients side by side; writes docs/benchmarks-python.md.
	$(CARGO) build --release --locked -p wampy-bench-peer
	benches/python/setup
	$(PYTHON) benches/python/compare --wampy $(RELEASE)

.PHONY: clean
clean: ## Remove all that was built or installed here.
	rm -rf target .tools .venv .venv-* interop/node/node_modules
