# SPDX-License-Identifier: Apache-2.0
# "make" alone lists what there is.

SHELL       := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

GO      ?= $(shell command -v go || echo /usr/local/go/bin/go)
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
PKG     := github.com/bindery/bindery
LDFLAGS := -s -w -X main.version=$(VERSION)
BUILD   := CGO_ENABLED=0 $(GO) build -trimpath -ldflags "$(LDFLAGS)"
TOOLS   := $(CURDIR)/bin/tools
# A number of inputs. A duration (10m) works as well, but at its end Go's fuzzer now and
# then says "context deadline exceeded" of a test that is right.
FUZZ    ?= 20000x
PKGS    ?= ./...
COUNT   ?= 200
STEPS   ?= 1000
SEED    ?= 1
REPO    ?=
N       ?= 100000

# Versions of the tools that are not part of the module.
GOLANGCI    := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
GOFUMPT     := mvdan.cc/gofumpt@v0.12.0
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.9.0
OPENAPI     := @octokit/openapi@23.0.2
NFPM        := github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.43.4

# What packages are called, where no tag says so: a version that every release is above.
PKG_VERSION ?= $(shell git describe --tags --exact-match 2>/dev/null | sed -n 's/^v//p' | grep . || git log -1 --format=0~git%cd.%h --date=format:%Y%m%d%H%M%S)
PKG_ARCHS   ?= amd64 arm64
export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 0)

.PHONY: help
help: ## list what can be made
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  %-17s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: need-go need-cc need-git need-keys need-apt
need-go:
	@command -v "$(GO)" >/dev/null || { echo "make: Go is needed (https://go.dev/dl/, the version of go.mod or newer); set GO=/path/to/go"; exit 1; }
need-cc:
	@command -v "$${CC:-gcc}" >/dev/null || { echo "make: the race detector needs a C compiler: apt-get install gcc libc6-dev (or set CC)"; exit 1; }
need-git:
	@command -v git >/dev/null || { echo "make: git is needed: apt-get install git"; exit 1; }
need-keys:
	@command -v ssh-keygen >/dev/null && command -v openssl >/dev/null || { echo "make: the tests compare keys with ssh-keygen and openssl: apt-get install openssh-client openssl"; exit 1; }

need-apt:
	@command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null && command -v apt-ftparchive >/dev/null && command -v systemctl >/dev/null && command -v getfacl >/dev/null && command -v getcap >/dev/null && command -v svn >/dev/null && command -v hg >/dev/null && command -v dnf >/dev/null && command -v gpg >/dev/null && command -v rpmbuild >/dev/null && command -v createrepo_c >/dev/null || { echo "make: the tests work on roots of their own with the real tools: apt-get install acl apt-utils createrepo-c dnf gpg libcap2-bin mercurial rpm subversion systemd"; exit 1; }

.PHONY: build
build: need-go ## bin/bindery and bin/bindery-agent, static
	@mkdir -p bin
	$(BUILD) -o bin/ ./cmd/...

.PHONY: demo
demo: build ## a commit going all the way, on this machine, in a minute
	bin/bindery demo $(ARGS)

.PHONY: test
test: need-go need-cc need-git need-keys need-apt ## everything that must hold: vet, the rules of the house, all tests under the race detector
	$(GO) vet ./...
	$(GO) test -count=1 .
	$(GO) test -race -timeout 18m -parallel 4 ./...

.PHONY: check
check: need-go ## fast checks alone: format, vet, the rules of the house, generated pages
	@bad=$$(gofmt -l $$(git ls-files '*.go')); [ -z "$$bad" ] || { echo "make: not formatted (gofmt -w):"; echo "$$bad"; exit 1; }
	$(GO) vet ./...
	$(GO) vet -tags gitea,browser,machine ./e2e
	$(GO) vet -tags chroot ./agent/driver/initd
	$(GO) test -count=1 .

.PHONY: fuzz
fuzz: need-go ## every fuzz target for FUZZ (20000x: inputs; or 10m) each, in the packages PKGS (./...)
	@$(GO) list $(PKGS) | while read -r pkg; do \
	  for f in $$($(GO) test -list '^Fuzz' "$$pkg" | grep '^Fuzz' || true); do \
	    echo "== $$pkg $$f"; $(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZ) -fuzzminimizetime 10x "$$pkg"; \
	  done; \
	done

