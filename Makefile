# A fresh machine needs Python >= 3.11 and make. The first target brings a pinned uv; uv brings everything else, locked.

UV_VERSION := 0.13.9

# Python 3.13 first: Lambda runs it, and the embedded AWS runs the functions by the Python found here.
ifndef PYTHON
PYTHON := $(shell for python in python3.13 python3 python3.14 python3.12 python3.11; do \
  $$python -c 'import sys; sys.version_info < (3, 11) or print(sys.executable)' 2>/dev/null | grep . && break; done)
endif

# Paths in recipes are relative or quoted: the folder of the checkout may contain blanks and apostrophes.
quoted = '$(subst ','\'',$(1))'
UV := .tools/uv/bin/uv
comma := ,
RUN := $(UV) run --locked --quiet --extra cli --extra web
SAM := $(UV) run --locked --quiet --project tools/sam sam
SCAN := $(UV) run --locked --quiet --project tools/scanners

# layers/dependencies/Makefile, which sam build calls, finds uv here.
export PATH := $(CURDIR)/.tools/uv/bin:$(PATH)
export UV_PYTHON := $(PYTHON)
export UV_PYTHON_DOWNLOADS := never
export SAM_CLI_TELEMETRY := 0
# functions/ and layers/ are deployed as they stand: no __pycache__ in there.
export PYTHONPYCACHEPREFIX := $(CURDIR)/.tools/pycache
unexport VIRTUAL_ENV CONDA_PREFIX PYTHONPATH PYTHONHOME UV_PROJECT_ENVIRONMENT

step = @printf '\n==> %s\n' $(call quoted,$(1))

.PHONY: help run test lint unit integration stateful faults chaos mutants bench wiring deployed e2e browser docs docs-check test-dynamodb-local build invoke deploy lock samples clean
.NOTPARALLEL:
.DEFAULT_GOAL := help

help: ## Show these targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "make %-20s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: .tools/uv.$(UV_VERSION) ## Deploy into an embedded AWS, convert a sample day, show the result
	@$(RUN) playlog local demo $(ARGS)

test: lint wiring unit integration stateful faults deployed ## Run every check but make chaos, mutants, bench and test-dynamodb-local
	$(call step,all green)

lint: .tools/uv.$(UV_VERSION) ## Check style, types, weaknesses, the template, and the layer's list of packages
	$(call step,ruff check)
	@$(RUN) ruff check
	$(call step,ruff format --check)
	@$(RUN) ruff format --check
	$(call step,mypy --strict)
	@$(RUN) mypy
	$(call step,sam validate --lint)
	@$(SAM) validate --lint --region us-east-1
	$(call step,checkov)
	@$(SCAN) checkov --config-file tools/scanners/checkov.yaml --file template.yaml
	$(call step,bandit)
	@# SQL put together from texts (B608) is ruff's S608: the reason stands beside each line.
	@$(SCAN) bandit --quiet --recursive --severity-level medium --skip B608 layers/playlog cli functions
	$(call step,known vulnerabilities of the locked packages)
	@mkdir -p .tools/scanned && $(UV) export --locked --quiet --all-extras --no-default-groups --no-emit-project --output-file .tools/scanned/requirements.txt
	@$(SCAN) python tools/scanners/vulnerabilities.py .tools/scanned/requirements.txt
	$(call step,layers/dependencies/requirements.txt is in step with uv.lock)
	@$(EXPORT_LAYER) | diff layers/dependencies/requirements.txt - \
	  || { echo 'make: layers/dependencies/requirements.txt is not what uv.lock says: run make lock' >&2; exit 1; }

unit: .tools/uv.$(UV_VERSION) ## Run the unit tests (ARGS="-k name" picks some)
	$(call step,unit tests)
	@$(RUN) pytest $(if $(ARGS),,-n 2 --dist loadfile) tests/unit $(ARGS)

integration: .tools/uv.$(UV_VERSION) ## Run the tests that call AWS (moto, with faults in between) or start programs
	$(call step,integration tests)
	@$(RUN) pytest -n 2 tests/integration $(ARGS)

stateful: .tools/uv.$(UV_VERSION) ## Check the invariants in any order of events, with a DynamoDB in memory
	$(call step,the invariants in any order of events)
	@DYNAMODB_ENGINE=memory $(RUN) pytest -n 2 tests/stateful tests/dynamodb $(ARGS)

faults: .tools/uv.$(UV_VERSION) ## Check the invariants under each kind of fault, a few rounds of each
	$(call step,the invariants under faults)
	@$(RUN) pytest tests/chaos $(ARGS)

chaos: .tools/uv.$(UV_VERSION) ## Run rounds of faults until Ctrl-C (ROUNDS=1000, SEED=7)
	@$(RUN) python -m tests.chaos $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(SEED),--seed $(SEED)) $(ARGS)

