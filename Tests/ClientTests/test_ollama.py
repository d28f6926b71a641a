"""Ollama's Python SDK and LangChain work with the router as with Ollama, whatever format the upstream has; and the SDKs
of OpenAI and Anthropic with an upstream in Ollama's format."""

import asyncio
import json
import urllib.error
import urllib.request

import anthropic
import ollama
import openai
import pytest
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_ollama import ChatOllama, OllamaEmbeddings
from pydantic import BaseModel
from router import KEY, PROVIDER_KEY
from scripts import CALLS, vectors
from upstream import WAIT

TEXT = "Hello, Привет 🚀"
HI = [{"role": "user", "content": "Hi"}]
PNG = "iVBORw0KGgo="
FIELDS = {"Authorization": f"Bearer {KEY}"}


class SDK:
    """The SDK, at the models of one upstream format."""

    def __init__(self, url, prefix):
        self.url = url
        self.prefix = prefix

    def client(self, **settings):
        return ollama.Client(self.url, **{"headers": FIELDS} | settings)

    def create(self, model, **members):
        return self.client().chat(self.prefix + model, **{"messages": HI} | members)

    def lines(self, model, into=None, **members):
        lines = [] if into is None else into
        for line in self.client().chat(self.prefix + model, stream=True, **{"messages": HI} | members):
            lines.append(line)
        return lines

    def final(self, model, **members):
        """The response that the lines of a stream add up to."""
        lines = self.lines(model, **members)
        assert [line.done for line in lines] == [False] * (len(lines) - 1) + [True]
        final = lines[-1]
        final.message.content = "".join(line.message.content or "" for line in lines)
        final.message.thinking = "".join(line.message.thinking or "" for line in lines) or None
        final.message.tool_calls = [call for line in lines for call in line.message.tool_calls or []] or None
        return final


class AsyncSDK(SDK):
    def create(self, model, **members):
        return asyncio.run(ollama.AsyncClient(self.url, headers=FIELDS).chat(self.prefix + model, **{"messages": HI} | members))

    def lines(self, model, into=None, **members):
        async def body():
            lines = [] if into is None else into
            client = ollama.AsyncClient(self.url, headers=FIELDS)
            async for line in await client.chat(self.prefix + model, stream=True, **{"messages": HI} | members):
                lines.append(line)
            return lines

        return asyncio.run(body())


@pytest.fixture(params=["", "claude-", "ollama-"], ids=["openai", "anthropic", "ollama"])
def prefix(request):
    """What the names of the models begin with whose upstream has this format."""
    return request.param


@pytest.fixture(params=[SDK, AsyncSDK], ids=["sync", "async"])
def sdk(request, router, prefix):
    return request.param(router.origin, prefix)


@pytest.fixture(params=["create", "final"], ids=["buffered", "streamed"])
def ask(request, sdk):
    return getattr(sdk, request.param)


# Chat


def test_a_response_is_complete(ask):
    response = ask("text", options={"temperature": 0.5, "num_predict": 9, "num_ctx": 2048, "stop": ["!"]}, keep_alive="5m")
    assert response.message.content == TEXT
    assert (response.message.role, response.done, response.done_reason) == ("assistant", True, "stop")
    assert (response.prompt_eval_count, response.eval_count) == (3, 5)
    assert response.total_duration > 0
    assert response.created_at.endswith("Z")


@pytest.mark.parametrize("prefix", ["ollama-"], ids=["ollama"])
def test_the_request_reaches_an_upstream_of_the_same_format_unchanged(sdk, upstream):
    sdk.create("text", options={"mirostat": 1, "num_ctx": 2048}, keep_alive="5m")
    request = upstream.next_request("text")
    assert request.body == {
        "model": "up-text", "messages": HI, "stream": False, "tools": [], "keep_alive": "5m", "truncate": False, "shift": False,
        "options": {"mirostat": 1, "num_ctx": 8192},
    }  # fmt: skip
    assert request.headers["authorization"] == f"Bearer {PROVIDER_KEY}"


def test_a_name_may_have_the_default_tag(ask):
    assert ask("text:latest").message.content == TEXT


