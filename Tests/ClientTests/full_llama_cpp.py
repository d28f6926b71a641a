"""A real llama.cpp server works behind `openai-compatible`, for the clients of every face.

Its model is tiny and random: what it writes means nothing, but how it answers is real. The server is compiled when it is
installed, so it has an environment of its own.
"""

import json
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

import anthropic
import ollama
import openai
import pytest
from google import genai
from router import PROGRAM, RouterProcess

FOLDER = Path(__file__).parents[2] / ".build-llama-cpp/bin"
START = 60  # seconds


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The address of the server."""
    folder = tmp_path_factory.mktemp("llama")
    model = folder / "tiny.gguf"
    subprocess.run([FOLDER / "python", Path(__file__).parent / "tiny_model.py", model], check=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [FOLDER / "python", "-m", "llama_cpp.server", "--model", model, "--model_alias", "tiny", "--n_ctx", "512"]
    with open(folder / "log", "w+") as log:
        process = subprocess.Popen([*command, "--port", str(port)], cwd=folder, stdout=log, stderr=subprocess.STDOUT)
        end = time.monotonic() + START
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/models").read()
                break
            except OSError:
                assert process.poll() is None and time.monotonic() < end, (folder / "log").read_text()
                time.sleep(0.2)
        yield f"http://127.0.0.1:{port}"
        process.terminate()
        process.wait(timeout=60)


@pytest.fixture(scope="module")
def policy(server):
    return f"""
version: 1
listen: 127.0.0.1:0
providers: {{ llama: {{ plugin: openai-compatible, base_url: '{server}/v1' }} }}
models: {{ tiny: {{ provider: llama, price: {{ input: 1, output: 1 }} }} }}
"""


@pytest.fixture(scope="module")
def router(policy):
    router = RouterProcess(policy)
    yield router
    router.stop()


HI = [{"role": "user", "content": "Hi"}]


def test_openai(router):
    with openai.OpenAI(base_url=router.url, api_key="none", max_retries=0) as client:
        response = client.chat.completions.create(model="tiny", messages=HI, max_tokens=12, seed=1, temperature=0)
        text = response.choices[0].message.content
        assert text and response.choices[0].finish_reason in ("length", "stop")
        assert response.usage.prompt_tokens > 0 and response.usage.completion_tokens > 0
        chunks = list(client.chat.completions.create(model="tiny", messages=HI, max_tokens=12, seed=1, temperature=0, stream=True))
        # A character may be cut into several tokens, which the server writes in another way in a stream.
        assert any(chunk.choices and chunk.choices[0].delta.content for chunk in chunks)
        assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] in ("length", "stop")
        response = client.responses.create(model="tiny", input="Hi", max_output_tokens=12)
        assert response.output_text and response.status in ("completed", "incomplete")
        events = list(client.responses.create(model="tiny", input="Hi", max_output_tokens=12, stream=True))
        assert events[-1].type in ("response.completed", "response.incomplete")


def test_anthropic(router):
    with anthropic.Anthropic(base_url=router.origin, api_key="none", max_retries=0) as client:
        message = client.messages.create(model="tiny", messages=HI, max_tokens=12)
        assert message.content[0].text and message.stop_reason in ("max_tokens", "end_turn")
        with client.messages.stream(model="tiny", messages=HI, max_tokens=12) as stream:
            assert stream.get_final_message().usage.output_tokens > 0


def test_gemini(router):
    client = genai.Client(api_key="none", http_options={"base_url": router.origin})
    assert client.models.generate_content(model="tiny", contents="Hi", config={"max_output_tokens": 12}).text
    chunks = list(client.models.generate_content_stream(model="tiny", contents="Hi", config={"max_output_tokens": 12}))
    assert chunks[-1].candidates[0].finish_reason in ("MAX_TOKENS", "STOP")


def test_ollama(router):
    client = ollama.Client(host=router.origin)
    assert client.chat(model="tiny", messages=HI, options={"num_predict": 12}).message.content
    lines = list(client.chat(model="tiny", messages=HI, options={"num_predict": 12}, stream=True))
    assert lines[-1].done and lines[-1].eval_count > 0


def test_a_prompt_that_is_too_long_is_named_so(router):
    with openai.OpenAI(base_url=router.url, api_key="none", max_retries=0) as client, pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model="tiny", messages=[{"role": "user", "content": "word " * 500}])
    assert caught.value.code == "context_length_exceeded"


def test_models_sync_reads_its_list(policy, tmp_path):
    path = tmp_path / "routes.yaml"
    path.write_text(policy)
    written = tmp_path / "models.yaml"
    run = subprocess.run(
        [PROGRAM, "models", "sync", "llama", "--config", path, "--write", written], capture_output=True, text=True, timeout=60
    )
    assert run.returncode == 0, run.stderr
    # The policy has the model already, so nothing is left to write.
    assert "1 left out" in run.stderr, run.stderr
    path.write_text(policy.replace("models:", "include: [models.yaml]\nmodels:").replace("tiny:", "other:"))
    run = subprocess.run(
        [PROGRAM, "models", "sync", "llama", "--config", path, "--write", written], capture_output=True, text=True, timeout=60
    )
    assert run.returncode == 0 and "tiny:" in written.read_text(), run.stderr
    assert subprocess.run([PROGRAM, "check", path], capture_output=True, timeout=60).returncode == 0


def test_a_client_that_leaves_frees_the_server(router, server):
    body = json.dumps({"model": "tiny", "messages": HI, "max_tokens": 400, "stream": True}).encode()
    for _ in range(3):
        request = urllib.request.Request(f"{router.url}/chat/completions", body, {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as response:
            response.readline()
    # The server serves one request at a time.
    with openai.OpenAI(base_url=router.url, api_key="none", max_retries=0) as client:
        assert client.chat.completions.create(model="tiny", messages=HI, max_tokens=1).choices
