"""What each model of the upstream does."""

import base64
import json
import struct


def text(exchange):
    exchange.say("Hello", ", ", "Привет 🚀")


CALLS = [("call_1", "get_weather", {"city": "Paris"}), ("call_2", "get_weather", {"city": "Oslo"})]


def tools(exchange):
    """Calls a tool for each city, in parallel, and answers when it has the results."""
    if exchange.has_results:
        exchange.say("It is 7 and 3 degrees.")
    else:
        exchange.call(CALLS)


def agent(exchange):
    """Has the client run a command, and says when it is done. Requests without tools are a client's own business."""
    names = [tool.get("name") or tool["function"]["name"] for tool in exchange.body.get("tools", [])]
    if "Bash" not in names:
        exchange.say("ok")
    elif exchange.has_results:
        exchange.say("It is done.")
    else:
        exchange.call([("toolu_1", "Bash", {"command": "echo 42 > answer.txt", "description": "Write the answer"})])


def codex(exchange):
    """Has Codex run a command, and says when it is done."""
    names = [tool.get("name") or tool.get("function", {}).get("name") for tool in exchange.body.get("tools", [])]
    shell = next((name for name in ("shell_command", "exec_command", "shell", "local_shell") if name in names), None)
    if shell is None or exchange.has_results:
        return exchange.say("It is done.")
    command = "echo 42 > answer.txt"
    arguments = {"shell_command": {"command": command}, "exec_command": {"cmd": command}}
    exchange.call([("call_1", shell, arguments.get(shell, {"command": ["sh", "-c", command]}))])


PATCH = "*** Begin Patch\n*** End Patch"


def patch(exchange):
    """Calls a tool whose argument is a text, which only OpenAI's responses have."""
    if exchange.has_results:
        exchange.say("It is patched.")
    else:
        is_custom = type(exchange.format).__name__ == "Responses" and exchange.body["tools"][0]["type"] == "custom"
        exchange.call([("call_1", "apply_patch", PATCH if is_custom else {"input": PATCH})])


def think(exchange):
    exchange.think("I think", "c2lnbmVk", "so", " I am")


def image(exchange):
    exchange.say("a cat")


def structured(exchange):
    """Fills the schema of the request, as its text or as the arguments of its tool."""
    value = {"city": "Paris", "degrees": 7}
    if tools := exchange.body.get("tools"):
        tool = tools[0].get("function") or tools[0].get("functionDeclarations", tools)[0]
        return exchange.call([("call_1", tool["name"], value)])
    text = json.dumps(value)
    exchange.say(text[:10], text[10:])


def vectors(body):
    """A vector for each input of a request."""
    given = body["input"]
    count = len(given) if isinstance(given, list) and not isinstance(given[0], int) else 1
    return [[0.5, -0.25, float(index)][: body.get("dimensions")] for index in range(count)]


def embed(exchange):
    if requests := exchange.body.get("requests"):
        found = vectors({"input": requests, "dimensions": requests[0].get("outputDimensionality")})
        return exchange.reply({"embeddings": [{"values": vector} for vector in found]})

    def encoded(vector):
        if exchange.body.get("encoding_format") != "base64":
            return vector
        return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()

    data = [
        {"object": "embedding", "index": index, "embedding": encoded(vector)}
        for index, vector in enumerate(vectors(exchange.body))
    ]
    if "/api/" in exchange.path:
        found = vectors(exchange.body)
        return exchange.reply({"model": "up-model", "embeddings": found, "prompt_eval_count": 4})
    usage = {"prompt_tokens": 4, "total_tokens": 4}
    exchange.reply({"object": "list", "data": data, "model": "up-model", "usage": usage})


TRANSCRIPT = "Hello, Привет"
SUBTITLES = {
    "text": f"{TRANSCRIPT}\n",
    "srt": f"1\n00:00:00,000 --> 00:00:02,000\n{TRANSCRIPT}\n\n",
    "vtt": f"WEBVTT\n\n00:00:00.000 --> 00:00:02.000\n{TRANSCRIPT}\n\n",
}


def listen(exchange):
    """Writes the transcript in the form that is asked for, or as events."""
    form = exchange.body
    if form.get("stream") == "true":
        exchange.begin_stream()
        for word in TRANSCRIPT.split(" "):
            exchange.format.event({"type": "transcript.text.delta", "delta": word})
        return exchange.format.event({"type": "transcript.text.done", "text": TRANSCRIPT})
    kind = form.get("response_format", "json")
    if kind in SUBTITLES:
        return exchange.reply(SUBTITLES[kind].encode(), content_type="text/plain; charset=utf-8")
    verbose = {"task": "transcribe", "language": "english", "duration": 2.0, "segments": []}
    exchange.reply({"text": TRANSCRIPT} | (verbose if kind == "verbose_json" else {}))


SOUND = bytes(range(256)) * 400


def speak(exchange):
    """Sends audio, or audio in events."""
    if exchange.body.get("stream_format") == "sse":
        exchange.begin_stream()
        exchange.format.event({"type": "speech.audio.delta", "audio": base64.b64encode(SOUND[:9]).decode()})
        return exchange.format.event({"type": "speech.audio.done", "usage": {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}})
    exchange.reply(SOUND, content_type="audio/mpeg")


def refuse(exchange):
    exchange.fail(400, "'temperature' must be at most 2", code="invalid_value", param="temperature")


def limit(exchange):
    exchange.fail(429, "slow down", code="rate_limit_exceeded", retry_after="7")


def fail(exchange):
    exchange.fail(500, "it has failed")


def reject_key(exchange):
    key = exchange.headers["x-api-key"] or exchange.headers["x-goog-api-key"] or exchange.headers["authorization"].removeprefix("Bearer ")
    exchange.fail(401, f"the key {key} is wrong", code="invalid_api_key")


def break_off(exchange):
    """Reports an error after the first text."""
    exchange.begin("Once")
    exchange.fail_in_stream("out of memory", "server_error")


def cut_off(exchange):
    """Closes the connection after the first text."""
    exchange.begin("Once")


def hang(exchange):
    """Sends a text, if the response is streamed, and then nothing."""
    if exchange.is_stream:
        exchange.begin("Once")
    exchange.wait_for_close()


ALL = {
    script.__name__: script
    for script in [
        *(text, tools, agent, codex, patch, think, image, structured, embed, listen, speak),
        *(refuse, limit, fail, reject_key, break_off, cut_off, hang),
    ]
}