def test_generate_gets_its_text_in_response(sdk):
    client = sdk.client()
    response = client.generate(sdk.prefix + "text", "Hi", system="Be brief")
    assert (response.response, response.done_reason) == (TEXT, "stop")
    lines = list(client.generate(sdk.prefix + "text", "Hi", stream=True))
    assert "".join(line.response for line in lines) == TEXT
    assert lines[-1].done


# Tools, images, reasoning and structured output


def get_weather(city: str) -> str:
    """The weather in a city.

    Args:
        city: its name
    """
    return "7"


def calls_of(message):
    return [(call.function.name, dict(call.function.arguments)) for call in message.tool_calls or []]


def test_tools_are_called_in_parallel_and_their_results_are_answered(ask, upstream, prefix):
    response = ask("tools", tools=[get_weather])
    assert calls_of(response.message) == [(name, arguments) for _, name, arguments in CALLS]
    upstream.next_request("tools")

    # This SDK keeps no ids, so the results belong to the calls in their order.
    results = [{"role": "tool", "tool_name": name, "content": "7"} for _, name, _ in CALLS]
    answered = ask("tools", messages=[*HI, response.message, *results], tools=[get_weather])
    assert answered.message.content == "It is 7 and 3 degrees."
    sent = upstream.next_request("tools").body["messages"]
    if prefix == "":
        assert [message.get("tool_call_id") for message in sent[2:]] == [call["id"] for call in sent[1]["tool_calls"]]
    if prefix == "claude-":
        assert [block["tool_use_id"] for block in sent[2]["content"]] == [block["id"] for block in sent[1]["content"]]


def test_an_image_reaches_the_upstream(ask, upstream, prefix):
    assert ask("image", messages=[{"role": "user", "content": "What is it?", "images": [PNG]}]).message.content == "a cat"
    sent = json.dumps(upstream.next_request("image").body["messages"])
    assert PNG in sent and ("image/png" in sent) == (prefix != "ollama-")


def test_reasoning_comes_back(ask):
    message = ask("think", think=True).message
    assert (message.thinking, message.content) == ("I think", "so I am")


class Weather(BaseModel):
    city: str
    degrees: int


def test_structured_output_is_parsed(ask):
    message = ask("structured", format=Weather.model_json_schema()).message
    assert Weather.model_validate_json(message.content) == Weather(city="Paris", degrees=7)


# Errors


@pytest.mark.parametrize(
    ("model", "status", "words"),
    [
        ("no-such-model", 404, "not found"), ("refuse", 400, "'temperature' must be at most 2"), ("limit", 429, ""),
        ("fail", 500, "it has failed"), ("reject_key", 502, "is wrong"),
    ],
)  # fmt: skip
def test_an_error_has_its_status_and_its_words(ask, model, status, words):
    with pytest.raises(ollama.ResponseError) as raised:
        ask(model)
    assert raised.value.status_code == status
    assert words in raised.value.error
    assert PROVIDER_KEY not in raised.value.error


def test_a_wrong_key_is_refused(sdk):
    with pytest.raises(ollama.ResponseError) as raised:
        sdk.client(headers={"Authorization": "Bearer sk-wrong-0123456789"}).chat("text", HI)
    assert raised.value.status_code == 401


def test_an_error_inside_a_stream_is_raised_after_its_texts(sdk):
    for model in ["break_off", "cut_off"]:
        lines = []
        with pytest.raises(ollama.ResponseError):
            sdk.lines(model, lines)
        assert "".join(line.message.content or "" for line in lines) == "Once"


def test_a_closed_stream_closes_the_upstream(router, upstream, prefix):
    stream = SDK(router.origin, prefix).client().chat(prefix + "hang", HI, stream=True)
    while not next(stream).message.content:
        pass
    exchange = upstream.next_request("hang")
    assert not exchange.closed.is_set()
    stream.close()
    assert exchange.closed.wait(WAIT), "the upstream's connection stayed open"


# Models, embeddings and management


def test_the_models_are_listed_and_shown(router):
    client = SDK(router.origin, "").client()
    names = [model.model for model in client.list().models]
    assert {"text", "claude-text", "ollama-text", "auto", "embed"} <= set(names) and "speak" not in names
    shown = client.show("ollama-text:latest")
    assert shown.capabilities == ["completion", "tools", "vision"]
    assert shown.modelinfo["llm-router.context_length"] == 8192
    assert client.show("embed").capabilities == ["embedding"]
    assert client.ps().models == []


