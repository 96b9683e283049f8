# Every target installs what is missing first; nothing but Node.js 20, npm, make and git is assumed.
SHELL := /bin/bash
export PATH := $(CURDIR)/node_modules/.bin:$(CURDIR)/.tools/bin:$(PATH)
export TURBO_TELEMETRY_DISABLED := 1

# What V8 has compiled is kept between starts: half of what a process of ours costs until it serves.
export NODE_COMPILE_CACHE ?= $(CURDIR)/node_modules/.cache/compiled

.DEFAULT_GOAL := help
.PHONY: help setup up test format lint type-check coverage build bench eval chaos smoke check-env \
  check-version coverage-gate docs workflows audit images images-test tools helm-test clean

help: ## what can be made
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1|\2/p' Makefile | awk -F'|' '{ printf "%-16s %s\n", $$1, $$2 }'

setup: ## install pnpm, the packages and the project's own Node
	@bash scripts/setup.sh

up: setup ## start everything on this machine, in the foreground
	@exec node $(if $(wildcard .env),--env-file=.env )--conditions=development scripts/up.ts

test: setup ## run every test; ends with one line `N passed, N failed`
	@bash scripts/test.sh

format: setup ## format the code and sort its imports
	@biome check --write .

lint: setup ## formatting, import walls, unused code and dependencies, shell scripts
	@bash scripts/install-tools.sh shellcheck || true
	@bash scripts/lint.sh

type-check: setup ## check the types of all packages
	@tsc -b

coverage: setup ## which lines of packages and apps the tests beside them reach
	@bash scripts/coverage.sh

build: setup ## compile all packages to dist
	@pnpm run build

bench: setup ## the benchmarks of docs/benchmarks.md
	@exec node --conditions=development apps/bench/src/main.ts

eval: setup ## the quality of search, answers and OCR: docs/evaluation.md
	@exec node --conditions=development apps/bench/src/evaluation/main.ts

chaos: setup ## break the whole service as SEED says for MINUTES, then check every promise
	@exec node --conditions=development scripts/chaos.ts

tools: setup ## bring the tools that check the chart, the workflows, the alerts and the scripts
	@bash scripts/install-tools.sh

helm-test: setup ## lint, render, test and scan the chart; docs of its values without drift
	@bash scripts/helm-test.sh

smoke: setup ## ingest a small library into a service of its own, search, ask, and send what must be refused
	@exec node --conditions=development scripts/ingest-smoke.ts --start

coverage-gate: setup ## fails unless they reach every statement, branch, function and line
	@bash scripts/coverage.sh --coverageThreshold='{"global":{"statements":100,"branches":100,"functions":100,"lines":100}}'

workflows: ## check the workflows of .github with actionlint
	@bash scripts/lint-workflows.sh

audit: setup ## known vulnerabilities in what the service runs on
	@bash scripts/audit.sh

images: ## build the images of api and worker, with Docker or buildah
	@bash scripts/build-image.sh api
	@bash scripts/build-image.sh worker

docs: setup ## write the pages of docs that follow from the code
	@node --conditions=development scripts/write-docs.ts

images-test: setup ## build both images, start them as in production, ingest and search through them
	@bash scripts/jest.sh scripts/images/images.test.ts

check-version: setup ## the same version in packages, chart and images?
	@scripts/bump-version --check

check-env: setup ## compare .env.example with the variables that the code reads
	@scripts/check-env

clean: ## remove what was compiled and measured; packages and data stay
	@bash scripts/clean.sh
