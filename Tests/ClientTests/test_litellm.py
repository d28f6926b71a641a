"""The litellm SDK works with the router as with OpenAI, Anthropic, Gemini and Ollama, whatever format the upstream has."""

import asyncio
import json
import os

import pytest
from router import KEY
from scripts import CALLS

# Otherwise it downloads a list of prices when it is imported.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
import litellm  # noqa: E402

litellm.telemetry = False

TEXT = "Hello, Привет 🚀"
HI = [{"role": "user", "content": "Hi"}]
TOOLS = [
    {
        "type": "function",
        "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}},
    }
]
PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)

# What litellm calls each API of the router, and the address below which it expects the API.
APIS = {
    "openai": lambda router: {"custom_llm_provider": "openai", "api_base": router.url},
    "anthropic": lambda router: {"custom_llm_provider": "anthropic", "api_base": router.origin},
    "gemini": lambda router: {"custom_llm_provider": "gemini", "api_base": f"{router.origin}/v1beta"},
    "ollama": lambda router: {"custom_llm_provider": "ollama_chat", "api_base": router.origin},
}


@pytest.fixture(params=APIS)
def api(request):
    return request.param


@pytest.fixture
def ask(router, api, prefix):
    def ask(model, messages=HI, **settings):
        return litellm.completion(model=prefix + model, messages=messages, api_key=KEY, num_retries=0, **APIS[api](router), **settings)

    return ask


def whole(chunks):
    return litellm.stream_chunk_builder(list(chunks))


def calls_of(message):
    return [(call.function.name, json.loads(call.function.arguments)) for call in message.tool_calls or []]


WANTED = [(name, arguments) for _, name, arguments in CALLS]


def test_a_response_is_complete(ask):
    response = ask("text", max_tokens=50)
    assert response.choices[0].message.content == TEXT
    assert response.choices[0].finish_reason == "stop"
    assert (response.usage.prompt_tokens, response.usage.completion_tokens) == (3, 5)


def test_a_stream_is_complete(ask):
    chunks = list(ask("text", stream=True, stream_options={"include_usage": True}))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == TEXT
    assert whole(chunks).choices[0].finish_reason == "stop"


@pytest.mark.parametrize("stream", [False, True], ids=["buffered", "streamed"])
def test_a_tool_round_trip(ask, stream):
    response = ask("tools", tools=TOOLS, stream=stream)
    message = (whole(response) if stream else response).choices[0].message
    assert calls_of(message) == WANTED
    results = [{"role": "tool", "tool_call_id": call.id, "name": "get_weather", "content": "7"} for call in message.tool_calls]
    response = ask("tools", [*HI, message.model_dump(exclude_none=True), *results], tools=TOOLS, stream=stream)
    assert (whole(response) if stream else response).choices[0].message.content == "It is 7 and 3 degrees."


def test_reasoning_reaches_the_client(ask):
    message = ask("think", reasoning_effort="low", drop_params=True).choices[0].message
    assert (message.reasoning_content, message.content) == ("I think", "so I am")


def test_an_image_reaches_the_model(ask):
    content = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": PIXEL}}]
    assert ask("image", [{"role": "user", "content": content}]).choices[0].message.content == "a cat"


@pytest.mark.parametrize("stream", [False, True], ids=["buffered", "streamed"])
@pytest.mark.parametrize(
    ("model", "error"), [("refuse", litellm.BadRequestError), ("limit", litellm.RateLimitError), ("fail", litellm.InternalServerError)]
)
def test_a_failure_is_the_matching_exception(ask, model, error, stream):
    with pytest.raises((error, litellm.exceptions.MidStreamFallbackError)) as caught:
        list(ask(model, stream=stream))
    # A stream's failure may be wrapped, because litellm could go on with another model.
    assert isinstance(getattr(caught.value, "original_exception", None) or caught.value, error)
    assert KEY not in str(caught.value)


def test_a_stream_that_breaks_off_raises(ask):
    with pytest.raises(Exception, match="(?i)memory|error"):
        list(ask("break_off", stream=True))


def test_a_client_that_leaves_closes_the_upstream(router, upstream, api, prefix):
    async def leave():
        stream = await litellm.acompletion(
            model=f"{prefix}hang", messages=HI, stream=True, api_key=KEY, num_retries=0, timeout=3, **APIS[api](router)
        )
        async for _ in stream:
            break

    with pytest.raises(Exception, match="(?i)time"):
        litellm.completion(model=f"{prefix}hang", messages=HI, api_key=KEY, num_retries=0, timeout=0.5, **APIS[api](router))
    assert upstream.next_request("hang").closed.wait(20)
    asyncio.run(leave())


# The other endpoints of OpenAI


def test_a_response_of_responses_is_complete(router, prefix):
    settings = {"model": f"{prefix}text", "input": "Hi", "api_key": KEY, "api_base": router.url, "custom_llm_provider": "openai"}
    response = litellm.responses(**settings)
    assert response.output_text == TEXT
    events = list(litellm.responses(**settings, stream=True))
    assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == TEXT
    assert events[-1].type == "response.completed"


@pytest.mark.parametrize("model", ["embed", "gemini-embed", "ollama-embed"])
def test_embeddings(router, model):
    response = litellm.embedding(model=model, input=["a", "b"], api_key=KEY, api_base=router.url, custom_llm_provider="openai")
    assert [item["embedding"] for item in response.data] == [[0.5, -0.25, 0.0], [0.5, -0.25, 1.0]]