.PHONY: python-agreement
python-agreement: need-go ## the Python of templates against the python3 of the machine: a table of calls of modules, and N (100,000) programs by chance
	@command -v python3 >/dev/null || { echo "make: python3 is needed: apt-get install python3"; exit 1; }
	@BINDERY_AGREE=1 $(GO) test -count=1 -run '^TestAgreementModules$$' -v ./engine/internal/py | grep -E 'agree|differ|^(FAIL|ok)|Python 3:|here:'
	@for from in $$(seq 0 10000 $$(($(N) - 1))); do \
	  n=$$(($(N) - from < 10000 ? $(N) - from : 10000)); \
	  BINDERY_AGREE=$$n BINDERY_AGREE_FROM=$$from $(GO) test -count=1 -run '^TestAgreement$$' -v ./engine/internal/py | grep -E 'agree|differ|^(FAIL|ok)|program|Python 3:|here:'; \
	done

.PHONY: apt-closure
apt-closure: build ## hold COUNT (200) packages that are added against what apt-get installs, on this Debian machine's own sources
	@command -v apt-get >/dev/null || { echo "make: apt-get is needed: a Debian or Ubuntu machine"; exit 1; }
	$(GO) run ./bench/aptclosure -count $(COUNT) $(ARGS)

.PHONY: e2e-faults
e2e-faults: need-go need-cc need-git ## all that forges, networks and people do wrong, and kill -9 at every step, at every kind of forge
	BINDERY_FAULTS=all $(GO) test -race -count=1 -timeout 60m -run 'Fault|Kill|Race|Fork|Force|GivesWay|Command|Queue|Hour|Limit|Forge|Deliver|Purge|Comment|CutOff|TwoControllers|ToTheEnd|Answer' ./controller
	$(GO) test -race -count=1 ./webhooks/...

.PHONY: forge-shapes
forge-shapes: need-go need-git ## hold the fake GitHub of the tests against GitHub's published description of its API, from npm
	@command -v npm >/dev/null || { echo "make: npm is needed: apt-get install npm"; exit 1; }
	@dir=$$(mktemp -d); trap 'rm -rf "$$dir"' EXIT; cd "$$dir"; \
	npm pack --silent $(OPENAPI) >/dev/null; \
	tar xzf octokit-openapi-*.tgz package/generated/api.github.com.deref.json; cd $(CURDIR); \
	$(GO) run ./bench/forgeshapes -openapi "$$dir/package/generated/api.github.com.deref.json"

.PHONY: verify-history
verify-history: build need-git ## hold the diffs of N (100) commits of REPO (else of a history made by chance) against builds in full, entry by entry
	$(GO) run ./bench/history revisions -bindery bin/bindery -repo "$(REPO)" -n $(if $(filter file,$(origin N)),100,$(N)) $(ARGS)

.PHONY: verify-random
verify-random: need-go ## hold STEPS (1,000) revisions made by chance, built with what is known of those before, against builds from nothing
	$(GO) run ./bench/history random -steps $(STEPS) -seed $(SEED) $(ARGS)

# The Gitea that is tested against: a module of its own, so that nothing of it is in ours.
# Its templates are read from the module cache.
GITEA := $(TOOLS)/gitea
$(GITEA): tools/gitea/go.mod tools/gitea/go.sum
	@mkdir -p $(TOOLS)
	cd tools/gitea && $(GO) mod download && CGO_ENABLED=1 $(GO) build -trimpath -tags "sqlite sqlite_unlock_notify" -o $@ \
	  -ldflags "-X main.Version=1.26.0 -X code.gitea.io/gitea/modules/setting.StaticRootPath=$$($(GO) list -m -f '{{.Dir}}' code.gitea.io/gitea)" code.gitea.io/gitea

.PHONY: e2e-gitea
e2e-gitea: need-git need-cc build $(GITEA) ## the whole way of changes at a real Gitea, which is built once (minutes)
	$(GO) test -count=1 -tags gitea -run '^TestGitea$$' $(ARGS) ./e2e

.PHONY: need-chromium
need-chromium:
	@command -v chromium >/dev/null || { echo "make: Chromium is needed: apt-get install chromium fonts-dejavu-core fonts-noto-color-emoji"; exit 1; }

