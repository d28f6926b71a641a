# `make help` lists the targets.

SWIFT ?= swift
# With this flag a target can import only the modules that Package.swift lists for it.
BUILD = $(SWIFT) build --explicit-target-dependency-import-check error
# Release builds don't check exclusive access; debug builds do, and the tests run in these. The checks would cost 34 % per
# request and 78 % per chunk, in instructions. Inlining across modules speeds up the relay path more than any other flag.
OPTIMIZED = -c release -Xswiftc -enforce-exclusivity=unchecked -Xswiftc -cross-module-optimization
# The profile says how often each block of code runs during the benchmark. The release build places blocks that run next to
# each other, and the rest apart, which saves an eighth of the router's own CPU per request. A function that has changed
# since the profile was recorded is compiled without it. A new profile must recompile everything, so the profile is copied to
# a name with its checksum, and object files are not reused when only the profile differs.
PROFILE = Tests/Bench/relay.profdata
PROFILED = $(foreach flag,$(1),-Xswiftc -Xfrontend -Xswiftc $(flag)) $(foreach flag,-static-func-full-module-prefix=false -no-pgo-warn-mismatch,-Xswiftc -Xllvm -Xswiftc $(flag))
LAYOUT = $(CURDIR)/.build/relay-$(firstword $(shell cksum $(PROFILE))).profdata
RELEASE = $(OPTIMIZED) $(call PROFILED,-ir-profile-use=$(LAYOUT) -disable-incremental-llvm-codegen)
INSTRUMENTED = $(OPTIMIZED) $(call PROFILED,-ir-profile-generate) -Xswiftc -Xclang-linker -Xswiftc -fprofile-generate --scratch-path .build-profile
CLANG = $(dir $(shell command -v $(SWIFT)))clang
LLVM_PROFDATA = $(dir $(shell command -v $(SWIFT)))llvm-profdata
# How long `make fuzz` runs each target, and which ones; all if none is named.
SECONDS = 60
TARGETS =
FUZZER = .build-fuzz/release/Fuzz
TSAN = halt_on_error=1:suppressions=$(CURDIR)/Tests/tsan.supp
# The version stands in one place. `--version` shows it with the commit, which plain `swift build` doesn't know.
VERSION = $(shell sed -n 's/.*number = "\(.*\)".*/\1/p' Sources/LLMRouter/Version.swift)
build static: export LLM_ROUTER_COMMIT := $(shell git describe --always --dirty --abbrev=12 --exclude '*' 2>/dev/null)
# The static build has a folder of its own, because its flags recompile everything. The linker takes the archives in its `lib` before
# the shared libraries of the same name.
STATIC = .build-static
# lld drops what is unused and folds equal functions. The relocations take a form that glibc has known since 2.36. Together these
# save 5 MB of 35.
SMALL = -Xswiftc -use-ld=lld $(foreach flag,--gc-sections --icf=safe --no-export-dynamic -z pack-relative-relocs,-Xlinker $(flag))
SUDO = $(shell [ "$$(id -u)" = 0 ] || echo sudo)

.PHONY: help run build test clients clients-full fuzz bench profile soak tsan n8n static dist release-check reference lint format docs system-packages chromium prometheus nginx redis

help: ## lists the targets
	@awk -F ': .*## ' '/^[a-z0-9-]+: .*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## installs libyaml, SQLite and zlib if they are missing, builds, and serves routes.yaml on 127.0.0.1:8080
	.build/release/llm-router serve routes.yaml

build: system-packages $(LAYOUT) ## builds .build/release/llm-router
	$(BUILD) $(RELEASE) --product llm-router

$(LAYOUT): $(PROFILE)
	@mkdir -p .build && cp $< $@

test: system-packages redis ## runs the whole test suite
	$(BUILD) --build-tests
	$(SWIFT) test --skip-build --no-parallel

clients: system-packages chromium prometheus .build-clients/installed ## tests the router with the Python SDKs of OpenAI, Anthropic, Google and Ollama, with LangChain and LiteLLM, the dashboard in Chromium, and the metrics in Prometheus
	$(BUILD) --product llm-router
	cd Tests/ClientTests && PYTHONDONTWRITEBYTECODE=1 $(CURDIR)/.build-clients/bin/python -m pytest -q -p no:cacheprovider $(CLIENTS)

