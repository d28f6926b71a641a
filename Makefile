# make run     installs what is missing, builds, and serves routes.yaml on 127.0.0.1:8080
# make test    the whole test suite
# make bench   the speed table, against nginx
# make soak    the live tests at full size and with exact times
# make tsan    the tests under the thread sanitizer
# make lint    the rules that the compiler doesn't hold

SWIFT ?= swift
# Each target sees only the modules that its own line in Package.swift names.
BUILD = $(SWIFT) build --explicit-target-dependency-import-check error
CORPORA_FOLDER = $(wildcard $(CORPORA))
SUDO = $(shell [ "$$(id -u)" = 0 ] || echo sudo)

.PHONY: run build test bench soak tsan lint system-packages

run: build
	.build/release/llm-router serve routes.yaml

build: system-packages
	$(BUILD) -c release --product llm-router

test: system-packages
	$(BUILD) --build-tests
	$(SWIFT) test --skip-build --no-parallel

soak: system-packages
	$(BUILD) --build-tests
	SOAK=1 $(SWIFT) test --skip-build --no-parallel --filter LiveTests

tsan: system-packages
	$(SWIFT) test --sanitize=thread --scratch-path .build-tsan --no-parallel --skip LiveTests

bench: build
	@command -v nginx >/dev/null || { echo "installing nginx-light, the reference that the table compares with"; $(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq nginx-light; }
	$(BUILD) -c release --product Bench
	.build/release/Bench run --router .build/release/llm-router $(BENCH)

lint:
	./.ci/lint

system-packages:
	@[ "$$(uname)" != Linux ] || [ -e /usr/include/yaml.h ] || { \
		echo "installing libyaml-dev, which reads routes.yaml"; \
		$(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq libyaml-dev; }
