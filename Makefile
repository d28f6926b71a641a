# make run     installs what is missing, builds, and serves routes.yaml on 127.0.0.1:8080
# make test    the whole test suite
# make bench   the speed table, against nginx
# make profile measures anew what a request runs, for the release build to lay it out by
# make soak    the live tests at full size and with exact times
# make tsan    the tests, and then the routers of the live tests, under the thread sanitizer
# make lint    the rules that the compiler doesn't hold

SWIFT ?= swift
# Each target sees only the modules that its own line in Package.swift names.
BUILD = $(SWIFT) build --explicit-target-dependency-import-check error
# Exclusive access is checked in debug builds, which the tests run; inlining over modules is what the relay path gains most from.
OPTIMIZED = -c release -Xswiftc -enforce-exclusivity=unchecked -Xswiftc -cross-module-optimization
# How often each block ran when the benchmark relayed and planned: what runs is laid out together, what doesn't stands aside, which saves an eighth of the router's own
# CPU per request. A function that has changed since counts as never measured; it is compiled as it would be without. A new profile
# must compile all anew: hence the copy's name, and no object file is kept because its source gave the same IR.
PROFILE = Tests/Bench/relay.profdata
PROFILED = $(foreach flag,$(1),-Xswiftc -Xfrontend -Xswiftc $(flag)) $(foreach flag,-static-func-full-module-prefix=false -no-pgo-warn-mismatch,-Xswiftc -Xllvm -Xswiftc $(flag))
ifeq ($(shell uname),Linux)
LAYOUT = $(CURDIR)/.build/relay-$(firstword $(shell cksum $(PROFILE))).profdata
RELEASE = $(OPTIMIZED) $(call PROFILED,-ir-profile-use=$(LAYOUT) -disable-incremental-llvm-codegen)
else
RELEASE = $(OPTIMIZED)
endif
INSTRUMENTED = $(OPTIMIZED) $(call PROFILED,-ir-profile-generate) -Xswiftc -Xclang-linker -Xswiftc -fprofile-generate --scratch-path .build-profile
LLVM_PROFDATA = $(dir $(shell command -v $(SWIFT)))llvm-profdata
TSAN = halt_on_error=1:suppressions=$(CURDIR)/Tests/tsan.supp
SUDO = $(shell [ "$$(id -u)" = 0 ] || echo sudo)

.PHONY: run build test bench profile soak tsan lint system-packages

run: build
	.build/release/llm-router serve routes.yaml

build: system-packages $(LAYOUT)
	$(BUILD) $(RELEASE) --product llm-router

$(LAYOUT): $(PROFILE)
	@mkdir -p .build && cp $< $@

test: system-packages
	$(BUILD) --build-tests
	$(SWIFT) test --skip-build --no-parallel

soak: system-packages
	$(BUILD) --build-tests
	SOAK=1 $(SWIFT) test --skip-build --no-parallel --filter LiveTests

tsan: system-packages
	TSAN_OPTIONS=$(TSAN) $(SWIFT) test --sanitize=thread --scratch-path .build-tsan --no-parallel --skip LiveTests
	$(BUILD) --build-tests
	TSAN_OPTIONS=$(TSAN) LLM_ROUTER_BIN=$(CURDIR)/.build-tsan/debug/llm-router $(SWIFT) test --skip-build --no-parallel --filter LiveTests

bench: build
	@PATH="$$PATH:/usr/sbin" command -v nginx >/dev/null || { \
		echo "installing nginx-light, which the table compares with"; \
		$(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq --no-install-recommends nginx-light; }
	$(BUILD) $(RELEASE) --product Bench
	.build/release/Bench run --router .build/release/llm-router $(BENCH)

profile: system-packages $(LAYOUT)
	$(BUILD) $(RELEASE) --product Bench
	$(BUILD) $(INSTRUMENTED) --product llm-router
	$(BUILD) $(INSTRUMENTED) --product Bench
	rm -f .build-profile/*.profraw
	LLVM_PROFILE_FILE=$(CURDIR)/.build-profile/relay-%p-%m.profraw .build/release/Bench run --router .build-profile/release/llm-router --rounds 1 --only buffered,streams,reload
	LLVM_PROFILE_FILE=$(CURDIR)/.build-profile/plan-%p-%m.profraw .build-profile/release/Bench plan
	$(LLVM_PROFDATA) merge --sparse .build-profile/*.profraw --output $(PROFILE)

lint:
	./.ci/lint

system-packages:
	@[ "$$(uname)" != Linux ] || [ -e /usr/include/yaml.h ] || { \
		echo "installing libyaml-dev, which reads routes.yaml"; \
		$(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq libyaml-dev; }
