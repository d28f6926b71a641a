"""What each model of the upstream does."""

import base64
import json
import struct


def text(exchange):
    exchange.say("Hello", ", ", "Привет 🚀")


CALLS = [("call_1", "get_weather", {"city": "Paris"}), ("call_2", "get_weather", {"city": "Oslo"})]


def tools(exchange):
    """Calls a tool for each city, in parallel, and answers when it has the results."""
    if exchange.body["messages"][-1]["role"] == "tool":
        return exchange.say("It is 7 and 3 degrees.")
    calls = [
        {"id": id, "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
        for id, name, arguments in CALLS
    ]
    begin = [{**call, "index": index, "function": {"name": CALLS[index][1], "arguments": ""}} for index, call in enumerate(calls)]
    halves = [
        {"index": index, "function": {"arguments": call["function"]["arguments"][part]}}
        for part in (slice(0, 5), slice(5, None))
        for index, call in enumerate(calls)
    ]
    deltas = [{"tool_calls": [call]} for call in begin + halves]
    exchange.respond({"content": None, "tool_calls": calls}, deltas, "tool_calls")


def image(exchange):
    exchange.say("a cat")


def structured(exchange):
    """Fills the schema of the request, as its text or as the arguments of its tool."""
    value = json.dumps({"city": "Paris", "degrees": 7})
    if tools := exchange.body.get("tools"):
        call = {"id": "call_1", "type": "function", "function": {"name": tools[0]["function"]["name"], "arguments": value}}
        return exchange.respond({"content": None, "tool_calls": [call]}, [{"tool_calls": [{"index": 0} | call]}], "tool_calls")
    exchange.say(value[:10], value[10:])


def vectors(body):
    """A vector for each input of a request."""
    given = body["input"]
    count = len(given) if isinstance(given, list) and not isinstance(given[0], int) else 1
    return [[0.5, -0.25, float(index)][: body.get("dimensions")] for index in range(count)]


def embed(exchange):
    def encoded(vector):
        if exchange.body.get("encoding_format") != "base64":
            return vector
        return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()

    data = [
        {"object": "embedding", "index": index, "embedding": encoded(vector)}
        for index, vector in enumerate(vectors(exchange.body))
    ]
    usage = {"prompt_tokens": 4, "total_tokens": 4}
    exchange.reply({"object": "list", "data": data, "model": "up-model", "usage": usage})


def refuse(exchange):
    exchange.fail(400, "'temperature' must be at most 2", code="invalid_value", param="temperature")


def limit(exchange):
    exchange.fail(429, "slow down", code="rate_limit_exceeded", retry_after="7")


def fail(exchange):
    exchange.fail(500, "it has failed")


def reject_key(exchange):
    key = exchange.headers["authorization"].removeprefix("Bearer ")
    exchange.fail(401, f"the key {key} is wrong", code="invalid_api_key")


def break_off(exchange):
    """Reports an error after the first text."""
    exchange.begin_stream()
    exchange.chunk({"role": "assistant", "content": "Once"})
    exchange.event({"error": {"message": "out of memory", "code": "server_error"}})


def cut_off(exchange):
    """Closes the connection after the first text."""
    exchange.begin_stream()
    exchange.chunk({"role": "assistant", "content": "Once"})


def hang(exchange):
    """Sends a text, if the response is streamed, and then nothing."""
    if exchange.body.get("stream"):
        exchange.begin_stream()
        exchange.chunk({"role": "assistant", "content": "Once"})
    exchange.wait_for_close()


ALL = {
    script.__name__: script
    for script in [text, tools, image, structured, embed, refuse, limit, fail, reject_key, break_off, cut_off, hang]
}
