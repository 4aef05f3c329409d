# Everything here needs only Go. Node, npm and Chromium are used where they are
# present, and named where they are missing.

FUZZTIME ?= 10s

.PHONY: run test check e2e suites generate fuzz bench microbench

run: ## the demo at http://localhost:8080, with live reload
	go run ./cmd/devserver

test: ## every test that can run here; what is missing is named
	@command -v node >/dev/null || echo "SKIPPED without Node: tests with the official JavaScript clients"
	@command -v npm >/dev/null || echo "SKIPPED without npm: tests with the official JavaScript clients"
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || echo "SKIPPED without Chromium: tests in a browser"
	go test -race ./...
	go test -run Allocations ./app/... ./realtime/... # budgets, which the race detector would break
	cd realtime/webtransport && go test -race ./...
	cd bench && go test -race ./...

check: ## vet, staticcheck, tests
	go vet ./...
	cd realtime/webtransport && go vet ./...
	cd bench && go vet ./...
	cd bench/app && go vet ./...
	go run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...
	$(MAKE) test

e2e: ## only the tests with real clients and browsers
	go test -race -count=1 -v ./internal/e2e/... ./internal/conformance/... ./internal/twins/...

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

bench: ## realtime beside Node and the limit, into docs/performance.md; QUICK=1 in two minutes, RESUME=1 goes on
	cd bench && go run ./realtime $(if $(QUICK),-quick) $(if $(RESUME),-resume) $(BENCHFLAGS)

microbench: ## Go's benchmarks, for benchstat
	go test -run '^$$' -bench . -benchmem ./...
