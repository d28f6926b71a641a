# make run     installs what is missing, builds, and serves routes.yaml on 127.0.0.1:8080
# make test    the whole test suite
# make bench   the speed table, against nginx
# make soak    the live tests at full size and with exact times
# make tsan    the tests, and then the routers of the live tests, under the thread sanitizer
# make lint    the rules that the compiler doesn't hold

SWIFT ?= swift
# Each target sees only the modules that its own line in Package.swift names.
BUILD = $(SWIFT) build --explicit-target-dependency-import-check error
# Exclusive access is checked in debug builds, which the tests run; inlining over modules is what the relay path gains most from.
RELEASE = -c release -Xswiftc -enforce-exclusivity=unchecked -Xswiftc -cross-module-optimization
TSAN = halt_on_error=1:suppressions=$(CURDIR)/Tests/tsan.supp
SUDO = $(shell [ "$$(id -u)" = 0 ] || echo sudo)

.PHONY: run build test bench soak tsan lint system-packages

run: build
	.build/release/llm-router serve routes.yaml

build: system-packages
	$(BUILD) $(RELEASE) --product llm-router

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

lint:
	./.ci/lint

system-packages:
	@[ "$$(uname)" != Linux ] || [ -e /usr/include/yaml.h ] || { \
		echo "installing libyaml-dev, which reads routes.yaml"; \
		$(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq libyaml-dev; }
