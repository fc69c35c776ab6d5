# `make` lists the targets. run and test install what is missing, and say what they do.
.DEFAULT_GOAL := help
PYTHON := .venv/bin/python
SOURCES := packages services tests benchmarks

.PHONY: help run test check watch user install uninstall doctor topics example telegraf dashboards licences lock bench clean setup setup-dev test-compose images backup restore

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: setup ## the whole station on this machine, page on http://localhost:8080
	@exec setpriv --pdeathsig TERM $(PYTHON) -m station

test: setup-dev ## everything that can be tested without Docker (STAGE=browser: that alone)
	@tests/run $(STAGE)

test-compose: setup-dev ## the station in containers; as root, it installs and starts what that needs
	@tests/compose/run

check: setup-dev ## ruff and mypy --strict
	@.venv/bin/ruff check $(SOURCES) livekit/configure telegraf/generate grafana/generate setup/licences tests/run
	@.venv/bin/ruff format --check -q $(SOURCES) livekit/configure telegraf/generate grafana/generate setup/licences tests/run
	@.venv/bin/mypy packages/*/src services/*/src tests benchmarks
	@.venv/bin/mypy livekit/configure
	@.venv/bin/mypy telegraf/generate
	@.venv/bin/mypy tests/run
	@MYPYPATH=grafana/generate .venv/bin/mypy grafana/generate

watch: ## everything on the bus that a person can read
	@if [ -n "$$(docker compose ps -q mosquitto 2>/dev/null)" ]; then \
		exec docker compose exec $$([ -t 0 ] || echo -T) mosquitto mosquitto_sub -v -t 'beeper/#'; \
	elif ! command -v mosquitto_sub >/dev/null; then \
		echo "watch: mosquitto_sub is missing: sudo apt-get install mosquitto-clients" >&2; exit 1; \
	else exec env XDG_CONFIG_HOME="$${BEEPER_WATCH:-.run/mosquitto/watch}" \
		mosquitto_sub -v -t 'beeper/#'; fi

bench: setup-dev ## every benchmark, one after another (minutes)
	@for file in benchmarks/[a-z]*.py; do echo "== $$file"; $(PYTHON) $$file || exit 1; done

user: setup ## who signs in with a password; NAME=bob adds him, ACTION=remove NAME=bob takes him out
	@if [ "$(CURDIR)" = /opt/beeper-keeper ]; then \
		runuser -u beeper-web -- env BEEPER_CONFIG=/etc/beeper-keeper/beeper.toml \
			$(PYTHON) -m web.users --state-dir /var/lib/beeper-keeper/web $(or $(ACTION),$(if $(NAME),add)) $(NAME); \
	else $(PYTHON) -m web.users --state-dir .run/state $(or $(ACTION),$(if $(NAME),add)) $(NAME); fi

install: ## as services of systemd, in /opt/beeper-keeper (as root; again = update)
	@systemd/install

uninstall: ## take that away; settings and data stay (PURGE=1: those too)
	@systemd/uninstall

doctor: setup ## what stands in the way of a station on this machine, and what to do
	@$(PYTHON) -m station.doctor

images: ## the containers' images, and how large they are
	@docker compose build -q
	@docker image ls --format 'table {{.Repository}}\t{{.Size}}' 'beeper-keeper/*'

backup: ## of the containers' volumes and settings, into FILE=…
	@docker/backup $(FILE)

restore: ## FILE=…: put it in place of the containers' volumes and settings
	@docker/restore $(FILE)

topics: setup-dev ## docs/topics.md from the contract
	@$(PYTHON) -m bus > docs/topics.md

example: setup-dev ## beeper.example.toml from the settings of the services
	@setup/example > beeper.example.toml

telegraf: setup-dev ## telegraf/*.conf from the contract
	@$(PYTHON) telegraf/generate

dashboards: setup-dev ## Grafana's dashboards and alert rules from the contract
	@$(PYTHON) grafana/generate

licences: setup-dev ## docs/licences.md: what the images carry, and under which licences
	@$(PYTHON) setup/licences > docs/licences.md

lock: setup-dev ## requirements*.txt from the pyproject files
	@setup/lock

clean: ## remove what make has made
	@rm -rf .venv .run .mypy_cache .pytest_cache .ruff_cache .hypothesis

setup:
	@setup/install run

setup-dev:
	@setup/install dev
