# Everything here needs only Go. Node, npm and Chromium are used where they are
# present, and named where they are missing.

FUZZTIME ?= 10s

.PHONY: run test check e2e soak suites generate fuzz bench bench-app bench-views bench-dev bench-cluster microbench

run: ## the demo at http://localhost:8080, with live reload
	go build -o bin/devserver ./cmd/devserver && exec bin/devserver

test: ## every test that can run here; what is missing is named
	@command -v node >/dev/null || echo "SKIPPED without Node: tests with the official JavaScript clients"
	@command -v npm >/dev/null || echo "SKIPPED without npm: tests with the official JavaScript clients"
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || echo "SKIPPED without Chromium: tests in a browser"
	go test -race -timeout 18m ./...
	go test -run Allocations ./app/... ./realtime/... # budgets, which the race detector would break
	@if CGO_ENABLED=0 GOARCH=386 go test ./realtime/parser/internal/jsonrules >/dev/null 2>&1; \
		then CGO_ENABLED=0 GOARCH=386 go test ./app/... ./realtime ./realtime/internal/... ./realtime/parser/...; \
		else echo "SKIPPED on a machine that runs no programs for 32-bit x86: tests of int and atomic of 32 bits"; fi
	cd realtime/webtransport && go test -race ./...
	cd realtime/adapter/nats/embedded && go test -race ./...
	cd bench && go test -race ./...

check: ## vet, staticcheck, tests
	go vet ./...
	cd realtime/webtransport && go vet ./...
	cd realtime/adapter/nats/embedded && go vet ./...
	cd bench && go vet ./...
	cd bench/app && go vet ./...
	cd bench/cluster && go vet ./...
	go run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...
	$(MAKE) test

e2e: ## only the tests with real clients and browsers
	go test -race -count=1 -v ./internal/e2e/... ./internal/conformance/... ./internal/twins/...

soak: ## faults of clusters at full size, with the times clients need to come back: up to 2,000 clients on each engine
	ZOCALO_SOAK=1 go test -count=1 -v -timeout 60m -run 'TestCluster(Faults|ClockOff)' ./internal/e2e

suites: ## the official suites, from the checkout of socketio/socket.io that ZOCALO_SOCKETIO_REPO names
	go test -count=1 -v -run TestOfficialSuites ./internal/conformance

generate: ## the browser client's bundles, from realtime/client/src
	go generate ./...

fuzz: ## every fuzz target for FUZZTIME
	@for package in $$(go list ./...); do \
		for target in $$(go test -list '^Fuzz' $$package | grep '^Fuzz'); do \
			echo "$$package $$target"; \
			go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) $$package || exit 1; \
		done; \
	done

# Each of the five writes its own part of docs/performance.md; none of them runs another.
bench: ## realtime beside Node and the limit; QUICK=1 in two minutes, without the page; RESUME=1 goes on
	cd bench && go run ./realtime $(if $(QUICK),-quick) $(if $(RESUME),-resume) $(BENCHFLAGS)

bench-app: ## the CPU of an HTTP request beside net/http, chi, Echo, Gin, Fiber, Express and Fastify
	npm install --prefix bench/app/node --no-audit --no-fund
	cd bench/app && go run . -page $(BENCHFLAGS)

bench-cluster: ## the CPU of a broadcast over three nodes on Redis beside Node.js
	npm install --prefix bench/cluster/node --no-audit --no-fund
	cd bench/cluster && taskset -c 1 go run . -page $(BENCHFLAGS)

bench-views: ## the CPU of a rendered page beside handlebars.js and html/template
	npm install --prefix bench/views --no-audit --no-fund
	cd bench/views && go run . -page $(BENCHFLAGS)

bench-dev: ## from save to screen and from nothing to a running page beside Vite
	cd bench && go run ./dev $(BENCHFLAGS)

microbench: ## Go's benchmarks, for benchstat
	go test -run '^$$' -bench . -benchmem ./...
