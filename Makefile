# Everything a contributor types. `make` alone lists it.

SHELL := /bin/bash -o pipefail
.DEFAULT_GOAL := help

GO          ?= go
PKG         ?= ./...
GOTESTFLAGS ?=
BENCH       ?= .
BENCHFLAGS  ?=

# The race detector watches everything but SQLite: that is C translated into Go,
# whose memory no code of ours touches, and watching it doubles the tests' time.
# Nor is time spent on a debugger's information, or on optimizing clients of
# servers that take longer than they do.
UNWATCHED := $(if $(findstring -race,$(GOTESTFLAGS)),-gcflags=all=-dwarf=false \
	'-gcflags=github.com/redis/...=-dwarf=false -N -l' \
	'-gcflags=github.com/jackc/...=-dwarf=false -N -l' \
	'-gcflags=github.com/ncruces/go-sqlite3-wasm/...=-race=false -dwarf=false')

# Packages that `make ci` tests without the race detector; `make test-race`
# watches everything, and the programs that tests start too. These tests start
# programs and servers, or run migrations one after the other: the detector would
# watch the test and not what it tests. The stores are here for their drivers, of
# which second, watched copies would take minutes to compile and run.
PROGRAMS := ./internal/e2e ./cmd/... ./migrations ./internal/sqlite ./internal/postgres \
	./internal/browsertest ./internal/pgtest ./internal/redistest ./internal/sendertest ./internal/testserver

# Tools are pinned here and installed into .bin, which git ignores. The file
# name holds the version, so a new pin installs the new one.
GOLANGCI_LINT_VERSION := v2.15.0
GORELEASER_VERSION    := v2.15.1
STATICCHECK_VERSION   := v0.8.2
BIN           := $(CURDIR)/.bin
GOLANGCI_LINT := $(BIN)/golangci-lint-$(GOLANGCI_LINT_VERSION)
GORELEASER    := $(BIN)/goreleaser-$(GORELEASER_VERSION)
STATICCHECK   := $(BIN)/staticcheck-$(STATICCHECK_VERSION)

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
COMMIT  := $(shell git rev-parse HEAD 2>/dev/null)
DATE    := $(shell git log -1 --format=%cI 2>/dev/null)
LDFLAGS := -s -w \
	-X chatops/internal/runbook.version=$(VERSION) \
	-X chatops/internal/runbook.commit=$(COMMIT) \
	-X chatops/internal/runbook.date=$(DATE)

# What `make generate` writes and `make verify` compares.
GENERATED := completions deploy/man README.md docs

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: ## Start the backend on :8080 with an embedded database
	$(GO) run ./cmd/chatops serve

.PHONY: build
build: ## Build bin/chatops, static, for this machine
	CGO_ENABLED=0 $(GO) build -ldflags '$(LDFLAGS)' -o bin/chatops ./cmd/chatops

.PHONY: test
test: test-deps ## Run all tests, with real PostgreSQL and Redis (PKG=, GOTESTFLAGS=)
	@GOTMPDIR=$${GOTMPDIR:-$${TMPDIR:-/tmp}} \
	$(if $(findstring -race,$(GOTESTFLAGS)),GORACE="atexit_sleep_ms=0 $$GORACE",CGO_ENABLED=0) \
	.ci/in-memory $(GO) test -timeout 14m $(UNWATCHED) $(GOTESTFLAGS) $(PKG)

.PHONY: test-ci
test-ci: ## Run all tests, under the race detector but for PROGRAMS
	@$(MAKE) test GOTESTFLAGS='-race -vet=off' PKG="$$(comm -23 <($(GO) list ./... | sort) <($(GO) list $(PROGRAMS) | sort) | tr '\n' ' ')"
	@$(MAKE) test GOTESTFLAGS=-vet=off PKG='$(PROGRAMS)'

.PHONY: test-race
test-race: ## Run all tests under the race detector, the programs they start too
	@E2E_RACE=1 E2E_ENGINES=all $(MAKE) test GOTESTFLAGS='-race -timeout 40m $(GOTESTFLAGS)'

.PHONY: test-deps
test-deps: ## Install PostgreSQL and Redis for the tests, if they are missing
	@.ci/test-deps $(if $(findstring -race,$(GOTESTFLAGS)),race)

.PHONY: test-browser
test-browser: ## Drive the pages of consent in Chromium, installing it and axe-core
	.ci/test-browser

.PHONY: screenshot
screenshot: test-deps ## Draw docs/dashboard.svg anew, from a real run under tmux
	SCREENSHOT=$(CURDIR)/docs/dashboard.svg $(GO) test -count=1 -run TestPicture_OfTheDashboard ./internal/e2e

