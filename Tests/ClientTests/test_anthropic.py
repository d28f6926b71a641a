"""Anthropic's Python SDK and LangChain work with the router as with Anthropic, whatever format the upstream has."""

import asyncio

import anthropic
import pytest
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import HumanMessage, ToolMessage
from pydantic import BaseModel
from router import KEY, NARROW_KEY, PROVIDER_KEY
from scripts import CALLS
from upstream import WAIT

TEXT = "Hello, Привет 🚀"
HI = [{"role": "user", "content": "Hi"}]
IMAGE = {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}


class SDK:
    """The SDK, at the models of one upstream format."""

    def __init__(self, url, prefix):
        self.settings = {"base_url": url, "api_key": KEY, "max_retries": 0}
        self.prefix = prefix

    def client(self, **settings):
        return anthropic.Anthropic(**self.settings | settings)

    def members(self, model, members):
        return {"model": self.prefix + model, "max_tokens": 100, "messages": HI} | members

    def create(self, model, **members):
        with self.client() as client:
            return client.messages.create(**self.members(model, members))

    def final(self, model, into=None, **members):
        """The message that the SDK puts together from a stream. Appends the stream's texts to `into`."""
        with self.client() as client, client.messages.stream(**self.members(model, members)) as stream:
            for text in stream.text_stream:
                if into is not None:
                    into.append(text)
            return stream.get_final_message()


class AsyncSDK(SDK):
    def create(self, model, **members):
        async def body():
            async with anthropic.AsyncAnthropic(**self.settings) as client:
                return await client.messages.create(**self.members(model, members))

        return asyncio.run(body())

    def final(self, model, into=None, **members):
        async def body():
            async with anthropic.AsyncAnthropic(**self.settings) as client:
                async with client.messages.stream(**self.members(model, members)) as stream:
                    async for text in stream.text_stream:
                        if into is not None:
                            into.append(text)
                    return await stream.get_final_message()

        return asyncio.run(body())


@pytest.fixture(params=["", "claude-"], ids=["openai", "anthropic"])
def prefix(request):
    """What the names of the models begin with whose upstream has this format."""
    return request.param


@pytest.fixture(params=[SDK, AsyncSDK], ids=["sync", "async"])
def sdk(request, router, prefix):
    return request.param(router.origin, prefix)


@pytest.fixture(params=["create", "final"], ids=["buffered", "streamed"])
def ask(request, sdk):
    return getattr(sdk, request.param)


def text_of(message):
    return "".join(block.text for block in message.content if block.type == "text")


# Messages


def test_a_response_is_complete(ask):
    message = ask("text", system="Be brief", stop_sequences=["!"])
    assert text_of(message) == TEXT
    assert (message.type, message.role, message.stop_reason) == ("message", "assistant", "end_turn")
    assert message.id.startswith("msg_")
    assert (message.usage.input_tokens, message.usage.output_tokens) == (3, 5)


@pytest.mark.parametrize("prefix", ["claude-"], ids=["anthropic"])
def test_the_request_reaches_an_upstream_of_the_same_format_unchanged(sdk, upstream):
    system = [{"type": "text", "text": "Be brief", "cache_control": {"type": "ephemeral"}}]
    headers = {"anthropic-version": "2023-06-01", "anthropic-beta": "context-management-2025-06-27", "anthropic-new": "1", "x-other": "2"}
    sdk.create("text", system=system, extra_headers=headers, extra_body={"context_management": {"edits": []}})
    request = upstream.next_request("text")
    assert request.body == {
        "model": "up-text", "max_tokens": 100, "messages": HI, "system": system, "context_management": {"edits": []},
    }  # fmt: skip
    assert request.headers["anthropic-beta"] == "context-management-2025-06-27"
    assert request.headers["anthropic-version"] == "2023-06-01"
    assert request.headers["anthropic-new"] == "1"
    assert request.headers["x-other"] is None
    assert request.headers["x-api-key"] == PROVIDER_KEY


def test_the_call_record_is_in_the_headers(sdk):
    with sdk.client() as client:
        raw = client.messages.with_raw_response.create(**sdk.members("text", {}))
    assert raw.headers["x-router-model"] == sdk.prefix + "text"
    assert raw.headers["x-router-attempts"] == "1"
    assert "_router" not in raw.http_response.text
    if sdk.prefix:
        assert raw.headers["request-id"] == "upstream-7"


