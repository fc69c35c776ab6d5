# `make` lists the targets. run and test install what is missing, and say what they do.
.DEFAULT_GOAL := help
PYTHON := .venv/bin/python
SOURCES := packages services tests benchmarks

.PHONY: help run test check watch topics example lock bench clean setup setup-dev

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: setup ## the whole station on this machine, page on http://localhost:8080
	@exec $(PYTHON) -m station

test: setup-dev check ## everything that can be tested without Docker
	@$(PYTHON) -m pytest -q
	@$(PYTHON) -m pytest -q tests/browser
	@node --test tests/web/js/*.test.js

check: setup-dev ## ruff and mypy --strict
	@.venv/bin/ruff check $(SOURCES)
	@.venv/bin/ruff format --check -q $(SOURCES)
	@.venv/bin/mypy packages/*/src services/*/src tests benchmarks

watch: ## everything on the bus that a person can read
	@mosquitto_sub -h "$${BEEPER_MQTT__HOST:-127.0.0.1}" -p "$${BEEPER_MQTT__PORT:-1883}" -v -t 'beeper/#'

bench: setup-dev ## every benchmark, one after another (minutes)
	@for file in benchmarks/[a-z]*.py; do echo "== $$file"; $(PYTHON) $$file || exit 1; done

topics: setup-dev ## docs/topics.md from the contract
	@$(PYTHON) -m bus > docs/topics.md

example: setup-dev ## beeper.example.toml from the settings of the services
	@setup/example > beeper.example.toml

lock: setup-dev ## requirements*.txt from the pyproject files
	@setup/lock

clean: ## remove what make has made
	@rm -rf .venv .run .mypy_cache .pytest_cache .ruff_cache .hypothesis

setup:
	@setup/install run

setup-dev:
	@setup/install dev