.PHONY: e2e-browser
e2e-browser: need-chromium build ## the HTML report in Chromium: with its script, without, on paper, on a telephone
	$(GO) test -count=1 -tags browser -run '^TestReport' $(ARGS) ./e2e

# Debians of their own that machines of tests are copies of. Each is made once, in
# namespaces whose mounts and processes go with what makes them.
MACHINES := bin/machines
BOOKWORM := $(MACHINES)/bookworm
DNF      := $(MACHINES)/rpm
# A system of rpm's packages alone, installed by dnf in an empty root.
INSTALLED := $(MACHINES)/dnf
# A machine with what people have beside packages: shells that complete, man, and git.
USERS    := $(MACHINES)/users
# Roots in which init scripts with insserv, and OpenRC, really work, by type of Service.
CHROOTS  := $(MACHINES)/services
MIRROR   ?= http://deb.debian.org/debian
APART    := unshare --mount --pid --fork --kill-child
.PHONY: need-root need-machines
need-root:
	@[ "$$(id -u)" = 0 ] || { echo "make: machines are made and run as root, with namespaces, devices and mounts of their own: sudo make $(MAKECMDGOALS)"; exit 1; }
	@for c in debootstrap unshare; do command -v $$c >/dev/null || { echo "make: $$c is needed: apt-get install debootstrap util-linux"; exit 1; }; done
need-machines: need-root
	@for c in systemd-nspawn nsenter ip gpg gpgconf dpkg-deb apt-ftparchive rpmbuild rpmsign createrepo_c dnf; do command -v $$c >/dev/null || { \
	  echo "make: $$c is needed: apt-get install apt-utils createrepo-c dnf gpg iproute2 rpm systemd-container util-linux"; exit 1; }; done
