# The front door: `make` alone prints what there is. Every target sets up what it needs, once.
# It needs git, make and Python >= 3.11 with its venv module; the rest comes pinned by hash.

PYTHON ?= python3
VENV   ?= .venv
FLEET  ?= bev
JOBS   ?= auto
ARGS   ?=
# Not `?=`: shells keep the name of their start-up file in $ENV, and that is no environment of a fleet.
ENV     =

FLEETS  = $(sort $(patsubst policies/%/,%,$(wildcard policies/*/)))
RUN     = $(VENV)/.stamp-run
DEV     = $(VENV)/.stamp-dev
OPTIONS = $(if $(ENV),--env $(ENV)) $(ARGS)
# Ansible finds a collection by the names of its folders only; bayplan makes the same link.
LINK    = .ansible/collections/ansible_collections/bayplan/fleet
# ansible-lint and Molecule call the programs beside them by name.
INSIDE  = PATH="$(abspath $(VENV))/bin:$$PATH"

.DEFAULT_GOAL = help
# One pip at a time in one venv.
.NOTPARALLEL:
.DELETE_ON_ERROR:
# Compiling all that pip installs doubles the set-up, so Python compiles what it imports; that has to be kept.
unexport PYTHONDONTWRITEBYTECODE

##@ The fleet
.PHONY: plan compile check analyze apply
plan: $(RUN)  ## what would change on the nodes, and in which order
	@$(VENV)/bin/bayplan plan policies/$(FLEET) $(OPTIONS)

compile: $(RUN)  ## write the Compose files of each node
	@$(VENV)/bin/bayplan compile policies/$(FLEET) $(OPTIONS)

check: $(RUN)  ## every finding about the policies
	@$(VENV)/bin/bayplan check policies/$(FLEET) $(OPTIONS)

analyze: $(RUN)  ## where capacity goes: allocated, used, free
	@$(VENV)/bin/bayplan analyze policies/$(FLEET) $(OPTIONS)

apply: $(RUN)  ## plan, show what it costs, ask, and carry it out (ARGS='--check --diff' touches nothing)
	@$(VENV)/bin/bayplan apply policies/$(FLEET) $(OPTIONS)

.PHONY: demo-fleet
demo-fleet: $(RUN)  ## the whole story on real nodes, a sixteenth in size (ARGS=--record: writes docs/demo-FLEET.md)
	@PYTHONPATH=tests/fleet $(VENV)/bin/python -m demo --fleet $(FLEET) $(OPTIONS)

##@ The code
.PHONY: test test-fleet molecule bench lint lock clean
test: $(DEV)  ## run the tests
	@$(VENV)/bin/pytest -n $(JOBS) $(ARGS)

test-fleet: $(DEV)  ## run the tests on real nodes, which have to run here
	@BAYPLAN_FLEET=required $(VENV)/bin/pytest tests/fleet -n 0 $(ARGS)

molecule: $(DEV) | $(LINK)  ## play the roles on real nodes (SCENARIO=reduce: one scenario)
	@$(INSIDE) $(VENV)/bin/molecule test --no-command-borders \
	  $(if $(SCENARIO),--scenario-name $(SCENARIO),--all) $(ARGS)

bench: $(RUN)  ## how long checking a big fleet takes (ARGS='--services 10000 --nodes 500 --shape flat')
	@$(VENV)/bin/python bench/check.py $(ARGS)

lint: $(DEV) | $(LINK)  ## style, format and types, of the roles too
	@$(VENV)/bin/ruff check
	@$(VENV)/bin/ruff format --check
	@$(VENV)/bin/mypy
	@$(VENV)/bin/mypy --python-version 3.10 --package ansible_collections.bayplan.fleet.plugins.modules
	@$(INSIDE) $(VENV)/bin/ansible-lint --offline

lock: $(DEV)  ## pin what pyproject.toml asks for (ARGS=--upgrade: newest versions)
	@$(call pin,requirements.txt,--group build)
	@$(call pin,requirements-dev.txt,--group build --group dev --constraint requirements.txt)

clean:  ## remove everything that these targets made, .venv too
	@rm -rf .venv .venv-* .ansible dist plans .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache
	@find generator plugins tests -name __pycache__ -prune -exec rm -rf {} +

.PHONY: help
help:  ## this list
	@echo 'make TARGET [FLEET=$(FLEET)] [ENV=...] [ARGS="options for the command"] [PYTHON=python3.12]'
	@awk -F ':.*## ' '/^##@/ {print "\n" substr($$0, 5)} /^[a-z-]+:.*## / {printf "  %-11s %s\n", $$1, $$2}' Makefile
	@printf '\nfleets: %s\n' '$(FLEETS)'

# --- behind the door ---------------------------------------------------------------------------------

# While reading, not in a recipe: nobody waits for a set-up to learn of a typing error.
ifneq ($(filter plan compile check analyze apply demo-fleet,$(MAKECMDGOALS)),)
ifeq ($(filter $(FLEET),$(FLEETS)),)
$(error no fleet '$(FLEET)' in policies/; there are: $(FLEETS))
endif
endif

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "bayplan needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>/dev/null || echo absent)." \
	    "Name another: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) lacks its venv module; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(RUN): requirements.txt pyproject.toml | $(VENV)/bin/python
	@$(call install,$<)
	@touch $@

$(LINK):
	@mkdir -p $(@D)
	@ln -s ../../../.. $@

# The dev lock contains the runtime lock, hence both stamps.
$(DEV): requirements-dev.txt pyproject.toml | $(VENV)/bin/python
	@$(call install,$<)
	@touch $(RUN) $@

# $(call install,LOCK): silent unless it fails; what pip said is kept in the log.
define install
count=$$(sed -n '/win32/!s/==.*//p' $1 | sort -u | wc -l); log=$(VENV)/setup.log; \
pip='$(VENV)/bin/python -m pip --quiet --disable-pip-version-check install'; \
echo "setting up $(VENV) (once): $$count pinned packages" >&2; \
{ $$pip --no-compile --retries 2 --require-hashes -r $1 && \
  $$pip --no-deps --no-build-isolation --no-index -e .; } >$$log 2>&1 || { \
    if grep -q Retrying $$log; \
    then echo "the first run downloads $$count packages; the package index does not answer" \
      "(network, proxy, certificate?), see $$log" >&2; \
    else cat $$log >&2; fi; exit 1; }
endef

# $(call pin,LOCK,WHAT): no configuration of this machine may leave its trace in the lock.
define pin
UV_PYTHON_DOWNLOADS=never UV_CUSTOM_COMPILE_COMMAND='make lock' $(VENV)/bin/uv pip compile pyproject.toml $2 \
  --no-config --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
  --output-file $1 $(ARGS)
endef
