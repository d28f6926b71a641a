"""A reader of server-sent events that knows no vendor's format reads every stream of the router."""

import json

import httpx
import pytest
from httpx_sse import connect_sse
from router import KEY

TEXT = "Hello, Привет 🚀"
HI = [{"role": "user", "content": "Hi"}]


def chat(model):
    return "/v1/chat/completions", {"model": model, "messages": HI, "stream": True}


def responses(model):
    return "/v1/responses", {"model": model, "input": "Hi", "stream": True}


def messages(model):
    return "/v1/messages", {"model": model, "messages": HI, "max_tokens": 9, "stream": True}


def gemini(model):
    return f"/v1beta/models/{model}:streamGenerateContent?alt=sse", {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}


def text_of(event):
    """The text that an event adds, whichever format it has."""
    if event.data == "[DONE]":
        return ""
    data = json.loads(event.data)
    if event.event not in ("message", "content_block_delta", "response.output_text.delta"):
        return ""
    if "choices" in data:
        return "".join(choice["delta"].get("content") or "" for choice in data["choices"])
    if "candidates" in data:
        return "".join(part["text"] for candidate in data["candidates"] for part in candidate["content"].get("parts", []))
    return data["delta"].get("text", "") if isinstance(data["delta"], dict) else data["delta"]


@pytest.fixture(params=[chat, responses, messages, gemini])
def face(request):
    return request.param


@pytest.fixture
def events(router, face, prefix):
    def events(model):
        path, body = face(prefix + model)
        with httpx.Client(headers={"authorization": f"Bearer {KEY}"}, timeout=30) as client:
            with connect_sse(client, "POST", router.origin + path, json=body) as source:
                source.response.raise_for_status()
                return list(source.iter_sse())

    return events


def test_the_events_are_the_text(events):
    read = events("text")
    assert "".join(map(text_of, read)) == TEXT


def test_a_stream_that_breaks_off_ends_with_an_error(events, face):
    last = events("break_off")[-1]
    assert "memory" in last.data and "error" in last.data
    assert last.event == {"responses": "response.failed", "messages": "error"}.get(face.__name__, "message")
