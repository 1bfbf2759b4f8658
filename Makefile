# The door to Poolwright: `make` alone lists what there is. Set-up is part of every target and quick when done before.

PYTHON ?= python3
BENCH ?= peers
ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
else
BIN := .venv/bin
endif

# Three times as many processes as the machine that it is made for has cores: more than half of the time a test waits for
# a browser, a limit or a program. Who is done helps the others.
SIDE_BY_SIDE := -n 6 --dist worksteal
QUICK := tests/unit tests/contract tests/architecture
LONG := tests/browser tests/process tests/system

.DEFAULT_GOAL := help
.PHONY: help demo test long-tests short-tests stress quick lint types collected quick-tests chaos image-test bench soak mutants check fix lock docs clean ready

# Every start of Python would compile the program and the tests anew, hundreds of times in one test run.
unexport PYTHONDONTWRITEBYTECODE

help: ## List the targets
	@awk -F ':[^#]*## ' '/^[a-z-]+:[^#]*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

demo: ## Bring back 40 made-up purchase orders from a built-in portal, with real browsers
	@$(PYTHON) tools/bootstrap.py demo
	@$(BIN)/poolwright demo

# Without ARGS the tests run in two halves side by side: see `long-tests` and `short-tests`.
test: ready ## Run every check and every test (make test ARGS="tests/unit -k orders")
ifeq ($(strip $(ARGS)),)
	@$(MAKE) -k -j2 long-tests short-tests
else
	@$(MAKE) -k -j2 types lint
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) $(ARGS)
endif

stress: ready ## Run all tests four times in random order beside four busy processes (make stress ARGS="--runs 6 --load 0")
	$(BIN)/python -m tools.stress $(ARGS)

quick: ready ## Lint, types of what changed, architecture and every test that starts no process
	@$(MAKE) -k -j2 changed-types quick-tests lint

chaos: ready ## Let all that can fail do so, once and then at random over long lists (make chaos ARGS="--seed 7 --orders 100 --kills 20")
	$(BIN)/python -m pytest tests/chaos/accidents -m chaos -n 4 --dist worksteal
	$(BIN)/python -m pytest tests/chaos -m chaos -p no:randomly --ignore tests/chaos/accidents $(ARGS)

image-test: ready ## Build the container image with Debian's own tools and test it in containers (as root on Debian)
	$(BIN)/python -m tools.image $(ARGS)

bench: ready ## Compare with other programs; BENCH=recovery, clones, first_order or large_list measures these (on a quiet machine)
	$(BIN)/python -m bench.$(BENCH) $(ARGS)

soak: ready ## Let a pool live on light orders and fat pages, and see what grows: build/soak/soak.png (make soak ARGS="--minutes 10")
	$(BIN)/python -m bench.soak $(ARGS)

mutants: ready ## Change the pure rules in every small way and see that a test notices (make mutants ARGS="numbers triage")
	$(BIN)/python -m tools.mutants $(ARGS)

check: ready ## Lint, types, architecture, pins and generated pages
	@$(MAKE) -k -j2 types lint collected

# The parts of `check` and `quick`, which run side by side; they take it that `ready` is done. The longest comes first.
types:
	$(BIN)/pyright

changed-types:
	$(BIN)/python -m tools.changed_types

# Every test can be found.
collected:
	@mkdir -p build
	$(BIN)/python -m pytest --collect-only -qqq -p no:cacheprovider > build/collected.txt || { cat build/collected.txt; exit 1; }

# Tests that start processes. In a fresh clone six processes would each compile them, all at the same moment; the first
# command does that once.
long-tests: types
	@mkdir -p build
	@$(BIN)/python -m pytest --collect-only -qqq -p no:cacheprovider $(LONG) > build/collected.txt || { cat build/collected.txt; exit 1; }
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) $(LONG)

# All other tests, in one process: to hand out ten thousand of them takes as long as to run them. What it says comes when
# it is done, so that the two halves do not write between each other's lines.
short-tests: lint
	@mkdir -p build
	$(BIN)/python -m pytest -q $(QUICK) > build/short-tests.txt; code=$$?; cat build/short-tests.txt; exit $$code

quick-tests:
	$(BIN)/python -m pytest -q -n 2 --dist worksteal $(QUICK) $(ARGS)

lint:
	$(BIN)/python tools/lock.py --check
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/python tools/async_rules.py
	$(BIN)/lint-imports --no-logo
	$(BIN)/hadolint Dockerfile
	$(BIN)/python -m tools.docs check

fix: ready ## Apply what the linter and the formatter can mend
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

lock: ready ## Pin again after a change of dependencies in pyproject.toml (ARGS=--upgrade takes the newest)
	$(BIN)/python tools/lock.py $(ARGS)
	@$(PYTHON) tools/bootstrap.py test

docs: ready ## Draw .env.example and the generated parts of docs/ again
	$(BIN)/python -m tools.docs write

clean: ## Remove .venv and all that tools left
	rm -rf .venv build dist .coverage* .hypothesis .import_linter_cache .pytest_cache .ruff_cache
	find app bench examples tests tools -name __pycache__ -type d -prune -exec rm -rf {} +

ready:
	@$(PYTHON) tools/bootstrap.py test
