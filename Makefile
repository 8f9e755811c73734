# The door to the house. meson and ninja build; scripts/ does the rest; docs/design/build.md explains.
#
#   BUILD=dir     build folder (sanitizers use dir-asan, dir-tsan, dir-fuzz, dir-coverage)
#   ONLY="..."    tests: paths of test files or folders, nothing else is built or run
#   FILES="..."   format: the files to format (default: all of ours)
#   KEEP=1        demo: leave the server running; test: leave the scratch folder
#   SECONDS=n     fuzz, soak: how long each

BUILD   ?= build
PREFIX  ?= /usr/local
DESTDIR ?=
SECONDS ?= 60
ONLY    ?=
FILES   ?=
ARGS    ?=
KEEP    ?=
export BUILD KEEP

.DEFAULT_GOAL := all
.PHONY: all test demo check format asan tsan fuzz bench soak exhaustive coverage mutants install deb clean help

all: ## install what is missing, build build/reprise and build/reprise-supervise
	@scripts/setup build
	@scripts/build

test: ## all tests, normal and under ASan+UBSan; ends with "N passed, N failed, N skipped"
	@scripts/setup build test
	@scripts/test $(ONLY)

demo: ## a job fails, its repair plan is shown, it is repaired; KEEP=1 leaves the server running
	@scripts/setup build demo
	@scripts/build
	@scripts/demo

check: ## format, lint, layers, banned calls, file hygiene
	@scripts/setup build check
	@scripts/check

format: ## format our C in place
	@scripts/setup check
	@scripts/check-format --fix $(FILES)

asan: ## all tests under AddressSanitizer and UBSan only
	@scripts/setup build test
	@scripts/test --builds asan $(ONLY)

tsan: ## all tests under ThreadSanitizer
	@scripts/setup build test
	@scripts/test --builds tsan $(ONLY)

fuzz: ## every fuzz target for SECONDS
	@scripts/setup build fuzz
	@scripts/fuzz $(SECONDS)

bench: ## benchmarks against limits measured in the same run
	@scripts/setup build test bench
	@scripts/build
	@bench/run $(ARGS)

soak: ## the long random tests, SECONDS each
	@scripts/setup build test
	@REPRISE_SOAK_SECONDS=$(SECONDS) scripts/test --builds normal --long soak $(ONLY)

exhaustive: ## the enumerating tests in their long form
	@scripts/setup build test
	@scripts/test --builds normal --long exhaustive $(or $(ONLY),tests/engine tests/calendar)

coverage: ## line coverage of src/engine by tests/engine, at least 95 %
	@scripts/setup build test
	@scripts/coverage --missing

mutants: ## break rules one at a time on copies of the tree: the tests of the engine catch each
	@scripts/setup build test
	@scripts/mutants

install: all ## the binary, its helpers, a systemd unit and its user into PREFIX, below DESTDIR
	install -D -m 755 $(BUILD)/reprise $(DESTDIR)$(PREFIX)/bin/reprise
	install -D -m 755 $(BUILD)/reprise-supervise $(DESTDIR)$(PREFIX)/libexec/reprise/reprise-supervise
	install -D -m 644 $(BUILD)/reprise-notebook $(DESTDIR)$(PREFIX)/libexec/reprise/reprise-notebook
	install -D -m 644 $(BUILD)/reprise-warm $(DESTDIR)$(PREFIX)/libexec/reprise/reprise-warm
	install -D -m 644 $(BUILD)/reprise-warm-fork.so $(DESTDIR)$(PREFIX)/libexec/reprise/reprise-warm-fork.so
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/system
	sed 's|@PREFIX@|$(PREFIX)|' dist/reprise.service > $(DESTDIR)$(PREFIX)/lib/systemd/system/reprise.service
	install -D -m 644 dist/reprise.sysusers.conf $(DESTDIR)$(PREFIX)/lib/sysusers.d/reprise.conf

deb: ## a Debian package, as build/reprise_*.deb
	@scripts/setup build deb
	@scripts/deb

clean: ## remove the build folders
	rm -rf $(foreach kind,normal asan tsan fuzz coverage check,$(BUILD)$(patsubst -normal,,-$(kind)))
	rm -f $(BUILD).lock $(BUILD)-asan.lock $(BUILD)-tsan.lock $(BUILD)-fuzz.lock $(BUILD)-coverage.lock

help: ## this list
	@sed -n 's/^\([a-z]*\):[^#]*## /  \1\t/p' Makefile | expand -t 14