@pytest.mark.parametrize("model", ["embed", "ollama-embed"])
def test_texts_are_embedded(router, model):
    client = SDK(router.origin, "").client()
    response = client.embed(model, ["a", "b"])
    assert [list(vector) for vector in response.embeddings] == vectors({"input": ["a", "b"]})
    assert response.prompt_eval_count == 4
    assert [list(vector) for vector in client.embed(model, "a", dimensions=2).embeddings] == [[0.5, -0.25]]


def test_models_cant_be_managed(router):
    client = SDK(router.origin, "").client()
    for use in [lambda: client.pull("x"), lambda: client.delete("x"), lambda: client.copy("x", "y"), lambda: client.create("x", from_="y")]:
        with pytest.raises(ollama.ResponseError) as raised:
            use()
        assert raised.value.status_code == 501 and "policy file" in raised.value.error


def get(router, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(router.origin + path, data, FIELDS), timeout=WAIT) as response:
        return json.load(response)


def test_vs_code_finds_the_models(router):
    """What its Ollama provider reads. Source: microsoft/vscode-copilot-chat, ollamaProvider.ts."""
    version = [int(number) for number in get(router, "/api/version")["version"].split(".")]
    assert version >= [0, 6, 4]
    for model in get(router, "/api/tags")["models"]:
        info = get(router, "/api/show", {"model": model["model"]})
        architecture = info["model_info"]["general.architecture"]
        assert isinstance(info["model_info"].get(f"{architecture}.context_length", 0), int)
        assert info["model_info"]["general.basename"]
        assert isinstance("tools" in info["capabilities"], bool)


def test_open_webui_lists_the_models(router):
    """What its Ollama connection reads. Source: open-webui, routers/ollama.py."""
    version = get(router, "/api/version")["version"]
    assert tuple(map(int, version.split("."))) > (0, 6)
    for model in get(router, "/api/tags")["models"]:
        assert model["model"] == model["name"] and isinstance(model["size"], int) and model["details"]["family"]
    assert get(router, "/api/ps") == {"models": []}
    with pytest.raises(urllib.error.HTTPError) as raised:
        get(router, "/api/pull", {"name": "x"})
    assert raised.value.code == 501 and isinstance(json.load(raised.value)["error"], str)


# LangChain


@pytest.fixture
def chat(router, prefix):
    return lambda model, **settings: ChatOllama(
        base_url=router.origin, model=prefix + model, client_kwargs={"headers": FIELDS}, **settings
    )


def total(chunks):
    """The message that the chunks add up to."""
    message = chunks[0]
    for chunk in chunks[1:]:
        message += chunk
    return message


def test_langchain_gets_responses_and_streams(chat):
    assert chat("text", validate_model_on_init=True).invoke("Hi").content == TEXT
    message = total(list(chat("text").stream("Hi")))
    assert message.content == TEXT
    assert message.usage_metadata["output_tokens"] == 5
    assert message.response_metadata["done_reason"] == "stop"


def test_langchain_calls_tools(chat):
    model = chat("tools").bind_tools([get_weather])
    for message in [model.invoke("Weather?"), total(list(model.stream("Weather?")))]:
        assert [(call["name"], call["args"]) for call in message.tool_calls] == [(name, arguments) for _, name, arguments in CALLS]
    results = [ToolMessage(get_weather(**call["args"]), tool_call_id=call["id"]) for call in message.tool_calls]
    assert model.invoke([HumanMessage("Weather?"), message, *results]).content == "It is 7 and 3 degrees."


def test_langchain_reasons(chat):
    message = total(list(chat("think", reasoning=True).stream("Hi")))
    assert message.additional_kwargs["reasoning_content"] == "I think"


@pytest.mark.parametrize("method", ["function_calling", "json_schema", "json_mode"])
def test_langchain_parses_structured_output(chat, method):
    model = chat("structured").with_structured_output(Weather, method=method)
    assert model.invoke("Weather as JSON?") == Weather(city="Paris", degrees=7)


@pytest.mark.parametrize("model", ["embed", "ollama-embed"])
def test_langchain_embeds(router, model):
    embeddings = OllamaEmbeddings(base_url=router.origin, model=model, client_kwargs={"headers": FIELDS})
    assert embeddings.embed_documents(["a", "b"]) == vectors({"input": ["a", "b"]})