clients-full: clients .build-clients/installed-full .build-open-webui/installed .build-llama-cpp/installed .build-schemathesis/installed ## tests the router also with Claude Code, Codex, Open WebUI, a llama.cpp server and schemathesis, a download of 1 GB
	cd Tests/ClientTests && PYTHONDONTWRITEBYTECODE=1 $(CURDIR)/.build-clients/bin/python -m pytest -q -p no:cacheprovider full_*.py $(CLIENTS)

# Compiled without optimization: that takes a third of the time, and the model is tiny.
.build-llama-cpp/installed: Tests/ClientTests/requirements-llama-cpp.txt
	python3 -m venv --clear .build-llama-cpp
	SKBUILD_CMAKE_BUILD_TYPE=Debug CMAKE_ARGS="-DCMAKE_CXX_FLAGS_DEBUG=-O0 -DCMAKE_C_FLAGS_DEBUG=-O1 -DGGML_NATIVE=OFF -DLLAMA_CURL=OFF -DLLAVA_BUILD=OFF" \
		.build-llama-cpp/bin/pip install -q --disable-pip-version-check -r $<
	@touch $@

.build-open-webui/installed: Tests/ClientTests/requirements-open-webui.txt
	python3 -m venv --clear .build-open-webui
	.build-open-webui/bin/pip install -q --disable-pip-version-check --no-deps -r $<
	@touch $@

.build-schemathesis/installed: Tests/ClientTests/requirements-schemathesis.txt
	python3 -m venv --clear .build-schemathesis
	.build-schemathesis/bin/pip install -q --disable-pip-version-check -r $<
	@touch $@

.build-clients/installed-full: .build-clients/installed Tests/ClientTests/requirements-full.txt
	.build-clients/bin/pip install -q --disable-pip-version-check -r Tests/ClientTests/requirements-full.txt
	@touch $@

