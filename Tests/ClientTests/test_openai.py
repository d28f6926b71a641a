"""OpenAI's Python SDK, synchronous and asynchronous, works with the router as with OpenAI."""

import asyncio
import base64
import json
import struct

import openai
import pytest
from pydantic import BaseModel
from router import KEY, NARROW_KEY, PROVIDER_KEY
from scripts import CALLS, SOUND, SUBTITLES, TRANSCRIPT, vectors
from upstream import USAGE, WAIT

TEXT = "Hello, Привет 🚀"


def text_of(chunks):
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


# Chat


def test_a_response_is_complete_and_says_who_served_it(sdk, upstream):
    response = sdk.chat("text", temperature=0.5, user="someone")
    assert response.choices[0].message.content == TEXT
    assert response.choices[0].finish_reason == "stop"
    assert response.usage.model_dump(exclude_none=True) == USAGE
    about = response.model_extra["_router"]
    assert (about["provider"], about["model_name"], about["attempts"]) == ("p-text", "text", 1)

    request = upstream.next_request("text")
    assert request.body == {
        "model": "up-text", "messages": [{"role": "user", "content": "Hi"}], "temperature": 0.5, "user": "someone",
    }  # fmt: skip
    assert request.headers["authorization"] == f"Bearer {PROVIDER_KEY}"


def test_a_stream_has_the_same_text_and_ends(sdk):
    chunks = sdk.stream("text", [])
    assert text_of(chunks) == TEXT
    assert [chunk.choices[0].finish_reason for chunk in chunks][-1] == "stop"
    assert all(chunk.choices for chunk in chunks), "the usage comes only if it is asked for"
    first, last = chunks[0].model_extra["_router"], chunks[-1].model_extra["_router"]
    assert first["model_name"] == last["model_name"] == "text"
    assert "total_ms" in last["timing"]


def test_a_stream_has_its_usage_if_it_is_asked_for(sdk):
    chunks = sdk.stream("text", [], stream_options={"include_usage": True})
    assert chunks[-1].choices == []
    assert chunks[-1].usage.model_dump(exclude_none=True) == USAGE


def test_the_raw_response_has_the_call_record_in_its_headers(sdk):
    ask = {"model": "text", "messages": [{"role": "user", "content": "Hi"}], "extra_headers": {"x-request-id": "client-7"}}
    raw = sdk.run(lambda client: client.chat.completions.with_raw_response.create(**ask))
    assert raw.headers["x-router-provider"] == "p-text"
    assert raw.headers["x-router-model"] == "text"
    assert raw.headers["x-router-attempts"] == "1"
    assert raw.headers["x-router-fallback"] == "false"
    assert raw.request_id == raw.headers["x-request-id"] == "client-7"
    assert raw.parse().choices[0].message.content == TEXT


def test_a_route_falls_back(sdk):
    response = sdk.chat("auto")
    about = response.model_extra["_router"]
    assert response.choices[0].message.content == TEXT
    assert (about["route"], about["model_name"], about["fallback_used"]) == ("auto", "text", True)
    assert [(error["model_name"], error["status"]) for error in about["errors"]] == [("fail", 500)]


def test_routing_overrides_go_into_extra_body(sdk, upstream):
    response = sdk.chat("image", extra_body={"timeout_secs": 20, "fallback_model": "text", "new_field": [1]})
    assert response.choices[0].message.content == "a cat"
    assert upstream.next_request("image").body.keys() == {"model", "messages", "new_field"}


def test_the_models_are_listed(sdk):
    async def names_async(client):
        return [model.id async for model in client.models.list()]

    def names(client):
        return names_async(client) if isinstance(client, openai.AsyncOpenAI) else [model.id for model in client.models.list()]

    assert {"text", "tools", "auto"} <= set(sdk.run(names))
    assert set(sdk.run(names, api_key=NARROW_KEY)) == {"text", "auto"}
    assert sdk.run(lambda client: client.models.retrieve("text")).id == "text"


# Tools, images and structured output

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        },
    }
]