.PHONY: test-rules
test-rules: ## Test the alert rules of deploy/prometheus, installing Debian's promtool
	@command -v promtool > /dev/null || apt-get install -y --no-install-recommends prometheus
	cd deploy/prometheus && promtool check rules chatops.yml && promtool test rules chatops_test.yml

.PHONY: cover
cover: test-deps ## Write coverage.out and coverage.html, and print the total
	$(GO) test -coverpkg=./... -coverprofile=coverage.out $(GOTESTFLAGS) $(PKG)
	@$(GO) tool cover -html=coverage.out -o coverage.html
	@$(GO) tool cover -func=coverage.out | tail -n 1

.PHONY: shape
shape: ## Print how long files and functions are, and how much of the code is tests
	@$(GO) test -count=1 -run 'TestShape' -v ./cmd/chatops | grep -E 'layout_test|^(ok|FAIL|---)'

.PHONY: bench
bench: test-deps ## Run the benchmarks against peers and limits (BENCH=, BENCHFLAGS=)
	$(GO) -C bench test -run '^$$' -bench '$(BENCH)' -benchtime 1x -timeout 60m $(BENCHFLAGS)

.PHONY: lint
lint: $(GOLANGCI_LINT) ## Check style, likely bugs and the layout rules, and that the benchmarks compile
	CGO_ENABLED=0 $(GOLANGCI_LINT) run $(PKG)
	CGO_ENABLED=0 $(GO) -C bench vet ./...

.PHONY: staticcheck
staticcheck: $(STATICCHECK) ## Check formatting and likely bugs with a tool that is quick to build
	@unformatted=$$(gofmt -l $$($(GO) list -f '{{.Dir}}' $(PKG))) && test -z "$$unformatted" || \
	{ echo "not formatted (make fmt): $$unformatted" >&2; exit 1; }
	CGO_ENABLED=0 $(STATICCHECK) $(PKG)

.PHONY: vet
vet: ## Run go vet
	CGO_ENABLED=0 $(GO) vet $(PKG)

.PHONY: fmt
fmt: $(GOLANGCI_LINT) ## Format the code and its imports
	$(GOLANGCI_LINT) fmt $(PKG)

.PHONY: fix
fix: $(GOLANGCI_LINT) ## Mend what the linter can mend by itself
	$(GOLANGCI_LINT) run --fix $(PKG)

.PHONY: generate
generate: ## Write completions, man pages and README's configuration table
	CGO_ENABLED=0 $(GO) run ./cmd/chatops docs generate .

.PHONY: verify
verify: ## Check that generated files and both go.mod are up to date
	@sums() { find $(GENERATED) -type f -exec sha256sum {} + | sort -k 2; }; \
	before=$$(sums) && $(MAKE) --no-print-directory generate && after=$$(sums) && \
	diff <(echo "$$before") <(echo "$$after") || \
	{ echo 'the files above were stale; they are fresh now: commit them' >&2; exit 1; }
	$(GO) mod tidy -diff
	$(GO) -C bench mod tidy -diff
	$(GO) mod verify

.PHONY: release-check
release-check: $(GORELEASER) ## Check the release description
	$(GORELEASER) check

.PHONY: release
release: $(GORELEASER) ## Build archives and packages into dist/, publishing nothing
	$(GORELEASER) release --snapshot --clean

.PHONY: ci
ci: ## Everything that a change must pass
	.ci/run

.PHONY: tools
tools: $(GOLANGCI_LINT) $(STATICCHECK) $(GORELEASER) ## Install the linters and the release tool into .bin

.PHONY: clean
clean: ## Remove what make has built and installed
	rm -rf bin build dist .bin coverage.out coverage.html

$(GOLANGCI_LINT):
	@$(call install,github.com/golangci/golangci-lint/v2/cmd/golangci-lint,$(GOLANGCI_LINT_VERSION))

$(GORELEASER):
	@$(call install,github.com/goreleaser/goreleaser/v2,$(GORELEASER_VERSION))

$(STATICCHECK):
	@$(call install,honnef.co/go/tools/cmd/staticcheck,$(STATICCHECK_VERSION))

# install PACKAGE,VERSION: into the target's file, in one step at the end.
define install
	echo 'installing $(notdir $@)' && mkdir -p '$(BIN)/new-$(@F)' && \
	GOBIN='$(BIN)/new-$(@F)' CGO_ENABLED=0 $(GO) install $(1)@$(2) && \
	mv '$(BIN)/new-$(@F)'/* '$@' && rmdir '$(BIN)/new-$(@F)'
endef