.build-clients/installed: Tests/ClientTests/requirements.txt
	@python3 -c 'import ensurepip' 2>/dev/null || { \
		echo "installing python3-venv, for the clients that the tests run"; \
		$(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq python3-venv; }
	python3 -m venv --clear .build-clients
	.build-clients/bin/pip install -q --disable-pip-version-check -r $<
	@touch $@

# Of several `-sanitize` flags the compiler takes only the last one, so both sanitizers stand in one. Code without counters
# of coverage would be searched blindly.
fuzz: system-packages ## searches for inputs that break a parser
	FUZZ=1 LLM_ROUTER_STATIC=1 $(SWIFT) build -c release --sanitize fuzzer -Xswiftc -sanitize=fuzzer,address --scratch-path .build-fuzz --product Fuzz -Xswiftc -enable-testing
	@nm .build-fuzz/release/WireFormats.build/*.o | grep -q sancov_cntrs || { echo "fuzz: built without coverage"; exit 1; }
	@for target in $(or $(TARGETS),$$($(FUZZER) list)); do \
		echo "fuzz: $$target"; mkdir -p .build-fuzz/corpus/$$target; \
		SWIFT_BACKTRACE=enable=no $(FUZZER) $$target .build-fuzz/corpus/$$target -max_total_time=$(SECONDS) -timeout=5 -rss_limit_mb=2048 \
			-malloc_limit_mb=64 -print_final_stats=1 -verbosity=0 -artifact_prefix=Tests/FuzzTests/Inputs/$$target/ || failed="$$failed $$target"; \
	done; [ -z "$$failed" ] || { echo "fuzz: found inputs for$$failed; see 'git status'"; exit 1; }

soak: system-packages redis ## runs the live tests at full size and with exact times
	$(BUILD) --build-tests
	SOAK=1 $(SWIFT) test --skip-build --no-parallel --filter LiveTests

tsan: system-packages redis ## runs all tests, and the routers of the live tests, under the thread sanitizer
	TSAN_OPTIONS=$(TSAN) $(SWIFT) test --sanitize=thread --scratch-path .build-tsan --no-parallel --skip LiveTests
	$(BUILD) --build-tests
	TSAN_OPTIONS=$(TSAN) LLM_ROUTER_BIN=$(CURDIR)/.build-tsan/debug/llm-router $(SWIFT) test --skip-build --no-parallel --filter LiveTests

bench: build nginx redis ## measures the router, compared with nginx
	$(BUILD) $(RELEASE) --product LoadedProvider
	$(BUILD) $(RELEASE) --product Bench
	.build/release/Bench run --router .build/release/llm-router $(BENCH)

profile: system-packages nginx $(LAYOUT) ## records which code the benchmark runs, for the code layout of release builds
	$(BUILD) $(RELEASE) --product Bench
	$(BUILD) $(INSTRUMENTED) --product llm-router
	$(BUILD) $(INSTRUMENTED) --product Bench
	rm -f .build-profile/*.profraw
	LLVM_PROFILE_FILE=$(CURDIR)/.build-profile/relay-%p-%m.profraw .build/release/Bench run --router .build-profile/release/llm-router --rounds 1 --only buffered,streams,reload
	LLVM_PROFILE_FILE=$(CURDIR)/.build-profile/plan-%p-%m.profraw .build-profile/release/Bench plan
	$(LLVM_PROFDATA) merge --sparse .build-profile/*.profraw --output $(PROFILE)

n8n: system-packages ## tests the n8n node against the router; needs Node 20
	$(BUILD) --product llm-router
	cd Integrations/n8n && node --test

static: system-packages $(LAYOUT) ## builds the binary with all libraries but glibc's inside, in .build-static/release
	@mkdir -p $(STATIC)/lib
	@for name in yaml z sqlite3 stdc++; do ln -sf "$$($(CLANG) -print-file-name=lib$$name.a)" $(STATIC)/lib/lib$$name.a; done
	LLM_ROUTER_STATIC=1 $(BUILD) $(RELEASE) --static-swift-stdlib --scratch-path $(STATIC) -Xswiftc -L$(CURDIR)/$(STATIC)/lib $(SMALL) --product llm-router

dist: static ## makes dist/: the tarball and the Debian package of the static binary, with checksums
	Packaging/dist $(VERSION) $(STATIC)/release/llm-router $(STATIC)/checkouts

release-check: ## proves the artefacts in dist/ in bare Debian systems; needs root
	@command -v debootstrap >/dev/null || [ -x /usr/sbin/debootstrap ] || { \
		echo "installing debootstrap, which makes the systems"; \
		$(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq debootstrap; }
	Packaging/release-check

reference: ## writes docs/reference.md and docs/routes.schema.json from the descriptors
	$(BUILD) --product llm-router
	.build/debug/llm-router help config --markdown > docs/reference.md
	.build/debug/llm-router help config --json-schema > docs/routes.schema.json

lint: ## checks the rules that the compiler doesn't check
	./.ci/lint

format: ## formats all Swift files
	$(SWIFT) format --in-place --recursive --parallel Package.swift Sources Plugins Examples Tests

docs: ## builds the documentation of ProviderKit; fails on a warning or an undocumented symbol
	./.ci/docs

system-packages:
	@[ -e /usr/include/yaml.h ] && [ -e /usr/include/zlib.h ] && [ -e /usr/include/sqlite3.h ] || { \
		echo "installing libyaml-dev, zlib1g-dev and libsqlite3-dev, for routes.yaml, compressed responses and the usage of keys"; \
		$(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq libyaml-dev zlib1g-dev libsqlite3-dev; }

chromium:
	@command -v chromium >/dev/null || { \
		echo "installing chromium, in which the tests open the dashboard"; \
		$(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq --no-install-recommends chromium; }

redis:
	@command -v redis-server >/dev/null || { \
		echo "installing redis-server, which the tests start themselves"; \
		$(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq --no-install-recommends redis-server redis-tools; }

# Where it can't be installed, its tests are skipped and say so.
prometheus:
	@command -v prometheus >/dev/null || { \
		echo "installing prometheus, which the tests let scrape the router"; \
		$(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq --no-install-recommends prometheus; } || \
		echo "prometheus can't be installed; its tests will be skipped"

nginx:
	@PATH="$$PATH:/usr/sbin" command -v nginx >/dev/null || { \
		echo "installing nginx-light, which the benchmark compares with"; \
		$(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq --no-install-recommends nginx-light; }