def test_a_route_and_its_overrides_work(sdk):
    with sdk.client() as client:
        raw = client.messages.with_raw_response.create(model="auto", max_tokens=9, messages=HI, extra_headers={"x-router-timeout": "20"})
        assert raw.headers["x-router-fallback"] == "true"
        assert text_of(raw.parse()) == TEXT
        with pytest.raises(anthropic.BadRequestError, match="x-router-timeout"):
            client.messages.create(model="auto", max_tokens=9, messages=HI, extra_headers={"x-router-timeout": "soon"})


def test_the_models_are_listed(sdk):
    with sdk.client() as client:
        models = {model.id: model for model in client.models.list(limit=3)}
        assert {"text", "claude-text", "auto"} <= set(models)
        assert models["text"].type == "model"
        assert client.models.retrieve("text").display_name == "text"
        with pytest.raises(anthropic.NotFoundError):
            client.models.retrieve("no-such-model")
    with sdk.client(api_key=NARROW_KEY) as client:
        assert {model.id for model in client.models.list()} == {"text", "auto"}


def test_tokens_are_counted(sdk):
    with sdk.client() as client:
        count = client.messages.count_tokens(model=sdk.prefix + "text", messages=HI, system="Be brief").input_tokens
    # An upstream of another format can't count, so the router estimates.
    assert count == 42 if sdk.prefix else 0 < count < 30


# Tools, images, reasoning and structured output

