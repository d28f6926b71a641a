"""OpenAI's Python SDK works with an upstream in Anthropic's format as with OpenAI."""

import json

import openai
import pytest
from router import KEY, PROVIDER_KEY
from scripts import CALLS
from test_openai import TEXT, TOOLS, WEATHER, Weather, calls_of, final_of_stream, text_of
from upstream import USAGE, WAIT


@pytest.fixture(params=[False, True], ids=["buffered", "streamed"])
def ask(sdk, request):
    """Asks a model, with or without a stream."""
    return (lambda model, **members: sdk.stream(model, [], **members)) if request.param else sdk.chat


def test_a_response_is_complete(sdk, upstream):
    messages = [{"role": "system", "content": "Be brief"}, {"role": "user", "content": "Hi"}]
    response = sdk.chat("claude-text", messages=messages, stop=["!"])
    assert response.choices[0].message.content == TEXT
    assert response.choices[0].finish_reason == "stop"
    assert {key: value for key, value in response.usage.model_dump().items() if key in USAGE} == USAGE
    assert response.model_extra["_router"]["model_name"] == "claude-text"
    request = upstream.next_request("text")
    assert "Be brief" in json.dumps(request.body["system"])
    assert request.body["stop_sequences"] == ["!"]
    assert request.body["max_tokens"] > 0
    assert request.headers["x-api-key"] == PROVIDER_KEY
    assert request.headers["anthropic-version"] == "2023-06-01"


def test_a_stream_has_the_same_text_and_its_usage(sdk):
    chunks = sdk.stream("claude-text", [], stream_options={"include_usage": True})
    assert text_of(chunks) == TEXT
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert chunks[-1].choices == []
    assert chunks[-1].usage.total_tokens == USAGE["total_tokens"]


def test_tools_are_called_in_parallel_and_their_results_are_answered(sdk, upstream):
    response = sdk.chat("claude-tools", "Weather?", tools=TOOLS, parallel_tool_calls=False)
    assert response.choices[0].finish_reason == "tool_calls"
    assert calls_of(response.choices[0].message) == CALLS
    body = upstream.next_request("tools").body
    assert body["tools"][0]["input_schema"] == TOOLS[0]["function"]["parameters"]
    assert body["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": True}

    streamed = final_of_stream(sdk, model="claude-tools", messages=[{"role": "user", "content": "Weather?"}], tools=TOOLS)
    assert calls_of(streamed.choices[0].message) == CALLS
    upstream.next_request("tools")

    results = [{"role": "tool", "tool_call_id": id, "content": "7"} for id, _, _ in CALLS]
    asked = [{"role": "user", "content": "Weather?"}, response.choices[0].message, *results]
    assert sdk.chat("claude-tools", messages=asked, tools=TOOLS).choices[0].message.content == "It is 7 and 3 degrees."
    sent = upstream.next_request("tools").body["messages"]
    # The results of one turn are one message.
    assert [message["role"] for message in sent] == ["user", "assistant", "user"]
    assert [part["tool_use_id"] for part in sent[2]["content"]] == [id for id, _, _ in CALLS]


def test_an_image_reaches_the_upstream(sdk, upstream):
    url = "data:image/png;base64,iVBORw0KGgo="
    content = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": url}}]
    assert sdk.chat("claude-image", messages=[{"role": "user", "content": content}]).choices[0].message.content == "a cat"
    sent = upstream.next_request("image").body["messages"][0]["content"]
    assert sent[1]["source"] == {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}


def test_cache_markers_reach_the_upstream(sdk, upstream):
    content = [{"type": "text", "text": "Long", "cache_control": {"type": "ephemeral"}}, {"type": "text", "text": "Hi"}]
    sdk.chat("claude-text", messages=[{"role": "user", "content": content}])
    assert upstream.next_request("text").body["messages"][0]["content"][0]["cache_control"] == {"type": "ephemeral"}


def test_reasoning_is_apart_from_the_text(sdk, upstream):
    answer = sdk.chat("claude-think", reasoning_effort="high").choices[0].message
    assert answer.model_extra["reasoning_content"] == "I think"
    assert answer.content == "so I am"
    # The effort becomes a budget for a model that isn't known to take efforts.
    assert upstream.next_request("think").body["thinking"] == {"type": "enabled", "budget_tokens": 4096}
    chunks = sdk.stream("claude-think", [])
    deltas = [chunk.choices[0].delta.model_extra.get("reasoning_content") for chunk in chunks if chunk.choices]
    assert "".join(delta or "" for delta in deltas) == "I think"
    assert text_of(chunks) == "so I am"


def test_structured_output_is_parsed(sdk, upstream):
    ask = {"model": "claude-structured", "messages": [{"role": "user", "content": "Weather?"}], "response_format": Weather}
    response = sdk.run(lambda client: client.chat.completions.parse(**ask))
    assert response.choices[0].message.parsed == WEATHER
    assert upstream.next_request("structured").body["output_config"]["format"]["type"] == "json_schema"


@pytest.mark.parametrize(
    ("model", "error", "words"),
    [
        ("refuse", openai.BadRequestError, "'temperature' must be at most 2"),
        ("limit", openai.RateLimitError, "429"),
        ("fail", openai.InternalServerError, "it has failed"),
    ],
)
def test_a_failure_is_the_sdks_exception(ask, model, error, words):
    with pytest.raises(error, match=words):
        ask(f"claude-{model}")


def test_a_refusal_of_the_routers_own_key_is_not_the_clients(ask):
    with pytest.raises(openai.InternalServerError) as raised:
        ask("claude-reject_key")
    assert raised.value.status_code == 502
    assert PROVIDER_KEY not in raised.value.response.text


@pytest.mark.parametrize("model", ["break_off", "cut_off"])
def test_an_error_inside_a_stream_is_raised_after_its_chunks(sdk, model):
    chunks = []
    with pytest.raises(openai.APIError):
        sdk.stream(f"claude-{model}", chunks)
    assert text_of(chunks) == "Once"


def test_a_closed_stream_closes_the_upstream(router, upstream):
    with openai.OpenAI(base_url=router.url, api_key=KEY, max_retries=0) as client:
        stream = client.chat.completions.create(model="claude-hang", messages=[{"role": "user", "content": "Hi"}], stream=True)
        while not next(stream).choices[0].delta.content:
            pass
        exchange = upstream.next_request("hang")
        stream.close()
        assert exchange.closed.wait(WAIT), "the upstream's connection stayed open"
