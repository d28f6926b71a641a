"""OpenAI's Python SDK works with the router's Responses as with OpenAI, and so does its Agents SDK, whatever format the
upstream has."""

import asyncio

import openai
import pytest
from agents import Agent, ModelSettings, OpenAIResponsesModel, Runner, function_tool, set_tracing_disabled
from pydantic import BaseModel
from router import KEY, NARROW_KEY, PROVIDER_KEY
from scripts import CALLS, PATCH
from upstream import WAIT

TEXT = "Hello, Привет 🚀"
WEATHER = {
    "type": "function",
    "name": "get_weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    "strict": False,
}


class Weather(BaseModel):
    city: str
    degrees: int


class SDK:
    """The SDK, at the models of one upstream format."""

    def __init__(self, url, prefix):
        self.settings = {"base_url": url, "api_key": KEY, "max_retries": 0}
        self.prefix = prefix

    def members(self, name, members):
        return {"model": self.prefix + name, "input": "Hi"} | members

    def run(self, use):
        with openai.OpenAI(**self.settings) as client:
            return use(client)

    def create(self, name, **members):
        return self.run(lambda client: client.responses.create(**self.members(name, members)))

    def events(self, name, **members):
        with openai.OpenAI(**self.settings) as client:
            return list(client.responses.create(stream=True, **self.members(name, members)))

    def final(self, name, into=None, **members):
        """The response that the SDK puts together from a stream. Appends the stream's texts to `into`."""
        with openai.OpenAI(**self.settings) as client, client.responses.stream(**self.members(name, members)) as stream:
            for event in stream:
                if into is not None and event.type == "response.output_text.delta":
                    into.append(event.delta)
            return stream.get_final_response()


class AsyncSDK(SDK):
    def run(self, use):
        async def body():
            async with openai.AsyncOpenAI(**self.settings) as client:
                return await use(client)

        return asyncio.run(body())

    def events(self, name, **members):
        async def use(client):
            return [event async for event in await client.responses.create(stream=True, **self.members(name, members))]

        return self.run(use)

    def final(self, name, into=None, **members):
        async def use(client):
            async with client.responses.stream(**self.members(name, members)) as stream:
                async for event in stream:
                    if into is not None and event.type == "response.output_text.delta":
                        into.append(event.delta)
                return await stream.get_final_response()

        return self.run(use)


@pytest.fixture(params=["", "claude-", "responses-"], ids=["openai", "anthropic", "responses"])
def prefix(request):
    """What the names of the models begin with whose upstream has this format."""
    return request.param


@pytest.fixture(params=[SDK, AsyncSDK], ids=["sync", "async"])
def sdk(request, router, prefix):
    return request.param(router.url, prefix)


@pytest.fixture(params=["create", "final"], ids=["buffered", "streamed"])
def ask(request, sdk):
    return getattr(sdk, request.param)


def items_of(response, type):
    return [item for item in response.output if item.type == type]


def calls_of(response):
    return [(item.call_id, item.name, item.arguments) for item in items_of(response, "function_call")]


def test_a_response_is_complete_and_says_who_served_it(ask, prefix, upstream):
    response = ask("text", instructions="Be brief", temperature=0.5, metadata={"a": "b"})
    assert response.output_text == TEXT
    assert (response.status, response.error, response.incomplete_details) == ("completed", None, None)
    assert response.id.startswith("resp_")
    assert (response.usage.input_tokens, response.usage.output_tokens, response.usage.total_tokens) == (3, 5, 8)
    assert response.model_extra["_router"]["model_name"] == f"{prefix}text"
    if prefix != "responses-":
        assert (response.instructions, response.temperature, response.metadata) == ("Be brief", 0.5, {"a": "b"})
    request = upstream.next_request("text")
    assert "Be brief" in str(request.body)
    assert PROVIDER_KEY in str(request.headers) and KEY not in str(request.headers)


def test_events_are_in_order(sdk):
    events = sdk.events("text")
    assert [event.sequence_number for event in events] == list(range(len(events)))
    types = [event.type for event in events]
    assert types[:4] == ["response.created", "response.in_progress", "response.output_item.added", "response.content_part.added"]
    ends = ["response.output_text.done", "response.content_part.done", "response.output_item.done", "response.completed"]
    assert types[-4:] == ends
    assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == TEXT
    assert events[-2].item.content[0].text == TEXT
    assert events[-1].response.output_text == TEXT


def test_tools_are_called_in_parallel_and_their_results_are_answered(ask, upstream):
    question = [{"role": "user", "content": "Weather?"}]
    response = ask("tools", input=question, tools=[WEATHER], parallel_tool_calls=True)
    assert [(id, name) for id, name, _ in calls_of(response)] == [(id, name) for id, name, _ in CALLS]
    assert [arguments.replace(" ", "") for _, _, arguments in calls_of(response)] == ['{"city":"Paris"}', '{"city":"Oslo"}']
    upstream.next_request("tools")
    results = [{"type": "function_call_output", "call_id": id, "output": "7"} for id, _, _ in CALLS]
    items = question + [item.model_dump(exclude_none=True) for item in response.output] + results
    assert ask("tools", input=items, tools=[WEATHER]).output_text == "It is 7 and 3 degrees."


def test_a_custom_tool_gets_a_text(ask, upstream):
    tools = [{"type": "custom", "name": "apply_patch", "description": "Changes files"}]
    response = ask("patch", tools=tools)
    (call,) = items_of(response, "custom_tool_call")
    assert (call.call_id, call.name, call.input) == ("call_1", "apply_patch", PATCH)
    result = {"type": "custom_tool_call_output", "call_id": call.call_id, "output": "ok"}
    items = [{"role": "user", "content": "Patch it"}, call.model_dump(exclude_none=True), result]
    assert ask("patch", input=items, tools=tools).output_text == "It is patched."