def calls_of(message):
    return [(call.id, call.function.name, json.loads(call.function.arguments)) for call in message.tool_calls]


def test_tools_are_called_in_parallel_and_their_results_are_answered(sdk, upstream):
    response = sdk.chat("tools", "Weather?", tools=TOOLS, parallel_tool_calls=True)
    assert response.choices[0].finish_reason == "tool_calls"
    assert calls_of(response.choices[0].message) == CALLS
    assert upstream.next_request("tools").body["tools"] == TOOLS

    results = [{"role": "tool", "tool_call_id": id, "content": "7"} for id, _, _ in CALLS]
    asked = [{"role": "user", "content": "Weather?"}, response.choices[0].message, *results]
    assert sdk.chat("tools", messages=asked, tools=TOOLS).choices[0].message.content == "It is 7 and 3 degrees."
    assert [message["role"] for message in upstream.next_request("tools").body["messages"]] == ["user", "assistant", "tool", "tool"]


def final_of_stream(sdk, **members):
    """The message that the SDK puts together from a stream."""

    def final(client):
        with client.chat.completions.stream(**members) as stream:
            return stream.get_final_completion()

    async def final_async(client):
        async with client.chat.completions.stream(**members) as stream:
            return await stream.get_final_completion()

    return sdk.run(lambda client: final_async(client) if isinstance(client, openai.AsyncOpenAI) else final(client))


def test_parallel_tool_calls_are_put_together_from_a_stream(sdk):
    message = {"role": "user", "content": "Weather?"}
    response = final_of_stream(sdk, model="tools", messages=[message], tools=TOOLS)
    assert response.choices[0].finish_reason == "tool_calls"
    assert calls_of(response.choices[0].message) == CALLS


def test_an_image_reaches_the_upstream_unchanged(sdk, upstream):
    url = "data:image/png;base64," + "iVBORw0KGgo" * 20_000
    content = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": url, "detail": "low"}}]
    response = sdk.chat("image", messages=[{"role": "user", "content": content}])
    assert response.choices[0].message.content == "a cat"
    assert upstream.next_request("image").body["messages"][0]["content"] == content


class Weather(BaseModel):
    city: str
    degrees: int


WEATHER = Weather(city="Paris", degrees=7)


def test_structured_output_is_parsed(sdk, upstream):
    ask = {"model": "structured", "messages": [{"role": "user", "content": "Weather?"}], "response_format": Weather}
    response = sdk.run(lambda client: client.chat.completions.parse(**ask))
    assert response.choices[0].message.parsed == WEATHER
    assert response.model_extra["_router"]["data"] == WEATHER.model_dump()
    assert upstream.next_request("structured").body["response_format"]["json_schema"]["name"] == "Weather"
    assert final_of_stream(sdk, **ask).choices[0].message.parsed == WEATHER


def test_the_arguments_of_a_tool_are_parsed(sdk):
    ask = {"model": "structured", "messages": [{"role": "user", "content": "Weather?"}]}
    tools = [openai.pydantic_function_tool(Weather)]
    response = sdk.run(lambda client: client.chat.completions.parse(**ask, tools=tools))
    assert response.choices[0].message.tool_calls[0].function.parsed_arguments == WEATHER


# Embeddings


def embed(sdk, **members):
    return sdk.run(lambda client: client.embeddings.create(model="embed", **members))


@pytest.mark.parametrize(
    "members",
    [
        {"input": "a"}, {"input": ["a", "Привет"]}, {"input": [1, 2]}, {"input": [[1, 2], [3]]},
        {"input": ["a", "b"], "dimensions": 2},
    ],
)  # fmt: skip
@pytest.mark.parametrize("encoding", ["float", "base64", None])
def test_vectors_arrive_in_each_encoding(sdk, upstream, members, encoding):
    asked = members | ({"encoding_format": encoding} if encoding else {})
    response = embed(sdk, **asked)
    expected = vectors(members)
    if encoding == "base64":
        assert [decoded(data.embedding) for data in response.data] == expected
    else:
        # Without an encoding, the SDK asks for base64 and decodes it.
        assert [data.embedding for data in response.data] == expected
    assert [data.index for data in response.data] == list(range(len(expected)))
    assert response.usage.prompt_tokens == 4
    body = upstream.next_request("embed").body
    assert body == {"model": "up-embed", "encoding_format": encoding or "base64"} | members


