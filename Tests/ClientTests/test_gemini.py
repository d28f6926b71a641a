"""Google's Python SDK and LangChain work with the router as with Gemini, whatever format the upstream has."""

import asyncio
import json

import pytest
from google import genai
from google.genai import errors, types
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_google_genai import ChatGoogleGenerativeAI, GoogleGenerativeAIEmbeddings
from pydantic import BaseModel
from router import KEY, NARROW_KEY, PROVIDER_KEY
from scripts import CALLS
from upstream import WAIT

TEXT = "Hello, Привет 🚀"
PNG = bytes.fromhex("89504e470d0a1a0a")


class SDK:
    """The SDK, at the models of one upstream format."""

    def __init__(self, url, prefix):
        self.url = url
        self.prefix = prefix

    def client(self, key=KEY, **headers):
        return genai.Client(api_key=key, http_options=types.HttpOptions(base_url=self.url, headers=headers))

    def create(self, model, contents="Hi", **config):
        with self.client() as client:
            return client.models.generate_content(model=self.prefix + model, contents=contents, config=config)

    def chunks(self, model, contents="Hi", into=None, **config):
        """The chunks of a stream, which are appended to `into`, so that those before a failure are known."""
        into = [] if into is None else into
        with self.client() as client:
            for chunk in client.models.generate_content_stream(model=self.prefix + model, contents=contents, config=config):
                into.append(chunk)
        return into


class AsyncSDK(SDK):
    def create(self, model, contents="Hi", **config):
        async def body():
            async with self.client().aio as client:
                return await client.models.generate_content(model=self.prefix + model, contents=contents, config=config)

        return asyncio.run(body())

    def chunks(self, model, contents="Hi", into=None, **config):
        into = [] if into is None else into

        async def body():
            async with self.client().aio as client:
                stream = await client.models.generate_content_stream(model=self.prefix + model, contents=contents, config=config)
                async for chunk in stream:
                    into.append(chunk)

        asyncio.run(body())
        return into


@pytest.fixture(params=["", "claude-", "gemini-"], ids=["openai", "anthropic", "gemini"])
def prefix(request):
    """What the names of the models begin with whose upstream has this format."""
    return request.param


@pytest.fixture(params=[SDK, AsyncSDK], ids=["sync", "async"])
def sdk(request, router, prefix):
    return request.param(router.origin, prefix)


class Answer:
    """A response, or the chunks of a stream together."""

    def __init__(self, responses):
        self.parts = [part for response in responses for part in response.candidates[0].content.parts or []]
        self.finish_reason = [response.candidates[0].finish_reason for response in responses][-1]
        self.usage = responses[-1].usage_metadata
        self.response_id = responses[0].response_id

    @property
    def text(self):
        return "".join(part.text for part in self.parts if part.text and not part.thought)

    @property
    def thoughts(self):
        return "".join(part.text for part in self.parts if part.text and part.thought)

    @property
    def calls(self):
        return [(part.function_call.id, part.function_call.name, part.function_call.args) for part in self.parts if part.function_call]

    @property
    def content(self):
        return types.Content(role="model", parts=self.parts)


@pytest.fixture(params=["create", "chunks"], ids=["buffered", "streamed"])
def ask(request, sdk):
    def ask(model, *contents, **config):
        response = getattr(sdk, request.param)(model, *contents, **config)
        return Answer(response if isinstance(response, list) else [response])

    ask.sdk = sdk
    return ask


# Responses


def test_a_response_is_complete(ask):
    answer = ask("text", system_instruction="Be brief", stop_sequences=["!"])
    assert answer.text == TEXT
    assert answer.finish_reason == types.FinishReason.STOP
    assert answer.response_id
    assert (answer.usage.prompt_token_count, answer.usage.candidates_token_count, answer.usage.total_token_count) == (3, 5, 8)


@pytest.mark.parametrize("prefix", ["gemini-"], ids=["gemini"])
def test_the_request_reaches_an_upstream_of_the_same_format_unchanged(sdk, upstream):
    sdk.create("text", safety_settings=[{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}])
    request = upstream.next_request("text")
    assert request.body == {
        "contents": [{"parts": [{"text": "Hi"}], "role": "user"}], "generationConfig": {}, "stream": False,
        "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
    }  # fmt: skip
    assert request.path == "/v1beta/models/gemini-3-text:generateContent"
    assert request.headers.get_all("x-goog-api-key") == [PROVIDER_KEY]
    assert KEY not in str(request.headers)


def test_the_call_record_is_in_the_headers(sdk):
    headers = sdk.create("text").sdk_http_response.headers
    assert headers["x-router-model"] == sdk.prefix + "text"
    assert headers["x-router-attempts"] == "1"


