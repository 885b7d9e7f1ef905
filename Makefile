# Every target is a line that a person could type. `make help` lists them.

GO       ?= go
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS   = -s -w -X main.version=$(VERSION)
BUILD     = CGO_ENABLED=0 $(GO) build -trimpath -ldflags "$(LDFLAGS)"
TOOL      = $(GO) tool -modfile=internal/tools/go.mod
TESTFLAGS ?=
FUZZTIME ?= 10s
KEEP     ?=
BENCH    ?=

.DEFAULT_GOAL := help
.PHONY: build test unit race lint house e2e sim-real fuzz bench microbench demo screenshots release clean help

build: ## both programs, static, into bin/
	$(BUILD) -o bin/fairlead-agent ./agent
	$(BUILD) -o bin/fairlead-server ./server

test: lint house unit e2e ## everything that must pass

unit: ## the tests of every package
	$(GO) test $(TESTFLAGS) $$($(GO) list ./... | grep -v -e /internal/house$$ -e /internal/demo/ -e /sim/real$$)

race: ## the same with the race detector (needs a C compiler)
	$(GO) test -race $(TESTFLAGS) $$($(GO) list ./... | grep -v -e /internal/house$$ -e /internal/demo/ -e /sim/real$$)

lint: ## format, vet, staticcheck
	@findings="$$($(TOOL) gofumpt -l .)"; test -z "$$findings" || { echo "gofumpt -w these files:"; echo "$$findings"; exit 1; }
	$(GO) vet ./...
	$(TOOL) staticcheck ./...

house: ## the rules the repository checks on itself
	$(GO) test -count=1 $(TESTFLAGS) ./internal/house

e2e: build ## the built programs against each other, kill -9 included
	$(GO) test -count=1 $(TESTFLAGS) ./internal/demo/...

sim-real: build ## the programs across a network of the kernel, beside the simulator (root, nft, conntrack)
	FAIRLEAD_PROGRAMS=$(CURDIR)/bin $(GO) test -count=1 -v $(TESTFLAGS) ./sim/real

fuzz: ## each fuzz target for FUZZTIME (10s)
	.ci/fuzz $(FUZZTIME)

bench: ## speed and size beside bare floors, with ratios; BENCH=-short for a look
	$(GO) run ./internal/bench $(BENCH)

microbench: ## the benchmarks of every package
	$(GO) test -run '^$$' -bench . -benchmem -p 1 ./...

demo: build ## a server, two agents, a deployment of two versions; KEEP=1 leaves it running
	KEEP=$(KEEP) $(GO) run ./internal/demo/run

screenshots: ## every page of the portal as PNG, into dist/screenshots (needs chromium)
	FAIRLEAD_SCREENSHOTS=$(CURDIR)/dist/screenshots $(GO) test -count=1 -run Screenshot ./server/portal

release: ## static programs for linux amd64, arm64, armv7 and their SHA256SUMS, into dist/
	.ci/release $(VERSION)

clean: ## remove what was built
	rm -rf bin dist

help: ## this list
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1|/p' $(MAKEFILE_LIST) | while IFS='|' read -r name text; do printf '  make %-11s %s\n' "$$name" "$$text"; done