mutants: .tools/uv.$(UV_VERSION) ## Break the code for each kind of fault, and check that the rounds find it
	@$(RUN) python -m tests.chaos.mutants $(ARGS)

bench: .tools/uv.$(UV_VERSION) ## Measure what a match costs, beside a floor (ARGS="1000 --json", READING="--plays 1000000" pick sizes)
	@$(RUN) python -m bench $(ARGS)
	@$(RUN) python -m bench.late_aws
	@$(RUN) python -m bench.reading $(READING)

test-dynamodb-local: .tools/uv.$(UV_VERSION) ## Test what DynamoDB does, with DynamoDB Local (Java 17)
	$(call step,what DynamoDB does, with DynamoDB Local)
	@$(RUN) pytest tests/dynamodb $(ARGS)

# Most of these tests wait for a schedule, a queue or a browser: three embedded AWS at a time keep two cores busy.
deployed: .tools/uv.$(UV_VERSION) ## Run the tests of a deployed stack: e2e, browser and docs-check, side by side
	$(call step,the deployed template$(comma) the page of the operators$(comma) and what docs show)
	@$(RUN) pytest -n 3 --dist loadfile -m 'not alone' tests/browser tests/docs tests/e2e
	@$(RUN) pytest -m alone tests/e2e

e2e: .tools/uv.$(UV_VERSION) ## Run the end-to-end tests on the template, in an embedded AWS
	$(call step,end-to-end tests)
	@$(RUN) pytest tests/e2e $(ARGS)

browser: .tools/uv.$(UV_VERSION) ## Run the tests of the operators' page in Chromium
	$(call step,the operators' page in a browser)
	@$(RUN) pytest tests/browser $(ARGS)

docs: .tools/uv.$(UV_VERSION) ## Write what the commands print into README and docs/, and draw the screenshots
	@$(RUN) python -m tests.docs

docs-check: .tools/uv.$(UV_VERSION) ## Check that README and docs/ show what the commands print
	$(call step,the pages show what the commands print)
	@$(RUN) pytest tests/docs $(ARGS)

build: .tools/uv.$(UV_VERSION) ## Build what is deployed, into .aws-sam/build
	$(call step,sam build)
	@$(SAM) build
	$(call step,list of the layer's packages: .aws-sam/build/layer.cdx.json)
	@$(EXPORT_LAYER) --format cyclonedx1.5 --preview-features sbom-export --output-file .aws-sam/build/layer.cdx.json >/dev/null

wiring: build ## Build, and check that every name in the template leads somewhere
	$(call step,wiring of the built template)
	@$(RUN) playlog wiring --name-release .aws-sam/build/template.yaml

invoke: .tools/uv.$(UV_VERSION) ## Run one function in Lambda's container (FUNCTION=ConvertMatchesFunction EVENT=events/manual.json)
	@$(RUN) playlog local invoke $(or $(FUNCTION),ConvertMatchesFunction) --event $(call quoted,$(or $(EVENT),events/manual.json))

deploy: wiring ## Deploy to AWS with the profile of the environment (ARGS=--guided asks)
	$(call step,sam deploy)
	@$(SAM) deploy $(ARGS)

lock: .tools/uv.$(UV_VERSION) ## Lock the packages: project, tools, layer (ARGS=--upgrade for newer)
	$(UV) lock $(ARGS)
	$(UV) lock $(ARGS) --project tools/sam
	$(UV) lock $(ARGS) --project tools/ministack
	$(UV) lock $(ARGS) --project tools/scanners
	$(EXPORT_LAYER) --output-file layers/dependencies/requirements.txt

samples: .tools/uv.$(UV_VERSION) ## Make the files in samples/ and their figure again
	@$(RUN) python samples/make_airplay.py
	@$(RUN) python -m samples.make_detections
	@$(RUN) python -m samples.make_catalog
	@$(RUN) python -m samples.draw_airings

clean: ## Stop the embedded AWS; remove all that was installed, built or cached
	@if [ -e .playlog/local.json ]; then $(RUN) playlog local down; fi
	rm -rf .aws-sam .playlog .venv .tools tools/*/.venv .mypy_cache .pytest_cache .ruff_cache .hypothesis

EXPORT_LAYER = $(UV) export --locked --quiet --no-default-groups --no-emit-project --no-header

.tools/uv.$(UV_VERSION):
	@test -n $(call quoted,$(PYTHON)) || { echo 'make: no Python 3.11 or newer was found: install one, or name it: make PYTHON=/path/to/python3' >&2; exit 1; }
	@$(call quoted,$(PYTHON)) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo $(call quoted,make: $(PYTHON) is older than Python 3.11 or does not start: name a newer one$(comma) make PYTHON=/path/to/python3) >&2; exit 1; }
	$(call step,uv $(UV_VERSION) into .tools)
	@rm -rf .tools
	@$(call quoted,$(PYTHON)) -m venv .tools/uv
	@.tools/uv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@touch $@
