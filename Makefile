# Two commands matter: `make run` (the populated demo hall) and `make test` (everything CI runs).
SHELL := /bin/bash
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
UV := $(or $(shell command -v uv),.tools/bin/uv)
CLIENT := $(shell find web_client/src web_client/public web_client/*.html web_client/*.ts -type f 2>/dev/null)

help: ## what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: .venv/.ready web_client/dist/.ready build/kaibiao-verify.pyz build/bid-files/.ready ## set-up only

# Of the pages; the demo takes the next four too.
PORT := 8420
run: setup ## the populated demo hall (nothing to configure, no external server; PORT=9420: another port)
	.venv/bin/kaibiao demo --port $(PORT)

# Two files at a time, then one by one what is marked to need the machine alone. What fails beside
# another is asked once more by itself: both answers are printed, and the second one counts.
PYTEST := .venv/bin/python -m pytest
FAILED := $(PYTEST) --last-failed --last-failed-no-failures none
test: setup .venv/.browser .venv/.redis .venv/.coturn .venv/.ffmpeg check ## everything CI runs
	npm --prefix web_client test
	$(PYTEST) -n 2 --dist loadfile -m 'not alone' || $(FAILED) -m 'not alone'
	$(PYTEST) -m alone || $(FAILED) -m alone

soak: setup .venv/.browser .venv/.ffmpeg ## the long tests of live video: venues for ten minutes, bad paths
	KAIBIAO_SOAK=1 .venv/bin/python -m pytest tests/media/test_load.py tests/media/test_sfu_in_browser.py

check: setup ## lint, types, layers
	.venv/bin/ruff check . && .venv/bin/ruff format --check .
	.venv/bin/lint-imports
	.venv/bin/basedpyright --level error
	npm --prefix web_client run check

fix: setup ## format and fix what can be fixed
	.venv/bin/ruff check --fix . ; .venv/bin/ruff format .
	npm --prefix web_client run fix

bench: setup .venv/.redis loadtests/peers/node_modules/.ready ## the load tests, small, beside bare loops and peers
	-@[ -n "$$(command -v go)" ] && $(MAKE) build/peers/centrifugo
	.venv/bin/python -m loadtests

loadtests/peers/node_modules/.ready: loadtests/peers/package.json loadtests/peers/package-lock.json
	npm --prefix loadtests/peers ci --silent && touch $@

# A peer of fanout where Go can build it (minutes, once); else it is reported absent.
# Which modules, and their hashes, is made anew from go.mod; this one hash vouches for all of them.
CENTRIFUGO := github.com/centrifugal/centrifugo/v5
CENTRIFUGO_SUMS := 35e161b265d5cbb8d15cf03505c77d16d32ec9207efbd0433aa888f5850710e4
build/peers/centrifugo: loadtests/peers/centrifugo/go.mod
	mkdir -p $(@D)/source && cp $< $(@D)/source/
	cd $(@D)/source && GOFLAGS=-mod=mod go list -deps $(CENTRIFUGO) >/dev/null
	cd $(@D)/source && echo '$(CENTRIFUGO_SUMS)  go.sum' | sha256sum --check --quiet
	cd $(@D)/source && GOFLAGS=-mod=mod go build -o $(abspath $@) $(CENTRIFUGO)

lock: $(UV) ## renew the hash-pinned requirements
	$(UV) pip compile --generate-hashes --no-header --no-emit-index-url --quiet pyproject.toml -o requirements.txt
	$(UV) pip compile --generate-hashes --no-header --no-emit-index-url --quiet pyproject.toml --group dev -o requirements-dev.txt

.tools/bin/uv:
	@python3 -c 'import ensurepip' 2>/dev/null || { echo 'please type: apt-get install python3-venv'; exit 1; }
	python3 -m venv .tools && .tools/bin/pip install --quiet uv

.venv/.ready: pyproject.toml requirements-dev.txt | $(UV)
	$(UV) venv --quiet --allow-existing --python 3.11 .venv
	$(UV) pip install --quiet --python .venv/bin/python --require-hashes -r requirements-dev.txt
	$(UV) pip install --quiet --python .venv/bin/python --no-deps -e .
	touch $@

# Browser journeys need Debian's chromium. Root gets it; others are told the one line to type.
.venv/.browser: .venv/.ready
	@command -v chromium >/dev/null || { [ "$$(id -u)" = 0 ] \
	  && apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends chromium; } \
	  || { echo 'please type: sudo apt-get install chromium'; exit 1; }
	touch $@

# Tests of edges, and their load test, start Debian's redis-server themselves.
.venv/.redis: .venv/.ready
	@command -v redis-server >/dev/null || { [ "$$(id -u)" = 0 ] \
	  && apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends redis-server; } \
	  || { echo 'please type: sudo apt-get install redis-server'; exit 1; }
	touch $@

# The test of relayed media starts Debian's coturn itself.
.venv/.coturn: .venv/.ready
	@command -v turnserver >/dev/null || { [ "$$(id -u)" = 0 ] \
	  && apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends coturn; } \
	  || { echo 'please type: sudo apt-get install coturn'; exit 1; }
	touch $@

# Recordings are played by Debian's ffprobe too, which is none of ours.
.venv/.ffmpeg: .venv/.ready
	@command -v ffprobe >/dev/null || { [ "$$(id -u)" = 0 ] \
	  && apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends ffmpeg; } \
	  || { echo 'please type: sudo apt-get install ffmpeg'; exit 1; }
	touch $@

# Not `npm ci`: it insists on every other platform's optional binaries, which not every registry serves.
# With --no-save the lock file decides all the same, and its hashes are checked.
web_client/node_modules/.ready: web_client/package.json web_client/package-lock.json
	npm --prefix web_client install --no-save --no-audit --no-fund --silent && touch $@

web_client/dist/.ready: web_client/node_modules/.ready $(CLIENT)
	npm --prefix web_client run build --silent && touch $@

build/kaibiao-verify.pyz: $(shell find crypto/verifier -name '*.py')
	rm -rf build/verifier && mkdir -p build/verifier
	cp -r crypto/verifier/command.py crypto/verifier/kaibiao_verify build/verifier/
	find build/verifier -name __pycache__ -prune -exec rm -rf {} +
	python3 -m zipapp build/verifier -m 'command:main' -p '/usr/bin/env python3' -o $@

build/bid-files/.ready: .venv/.ready server/demo/files.py
	rm -rf build/bid-files
	.venv/bin/python -m server.demo.files build/bid-files && touch $@

.PHONY: help setup run test soak check fix bench lock