$(BOOKWORM): WITH := systemd,systemd-sysv,dbus,acl,iproute2,ca-certificates,procps
$(CHROOTS)/deb: WITH := sysvinit-core,sysv-rc,insserv,iproute2
$(CHROOTS)/rc-update: WITH := openrc,iproute2
$(BOOKWORM) $(CHROOTS)/deb $(CHROOTS)/rc-update: | need-root
	@mkdir -p $(@D); rm -rf --one-file-system $@.new
	$(APART) debootstrap --variant=minbase --include=$(WITH) bookworm $@.new $(MIRROR) >$@.log
	rm -rf $@.new/var/cache/apt/archives/*.deb; mv $@.new $@
$(DNF): MORE := dnf rpm
$(USERS): MORE := bash-completion fish git man-db python3-jsonschema zsh
$(DNF): | $(BOOKWORM)
$(USERS): | $(DNF)
$(DNF) $(USERS):
	@rm -rf --one-file-system $@.new; cp -a $(firstword $|) $@.new
	$(APART) sh -ec 'mount -t proc proc $@.new/proc; export DEBIAN_FRONTEND=noninteractive LC_ALL=C; \
	  chroot $@.new apt-get -q update; chroot $@.new apt-get -q install -y --no-install-recommends $(MORE); chroot $@.new apt-get clean' >$@.log
	mv $@.new $@

$(INSTALLED): packaging/installroot | $(DNF)
	TMPDIR=$(CURDIR)/$(MACHINES) packaging/installroot $(DNF) $@.new >$@.log 2>&1
	rm -rf --one-file-system $@; mv $@.new $@; touch $@

.PHONY: e2e-agent
e2e-agent: need-git need-machines build $(BOOKWORM) $(INSTALLED) $(CHROOTS)/deb $(CHROOTS)/rc-update ## the agent on Debian 12 machines: apt, dnf, systemd, init scripts, OpenRC (as root; debootstrap once, from MIRROR)
	$(MAKE) packages PKG_ARCHS=$$($(GO) env GOARCH)
	@dir=$$(mktemp -d); trap 'rm -rf --one-file-system "$$dir"' EXIT; \
	TMPDIR=$$dir $(GO) test -count=1 -timeout 90m -parallel $$((2 * $$(nproc))) -tags machine -run '^TestMachine' $(ARGS) ./e2e

.PHONY: e2e-services
e2e-services: need-go need-root $(CHROOTS)/deb $(CHROOTS)/rc-update ## init scripts with insserv, and OpenRC, in roots of their own: the real tools
	BINDERY_CHROOTS=$(CURDIR)/$(CHROOTS) $(GO) test -count=1 -tags chroot -run '^TestChroot$$' $(ARGS) ./agent/driver/initd

.PHONY: verify-merge
verify-merge: need-go need-git ## hold the three-way merge against git merge-tree, over N (10,000) histories made by chance
	BINDERY_MERGES=$(if $(filter file,$(origin N)),10000,$(N)) $(GO) test -count=1 -timeout 4h -run '^TestMergeHereAgreesWithGit$$' -v ./controller/git | grep -E 'histories|seed|^(FAIL|ok)|Messages'

.PHONY: screenshots
screenshots: need-git need-cc need-chromium build $(GITEA) ## write the pictures of docs/images again
	@mkdir -p docs/images
	BINDERY_PICTURES=1 $(GO) test -count=1 -tags gitea,browser -run '^(TestPicture|TestReportPictures)$$' $(ARGS) ./e2e

.PHONY: attack
attack: need-go ## a hostile user swaps directories and links under the agent and checkouts for N (10,000) runs: no escape, no lost file, no wrong owner (as root)
	@[ "$$(id -u)" = 0 ] || { echo "make: root is needed: the attacker is another user"; exit 1; }
	TMPDIR=$$([ -d /dev/shm ] && echo /dev/shm || echo /tmp) BINDERY_ATTACK=$(if $(filter file,$(origin N)),10000,$(N)) $(GO) test -count=1 -timeout 4h -v -run '^TestHostileUser$$' ./agent

.PHONY: hostile
hostile: build ## templates and files that mean harm, each built by a process of its own: time, memory, problem
	$(GO) run ./bench/hostile

.PHONY: bench
bench: build ## measure; writes docs/bench.json and docs/performance.md from it
	$(GO) run ./bench $(ARGS)
	$(MAKE) docs

.PHONY: generate docs
generate: docs ## write everything that is generated
docs: need-go ## write the reference pages again, from the commands and settings themselves
	BINDERY_UPDATE=1 $(GO) test -count=1 -run '^TestReference' . ./bench ./cmd/... ./engine

.PHONY: lint
lint: need-go ## golangci-lint with the rules of .golangci.yml
	@[ -x $(TOOLS)/golangci-lint ] || { echo "make: run 'make install-tools' first"; exit 1; }
	$(TOOLS)/golangci-lint run ./...

.PHONY: vuln
vuln: need-go ## known vulnerabilities in what is linked
	@[ -x $(TOOLS)/govulncheck ] || { echo "make: run 'make install-tools' first"; exit 1; }
	$(TOOLS)/govulncheck ./...

.PHONY: install-tools
install-tools: need-go ## linters, into bin/tools
	@mkdir -p $(TOOLS)
	GOBIN=$(TOOLS) $(GO) install $(GOLANGCI)
	GOBIN=$(TOOLS) $(GO) install $(GOFUMPT)
	GOBIN=$(TOOLS) $(GO) install $(GOVULNCHECK)

.PHONY: image
image: build ## a container image of the static binary alone (needs docker or podman)
	@engine=$$(command -v docker || command -v podman) || { echo "make: docker or podman is needed"; exit 1; }; \
	$$engine build -t bindery:$(VERSION) .

.PHONY: man
man: need-go ## the manual pages of both programs, into dist/share/man
	@for p in bindery bindery-agent; do \
	  rm -rf dist/share/man/$$p; BINDERY_MAN=$(CURDIR)/dist/share/man/$$p $(GO) test -count=1 -run '^TestMan$$' ./cmd/$$p >/dev/null; \
	  gzip -9n dist/share/man/$$p/*.1; \
	done

.PHONY: packages
packages: need-go man ## .deb and .rpm of the agent and of the controller for PKG_ARCHS (amd64 arm64), into dist
	@mkdir -p dist/share/completion $(TOOLS)
	@[ -x $(TOOLS)/nfpm ] || GOBIN=$(TOOLS) $(GO) install $(NFPM)
	@for p in bindery bindery-agent; do for shell in bash zsh fish; do $(GO) run ./cmd/$$p completion $$shell > dist/share/completion/$$p.$$shell; done; done
	@gzip -9nc CHANGELOG.md > dist/share/CHANGELOG.md.gz
	@for p in bindery bindery-agent; do \
	  printf '%s (%s) unstable; urgency=medium\n\n  * What changed is in CHANGELOG.md.\n\n -- Bindery <maintainers@bindery.example.org>  %s\n' \
	    $$p '$(PKG_VERSION)' "$$(LC_ALL=C date -u -R -d @$${SOURCE_DATE_EPOCH:-$$(git log -1 --format=%ct 2>/dev/null || echo 0)})" | gzip -9nc > dist/share/$$p.changelog.gz; \
	done
	@for arch in $(PKG_ARCHS); do \
	  mkdir -p dist/$$arch; GOARCH=$$arch GOOS=linux CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w -X main.version=$(PKG_VERSION)" -o dist/$$arch/ ./cmd/...; \
	  for part in agent controller; do for kind in deb rpm; do \
	    { cat packaging/$$part/nfpm.yaml; [ $$kind != rpm ] || { \
	      sed -n 's,^name: ,,p' packaging/$$part/nfpm.yaml | while read -r name; do for page in dist/share/man/$$name/*.1.gz; do \
	        echo "  - {src: $$page, dst: /usr/share/man/man1/$${page##*/}, type: doc, file_info: {mode: 0644}}"; done; done; \
	      echo 'license: Apache-2.0'; }; } > dist/share/nfpm.yaml; \
	    PKG_ARCH=$$arch PKG_VERSION='$(PKG_VERSION)' PKG_BIN=dist/$$arch $(TOOLS)/nfpm package --config dist/share/nfpm.yaml --packager $$kind --target dist/; \
	  done; done; \
	done