def test_an_image_reaches_the_upstream(ask, upstream):
    image = {"type": "input_image", "image_url": "data:image/png;base64,iVBORw0KGgo=", "detail": "auto"}
    content = [{"type": "input_text", "text": "What is it?"}, image]
    assert ask("image", input=[{"role": "user", "content": content}]).output_text == "a cat"
    assert "iVBORw0KGgo=" in str(upstream.next_request("image").body)


def test_structured_output_is_parsed(sdk):
    response = sdk.run(lambda client: client.responses.parse(**sdk.members("structured", {"text_format": Weather})))
    assert response.output_parsed == Weather(city="Paris", degrees=7)
    assert sdk.final("structured", text_format=Weather).output_parsed == Weather(city="Paris", degrees=7)


def test_reasoning_is_an_item_whose_token_goes_back_to_its_maker_alone(ask, prefix, upstream):
    response = ask("think", reasoning={"effort": "high", "summary": "auto"}, include=["reasoning.encrypted_content"])
    (reasoning,) = items_of(response, "reasoning")
    assert reasoning.summary[0].text == "I think"
    assert response.output_text == "so I am"
    upstream.next_request("think")
    items = [{"role": "user", "content": "Hi"}] + [item.model_dump(exclude_none=True) for item in response.output]
    items.append({"role": "user", "content": "More"})
    for own in ["", "claude-", "responses-"]:
        ask("think", model=f"{own}think", input=items)
        sent = str(upstream.next_request("think").body)
        # A token of OpenAI's belongs to its format.
        assert ("c2lnbmVk" in sent) == (own == prefix and own != "")
        assert "llm-router:" not in sent


@pytest.mark.parametrize(
    ("model", "error", "words"),
    [
        ("refuse", openai.BadRequestError, "'temperature' must be at most 2"),
        ("limit", openai.RateLimitError, "429"),
        ("fail", openai.InternalServerError, "it has failed"),
        ("reject_key", openai.InternalServerError, "the key <secret> is wrong"),
    ],
)
def test_a_failure_is_the_sdks_exception(ask, model, error, words):
    with pytest.raises(error, match=words) as raised:
        ask(model)
    assert PROVIDER_KEY not in raised.value.response.text


@pytest.mark.parametrize("member", ["previous_response_id", "conversation"])
def test_what_needs_a_store_is_refused_by_name(ask, member):
    with pytest.raises(openai.BadRequestError) as raised:
        ask("text", **{member: "resp_1"})
    assert raised.value.param == member


def test_a_model_outside_the_keys_scope_does_not_exist(router, prefix):
    with openai.OpenAI(base_url=router.url, api_key=NARROW_KEY, max_retries=0) as client:
        with pytest.raises(openai.NotFoundError):
            client.responses.create(model=f"{prefix}tools", input="Hi")


@pytest.mark.parametrize("model", ["break_off", "cut_off"])
def test_a_failure_inside_a_stream_is_its_last_event(sdk, model):
    events = sdk.events(model)
    assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == "Once"
    assert events[-1].type == "response.failed"
    assert events[-1].response.error.message
    assert events[-1].response.id == events[0].response.id


def test_a_closed_stream_closes_the_upstream(router, prefix, upstream):
    with openai.OpenAI(base_url=router.url, api_key=KEY, max_retries=0) as client:
        stream = client.responses.create(model=f"{prefix}hang", input="Hi", stream=True)
        while next(stream).type != "response.output_text.delta":
            pass
        exchange = upstream.next_request("hang")
        stream.close()
        assert exchange.closed.wait(WAIT), "the upstream's connection stayed open"


def test_tokens_are_counted(sdk):
    assert sdk.run(lambda client: client.responses.input_tokens.count(**sdk.members("text", {}))).input_tokens > 0


def test_chats_and_messages_get_responses_too(router, upstream):
    """Clients of the other formats, in front of an upstream that has only this one."""
    with openai.OpenAI(base_url=router.url, api_key=KEY, max_retries=0) as client:
        ask = {"model": "responses-text", "messages": [{"role": "system", "content": "Be brief"}, {"role": "user", "content": "Hi"}]}
        assert client.chat.completions.create(**ask).choices[0].message.content == TEXT
        chunks = list(client.chat.completions.create(**ask, stream=True))
        assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == TEXT
        assert upstream.next_request("text").body["instructions"] == "Be brief"


# The Agents SDK


@function_tool
def get_weather(city: str) -> str:
    """The weather."""
    return "7"


@pytest.mark.parametrize("streams", [False, True], ids=["buffered", "streamed"])
def test_an_agent_calls_a_tool_and_ends(router, prefix, streams):
    set_tracing_disabled(True)

    async def body():
        async with openai.AsyncOpenAI(base_url=router.url, api_key=KEY, max_retries=0) as client:
            model = OpenAIResponsesModel(model=f"{prefix}tools", openai_client=client)
            agent = Agent(name="a", model=model, tools=[get_weather], model_settings=ModelSettings(parallel_tool_calls=True))
            if not streams:
                return await Runner.run(agent, "Weather?")
            result = Runner.run_streamed(agent, "Weather?")
            async for _ in result.stream_events():
                pass
            return result

    result = asyncio.run(body())
    assert result.final_output == "It is 7 and 3 degrees."
    assert len([item for item in result.new_items if item.type == "tool_call_output_item"]) == 2
