# make                one binary for this machine
# make release        dist/: static binaries for all machines, their checksums and an SBOM
# make bench          runs all measurements of docs/benchmarks.md, other programs included: more than an hour
# make lint           staticcheck and golangci-lint, which are built first: some minutes if they are not in the Go cache
# make reproducible   shows that two builds, in two folders with two caches, are the same to the byte

SBOM_TOOL := github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOLANGCI_LINT := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
TARGETS := linux-amd64 linux-arm64 linux-armv7 darwin-arm64 windows-amd64
MOST_BYTES := 40000000

# Settings of the environment that would change the bytes of the program. The version comes from git.
export CGO_ENABLED := 0
export GOFLAGS :=
export GOAMD64 := v1
export GOARM64 := v8.0
export GOARM := 7
export GOEXPERIMENT :=
BUILD := go build -trimpath -buildvcs=true -ldflags='-s -w -buildid='

# The system and machine of a target, as Go names them.
goos = $(word 1,$(subst -, ,$(1)))
goarch = $(subst armv7,arm,$(word 2,$(subst -, ,$(1))))

.PHONY: courant bench lint release committed reproducible $(TARGETS)

courant:
	$(BUILD) -o courant .

bench:
	go test -run xxx -bench Answer -benchtime 5x -timeout 1h ./server/api
	go test -run xxx -bench 'Start|Entrance' -benchtime 9x ./server ./server/entrance
	go test -run xxx -bench 'AFRRDay|IntoHistory' -benchtime 9x -timeout 1h ./store ./ingest/rte
	go test -run AFetchOfSteps -v ./server
	go test -run FloodOfSignIns -attack -attack-cores 2 -v ./server
	go test -run xxx -bench . -skip 'Answer|AFRRDay|IntoHistory' -count 5 ./ingest/rte ./store ./server/api
	cd docs/benchmarks/peers && go run .
	cd docs/benchmarks/wire && go run .
	bash docs/benchmarks/history/run.sh

lint:
	go run $(STATICCHECK) ./...
	go run $(GOLANGCI_LINT) run ./...

release: committed
	rm -rf dist
	$(MAKE) $(TARGETS)
	GOBIN="$(CURDIR)/dist/tools" go install $(SBOM_TOOL)
	GOOS=linux GOARCH=amd64 dist/tools/cyclonedx-gomod app -json -licenses -std -noserial -notimestamp -output dist/courant.cdx.json -main . .
	rm -r dist/tools
	cd dist && sha256sum courant* > SHA256SUMS
	cat dist/SHA256SUMS

$(TARGETS): out = dist/courant-$@$(if $(findstring windows,$@),.exe)
$(TARGETS):
	GOOS=$(call goos,$@) GOARCH=$(call goarch,$@) $(BUILD) -o $(out) .
	@test $$(wc -c < $(out)) -lt $(MOST_BYTES) || { echo '$(out) is larger than $(MOST_BYTES) bytes' >&2; exit 1; }

# With uncommitted files, the version from git would be wrong.
committed:
	@test -z "$$(git status --porcelain)" || { git status --short; echo 'commit first: a release is what git holds' >&2; exit 1; }

reproducible: committed linux-amd64
	@folder=$$(mktemp -d) && trap 'chmod -R u+w "$$folder"; rm -rf "$$folder"' EXIT && \
	git clone --quiet . "$$folder/elsewhere" && \
	GOCACHE="$$folder/cache" $(MAKE) --no-print-directory -C "$$folder/elsewhere" linux-amd64 && \
	cmp dist/courant-linux-amd64 "$$folder/elsewhere/dist/courant-linux-amd64" && \
	echo 'the same to the byte' && sha256sum dist/courant-linux-amd64