def test_a_route_and_its_overrides_work(sdk):
    with sdk.client(**{"x-router-timeout": "20"}) as client:
        response = client.models.generate_content(model="auto", contents="Hi")
        assert response.text == TEXT
        assert response.sdk_http_response.headers["x-router-fallback"] == "true"
    with sdk.client(**{"x-router-timeout": "soon"}) as client, pytest.raises(errors.ClientError, match="x-router-timeout"):
        client.models.generate_content(model="auto", contents="Hi")


def test_a_chat_remembers_what_was_said(sdk, upstream):
    with sdk.client() as client:
        chat = client.chats.create(model=sdk.prefix + "text")
        chat.send_message("Hi")
        assert "".join(chunk.text or "" for chunk in chat.send_message_stream("Again")) == TEXT
    upstream.next_request("text")
    assert TEXT in json.dumps(upstream.next_request("text").body, ensure_ascii=False).replace('"}, {"text": "', "")


def test_the_models_are_listed(sdk):
    with sdk.client() as client:
        models = {model.name: model for model in client.models.list(config={"page_size": 3})}
        assert {"models/text", "models/gemini-text", "models/auto"} <= set(models)
        assert "generateContent" in models["models/text"].supported_actions
        assert client.models.get(model="text").display_name == "text"
        with pytest.raises(errors.ClientError) as raised:
            client.models.get(model="no-such-model")
        assert raised.value.code == 404
    with sdk.client(NARROW_KEY) as client:
        assert {model.name for model in client.models.list()} == {"models/text", "models/auto"}


def test_tokens_are_counted(sdk):
    with sdk.client() as client:
        count = client.models.count_tokens(model=sdk.prefix + "text", contents="Hi").total_tokens
    # An upstream of OpenAI's format can't count, so the router estimates.
    assert count == 42 if sdk.prefix else 0 < count < 30


@pytest.mark.parametrize("prefix", ["", "gemini-"], ids=["openai", "gemini"])
def test_texts_are_embedded(sdk):
    with sdk.client() as client:
        # For some models, the SDK makes one content of several texts.
        contents = [types.UserContent(text) for text in "ab"]
        embeddings = client.models.embed_content(model=sdk.prefix + "embed", contents=contents).embeddings
        assert [embedding.values for embedding in embeddings] == [[0.5, -0.25, 0.0], [0.5, -0.25, 1.0]]
        short = client.models.embed_content(model=sdk.prefix + "embed", contents="a", config={"output_dimensionality": 2})
        assert [embedding.values for embedding in short.embeddings] == [[0.5, -0.25]]


# Tools, images, reasoning and structured output

TOOL = {"function_declarations": [{"name": "get_weather", "parameters_json_schema": {"type": "object", "properties": {"city": {"type": "string"}}}}]}
NO_LOOP = {"disable": True}


def test_tools_are_called_in_parallel_and_their_results_are_answered(ask, upstream, prefix):
    answer = ask("tools", tools=[TOOL], tool_config={"function_calling_config": {"mode": "ANY"}})
    assert answer.calls == CALLS
    upstream.next_request("tools")
    results = [types.Part(function_response=types.FunctionResponse(id=id, name=name, response={"output": "7"})) for id, name, _ in CALLS]
    asked = [types.UserContent("Weather?"), answer.content, types.Content(role="user", parts=results)]
    assert ask("tools", asked, tools=[TOOL]).text == "It is 7 and 3 degrees."
    sent = json.dumps(upstream.next_request("tools").body)
    assert sent.count("call_1") == 2
    assert ("thoughtSignature" in sent) == (prefix == "gemini-")


def test_the_sdk_calls_functions_by_itself(sdk):
    def get_weather(city: str) -> str:
        """The weather in a city."""
        return "7"

    assert sdk.create("tools", "Weather?", tools=[get_weather]).text == "It is 7 and 3 degrees."


def test_an_image_reaches_the_upstream(ask, upstream, prefix):
    image = types.Part.from_bytes(data=PNG, mime_type="image/png")
    assert ask("image", ["What is it?", image]).text == "a cat"
    assert "iVBORw0KGgo=" in json.dumps(upstream.next_request("image").body)


def test_reasoning_comes_back_and_is_sent_again_only_to_its_maker(ask, upstream, prefix):
    answer = ask("think", thinking_config={"include_thoughts": True, "thinking_level": "high"}, max_output_tokens=9000)
    assert answer.thoughts == "I think"
    assert answer.text == "so I am"
    upstream.next_request("think")
    again = [types.UserContent("Hi"), answer.content, types.UserContent("Go on")]
    for model in ["think", "claude-think", "gemini-think"]:
        with ask.sdk.client() as client:
            client.models.generate_content(model=model, contents=again, config={"max_output_tokens": 9000})
        sent = json.dumps(upstream.next_request("think").body)
        assert ("c2lnbmVk" in sent) == (bool(prefix) and model == prefix + "think")
        assert "bGxtLXJvdXRlcj" not in sent
        assert "llm-router:" not in sent