def decoded(text):
    data = base64.b64decode(text)
    return list(struct.unpack(f"<{len(data) // 4}f", data))


def test_the_raw_response_of_embeddings_says_who_served_it(sdk):
    raw = sdk.run(lambda client: client.embeddings.with_raw_response.create(model="embed", input="a"))
    assert raw.headers["x-router-model"] == "embed"
    assert raw.parse().data[0].embedding == vectors({"input": "a"})[0]


def test_a_model_serves_only_its_operations(sdk):
    with pytest.raises(openai.BadRequestError, match="embeddings"):
        sdk.chat("embed")
    with pytest.raises(openai.BadRequestError, match="chat"):
        sdk.run(lambda client: client.embeddings.create(model="text", input="a"))


# Errors


@pytest.fixture(params=[False, True], ids=["buffered", "streamed"])
def ask(sdk, request):
    """Asks a model, with or without a stream."""
    return (lambda model, **members: sdk.stream(model, [], **members)) if request.param else sdk.chat


def test_a_wrong_key_is_an_authentication_error(sdk):
    ask = {"model": "text", "messages": []}
    with pytest.raises(openai.AuthenticationError) as raised:
        sdk.run(lambda client: client.chat.completions.create(**ask), api_key="sk-wrong-0123456789")
    assert raised.value.type == "authentication_error"
    assert raised.value.code == "invalid_api_key"
    assert "sk-wrong-0123456789" not in str(raised.value)


def test_an_unknown_model_is_not_found(ask):
    with pytest.raises(openai.NotFoundError) as raised:
        ask("no-such-model")
    assert raised.value.code == "model_not_found"


def test_a_model_that_the_key_may_not_use_is_not_found(sdk):
    ask = {"model": "tools", "messages": []}
    with pytest.raises(openai.NotFoundError) as raised:
        sdk.run(lambda client: client.chat.completions.create(**ask), api_key=NARROW_KEY)
    assert raised.value.code == "model_not_found"


def test_a_bad_routing_override_is_a_bad_request(ask):
    with pytest.raises(openai.BadRequestError) as raised:
        ask("text", extra_body={"timeout_secs": "soon"})
    assert (raised.value.type, raised.value.param) == ("invalid_request_error", "timeout_secs")


def test_the_upstreams_refusal_of_a_request_keeps_its_words(ask):
    with pytest.raises(openai.BadRequestError) as raised:
        ask("refuse", temperature=9)
    error = raised.value
    assert "'temperature' must be at most 2" in error.message
    assert (error.code, error.param) == ("invalid_value", "temperature")


def test_a_rate_limit_says_how_long_to_wait(ask):
    with pytest.raises(openai.RateLimitError) as raised:
        ask("limit")
    assert raised.value.code == "rate_limit_exceeded"
    assert 1 <= int(raised.value.response.headers["retry-after"]) <= 7


def test_the_failure_of_a_named_model_keeps_its_status(ask):
    with pytest.raises(openai.InternalServerError) as raised:
        ask("fail")
    assert raised.value.status_code == 500
    assert "it has failed" in raised.value.message


def test_a_502_is_final_for_the_sdk(sdk, upstream):
    ask = {"model": "broken", "messages": []}
    with pytest.raises(openai.InternalServerError) as raised:
        sdk.run(lambda client: client.chat.completions.create(**ask), max_retries=2)
    assert (raised.value.status_code, raised.value.type) == (502, "api_error")
    assert raised.value.response.headers["x-should-retry"] == "false"
    assert raised.value.response.json()["_router"]["errors"][0]["message"] == "it has failed"
    upstream.next_request("fail")
    assert upstream.requests["fail"].empty()


