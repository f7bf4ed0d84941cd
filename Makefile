# Every command that a person or CI runs here. `make` alone lists them.
#
# A fresh machine needs Python >= 3.11, git and make: uv, the locked dependencies and a Go toolchain arrive by themselves.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# Hundreds of processes of a test run would compile every module for themselves.
unexport PYTHONDONTWRITEBYTECODE

CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/reconstruction-operator
UV := $(shell uv --version >/dev/null 2>&1 && command -v uv || echo $(CACHE)/uv/bin/uv)
BIN := .venv/bin
READY := .venv/.ready

WORKERS ?= 1
# How many processes run the tests; the cluster tests start a control plane in each.
JOBS ?= auto
# The same for the tests on servers: two for each core, since most of them wait most of the time.
SERVER_JOBS ?= $(shell echo $$((2 * $$(nproc))))

# What builds an image: it takes `-t TAG --target TARGET [--build-arg KEY=VALUE] FOLDER`, as `docker build` does.
IMAGE_BUILDER ?= $(shell for each in docker podman buildah; do command -v $$each >/dev/null && echo $$each build && break; done)
# Before the names: a registry, with a / at its end.
IMAGE_PREFIX ?=
IMAGE_TAG ?= $(shell sed -n 's/^version = "\([0-9].*\)"/\1/p' pyproject.toml)
IMAGE = $(IMAGE_PREFIX)reconstruction-$(1):$(IMAGE_TAG)
# A Debian with python3 >= 3.11, its venv and pip; the Dockerfile's own where empty.
BASE_IMAGE ?=

help: ## Show this list
	@printf '\n  \033[1mreconstruction-operator\033[0m  photos in, 3D models out\n\n'
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  \033[36mmake %-16s\033[0m %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@printf '\n  First time here?  make demo\n\n'

demo: $(READY) ## Reconstruct an object before your eyes (PHOTOS=folder takes your own photos)
	@$(BIN)/recon-dev demo $(if $(PHOTOS),--photos '$(PHOTOS)')

up: $(READY) ## Start a control plane, Redis, the operator and workers here (WORKERS=2)
	@$(BIN)/recon-dev up --detach --workers $(WORKERS)

down: $(READY) ## Stop what `make up` started
	@$(BIN)/recon-dev down

test: $(READY) ## Run every test: the fast ones, then those on a real API server and Redis
	@$(MAKE) --keep-going test-fast test-cluster

test-fast: $(READY) ## Run the tests that need no server and little time
	$(BIN)/pytest --ignore=tests/cluster -m 'not slow' --numprocesses=$(JOBS) --dist=worksteal

test-cluster: $(READY) ## Run the tests on a real API server, etcd and Redis, and whole reconstructions
	$(BIN)/pytest --ignore=tests/e2e --ignore=tests/images -m slow --numprocesses=$(SERVER_JOBS) --dist=loadgroup

e2e: $(READY) ## Run the tests on the cluster that KUBECONFIG names, with images that its nodes have
	$(BIN)/pytest tests/e2e -m slow

test-long: $(READY) ## Run the long form of the random races, 8,000 more of them than `make test` does (SEEDS=2000-10000)
	SEEDS=$(or $(SEEDS),2000-10000) $(BIN)/pytest tests/cluster/test_races.py -k facts --numprocesses=$(JOBS)

# The slowest first: the others run beside it.
CHECKS := check-types check-imports check-dead-code check-style check-format check-generated check-sizes check-array-docstrings check-unread-constants check-dependencies check-settings \
          check-reasons check-test-mirror check-chart
check: $(READY) ## Check style, types, imports, dependencies, sizes, docstrings, dead code, generated files and the chart
	@$(MAKE) --keep-going --jobs=2 --output-sync=target $(CHECKS)

check-style:
	@$(BIN)/ruff check --quiet && echo '  ok  style'
check-format:
	@$(BIN)/ruff format --check --quiet && echo '  ok  format'
check-types:
	@$(BIN)/mypy --no-error-summary && echo '  ok  types'
check-imports:
	@report=$$($(BIN)/lint-imports --no-logo) && echo '  ok  imports go one way' || { echo "$$report"; exit 1; }
check-generated:
	@$(BIN)/python -m recon_dev.generate --check && echo '  ok  generated files'
check-sizes:
	@$(BIN)/python -m recon_dev.checks.sizes && echo '  ok  sizes of files and functions'
check-dependencies:
	@$(BIN)/python -m recon_dev.checks.dependencies && echo '  ok  dependencies are declared and imported'
check-settings:
	@$(BIN)/python -m recon_dev.checks.settings && echo '  ok  settings are read'
check-reasons:
	@$(BIN)/python -m recon_dev.checks.reasons && echo '  ok  documented reasons are given'
check-dead-code:
	@$(BIN)/python -m recon_dev.checks.dead_code && echo '  ok  code is used'
check-test-mirror:
	@$(BIN)/python -m recon_dev.checks.test_mirror && echo '  ok  tests mirror modules'
check-array-docstrings:
	@$(BIN)/python -m recon_dev.checks.array_docstrings && echo '  ok  shapes in docstrings of arrays'
check-unread-constants:
	@$(BIN)/python -m recon_dev.checks.unread_constants && echo '  ok  constants are read'
check-chart:
	@$(BIN)/python -m recon_dev.checks.chart && echo '  ok  chart'

generate: $(READY) ## Write the CRD and the reference pages from the code
	@$(BIN)/python -m recon_dev.generate

format: $(READY) ## Format the code, and fix what can be fixed by itself
	$(BIN)/ruff check --fix --quiet || true
	$(BIN)/ruff format --quiet

bench: $(READY) ## Measure throughput against the API server's own ceiling
	$(BIN)/python -m benchmarks.throughput

bench-cancel: $(READY) ## Measure how fast confirmed cancellations stop jobs, beside SIGTERM to plain processes
	$(BIN)/python -m benchmarks.cancel

bench-time-left: $(READY) ## Measure how honest the told times are
	$(BIN)/python -m benchmarks.time_left

images: ## Build the images of operator and worker (IMAGE_TAG=, IMAGE_PREFIX=registry/, BASE_IMAGE=, IMAGE_BUILDER=)
	@for side in operator worker; do \
	  $(IMAGE_BUILDER) -t $(call IMAGE,$$side) --target $$side $(BASE_IMAGE:%=--build-arg BASE_IMAGE=%) .; \
	done

sbom: $(READY) ## Write the bill of materials of each image into dist/ (IMAGE_RUNNER=docker, podman, buildah or kubectl)
	@$(BIN)/python -m recon_dev.images $(call IMAGE,operator) $(call IMAGE,worker)

test-images: $(READY) ## Test what the images hold, and that they work as a cluster runs them
	IMAGES='$(call IMAGE,operator) $(call IMAGE,worker)' $(BIN)/pytest tests/images -m slow

.PHONY: help demo up down test test-fast test-cluster e2e test-long check $(CHECKS) generate format bench bench-cancel bench-time-left images sbom test-images

# --- setting up: once, and again when the locked dependencies change ---------------------------------------------

$(READY): uv.lock pyproject.toml devtools/pyproject.toml | $(UV)
	@echo 'Installing the locked dependencies into .venv (the first time takes a few minutes)'
	@$(UV) sync --locked --quiet --group dev --compile-bytecode
	@touch $@

$(CACHE)/uv/bin/uv:
	@echo 'Installing uv into $(CACHE)/uv'
	@python3 -m venv $(CACHE)/uv
	@$(CACHE)/uv/bin/pip install --quiet --disable-pip-version-check uv
