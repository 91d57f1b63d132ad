# Dropload. `make demo` shows it, `make test` tests it; each sets up all it needs.

GO         ?= go
FUZZTIME   ?= 30s
ENV        ?= dev
RACE       ?=
LOCALSTACK ?= ../shared/localstack

# One setting for programs, tests and functions, so that each package is
# compiled once; the race detector alone wants another.
export CGO_ENABLED = 0

TOOL      := $(GO) tool -modfile=go.tool.mod
GOTESTSUM := $(TOOL) gotestsum --format pkgname-and-test-fails --format-hide-empty-pkg
CLI       := build/dropload
VENV      := .dropload/venv
# The folders that hold tests against a deployed stack.
E2E = $(shell grep -rlE --include='*_test.go' '^//go:build e2e' cmd infra internal | xargs -n 1 dirname | sort -u | sed 's,^,./,')

.DEFAULT_GOAL := help
.PHONY: help demo up down test test-unit test-e2e test-localstack check lint check-template check-modules check-size vuln fuzz bench build deploy clean cli tools need-go need-node

help: ## Say what there is to make
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: cli ## Set everything up, import a sample file, show result and failure report
	@$(CLI) demo

up: cli ## Start the local engine, build and deploy
	@$(CLI) up

down: cli ## Stop what was started; data stays
	@$(CLI) down

test: test-unit test-e2e ## Run every test

test-unit: export CGO_ENABLED = $(if $(RACE),1,0)
test-unit: need-go ## Run the tests that need no engine
	@$(GOTESTSUM) -- $(RACE) ./...

test-e2e: need-go ## Run the tests against a stack of their own on the local engine
	@$(GO) run ./infra/withstack $(GOTESTSUM) -- -tags e2e -count=1 -parallel 4 -timeout 20m -run '$(or $(RUN),.)' $(E2E)

test-localstack: need-go ## Run the tests named TestCore… against a second engine
	@$(LOCALSTACK)/install
	@$(LOCALSTACK)/down 2>/dev/null; eval "$$($(LOCALSTACK)/up)" && \
	  { $(GO) run ./infra/withstack -endpoint "$$AWS_ENDPOINT_URL" -state build/localstack \
	    $(GOTESTSUM) -- -tags e2e -count=1 -parallel 4 -timeout 10m -run '^TestCore' ./infra/e2e/...; status=$$?; \
	    $(LOCALSTACK)/down; exit $$status; }

check: lint check-modules check-template test check-size ## Run all that must be green: lint, modules, template, state machines, tests

lint: need-go ## Run the linters
	@$(TOOL) golangci-lint run ./...

check-modules: need-go ## Check that go.mod is tidy and nothing in the modules was changed
	@$(GO) mod tidy -diff
	@$(GO) mod verify

check-template: tools need-node ## Check the template and the state machines
	@env -u AWS_PROFILE SAM_CLI_TELEMETRY=0 $(VENV)/bin/sam validate --lint --region us-east-1
	@npm ci --prefix infra/asl --silent --no-audit --no-fund
	@for machine in statemachine/*.asl.json; do infra/asl/node_modules/.bin/asl-validator --json-path "$$machine" || exit 1; done

check-size: ## Check that the functions that were built for the tests are small
	@for f in build/e2e/build/*/bootstrap; do size=$$(gzip -c "$$f" | wc -c); \
	  [ "$$size" -lt 8000000 ] || { echo "$$f: $$size bytes zipped, more than 8 MB"; exit 1; }; done

vuln: need-go ## Look the modules up in Go's vulnerability database (needs the network)
	@$(TOOL) govulncheck ./...

fuzz: need-go ## Run every fuzz test for FUZZTIME
	@grep -rnoE --include='*_test.go' '^func Fuzz[A-Za-z0-9_]+' cmd infra internal | while IFS=: read -r file _ name; do \
	  name=$${name#func }; echo "$$name for $(FUZZTIME)"; \
	  $(GO) test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) "./$$(dirname "$$file")" || exit 1; done

bench: need-go ## Measure imports beside the least that a loader must do (needs Java and Maven)
	@for tool in java mvn; do command -v $$tool >/dev/null || { \
	  echo "no $$tool here: install a JDK and Maven (Debian: apt-get install default-jdk-headless maven; macOS: brew install maven), then try again"; exit 1; }; done
	@mkdir -p build && $(GO) run ./internal/bench

build: tools ## Build the functions for AWS
	@GOFLAGS="$$($(GO) env GOFLAGS) -trimpath -tags=lambda.norpc '-ldflags=-s -w'" SAM_CLI_TELEMETRY=0 $(VENV)/bin/sam build

deploy: build ## Deploy to the AWS account of AWS_PROFILE; ENV=dev or prod
	@SAM_CLI_TELEMETRY=0 $(VENV)/bin/sam deploy --config-env $(ENV)

clean: down ## Stop what was started and remove all that is not in git
	@rm -rf .dropload .aws-sam build infra/asl/node_modules

tools: cli
	@$(CLI) up --only-tools >/dev/null

# The first build fetches and compiles the modules; the dots show that it moves.
cli: need-go
	@$(GO) build -o $(CLI) ./cmd/dropload & pid=$$!; n=0; while kill -0 $$pid 2>/dev/null; do \
	  n=$$((n + 1)); [ $$n -ne 20 ] || printf 'building the command line' >&2; \
	  [ $$n -lt 20 ] || [ $$((n % 10)) -ne 0 ] || printf '.' >&2; sleep 0.1; done; \
	  [ $$n -lt 20 ] || echo >&2; wait $$pid

need-go:
	@command -v $(GO) >/dev/null || { echo "no Go here: install it from your package manager or from go.dev/dl (go.mod says which version), then try again"; exit 1; }

need-node:
	@command -v npm >/dev/null || { echo "no Node here: install it with npm (Debian: apt-get install nodejs npm; macOS: brew install node), then try again"; exit 1; }
