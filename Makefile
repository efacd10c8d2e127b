# Graymill on this machine: real RabbitMQ and MongoDB as local processes, the services beside them.
# Settings of the services and ports are variables: make up MAX_PIXELS=1000000 API_PORT=5001

SHELL := /bin/bash
PYTHON := .venv/bin/python

# How many of each worker.
export FETCHERS ?= 1
export SCRAPERS ?= 1
export HASHERS ?= 1
export GRAYSCALERS ?= 2
export AGGREGATORS ?= 1

.DEFAULT_GOAL := help
.PHONY: help setup up status key logs down clean-data demo test faults promises screenshots check lint format bench bench-quick bench-api bench-growth setup-python setup-tests setup-containers \
	demo-docker down-docker airgap locks

help: ## this list
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 20

setup: ## install what is missing: Debian packages, .venv, dependencies
	@deploy/local/setup.sh rabbitmq

setup-python:
	@deploy/local/setup.sh

setup-tests:
	@deploy/local/setup.sh rabbitmq chromium

# An engine and the base images, where they can be had; without an engine the tests that need one are skipped.
setup-containers: setup-python
	@deploy/compose/bases.sh || test $$? = 3

up: setup ## start the stack, or change the running one: make up GRAYSCALERS=4
	@$(PYTHON) -m deploy.local up

status: setup-python ## what runs, and the addresses
	@$(PYTHON) -m deploy.local status

key: setup-python ## the API key: who has it may hand in, retry and delete
	@$(PYTHON) -m deploy.local key

logs: setup-python ## follow the logs, or one service's: make logs SERVICE=hasher
	@$(PYTHON) -m deploy.local logs $(SERVICE)

down: setup-python ## stop everything, keep the data
	@$(PYTHON) -m deploy.local down

clean-data: down ## stop everything and delete all data, passwords and logs
	@rm -rf .data

demo: setup ## start the stack and put the sample images through it
	@$(PYTHON) -m deploy.local up --brief
	@set -o pipefail; .venv/bin/fetcher publish samples/urls.txt --name demo --wait | tee .data/demo.txt
	@$(PYTHON) -m deploy.local addresses "$$(sed -n 's/^task //p' .data/demo.txt)"

test: setup-tests setup-containers ## all tests, against a real RabbitMQ and MongoDB: make test ARGS="-k join"
	@$(PYTHON) -m tests $(ARGS)

SEEDS ?= 5
faults: ## faults of every kind, longer than in `make test`: make faults SEEDS=20 ARGS="-k seed7"
	@deploy/local/setup.sh rabbitmq
	@FAULTS=long SEEDS=$(SEEDS) .venv/bin/pytest tests/faults $(ARGS)

promises: setup-tests setup-containers ## what is promised, at the sizes and with the figures of docs/promises.md
	@PROMISES=whole FAULTS=long SEEDS=20 .venv/bin/pytest -s \
		$$(grep '^| P' docs/promises.md | grep -o 'tests/[^`]*' | sort -u) $(ARGS)

screenshots: setup-tests ## pictures of the pages into docs/images
	@SCREENSHOTS=docs/images .venv/bin/pytest --quiet tests/e2e/test_screenshots.py

check: lint ## format, lint, types and unit tests
	@.venv/bin/pytest --quiet tests/unit

lint: setup-python ## format, lint and types
	@.venv/bin/ruff format --check --quiet .
	@.venv/bin/ruff check --quiet .
	@.venv/bin/mypy

format: setup-python ## put the code into its form
	@.venv/bin/ruff format .
	@.venv/bin/ruff check --fix .

bench: ## images per second, beside other tools: make bench ARGS="small --only graymill"
	@deploy/local/setup.sh rabbitmq nginx
	@$(PYTHON) -m bench $(ARGS)

bench-quick: ## whether an image costs each process more CPU time than it did
	@deploy/local/setup.sh rabbitmq nginx
	@$(PYTHON) -m bench.quick $(ARGS)

bench-api: ## milliseconds of each page, with a million items and 100,000 images
	@deploy/local/setup.sh
	@$(PYTHON) -m bench.api $(ARGS)

bench-growth: ## whether it costs the same with more: make bench-growth ARGS="slow-host --write"
	@deploy/local/setup.sh rabbitmq
	@$(PYTHON) -m bench.growth $(ARGS)

# In containers: docker-compose.yml.

.env: .env.example
	@deploy/compose/env.sh

demo-docker: ## the same demonstration in containers
	@deploy/compose/demo.sh

down-docker: .env ## stop the containers, keep the data
	@COMPOSE_PROFILES=samples,admin,host deploy/compose/compose.sh down

airgap: ## base images for a machine that can pull none
	@deploy/airgap/build.sh

locks:
	@deploy/compose/locks.sh
