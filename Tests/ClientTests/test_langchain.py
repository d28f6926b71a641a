"""LangChain works with the router as with OpenAI."""

import asyncio

import openai
import pytest
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from pydantic import BaseModel
from router import KEY
from scripts import CALLS, vectors
from upstream import WAIT

TEXT = "Hello, Привет 🚀"


@pytest.fixture
def chat(router):
    return lambda model, **settings: ChatOpenAI(base_url=router.url, api_key=KEY, model=model, max_retries=0, **settings)


class Sync:
    @staticmethod
    def invoke(runnable, prompt):
        return runnable.invoke(prompt)

    @staticmethod
    def stream(runnable, prompt):
        return list(runnable.stream(prompt))


class Async:
    # LangChain keeps its connections for later calls, so all of them run on the same event loop.
    loop = asyncio.Runner()

    @staticmethod
    def invoke(runnable, prompt):
        return Async.loop.run(runnable.ainvoke(prompt))

    @staticmethod
    def stream(runnable, prompt):
        async def chunks():
            return [chunk async for chunk in runnable.astream(prompt)]

        return Async.loop.run(chunks())


@pytest.fixture(params=[Sync, Async], ids=["sync", "async"])
def run(request):
    return request.param


def total(chunks):
    """The message that the chunks add up to."""
    message = chunks[0]
    for chunk in chunks[1:]:
        message += chunk
    return message


def test_a_response_is_complete(run, chat):
    message = run.invoke(chat("text", include_response_headers=True), "Hi")
    assert message.content == TEXT
    assert message.usage_metadata["total_tokens"] == 8
    assert message.response_metadata["finish_reason"] == "stop"
    assert message.response_metadata["headers"]["x-router-model"] == "text"


def test_a_stream_adds_up_to_the_response(run, chat):
    chunks = run.stream(chat("text", stream_usage=True), "Hi")
    assert len(chunks) > 3
    message = total(chunks)
    assert message.content == TEXT
    assert message.usage_metadata["total_tokens"] == 8


def test_routing_overrides_go_into_extra_body(run, chat, upstream):
    model = chat("text", extra_body={"timeout_secs": 20, "fallback_model": "image"})
    assert run.invoke(model, "Hi").content == TEXT
    assert upstream.next_request("text").body.keys().isdisjoint({"timeout_secs", "fallback_model"})


def get_weather(city: str) -> str:
    """The weather in a city."""
    return "7"


def test_tools_are_called_in_parallel_and_their_results_are_answered(run, chat):
    model = chat("tools").bind_tools([get_weather], parallel_tool_calls=True)
    for message in [run.invoke(model, "Weather?"), total(run.stream(model, "Weather?"))]:
        assert [(call["id"], call["name"], call["args"]) for call in message.tool_calls] == CALLS
    results = [ToolMessage(get_weather(**arguments), tool_call_id=id) for id, _, arguments in CALLS]
    assert run.invoke(model, [HumanMessage("Weather?"), message, *results]).content == "It is 7 and 3 degrees."


def test_an_image_reaches_the_upstream(run, chat, upstream):
    image = {"type": "image", "base64": "iVBORw0KGgo=", "mime_type": "image/png"}
    message = HumanMessage(content=[{"type": "text", "text": "What is it?"}, image])
    assert run.invoke(chat("image"), [message]).content == "a cat"
    sent = upstream.next_request("image").body["messages"][0]["content"]
    assert sent[1]["image_url"]["url"] == "data:image/png;base64,iVBORw0KGgo="


class Weather(BaseModel):
    city: str
    degrees: int


@pytest.mark.parametrize("method", ["json_schema", "json_mode", "function_calling"])
def test_structured_output_is_parsed(run, chat, method):
    model = chat("structured").with_structured_output(Weather, method=method)
    assert run.invoke(model, "Weather as JSON?") == Weather(city="Paris", degrees=7)


@pytest.mark.parametrize(
    ("model", "error"),
    [
        ("no-such-model", openai.NotFoundError), ("refuse", openai.BadRequestError), ("limit", openai.RateLimitError),
        ("fail", openai.InternalServerError),
    ],
)  # fmt: skip
def test_a_failure_is_the_sdks_exception(run, chat, model, error):
    with pytest.raises(error):
        run.invoke(chat(model), "Hi")
    with pytest.raises(error):
        run.stream(chat(model), "Hi")


def test_an_error_inside_a_stream_is_raised(run, chat):
    with pytest.raises(openai.APIError, match="out of memory"):
        run.stream(chat("break_off"), "Hi")


def test_a_stream_that_is_not_read_to_its_end_closes_the_upstream(chat, upstream):
    stream = chat("hang").stream("Hi")
    assert next(stream).content == "Once"
    exchange = upstream.next_request("hang")
    stream.close()
    assert exchange.closed.wait(WAIT), "the upstream's connection stayed open"


def test_texts_are_embedded(router):
    # Otherwise LangChain counts tokens with a tokenizer that it downloads.
    embeddings = OpenAIEmbeddings(base_url=router.url, api_key=KEY, model="embed", max_retries=0, check_embedding_ctx_length=False)
    expected = vectors({"input": ["a", "b"]})
    assert embeddings.embed_documents(["a", "b"]) == expected
    assert Async.loop.run(embeddings.aembed_documents(["a", "b"])) == expected
    assert embeddings.embed_query("a") == expected[0]
