# citybrain: `make run` starts a city, `make test` tries everything, `make check` reads everything.
# Needs Python 3.11+, Node 20+, make and a C compiler. All else is locked in locks/ and web/package-lock.json.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
# How many tests run at once: most of them wait for a server, a database or a controller, so three keep two cores busy.
SIDE_BY_SIDE ?= 3
# How many checks run at once; what each says comes in one piece.
CHECKS_AT_ONCE ?= 2
side_by_side = $(BIN)/python -m pytest -n $(SIDE_BY_SIDE) --dist loadfile
BIN := .venv/bin
WEB := $(shell find web -path web/node_modules -prune -o -path web/e2e -prune -o -type f -print 2>/dev/null)
# Some machines are told to keep no compiled modules. Tests start hundreds of processes: each would compile all anew.
unexport PYTHONDONTWRITEBYTECODE
say = @printf '\033[1m%s\033[0m\n'

.PHONY: help run test check style types boundaries words web-check audit pytest web-test browser broker bench docs web lock clean

help: ## these words
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 16

run: .venv/runtime.stamp citybrain/static/.stamp ## start a city at http://127.0.0.1:8000
	@CITYBRAIN_DATA=$${CITYBRAIN_DATA:-.citybrain} $(BIN)/citybrain up $(ARGS)

# Locks, words and names are among the tests.
test: ## all checks and all tests
	@$(MAKE) --no-print-directory --jobs=$(CHECKS_AT_ONCE) --output-sync=line \
	  types web-check style boundaries audit web-test browser broker .clients/.stamp citybrain/static/.stamp
	@$(MAKE) --no-print-directory pytest

check: style types boundaries words web-check audit ## style, types, boundaries, locks, words, known flaws

style: .venv/dev.stamp
	$(say) 'Style'
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check

types: .venv/dev.stamp
	$(say) 'Types'
	@$(BIN)/mypy

boundaries: .venv/dev.stamp
	$(say) 'Boundaries'
	@$(BIN)/lint-imports

words: .venv/dev.stamp
	$(say) 'Locks, words, names'
	@$(BIN)/python -m pytest tests/architecture -m 'not slow'

web-check: web/node_modules/.stamp
	$(say) 'Web style and types'
	@cd web && npm run --silent check

# Where no list of known flaws can be reached it says so and goes on; a known flaw stops it.
audit: .venv/dev.stamp web/node_modules/.stamp
	$(say) 'Known flaws of dependencies'
	@$(BIN)/python -m tests.security.dependencies

pytest: .venv/dev.stamp .clients/.stamp citybrain/static/.stamp
	$(say) 'Tests'
	@$(side_by_side) $(or $(ARGS),tests citybrain web/e2e)

web-test: web/node_modules/.stamp
	$(say) 'Web tests'
	@cd web && npm test --silent

# The browser tests use Debian's Chromium. Without it they say that they are skipped, and why.
browser:
	@if ! command -v chromium >/dev/null && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo 'Installing Chromium and Chinese fonts for the browser tests (about a minute) …'; \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-noto-cjk >/dev/null \
	    || echo 'Chromium could not be installed: the browser tests will be skipped.'; \
	fi

# The tests of MQTT use Debian's mosquitto. Without it they say that they are skipped, and why.
# Not beside the browser: apt-get works alone.
broker: browser
	@if ! command -v mosquitto >/dev/null && [ ! -x /usr/sbin/mosquitto ] && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo 'Installing mosquitto for the tests of MQTT …'; \
	  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends mosquitto >/dev/null; } \
	    || echo 'mosquitto could not be installed: the tests of MQTT will be skipped.'; \
	fi
# The tests of NTCIP use Debian's net-snmp. Without it they say that they are skipped, and why.
	@if ! command -v snmpget >/dev/null && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo 'Installing net-snmp for the tests of NTCIP …'; \
	  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends snmp >/dev/null; } \
	    || echo 'net-snmp could not be installed: the tests of NTCIP with it will be skipped.'; \
	fi

bench: .venv/dev.stamp ## the figures we promise, measured
	@for file in bench/bench_*.py; do $(BIN)/python $$file; done
	@$(BIN)/python -m bench.traffic --quick

docs: .venv/dev.stamp ## write the generated pages anew
	@$(BIN)/python -m docs.generate

web: citybrain/static/.stamp ## build the web front end

lock: | .venv/bin/uv ## compile the locks anew from pyproject.toml (UPGRADE=--upgrade for newer releases)
	@$(compile) pyproject.toml --group build -o locks/runtime.txt
	@$(compile) pyproject.toml --group dev -o locks/dev.txt
	@$(compile) --group scenarios --no-deps -o locks/scenarios.txt
	@$(compile) --group clients -o locks/clients.txt
	@echo 'uv' | $(compile) - -c locks/dev.txt -o locks/uv.txt

compile = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-header --no-annotate $(UPGRADE)

clean: ## remove everything that was installed or built here (not the city's data in .citybrain)
	rm -rf .venv .clients web/node_modules citybrain/static dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

.venv/bin/uv: locks/uv.txt
	$(say) 'Making the virtual environment'
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "citybrain needs Python 3.11 or newer; set PYTHON=")'
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --require-hashes -r locks/uv.txt
	@touch $@

# On a terminal uv shows its own progress; in a log it says nothing unless something is wrong.
quiet := $(shell [ -t 2 ] || echo --quiet)
install = VIRTUAL_ENV=.venv $(BIN)/uv pip install $(quiet)
editable = CITYBRAIN_SKIP_WEB=1 $(install) --no-deps --no-build-isolation -e .

.venv/runtime.stamp: locks/runtime.txt locks/scenarios.txt pyproject.toml | .venv/bin/uv
	$(say) 'Installing Python packages (the simulator is large: a few minutes the first time)'
	@$(install) --require-hashes -r locks/runtime.txt
	@$(install) --require-hashes --no-deps -r locks/scenarios.txt
	@$(editable)
	@touch $@

.venv/dev.stamp: locks/dev.txt .venv/runtime.stamp
	$(say) 'Installing the tools for tests and checks'
	@$(install) --require-hashes -r locks/dev.txt
	@touch $@

.clients/.stamp: locks/clients.txt | .venv/bin/uv
	$(say) 'Installing clients that others wrote, for the tests'
	@[ -x .clients/bin/python ] || $(PYTHON) -m venv .clients
	@VIRTUAL_ENV=.clients $(BIN)/uv pip install $(quiet) --require-hashes -r locks/clients.txt
	@touch $@

web/node_modules/.stamp: web/package-lock.json web/package.json
	$(say) 'Installing web packages'
	@cd web && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

# The content decides whether there is anything to build: hatch_build.py compares hashes.
citybrain/static/.stamp: $(WEB) hatch_build.py .venv/runtime.stamp web/node_modules/.stamp
	$(say) 'Building the web front end'
	@$(BIN)/python hatch_build.py
	@touch $@