def test_thoughts_that_nobody_asked_for_are_left_out(ask):
    assert ask("think").thoughts == ("" if ask.sdk.prefix != "gemini-" else "I think")


class Weather(BaseModel):
    city: str
    degrees: int


def test_structured_output_is_parsed(sdk):
    response = sdk.create("structured", response_mime_type="application/json", response_schema=Weather)
    assert response.parsed == Weather(city="Paris", degrees=7)


# Errors


def test_a_wrong_key_is_an_authentication_error(sdk):
    with sdk.client("sk-wrong-0123456789") as client, pytest.raises(errors.ClientError) as raised:
        client.models.generate_content(model="text", contents="Hi")
    assert (raised.value.code, raised.value.status) == (401, "UNAUTHENTICATED")


def test_an_unknown_model_is_not_found(ask):
    with pytest.raises(errors.ClientError) as raised:
        ask("no-such-model")
    assert (raised.value.code, raised.value.status) == (404, "NOT_FOUND")


def test_the_upstreams_refusal_of_a_request_keeps_its_words(ask):
    with pytest.raises(errors.ClientError) as raised:
        ask("refuse")
    assert raised.value.code == 400
    assert raised.value.message == "'temperature' must be at most 2"


def test_a_rate_limit_says_how_long_to_wait(ask):
    with pytest.raises(errors.ClientError) as raised:
        ask("limit")
    assert raised.value.code == 429
    details = raised.value.details["error"]["details"]
    assert 1 <= int(details[-1]["retryDelay"].removesuffix("s")) <= 7


def test_the_failure_of_a_named_model_keeps_its_status(ask):
    with pytest.raises(errors.ServerError) as raised:
        ask("fail")
    assert raised.value.code == 500
    assert "it has failed" in raised.value.message


def test_a_refusal_of_the_routers_own_key_is_not_the_clients(ask):
    with pytest.raises(errors.ServerError) as raised:
        ask("reject_key")
    assert raised.value.code == 502
    assert PROVIDER_KEY not in str(raised.value)


@pytest.mark.parametrize("model", ["break_off", "cut_off"])
def test_an_error_inside_a_stream_is_raised_after_its_texts(sdk, model):
    chunks = []
    with pytest.raises(errors.APIError):
        sdk.chunks(model, into=chunks)
    assert "".join(chunk.text or "" for chunk in chunks) == "Once"


# Cancellation


def test_a_closed_client_closes_the_upstream(sdk, upstream):
    client = sdk.client()
    stream = client.models.generate_content_stream(model=sdk.prefix + "hang", contents="Hi")
    assert next(stream).text == "Once"
    exchange = upstream.next_request("hang")
    assert not exchange.closed.is_set()
    stream.close()
    client.close()
    assert exchange.closed.wait(WAIT), "the upstream's connection stayed open"


# LangChain


@pytest.fixture
def chat(router, prefix):
    return lambda model, **settings: ChatGoogleGenerativeAI(
        base_url=router.origin, google_api_key=KEY, model=prefix + model, max_retries=0, **settings
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
    assert chat("text").invoke("Hi").text == TEXT
    message = total(list(chat("text").stream("Hi")))
    assert message.text == TEXT
    assert message.usage_metadata["output_tokens"] == 5


def test_langchain_calls_tools(chat):
    model = chat("tools").bind_tools([get_weather])
    for message in [model.invoke("Weather?"), total(list(model.stream("Weather?")))]:
        assert [(call["name"], call["args"]) for call in message.tool_calls] == [(name, arguments) for _, name, arguments in CALLS]
    results = [ToolMessage(get_weather(**call["args"]), tool_call_id=call["id"]) for call in message.tool_calls]
    assert model.invoke([HumanMessage("Weather?"), message, *results]).text == "It is 7 and 3 degrees."


@pytest.mark.parametrize("method", ["function_calling", "json_schema"])
def test_langchain_parses_structured_output(chat, method):
    model = chat("structured").with_structured_output(Weather, method=method)
    assert model.invoke("Weather?") == Weather(city="Paris", degrees=7)


@pytest.mark.parametrize("prefix", ["", "gemini-"], ids=["openai", "gemini"])
def test_langchain_embeds_texts(router, prefix):
    model = GoogleGenerativeAIEmbeddings(model=prefix + "embed", google_api_key=KEY, base_url=router.origin)
    assert model.embed_documents(["a", "b"]) == [[0.5, -0.25, 0.0], [0.5, -0.25, 1.0]]
