# Every target does its own set-up; all it needs is Python 3.11 and the package registries.

# The system's own Python comes first: distributions build theirs with profile-guided optimization, version managers mostly do not, and such a
# one takes a third longer (docs/performance.md). One that cannot make environments is passed over.
USABLE := import ensurepip, sys; sys.version_info >= (3, 11) and print(sys.executable)
PYTHON ?= $(firstword $(foreach candidate,/usr/bin/python3.11 python3.11 /usr/bin/python3 python3,$(shell $(candidate) -c '$(USABLE)' 2>/dev/null)))
TEST_PROCESSES ?= 3
VENV := .venv
PY := $(VENV)/bin/python

# A stamp carries the checksum of what was installed, so that a changed file installs again.
checksum = $(shell cat $(1) | cksum | cut -d' ' -f1)
RUN_READY := $(VENV)/.run-$(call checksum,requirements.lock)
DEV_READY := $(VENV)/.dev-$(call checksum,requirements.lock requirements.txt requirements-dev.txt)
STATIC_READY := static/vendor/.from-$(call checksum,package.json package-lock.json requirements-node.lock scripts/vendor_static.py)
HELP_READY := site/.from-$(call checksum,mkdocs.yml requirements-docs.lock scripts/help_*.py $(shell find docs examples flowforge/connectors flowforge/triggers flowforge/language/filters flowforge/settings.py webapp/ui/fields.py -name '*.md' -o -name '*.py' -o -name '*.yaml'))
NODE_READY := node_modules/.tools-$(call checksum,package.json package-lock.json scripts/vendor_static.py)
# Biome is started by node: the machine's, or the one that scripts/vendor_static.py installed into the environment.
BIOME := PATH="$$PATH:$(VENV)/bin" node_modules/.bin/biome
PIP := $(PY) -m pip install --quiet --disable-pip-version-check --no-input

SOURCES := flowforge webapp workers tests bench scripts migrations

.DEFAULT_GOAL := help
.PHONY: help run test check format bench docs lock translations sbom clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /|/' | awk -F'|' '{printf "  make %-13s %s\n", $$1, $$2}'

run: $(RUN_READY) $(STATIC_READY) $(HELP_READY) ## Start FlowForge; PORT=8080 and FLOWFORGE_HOME=.flowforge may be given
	@exec $(PY) -m flowforge run

test: $(DEV_READY) $(STATIC_READY) $(HELP_READY) ## Run all tests, with the services they need; ARGS= goes to pytest
	@scripts/install_test_packages.sh
	@$(PY) scripts/fetch_descriptions.py || echo "descriptions of APIs are missing: the tests that read them are skipped" >&2
	@PYTHONDONTWRITEBYTECODE= scripts/run_tests.sh -n $(TEST_PROCESSES) --no-loadscope-reorder $(ARGS)

check: $(DEV_READY) $(NODE_READY) ## Check format, lint, types and import rules
	@$(VENV)/bin/ruff format --check --quiet $(wildcard $(SOURCES)) || { echo "run 'make format'"; exit 1; }
	@$(VENV)/bin/ruff check --quiet $(wildcard $(SOURCES))
	@$(VENV)/bin/djlint templates --check --lint --quiet || { echo "'make format' brings templates into form"; exit 1; }
	@$(BIOME) check --error-on-warnings --log-level=warn || { echo "'make format' brings scripts and styles into form"; exit 1; }
	@$(VENV)/bin/mypy
	@$(VENV)/bin/lint-imports

format: $(DEV_READY) $(NODE_READY) ## Bring the sources into the checked format
	@$(VENV)/bin/ruff format --quiet $(wildcard $(SOURCES))
	@$(VENV)/bin/djlint templates --reformat --quiet --warn
	@$(BIOME) check --write --log-level=error

bench: $(DEV_READY) $(STATIC_READY) ## Measure throughput and latency; STACK=kafka for Apache Kafka
	@exec $(PY) -m bench

docs: $(HELP_READY) ## Build the documentation as a site, in site/; the product serves it under /help

lock: $(DEV_READY) ## Write the *.lock of requirements.txt and its likes: every package, and its hashes
	@for name in requirements requirements-node requirements-docs; do $(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 \
		--generate-hashes --no-annotate --custom-compile-command "make lock" --output-file $$name.lock $$name.txt; done

translations: $(DEV_READY) ## Find the texts of pages, and bring translations/ up to date
	@$(PY) -m scripts.translations

sbom: $(DEV_READY) ## Write sbom.cdx.json: what 'make run' installs, with hashes and licences (CycloneDX)
	@$(PY) scripts/sbom.py sbom.cdx.json

clean: ## Remove what was installed or built; data in FLOWFORGE_HOME stay
	rm -rf $(VENV) node_modules static/vendor site .descriptions .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find $(wildcard $(SOURCES)) -name __pycache__ -type d -prune -exec rm -rf {} +

$(PY):
	@test -n "$$($(PYTHON) -c '$(USABLE)' 2>/dev/null)" || \
		{ echo "FlowForge needs Python 3.11 that can make environments (Debian: python3-venv): make PYTHON=/path/to/python3.11 ..."; exit 1; }
	@echo "Creating the virtual environment ..."
	@$(PYTHON) -m venv $(VENV)

$(RUN_READY): | $(PY)
	@echo "Installing dependencies ..."
	@$(PIP) --require-hashes -r requirements.lock
	@rm -f $(VENV)/.run-* && touch $@

# Most modules of the development packages are never imported; Python compiles the others when they first are.
$(DEV_READY): | $(PY)
	@echo "Installing dependencies ..."
	@$(PIP) --require-hashes -r requirements.lock
	@$(PIP) --no-compile -r requirements-dev.txt
	@rm -f $(VENV)/.run-* $(VENV)/.dev-* && touch $@ $(RUN_READY)

$(STATIC_READY): | $(PY)
	@echo "Fetching browser libraries ..."
	@$(PY) scripts/vendor_static.py
	@rm -f static/vendor/.from-* && touch $@

$(HELP_READY): $(RUN_READY) | $(PY)
	@echo "Building the help ..."
	@$(PIP) --require-hashes -r requirements-docs.lock
	@$(PY) -m scripts.help_site
	@touch $@

$(NODE_READY): | $(PY)
	@echo "Fetching what checks scripts and styles ..."
	@$(PY) scripts/vendor_static.py --tools
	@touch $@
