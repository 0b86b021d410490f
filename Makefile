# Each target is one command and sets up what it needs. `make` lists them.

# The first interpreter that is new enough; functions/venv is made with it.
ifndef PYTHON
PYTHON := $(shell for p in python3.11 python3.12 python3.13 python3.14 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; \
	done)
endif
ifeq ($(PYTHON),)
$(error Python 3.11 or newer is needed: install it (https://www.python.org) and try again)
endif

# The set-up has yet to install tools/, so the package of the emulators is found by its path.
EMULATORS := env PYTHONPATH='$(CURDIR)/tools' $(PYTHON) -m emulators
BIN := functions/venv/bin
# ruff, mypy and pytest run in functions/, where their configuration is.
IN_FUNCTIONS := cd functions &&
CODE := . ../tools ../bench

.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
.PHONY: help
help: ## list the targets
	@echo 'make TARGET, where TARGET is one of'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## install everything that comes from the network
	@$(EMULATORS) setup

.PHONY: venv
venv:
	@$(EMULATORS) setup --python-only

# What npm and vite say on a Node.js that is too old does not help.
.PHONY: node
node:
	@$(EMULATORS) check

CLIENT := clients/typescript

# The console is built again when any of its sources is newer than the build.
CONSOLE := web/dist/index.html
CONSOLE_SOURCES := $(shell find web/src web/public $(CLIENT)/src -type f 2>/dev/null) \
	$(wildcard web/*.html web/*.json web/*.ts web/.env* openapi.json)

web/node_modules/.package-lock.json: web/package-lock.json | node
	@echo 'Installing the build tools of the console'
	@cd web && npm ci --loglevel=error
	@touch $@

# What generates, checks and tests the client. The console needs none of it.
$(CLIENT)/node_modules/.package-lock.json: $(CLIENT)/package-lock.json | node
	@echo 'Installing the build tools of the client'
	@cd $(CLIENT) && npm ci --loglevel=error
	@touch $@

$(CONSOLE): web/node_modules/.package-lock.json $(CONSOLE_SOURCES) | node
	@echo 'Building the console'
	@cd web && npm run --silent build -- --logLevel=warn

.PHONY: console
console: $(CONSOLE) ## build the console if its sources have changed

.PHONY: run
run: $(CONSOLE) ## start the emulators with emulator-data; Ctrl-C stops them
	@$(EMULATORS) start

# Runs targets one after the other, and lanes of them at the same time; tells how long each took.
PARTS := MAKE='$(MAKE)' $(PYTHON) tools/parts.py

# Two lanes that take about as long: of two suites on emulators one waits while the other works.
PARTS_OF_ALL := -- test-browser test-units -- test-console lint test-simulation test-emulated

.PHONY: test
test: setup $(CONSOLE) ## lint, check types, run the tests on emulators of their own (ARGS='-k credits')
	@$(PARTS) $(if $(ARGS),lint test-functions,$(PARTS_OF_ALL))

.PHONY: test-functions
test-functions: setup
	@$(IN_FUNCTIONS) $(EMULATORS) exec -- venv/bin/python -m pytest $(ARGS)

.PHONY: test-emulated
test-emulated: setup
	@$(IN_FUNCTIONS) $(EMULATORS) exec -- venv/bin/python -m pytest -m emulator

.PHONY: test-units
test-units: setup
	@$(IN_FUNCTIONS) venv/bin/python -m pytest -m 'not emulator' --ignore=tests/simulation

.PHONY: test-simulation
test-simulation: setup
	@$(IN_FUNCTIONS) venv/bin/python -m pytest -m 'not emulator' tests/simulation

.PHONY: test-long
test-long: setup ## what takes longer: vendors' SDKs, soak, simulation, fuzz (about 10 minutes)
	@$(PARTS) test-vendors 'soak SECONDS=180' 'simulate SECONDS=200 FIRST=100000' 'fuzz EXAMPLES=40'

.PHONY: unit
unit: venv ## the tests that need no emulator, in half a minute (ARGS='-k ledger')
	@$(IN_FUNCTIONS) SIMULATION_SECONDS=0 venv/bin/python -m pytest -q -m 'not emulator' $(ARGS)

.PHONY: coverage
coverage: setup ## what the tests cover, as text and in functions/htmlcov
	@$(IN_FUNCTIONS) $(EMULATORS) exec -- venv/bin/coverage run -m pytest -q $(ARGS)
	@$(IN_FUNCTIONS) venv/bin/coverage html --quiet && venv/bin/coverage report

# The SDKs live apart, so that what they need does not bend what we need.
VENDORS_VENV := .cache/vendors
$(VENDORS_VENV)/installed: functions/requirements-vendors.txt
	@$(PYTHON) -m venv $(VENDORS_VENV)
	@$(VENDORS_VENV)/bin/python -m pip install --quiet -r $<
	@touch $@

.PHONY: test-vendors
test-vendors: venv $(VENDORS_VENV)/installed ## what we send, read and verify beside the vendors' own packages
	@$(IN_FUNCTIONS) VENDORS_PYTHON=$(CURDIR)/$(VENDORS_VENV)/bin/python \
		venv/bin/python -m pytest tests/vendors $(ARGS)

.PHONY: studio
studio: venv ## an image vendor on this machine, to try models with (PORT=8093)
	@cd tools && ../functions/venv/bin/python -m studio --port $(or $(PORT),8093)

.PHONY: test-console
test-console: setup $(CONSOLE) $(CLIENT)/node_modules/.package-lock.json ## test the code of the client and the console
	@cd $(CLIENT) && npm test --silent
	@cd web && npm test --silent

.PHONY: test-browser
test-browser: setup $(CONSOLE) ## test the console in a real browser
	@node web/browser/run.mjs $(EMULATORS) exec -- npm --prefix web run --silent test:browser

.PHONY: screenshots
screenshots: setup $(CONSOLE) ## pictures of every screen: web/screenshots
	@node web/browser/run.mjs $(EMULATORS) exec -- npm --prefix web run --silent screenshots

.PHONY: fuzz
fuzz: setup ## call the functions in ways nobody thought of, for long (EXAMPLES=1000)
	@$(IN_FUNCTIONS) FUZZ_EXAMPLES=$(or $(EXAMPLES),1000) $(EMULATORS) exec -- \
		venv/bin/python -m pytest tests/test_fuzz.py tests/purchases/test_webhook_fuzz.py \
		tests/purchases/test_webhook_sequences.py $(ARGS)

.PHONY: openapi
openapi: venv $(CLIENT)/node_modules/.package-lock.json ## write again what describes the API: openapi.json, Postman, tables of docs/api.md, the client's types
	@PYTHONPATH=functions:tools functions/venv/bin/python -m openapi
	@cd $(CLIENT) && npm run --silent types > /dev/null

.PHONY: simulate
simulate: venv ## hold the money against seeded faults (SEEDS=2000 or SECONDS=60, FIRST=0; SEED=17 replays one)
	@functions/venv/bin/python bench/simulate.py $(if $(SEED),--seed $(SEED),--first $(or $(FIRST),0) \
		$(if $(SECONDS),--seconds $(SECONDS),--seeds $(or $(SEEDS),2000)))

.PHONY: soak
soak: setup ## mixed traffic, faults, kills, then the audit (SECONDS=60 FAULTS=0.05, the share of RPCs)
	@$(IN_FUNCTIONS) $(addprefix SOAK_SECONDS=,$(SECONDS)) $(addprefix SOAK_FAULTS=,$(FAULTS)) \
		$(EMULATORS) exec -- venv/bin/python -m pytest -s tests/soak

.PHONY: bench
bench: setup ## speed, cost, cold start, an instance in full, scale (about 25 minutes)
	@functions/venv/bin/python bench/run.py

.PHONY: costs
costs: setup ## what the backend costs, from counted operations: the tables of docs/costs.md
	@functions/venv/bin/python bench/costs.py

.PHONY: lint
lint: venv web/node_modules/.package-lock.json $(CLIENT)/node_modules/.package-lock.json ## ruff, mypy, import contracts; biome and tsc
	@$(IN_FUNCTIONS) venv/bin/ruff check $(CODE)
	@$(IN_FUNCTIONS) venv/bin/ruff format --check $(CODE)
	@$(IN_FUNCTIONS) venv/bin/mypy $(CODE)
	@$(IN_FUNCTIONS) venv/bin/mypy ../bench/floor/main.py
	@$(IN_FUNCTIONS) venv/bin/lint-imports --no-logo
	@cd web && npm run --silent lint
	@cd $(CLIENT) && npm run --silent lint

.PHONY: format
format: venv web/node_modules/.package-lock.json $(CLIENT)/node_modules/.package-lock.json ## format the code
	@$(IN_FUNCTIONS) venv/bin/ruff check --fix $(CODE)
	@$(IN_FUNCTIONS) venv/bin/ruff format $(CODE)
	@cd web && npm run --silent format
	@cd $(CLIENT) && npm run --silent format

# Kept out of functions/venv: only this target needs it.
UV := .cache/uv/bin/uv
$(UV):
	@$(PYTHON) -m venv .cache/uv
	@.cache/uv/bin/pip install --quiet --disable-pip-version-check uv==0.13.9

# The versions in the .txt files are kept unless ARGS asks for others.
.PHONY: lock
lock: $(UV) ## pin what functions/*.in ask for (ARGS='--upgrade-package httpx', ARGS=--upgrade)
	@$(IN_FUNCTIONS) for name in requirements requirements-dev requirements-vendors; do \
		../$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
			--no-annotate --output-file $$name.txt $$name.in $(ARGS) || exit 1; \
	done

.PHONY: seed-data
seed-data: setup ## make emulator-data again
	@$(BIN)/imagegen-seed --emulator-data

.PHONY: seed
seed: project venv ## fill a project (PROJECT=my-project USERS='ann=100' FORCE=1)
	@$(BIN)/imagegen-seed --project $(PROJECT) $(USERS:%=--user %) $(if $(FORCE),--force)

ADMIN = $(BIN)/imagegen-admin $(if $(PROJECT),--project $(PROJECT))

.PHONY: report
report: venv ## show a weekly report, made if missing (WEEK=2026-W46 PROJECT=my-project), or again (RUN=1 REASON='late edits')
	@$(ADMIN) report $(if $(WEEK),--week $(WEEK)) $(if $(RUN),--run --reason "$$REASON")

.PHONY: audit
audit: venv ## check every balance, ledger entry and request (PROJECT=my-project)
	@$(ADMIN) audit

.PHONY: grant
grant: venv ## give a user credits (USER_ID=ann CREDITS=5 REASON='slow' KEY=ticket-1 REQUEST=id)
	@$(ADMIN) grant "$$USER_ID" "$$CREDITS" --reason "$$REASON" --key "$$KEY" --request "$$REQUEST"

.PHONY: purchases
purchases: venv ## what was bought (ARGS='list --status unmatched', ARGS='reconcile payments.csv', ARGS=--help)
	@$(ADMIN) purchases $(or $(ARGS),list)

.PHONY: webhooks
webhooks: venv ## who is told of events (ARGS='register https://example.com/hook --reason R', ARGS=list, ARGS=--help)
	@$(ADMIN) webhooks $(or $(ARGS),list)

.PHONY: image-reports
image-reports: venv ## images that were reported (ARGS='dismiss ID --reason R', ARGS='delete-image ID --reason R', ARGS=list)
	@$(ADMIN) image-reports $(or $(ARGS),list)

.PHONY: repair
repair: venv ## mend a malformed balance (USER_ID=ann REASON='edited by hand' CREDITS=20 PROJECT=my-project)
	@$(ADMIN) repair "$$USER_ID" --reason "$$REASON" --credits "$$CREDITS"

.PHONY: demo-data
demo-data: venv ## give the running emulators an app with a past (WEEKS=12 SEED=7)
	@$(ADMIN) demo-data --weeks $(or $(WEEKS),12) --seed $(or $(SEED),7)

DEPLOY := PYTHONPATH=tools:functions functions/venv/bin/python -m deploy

.PHONY: check
check: project venv ## list what a deploy still needs (PROJECT=my-project)
	@$(DEPLOY) check $(PROJECT)

.PHONY: deploy
deploy: project venv $(CONSOLE) ## check, deploy everything, prove that it works (PROJECT=my-project)
	@$(DEPLOY) check $(PROJECT)
	@$(EMULATORS) firebase -- deploy --project $(PROJECT) $(ARGS)
	@$(if $(ARGS),,$(DEPLOY) smoke $(PROJECT))

.PHONY: smoke
smoke: venv ## prove that what is deployed, or the running emulators, work (PROJECT=my-project)
	@$(DEPLOY) smoke $(PROJECT)

.PHONY: catalogue
catalogue: project venv ## write the default catalogue into an empty database (PROJECT=my-project)
	@$(DEPLOY) catalogue $(PROJECT)

.PHONY: alerts
alerts: project venv ## apply the metrics, alerts and dashboard of ops/ (PROJECT=my-project EMAIL=me@example.com)
	@$(DEPLOY) alerts $(PROJECT) $(if $(EMAIL),--email $(EMAIL))

.PHONY: clean
clean: ## remove what the other targets made
	rm -rf functions/venv functions/htmlcov functions/.coverage web/node_modules web/dist $(CLIENT)/node_modules $(CLIENT)/dist .cache .firebase .emulators-*.json firebase-export-* *-debug.log
	find . -type d '(' -name __pycache__ -o -name '.*_cache' -o -name .hypothesis ')' -prune -exec rm -rf {} +

.PHONY: project
project:
	@test -n '$(PROJECT)' || { echo 'Name the Firebase project: make $(MAKECMDGOALS) PROJECT=my-project' >&2; exit 1; }