.PHONY: e2e-packages
e2e-packages: need-git need-machines $(USERS) ## the packages by dpkg, dnf and rpm: install, run, upgrade, power cuts, remove, purge, on booted machines (as root)
	@command -v lintian >/dev/null || { echo "make: lintian is needed: apt-get install lintian"; exit 1; }
	@rm -rf dist/0.0.1 dist/0.0.2
	@for v in 0.0.1 0.0.2; do $(MAKE) packages PKG_ARCHS=$$($(GO) env GOARCH) PKG_VERSION=$$v; done
	@for v in 0.0.1 0.0.2; do mkdir dist/$$v; mv dist/*_$${v}_* dist/*-$$v-* dist/$$v/; done
	packaging/lintian dist/0.0.2/*.deb
	packaging/check $(USERS) 0.0.1 0.0.2

.PHONY: e2e-arm64
e2e-arm64: need-go need-git build ## the arm64 packages and programs on this machine, by qemu-user: built, enrolled, run, and the same bytes as amd64's
	@for c in qemu-aarch64-static dpkg-deb rpm readelf unshare; do command -v $$c >/dev/null || { echo "make: $$c is needed: apt-get install binutils qemu-user-static rpm util-linux"; exit 1; }; done
	$(MAKE) packages PKG_ARCHS=arm64 PKG_VERSION=0.0.0
	GO=$(GO) packaging/check-arm64 0.0.0

# Other systems have no kernel to test the agent on here: what is theirs alone is vetted.
PROGRAMS ?= bindery bindery-agent
TARGETS ?= linux/amd64 linux/arm64 freebsd/amd64 freebsd/arm64 darwin/amd64 darwin/arm64
.PHONY: cross
cross: need-go ## vet and build PROGRAMS (both) for TARGETS (Linux, FreeBSD and macOS, on amd64 and arm64)
	@for target in $(TARGETS); do \
	  echo "== $$target"; export GOOS=$${target%/*} GOARCH=$${target#*/} CGO_ENABLED=0; \
	  [ $$GOOS != linux ] || $(GO) vet ./agent/...; \
	  $(GO) vet $(addprefix ./cmd/,$(PROGRAMS)) ./agent/system ./agent/driver/posix; \
	  for p in $(PROGRAMS); do $(GO) build -o /dev/null ./cmd/$$p; done; \
	done

.PHONY: portable
portable: need-go need-cc ## the tests of files, confinement and Path entries, on what the agent does on FreeBSD and macOS
	$(GO) vet -tags portable ./agent/...
	$(GO) test -race -count=1 -tags portable $(ARGS) ./agent/system ./agent/driver/posix

.PHONY: clean
clean: ## remove what was built
	rm -rf bin dist coverage.out