def test_a_refusal_of_the_routers_own_key_is_not_the_clients(ask):
    with pytest.raises(openai.InternalServerError) as raised:
        ask("reject_key")
    assert raised.value.status_code == 502
    assert PROVIDER_KEY not in raised.value.response.text


@pytest.mark.parametrize(("model", "code"), [("break_off", "server_error"), ("cut_off", "upstream_truncated")])
def test_an_error_inside_a_stream_is_raised_after_its_chunks(sdk, model, code):
    chunks = []
    with pytest.raises(openai.APIError) as raised:
        sdk.stream(model, chunks)
    assert raised.value.code == code
    assert text_of(chunks) == "Once"


# Audio


@pytest.mark.parametrize("size", [1000, 3 << 20], ids=["in memory", "in a file"])
def test_a_recording_is_transcribed_and_translated(sdk, upstream, size):
    sound = SOUND * (size // len(SOUND) + 1)
    for name in ["transcriptions", "translations"]:
        result = sdk.run(lambda client: getattr(client.audio, name).create(model="listen", file=("a.wav", sound), prompt="names"))
        assert result.text == TRANSCRIPT
        exchange = upstream.next_request("listen")
        assert exchange.path == f"/v1/audio/{name}"
        assert (exchange.body["file"], exchange.body["model"], exchange.body["prompt"]) == (sound, "up-listen", "names")


@pytest.mark.parametrize("kind", ["text", "srt", "vtt", "verbose_json"])
def test_a_transcript_has_the_form_that_is_asked_for(sdk, kind):
    result = sdk.run(
        lambda client: client.audio.transcriptions.create(model="listen", file=("a.wav", b"RIFF"), response_format=kind)
    )
    if kind == "verbose_json":
        assert (result.text, result.duration) == (TRANSCRIPT, 2.0)
    else:
        assert result == SUBTITLES[kind]


def test_a_transcription_is_streamed(router):
    with openai.OpenAI(base_url=router.url, api_key=KEY) as client:
        events = list(client.audio.transcriptions.create(model="listen", file=("a.wav", b"RIFF"), stream=True))
    assert [event.type for event in events] == ["transcript.text.delta"] * 2 + ["transcript.text.done"]
    assert events[-1].text == TRANSCRIPT


def test_speech_is_audio_or_events(router):
    with openai.OpenAI(base_url=router.url, api_key=KEY) as client:
        ask = {"model": "speak", "voice": "alloy", "input": "Hello"}
        with client.audio.speech.with_streaming_response.create(**ask) as response:
            assert response.headers["content-type"] == "audio/mpeg"
            assert b"".join(response.iter_bytes()) == SOUND
        text = client.audio.speech.create(**ask, stream_format="sse").read().decode()
    assert [json.loads(line[6:])["type"] for line in text.splitlines() if line] == ["speech.audio.delta", "speech.audio.done"]


# Cancellation


def test_a_closed_stream_closes_the_upstream(router, upstream):
    with openai.OpenAI(base_url=router.url, api_key=KEY, max_retries=0) as client:
        stream = client.chat.completions.create(model="hang", messages=[], stream=True)
        assert next(stream).choices[0].delta.content == "Once"
        exchange = upstream.next_request("hang")
        assert not exchange.closed.is_set()
        stream.close()
        assert exchange.closed.wait(WAIT), "the upstream's connection stayed open"


@pytest.mark.parametrize("is_stream", [False, True], ids=["buffered", "streamed"])
def test_a_cancelled_task_closes_the_upstream(router, upstream, is_stream):
    async def body():
        async with openai.AsyncOpenAI(base_url=router.url, api_key=KEY, max_retries=0) as client:

            async def use():
                response = await client.chat.completions.create(model="hang", messages=[], stream=is_stream)
                async for _ in response:
                    pass

            task = asyncio.create_task(use())
            exchange = await asyncio.to_thread(upstream.next_request, "hang")
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await asyncio.to_thread(exchange.closed.wait, WAIT), "the upstream's connection stayed open"

    asyncio.run(body())
