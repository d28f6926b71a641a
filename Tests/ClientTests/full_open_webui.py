"""Open WebUI works with the router on both of its connections: as with Ollama and as with OpenAI.

It needs other versions of the SDKs than the other tests, so it has an environment of its own.
"""

import json
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from router import KEY

PROGRAM = Path(__file__).parents[2] / ".build-open-webui/bin/open-webui"
START = 120  # seconds; it makes its database first
TEXT = "Hello, Привет 🚀"


class OpenWebUI:
    """Open WebUI as a process, without accounts, and with nothing from the network."""

    def __init__(self, folder):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.token = None
        self.connection = None
        (folder / "data").mkdir()
        environment = {
            "HOME": str(folder),
            "DATA_DIR": str(folder / "data"),
            "PATH": "/usr/bin:/bin",
            "WEBUI_AUTH": "False",
            "WEBUI_SECRET_KEY": "secret",
            "OFFLINE_MODE": "true",
            "ANONYMIZED_TELEMETRY": "false",
            # The other engine is the one that needs torch.
            "RAG_EMBEDDING_ENGINE": "openai",
        }
        self.log = open(folder / "log", "w+")
        self.process = subprocess.Popen(
            [PROGRAM, "serve", "--host", "127.0.0.1", "--port", str(port)],
            env=environment, cwd=folder, stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self.wait()
        self.token = self.call("/api/v1/auths/signin", {"email": "admin@localhost", "password": ""})["token"]

    def wait(self):
        end = time.monotonic() + START
        while time.monotonic() < end and self.process.poll() is None:
            try:
                return self.call("/health")
            except (OSError, ValueError):
                time.sleep(0.5)
        self.log.seek(0)
        raise AssertionError(f"Open WebUI did not start:\n{self.log.read()}")

    def text(self, path, body=None):
        """The body of a response; a POST if the request has a body."""
        fields = {"content-type": "application/json"} | ({"authorization": f"Bearer {self.token}"} if self.token else {})
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(self.url + path, data, fields), timeout=60) as response:
            return response.read().decode()

    def call(self, path, body=None):
        return json.loads(self.text(path, body))

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=60)
        self.log.close()


@pytest.fixture(scope="module")
def open_webui(tmp_path_factory):
    program = OpenWebUI(tmp_path_factory.mktemp("open-webui"))
    yield program
    program.stop()


@pytest.fixture(params=["ollama", "openai"])
def connected(request, open_webui, router):
    """Open WebUI with one connection, as an administrator sets it up."""
    is_ollama = request.param == "ollama"
    options = {"0": {"enable": True, "key": KEY}}
    open_webui.call(
        "/ollama/config/update",
        {"ENABLE_OLLAMA_API": is_ollama, "OLLAMA_BASE_URLS": [router.origin], "OLLAMA_API_CONFIGS": options},
    )
    open_webui.call(
        "/openai/config/update",
        {
            "ENABLE_OPENAI_API": not is_ollama,
            "OPENAI_API_BASE_URLS": [router.url],
            "OPENAI_API_KEYS": [KEY],
            "OPENAI_API_CONFIGS": {"0": {"enable": True}},
        },
    )
    models = open_webui.call("/api/models?refresh=true")["data"]
    assert {model["owned_by"] for model in models if model["id"] == "text"} == {request.param}
    open_webui.connection = request.param
    return open_webui


def chat(program, model, content="Hi", **members):
    body = {"model": model, "messages": [{"role": "user", "content": content}], "stream": False} | members
    return program.call("/api/chat/completions", body)["choices"][0]["message"]


def chunks(program, model):
    body = {"model": model, "messages": [{"role": "user", "content": "Hi"}], "stream": True}
    lines = program.text("/api/chat/completions", body).splitlines()
    return [json.loads(line[6:]) for line in lines if line.startswith("data: {")]


def test_it_lists_the_models_and_routes(connected):
    names = {model["id"] for model in connected.call("/api/models")["data"]}
    assert {"text", "claude-text", "gemini-text", "auto"} <= names


@pytest.mark.parametrize("model", ["text", "claude-text", "responses-text", "gemini-text", "ollama-text", "auto"])
def test_it_shows_a_response(connected, model):
    assert chat(connected, model)["content"] == TEXT
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks(connected, model) if chunk.get("choices")]
    assert "".join(delta.get("content") or "" for delta in deltas) == TEXT


@pytest.mark.parametrize("model", ["think", "claude-think"])
def test_it_shows_the_reasoning(connected, model):
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks(connected, model) if chunk.get("choices")]
    assert "".join(delta.get("reasoning_content") or "" for delta in deltas) == "I think"


def test_an_image_reaches_the_model(connected, upstream):
    pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    content = [
        {"type": "text", "text": "What is it?"},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{pixel}"}},
    ]
    assert chat(connected, "image", content)["content"] == "a cat"
    assert pixel in json.dumps(upstream.next_request("image").body)


def test_it_shows_a_failure(connected):
    with pytest.raises(urllib.error.HTTPError) as caught:
        chat(connected, "refuse")
    assert caught.value.code == 400 and "at most 2" in caught.value.read().decode()
    # Of Ollama's streams it reads no errors.
    if connected.connection == "openai":
        assert any("memory" in json.dumps(chunk.get("error", "")) for chunk in chunks(connected, "break_off"))
