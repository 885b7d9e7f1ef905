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

# The simulator: how long to search, from which seed, how many processes to compare, and what for deep.
SIM_BUDGET ?= 60s
SIM_SEED   ?= 1
SIM_RUNS   ?= 50
SIM_DEEP   ?= 2h

# Real programs under kill -9: how many tickets, for how long at most, from which seed (0 draws one).
TICKETS        ?= 5000
TICKETS_BUDGET ?= 420s
TICKETS_SEED   ?= 0

# Torture of script output: how many MiB (a release's: 1024), how long connections live (a release's:
# -from 1s -to 5s -tickets 10), from which seed; 0 draws one.
LOG_MIB  ?= 100
LOG_CUTS ?= -from 200ms -to 1500ms
LOG_SEED ?= 0

# Torture of disks: how many rounds (a release's: 400), for how long at most (0: all of them), from which seed.
DISK_ROUNDS ?= 40
DISK_BUDGET ?= 55s
DISK_SEED   ?= 0

# Torture of the server: how many kills (a release's: 1000), for how long (0: until they are done), from
# which seed; 0 draws one.
SERVER_KILLS  ?= 1000
SERVER_BUDGET ?= 45s
SERVER_SEED   ?= 0

# Torture of transfers: how many MiB (a release's: 2048), from which seed; 0 draws one.
TRANSFER_MIB  ?= 288
TRANSFER_SEED ?= 0

.DEFAULT_GOAL := help
.PHONY: build test unit race lint house e2e story simulator sim sim-mutants sim-determinism sim-sweep sim-race sim-deep bench-sim sim-real torture-disk torture-tickets torture-server torture-log torture-transfer fuzz bench bench-api microbench demo screenshots release clean help

build: ## both programs, static, into bin/
	$(BUILD) -o bin/fairlead-agent ./agent
	$(BUILD) -o bin/fairlead-server ./server

test: lint house unit e2e ## everything that must pass

unit: ## the tests of every package
	$(GO) test $(TESTFLAGS) $$($(GO) list ./... | grep -v -e /internal/house$$ -e /internal/demo/ -e /sim/real$$)

race: ## the same with the race detector (needs a C compiler)
	$(GO) test -race $(TESTFLAGS) $$($(GO) list ./... | grep -v -e /internal/house$$ -e /internal/demo/ -e /sim/real$$)

lint: ## format, vet, staticcheck
	@findings="$$($(TOOL) gofumpt -l . | grep -v ^bin/)"; test -z "$$findings" || { echo "gofumpt -w these files:"; echo "$$findings"; exit 1; }
	$(GO) vet ./...
	$(TOOL) staticcheck ./...

house: ## the rules the repository checks on itself
	$(GO) test -count=1 $(TESTFLAGS) ./internal/house

e2e: build ## the built programs against each other, kill -9 included
	$(GO) test -count=1 $(TESTFLAGS) ./internal/demo/...

story: build ## the public Go library and command line client of Octopus Deploy against the built programs
	cd internal/clientstory/octopus && CGO_ENABLED=0 $(GO) build -trimpath -o $(CURDIR)/bin/octopus github.com/OctopusDeploy/cli/cmd/octopus
	cd internal/clientstory && FAIRLEAD_PROGRAMS=$(CURDIR)/bin OCTOPUS_CLIENT=$(CURDIR)/bin/octopus $(GO) test -count=1 $(TESTFLAGS) .

simulator: ## the simulator into bin/, with a Go runtime that does not mind a busy machine
	@$(GO) run ./sim/bubble/overlay "$$($(GO) env GOROOT)" bin/_overlay
	CGO_ENABLED=0 $(GO) build -trimpath -overlay bin/_overlay/steady.json -ldflags "$(LDFLAGS) -X testing.testBinary=1" \
		-o bin/fairlead-sim ./sim/fairlead-sim

sim: simulator ## every scenario we know, then a search, SIM_BUDGET (60s) in all
	bin/fairlead-sim campaign --budget $(SIM_BUDGET) --seed $(SIM_SEED) --keep dist/sim