# The SDKs of others, with an upstream in Ollama's format

OPENAI_TOOLS = [
    {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}}
]


@pytest.fixture(params=[False, True], ids=["buffered", "streamed"])
def openai_ask(request, sync_openai):
    """The message that OpenAI's SDK puts together."""

    def ask(model, **members):
        members = {"model": f"ollama-{model}", "messages": HI} | members
        if not request.param:
            return sync_openai.chat.completions.create(**members).choices[0]
        with sync_openai.chat.completions.stream(**members) as stream:
            return stream.get_final_completion().choices[0]

    return ask


@pytest.fixture
def sync_openai(router):
    with openai.OpenAI(base_url=router.url, api_key=KEY, max_retries=0) as client:
        yield client


def test_openai_gets_texts_and_tools_and_reasoning(openai_ask, upstream):
    choice = openai_ask("text", stop=["!"], max_tokens=9, reasoning_effort="low")
    assert (choice.message.content, choice.finish_reason) == (TEXT, "stop")
    sent = upstream.next_request("text").body
    assert sent["options"] == {"num_predict": 9, "stop": ["!"], "num_ctx": 8192}
    assert (sent["think"], sent["truncate"], sent["shift"]) == ("low", False, False)

    choice = openai_ask("tools", tools=OPENAI_TOOLS)
    assert choice.finish_reason == "tool_calls"
    assert [(call.id, call.function.name, json.loads(call.function.arguments)) for call in choice.message.tool_calls] == CALLS
    upstream.next_request("tools")
    asked = [{"role": "assistant", "content": None, "tool_calls": [call.model_dump() for call in choice.message.tool_calls]}]
    results = [{"role": "tool", "tool_call_id": id, "content": "7"} for id, _, _ in CALLS]
    assert openai_ask("tools", messages=[*HI, *asked, *results], tools=OPENAI_TOOLS).message.content == "It is 7 and 3 degrees."
    sent = upstream.next_request("tools").body["messages"]
    assert [(message["tool_name"], message["tool_call_id"]) for message in sent[2:]] == [(name, id) for id, name, _ in CALLS]
    assert [call["function"]["arguments"] for call in sent[1]["tool_calls"]] == [arguments for _, _, arguments in CALLS]


def test_openai_sends_images(openai_ask, upstream):
    content = [{"type": "text", "text": "What?"}, {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}]
    assert openai_ask("image", messages=[{"role": "user", "content": content}]).message.content == "a cat"
    assert upstream.next_request("image").body["messages"] == [{"role": "user", "content": "What?", "images": [PNG]}]
    content[1]["image_url"]["url"] = "https://example.org/cat.png"
    with pytest.raises(openai.BadRequestError, match="by URL"):
        openai_ask("image", messages=[{"role": "user", "content": content}])


def test_openai_gets_the_errors_and_the_vectors(openai_ask, sync_openai):
    with pytest.raises(openai.NotFoundError):
        openai_ask("no-such-model")
    with pytest.raises(openai.BadRequestError, match="must be at most 2"):
        openai_ask("refuse")
    with pytest.raises(openai.APIError, match="out of memory"):
        list(sync_openai.chat.completions.create(model="ollama-break_off", messages=HI, stream=True))
    embedded = sync_openai.embeddings.create(model="ollama-embed", input=["a", "b"])
    assert [item.embedding for item in embedded.data] == vectors({"input": ["a", "b"]})


def test_anthropic_gets_texts_and_tools_and_reasoning(router):
    with anthropic.Anthropic(base_url=router.origin, api_key=KEY, max_retries=0) as client:
        for model, expected in [("text", TEXT), ("think", "so I am")]:
            message = client.messages.create(model=f"ollama-{model}", max_tokens=9, messages=HI, thinking={"type": "adaptive"})
            assert "".join(block.text for block in message.content if block.type == "text") == expected
        tools = [{"name": "get_weather", "input_schema": {"type": "object"}}]
        with client.messages.stream(model="ollama-tools", max_tokens=9, messages=HI, tools=tools) as stream:
            message = stream.get_final_message()
        assert message.stop_reason == "tool_use"
        assert [(block.id, block.name, block.input) for block in message.content if block.type == "tool_use"] == CALLS