TOOLS = [
    {
        "name": "get_weather",
        "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    }
]


def calls_of(message):
    return [(block.id, block.name, block.input) for block in message.content if block.type == "tool_use"]


def test_tools_are_called_in_parallel_and_their_results_are_answered(ask, upstream, prefix):
    message = ask("tools", tools=TOOLS, tool_choice={"type": "any"})
    assert message.stop_reason == "tool_use"
    assert calls_of(message) == CALLS
    upstream.next_request("tools")

    image = {"type": "image", "source": IMAGE}
    results = [{"type": "tool_result", "tool_use_id": id, "content": [{"type": "text", "text": "7"}, image]} for id, _, _ in CALLS]
    answered = [*HI, {"role": "assistant", "content": message.content}, {"role": "user", "content": results}]
    assert text_of(ask("tools", messages=answered, tools=TOOLS)) == "It is 7 and 3 degrees."
    sent = upstream.next_request("tools").body["messages"]
    if prefix:
        assert sent[2]["content"] == results
    else:
        # A tool's message has no images in OpenAI's format, so they follow in a user's message.
        assert [message["role"] for message in sent] == ["user", "assistant", "tool", "tool", "user"]
        assert [part["type"] for part in sent[4]["content"]] == ["image_url", "image_url"]


def test_an_image_reaches_the_upstream(ask, upstream, prefix):
    content = [{"type": "text", "text": "What is it?"}, {"type": "image", "source": IMAGE}]
    assert text_of(ask("image", messages=[{"role": "user", "content": content}])) == "a cat"
    sent = upstream.next_request("image").body["messages"][0]["content"]
    if prefix:
        assert sent == content
    else:
        assert sent[1]["image_url"]["url"] == "data:image/png;base64,iVBORw0KGgo="


def test_reasoning_comes_back_and_is_sent_again_only_to_its_maker(ask, upstream, prefix):
    thinking = {"type": "enabled", "budget_tokens": 1024}
    message = ask("think", max_tokens=2000, thinking=thinking)
    assert [(block.type, getattr(block, "thinking", None)) for block in message.content] == [("thinking", "I think"), ("text", None)]
    assert text_of(message) == "so I am"
    upstream.next_request("think")

    again = [*HI, {"role": "assistant", "content": message.content}, *HI]
    for model in ["think", "claude-think"]:
        sdk_ask = ask.__self__
        with sdk_ask.client() as client:
            client.messages.create(model=model, max_tokens=2000, messages=again, thinking=thinking)
        sent = str(upstream.next_request("think").body)
        assert ("c2lnbmVk" in sent) == (prefix == "claude-" and model == "claude-think")
        assert "llm-router:" not in sent


class Weather(BaseModel):
    city: str
    degrees: int


def test_structured_output_is_parsed(sdk):
    with sdk.client() as client:
        message = client.messages.parse(**sdk.members("structured", {"output_format": Weather}))
    assert message.parsed_output == Weather(city="Paris", degrees=7)


# Errors


def test_a_wrong_key_is_an_authentication_error(sdk):
    with sdk.client(api_key="sk-wrong-0123456789") as client, pytest.raises(anthropic.AuthenticationError) as raised:
        client.messages.create(**sdk.members("text", {}))
    assert raised.value.body["error"]["type"] == "authentication_error"
    assert raised.value.body["request_id"]


def test_an_unknown_model_is_not_found(ask):
    with pytest.raises(anthropic.NotFoundError) as raised:
        ask("no-such-model")
    assert raised.value.body["error"]["type"] == "not_found_error"


def test_the_upstreams_refusal_of_a_request_keeps_its_words(ask, prefix):
    with pytest.raises(anthropic.BadRequestError) as raised:
        ask("refuse")
    assert raised.value.body["error"]["message"] == "'temperature' must be at most 2"
    if prefix:
        # The refusal passes through as it came.
        assert raised.value.body["request_id"] == "upstream-7"


def test_a_rate_limit_says_how_long_to_wait(ask):
    with pytest.raises(anthropic.RateLimitError) as raised:
        ask("limit")
    assert 1 <= int(raised.value.response.headers["retry-after"]) <= 7


def test_the_failure_of_a_named_model_keeps_its_status(ask):
    with pytest.raises(anthropic.InternalServerError) as raised:
        ask("fail")
    assert raised.value.status_code == 500
    assert "it has failed" in raised.value.message


def test_a_refusal_of_the_routers_own_key_is_not_the_clients(ask):
    with pytest.raises(anthropic.InternalServerError) as raised:
        ask("reject_key")
    assert raised.value.status_code == 502
    assert PROVIDER_KEY not in raised.value.response.text


@pytest.mark.parametrize("model", ["break_off", "cut_off"])
def test_an_error_inside_a_stream_is_raised_after_its_texts(sdk, model):
    texts = []
    with pytest.raises(anthropic.APIError):
        sdk.final(model, texts)
    assert texts == ["Once"]


# Cancellation


def test_a_closed_stream_closes_the_upstream(sdk, upstream):
    with sdk.client() as client:
        stream = client.messages.create(**sdk.members("hang", {"stream": True}))
        events = iter(stream)
        while next(events).type != "content_block_delta":
            pass
        exchange = upstream.next_request("hang")
        assert not exchange.closed.is_set()
        stream.close()
        assert exchange.closed.wait(WAIT), "the upstream's connection stayed open"


# LangChain


@pytest.fixture
def chat(router, prefix):
    return lambda model, **settings: ChatAnthropic(
        base_url=router.origin, api_key=KEY, model=prefix + model, max_retries=0, max_tokens=100, **settings
    )


def total(chunks):
    """The message that the chunks add up to."""
    message = chunks[0]
    for chunk in chunks[1:]:
        message += chunk
    return message


def get_weather(city: str) -> str:
    """The weather in a city."""
    return "7"


def test_langchain_gets_responses_and_streams(chat):
    assert chat("text").invoke("Hi").content == TEXT
    message = total(list(chat("text").stream("Hi")))
    assert message.text == TEXT
    assert message.usage_metadata["output_tokens"] == 5


def test_langchain_calls_tools(chat):
    model = chat("tools").bind_tools([get_weather])
    for message in [model.invoke("Weather?"), total(list(model.stream("Weather?")))]:
        assert [(call["id"], call["name"], call["args"]) for call in message.tool_calls] == CALLS
    results = [ToolMessage(get_weather(**arguments), tool_call_id=id) for id, _, arguments in CALLS]
    assert model.invoke([HumanMessage("Weather?"), message, *results]).text == "It is 7 and 3 degrees."


@pytest.mark.parametrize("method", ["function_calling", "json_schema"])
def test_langchain_parses_structured_output(chat, method):
    model = chat("structured").with_structured_output(Weather, method=method)
    assert model.invoke("Weather?") == Weather(city="Paris", degrees=7)