sim-mutants: simulator ## break the product in known ways: each must be caught
	bin/fairlead-sim mutants

sim-determinism: simulator ## each scenario in SIM_RUNS (50) processes: one digest each
	bin/fairlead-sim determinism --runs $(SIM_RUNS)

sim-sweep: simulator ## somebody dies once at every crash point of every workload
	bin/fairlead-sim sweep --keep dist/sim

sim-race: ## the simulator's tests with the race detector (needs a C compiler)
	$(GO) test -race -short $(TESTFLAGS) ./netem/... ./sim ./sim/plan ./sim/history ./sim/check ./sim/site ./sim/worker ./sim/search ./sim/sweep

sim-deep: simulator ## a search of SIM_DEEP (2h) for each profile, without a stop
	@for profile in swarm network boxes crashes people fleet; do \
		bin/fairlead-sim search --profile $$profile --budget $(SIM_DEEP) --seed $(SIM_SEED) --stop 0 --keep dist/sim || failed=1; \
	done; test -z "$$failed"

bench-sim: simulator ## agent-hours a minute, scenarios a second
	bin/fairlead-sim bench

sim-real: build ## the programs across a network of the kernel, beside the simulator (root, nft, conntrack)
	FAIRLEAD_PROGRAMS=$(CURDIR)/bin $(GO) test -count=1 -v $(TESTFLAGS) ./sim/real

torture-disk: ## full and failing disks, power cuts: DISK_ROUNDS (40) rounds for DISK_BUDGET (55s); root, FUSE
	$(GO) run ./internal/torture/disk -n $(DISK_ROUNDS) -budget $(DISK_BUDGET) -seed $(DISK_SEED)

torture-tickets: ## kill -9 and cuts against TICKETS (5000) tickets, in TICKETS_BUDGET (420s; 0: no limit) or it fails
	$(GO) run ./internal/torture/tickets -n $(TICKETS) -budget $(TICKETS_BUDGET) -seed $(TICKETS_SEED)

torture-log: ## LOG_MIB (100) of script output through cuts (LOG_CUTS) and kill -9: each byte once
	$(GO) run ./internal/torture/log -n $(LOG_MIB) $(LOG_CUTS) -seed $(LOG_SEED)

torture-transfer: ## TRANSFER_MIB (288) of packages through cuts, changed bits and kill -9: a chunk again at most
	$(GO) run ./internal/torture/transfer -n $(TRANSFER_MIB) -seed $(TRANSFER_SEED)

torture-server: ## kill -9 of the server in the middle of deployments, SERVER_KILLS (1000) or for SERVER_BUDGET (45s; 0: all)
	$(GO) run ./internal/torture/server -n $(SERVER_KILLS) -budget $(SERVER_BUDGET) -seed $(SERVER_SEED)

fuzz: ## each fuzz target for FUZZTIME (10s)
	.ci/fuzz $(FUZZTIME)

bench: ## speed and size beside bare floors, with ratios; BENCH=-short for a look
	$(GO) run ./internal/bench $(BENCH)

bench-api: ## lists of a server with 10,000 machines, 1,000 projects, 100,000 tasks; BENCH=-short for a look
	$(GO) run ./internal/bench -goals api $(BENCH)

microbench: ## the benchmarks of every package
	$(GO) test -run '^$$' -bench . -benchmem -p 1 ./...

demo: build ## a server, two agents, a deployment of two versions; KEEP=1 leaves it running
	KEEP=$(KEEP) $(GO) run ./internal/demo/run

screenshots: ## every page of the portal as PNG, into dist/screenshots (needs a Chromium)
	FAIRLEAD_SCREENSHOTS=$(CURDIR)/dist/screenshots $(GO) test -count=1 -run Screenshot ./server/portal

release: ## static programs for linux amd64, arm64, armv7 and their SHA256SUMS, into dist/
	.ci/release $(VERSION)

clean: ## remove what was built
	rm -rf bin dist

help: ## this list
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1|/p' $(MAKEFILE_LIST) | while IFS='|' read -r name text; do printf '  make %-16s %s\n' "$$name" "$$text"; done
