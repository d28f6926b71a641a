"""The router under test, as a process."""

import os
import re
import subprocess
import tempfile
from pathlib import Path
from threading import Timer

import scripts
from upstream import WAIT

PROGRAM = os.environ.get("LLM_ROUTER_BIN") or str(Path(__file__).parents[2] / ".build/debug/llm-router")

KEY = "sk-client-0123456789"
NARROW_KEY = "sk-narrow-0123456789"
PROVIDER_KEY = "sk-provider-0123456789"


SERVES = {"embed": "embeddings", "listen": "transcription, translation", "speak": "speech"}

# The scripts that an upstream in other formats has too: Anthropic's as the models `claude-…`, OpenAI's responses as the
# models `responses-…`, and Ollama's as the models `ollama-…`.
CHATS = [name for name in scripts.ALL if name not in SERVES]
OLLAMA = [*CHATS, "embed"]

# The scripts that an upstream in Gemini's format has too, as the models `gemini-…`.
GEMINI = [*CHATS, "embed"]


def offers(name):
    return f"serves: [{SERVES[name]}]" if name in SERVES else "supports: [image, tools, json]"


def policy(upstream):
    """Each model has its own provider, so that a failure affects no other test."""
    lines = [
        "version: 1",
        "listen: 127.0.0.1:0",
        "server: { codex_catalog: true }",
        "defaults: { retry: { retries: 0 }, breaker: { failures: 1000 } }",
        "providers:",
        *(
            f"  p-{name}: {{ plugin: openai-compatible, base_url: '{upstream.url}/v1', api_key: {PROVIDER_KEY} }}"
            for name in upstream.scripts
        ),
        *(f"  a-{name}: {{ plugin: anthropic, base_url: '{upstream.url}', api_key: {PROVIDER_KEY} }}" for name in CHATS),
        *(f"  r-{name}: {{ plugin: openai, base_url: '{upstream.url}/v1', api_key: {PROVIDER_KEY} }}" for name in CHATS),
        *(f"  o-{name}: {{ plugin: ollama, base_url: '{upstream.url}', api_key: {PROVIDER_KEY} }}" for name in OLLAMA),
        *(f"  g-{name}: {{ plugin: gemini, base_url: '{upstream.url}', api_key: {PROVIDER_KEY} }}" for name in GEMINI),
        "models:",
        *(f"  {name}: {{ provider: p-{name}, upstream: up-{name}, {offers(name)} }}" for name in upstream.scripts),
        *(f"  claude-{name}: {{ provider: a-{name}, upstream: up-{name}, {offers(name)} }}" for name in CHATS),
        *(
            f"  responses-{name}: {{ provider: r-{name}, upstream: up-{name}, {offers(name)}, formats: [openai-responses] }}"
            for name in CHATS
        ),
        *(f"  ollama-{name}: {{ provider: o-{name}, upstream: up-{name}, context: 8192, {offers(name)} }}" for name in OLLAMA),
        *(f"  gemini-{name}: {{ provider: g-{name}, upstream: gemini-3-{name}, {offers(name)} }}" for name in GEMINI),
        "routes:",
        "  auto: { try: fail, fallback: [text] }",
        "  broken: { try: fail }",
        "keys:",
        f"  wide: {{ secret: {KEY} }}",
        f"  narrow: {{ secret: {NARROW_KEY}, models: [text] }}",
    ]
    return "\n".join(lines) + "\n"


class RouterProcess:
    def __init__(self, policy):
        self.folder = tempfile.TemporaryDirectory()
        path = self.path = Path(self.folder.name) / "routes.yaml"
        path.write_text(policy)
        self.access_log = open(Path(self.folder.name) / "access.log", "wb")
        self.process = subprocess.Popen(
            [PROGRAM, "serve", str(path)], stdout=self.access_log, stderr=subprocess.PIPE, text=True
        )
        # The log line that contains `listening` has the address.
        log = ""
        timeout = Timer(WAIT, self.process.kill)
        timeout.start()
        while not (found := re.search(r"listening.*127\.0\.0\.1:(\d+)", log)):
            line = self.process.stderr.readline()
            log += line
            assert line, f"the router did not start:\n{log}"
        timeout.cancel()
        self.origin = f"http://127.0.0.1:{found[1]}"
        self.url = f"{self.origin}/v1"

    def stop(self):
        self.process.terminate()
        _, log = self.process.communicate(timeout=30)
        self.access_log.close()
        self.folder.cleanup()
        assert self.process.returncode == 0, f"the router exited with {self.process.returncode}:\n{log}"


class Router(RouterProcess):
    """A router whose models are the scripts of an upstream."""

    def __init__(self, upstream):
        super().__init__(policy(upstream))
