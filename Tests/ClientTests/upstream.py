"""An upstream in the formats of OpenAI, chat completions and responses, of Anthropic, of Gemini and of Ollama.

Each model has a script, and its requests are recorded.
"""

import json
import queue
import re
from email import policy
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

WAIT = 20  # seconds: the longest wait for something that should happen at once

USAGE = {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}


class Exchange(BaseHTTPRequestHandler):
    """One request. Its script says what happens, and the format of its path how that is written."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        data = self.rfile.read(int(self.headers["content-length"]))
        if self.headers["content-type"].startswith("multipart/"):
            self.body = form(self.headers["content-type"], data)
        else:
            self.body = json.loads(data)
        if found := re.search(r"/models/gemini-3-(\w+):(\w+)", self.path):
            name, verb = found.groups()
            self.format = Contents(self)
            # Gemini's body says neither.
            self.body["stream"] = verb == "streamGenerateContent"
        else:
            name, verb = self.body["model"].removeprefix("up-"), None
            formats = {"/messages": Messages, "/responses": Responses, "/api/": Ollama}
            self.format = next((format for path, format in formats.items() if path in self.path), Completions)(self)
        self.server.requests[name].put(self)
        if verb == "countTokens":
            return self.reply({"totalTokens": 42})
        if self.path.endswith(("/count_tokens", "/input_tokens")):
            return self.reply({"input_tokens": 42})
        self.server.scripts[name](self)

    def log_message(self, *_):
        pass

    def reply(self, body, status=200, content_type="application/json", **fields):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", content_type)
        self.send_header("content-length", str(len(data)))
        self.send_header(self.format.id_field, "upstream-7")
        for name, value in fields.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)

    def begin_stream(self):
        self.send_response(200)
        self.send_header("content-type", self.format.stream_type)
        self.send_header(self.format.id_field, "upstream-7")
        self.send_header("connection", "close")
        self.end_headers()
        self.close_connection = True

    @property
    def is_stream(self):
        return self.body.get("stream", isinstance(self.format, Ollama))

    def say(self, *texts):
        self.format.respond(texts=texts)

    def call(self, calls):
        """Calls tools: `(id, name, arguments)`."""
        self.format.respond(calls=calls)

    def think(self, thought, token, *texts):
        """Reasons, with the provider's token where the format has one, and then says the texts."""
        self.format.respond(texts=texts, thought=thought, token=token)

    def begin(self, text):
        """Begins a stream with a text."""
        self.begin_stream()
        self.format.begin(text)

    def fail(self, status, message, code=None, param=None, **fields):
        self.reply(self.format.error(message, code, param), status, **fields)

    def fail_in_stream(self, message, code):
        self.format.fail_in_stream(message, code)

    @property
    def has_results(self):
        """Whether the request has the results of tools."""
        messages = self.body.get("messages") or self.body.get("contents") or self.body["input"]
        return not isinstance(messages, str) and any(self.format.has_results(message) for message in messages)

    def wait_for_close(self):
        """Sends nothing more, and records when the router closes the connection."""
        self.connection.settimeout(WAIT)
        try:
            if self.connection.recv(1) == b"":
                self.closed.set()
        except ConnectionError:
            self.closed.set()
        except TimeoutError:
            pass
        self.close_connection = True

    def setup(self):
        super().setup()
        self.closed = Event()


class Completions:
    """OpenAI's format."""

    id_field = "x-request-id"
    stream_type = "text/event-stream"

    def __init__(self, exchange):
        self.exchange = exchange

    def event(self, data):
        self.exchange.wfile.write(f"data: {data if isinstance(data, str) else json.dumps(data)}\n\n".encode())

    def chunk(self, delta=None, finish=None, **members):
        choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
        self.event(self.completion("chat.completion.chunk", choices) | members)

    @staticmethod
    def completion(kind, choices):
        return {"id": "chatcmpl-1", "object": kind, "created": 1766000000, "model": "up-model", "choices": choices}

    def respond(self, texts=(), calls=(), thought=None, token=None):
        finish = "tool_calls" if calls else "stop"
        whole = [
            {"id": id, "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
            for id, name, arguments in calls
        ]
        if not self.exchange.is_stream:
            message = {"role": "assistant", "content": "".join(texts) or None}
            message |= {"tool_calls": whole} if calls else {}
            message |= {"reasoning_content": thought} if thought else {}
            choice = {"index": 0, "message": message, "finish_reason": finish}
            return self.exchange.reply(self.completion("chat.completion", [choice]) | {"usage": USAGE})
        self.exchange.begin_stream()
        self.chunk({"role": "assistant", "content": ""})
        if thought:
            self.chunk({"reasoning_content": thought})
        for text in texts:
            self.chunk({"content": text})
        # The arguments of several calls come in turn.
        for index, call in enumerate(whole):
            self.chunk({"tool_calls": [{**call, "index": index, "function": {"name": calls[index][1], "arguments": ""}}]})
        for part in (slice(0, 5), slice(5, None)):
            for index, call in enumerate(whole):
                self.chunk({"tool_calls": [{"index": index, "function": {"arguments": call["function"]["arguments"][part]}}]})
        self.chunk({}, finish)
        if self.exchange.body.get("stream_options", {}).get("include_usage"):
            self.chunk(usage=USAGE)
        self.event("[DONE]")

    def begin(self, text):
        self.chunk({"role": "assistant", "content": text})

    def error(self, message, code, param):
        return {"error": {"message": message, "type": "an_error", "param": param, "code": code}}

    def fail_in_stream(self, message, code):
        self.event({"error": {"message": message, "code": code}})

    @staticmethod
    def has_results(message):
        return message["role"] == "tool"


class Responses:
    """OpenAI's format of responses."""

    id_field = "x-request-id"
    stream_type = "text/event-stream"
    usage = {
        "input_tokens": 3,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": 5,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 8,
    }

    def __init__(self, exchange):
        self.exchange = exchange
        self.number = 0

    def event(self, type, **members):
        data = {"type": type, "sequence_number": self.number} | members
        self.number += 1
        self.exchange.wfile.write(f"event: {type}\ndata: {json.dumps(data)}\n\n".encode())

    def response(self, status, output=(), usage=None, **members):
        about = {"id": "resp_upstream", "object": "response", "created_at": 1766000000, "status": status, "error": None}
        about |= {"incomplete_details": None, "instructions": None, "model": "up-model", "output": list(output)}
        about |= {"parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "metadata": {}, "usage": usage}
        return about | members

    @staticmethod
    def item(type, index, **members):
        prefix = {"message": "msg", "reasoning": "rs", "function_call": "fc", "custom_tool_call": "ctc"}[type]
        return {"type": type, "id": f"{prefix}_{index}"} | members

    def items(self, texts, calls, thought, token):
        items = []
        if thought:
            summary = [{"type": "summary_text", "text": thought}]
            items.append(self.item("reasoning", len(items), summary=summary, encrypted_content=token))
        if texts:
            content = [{"type": "output_text", "text": "".join(texts), "annotations": [], "logprobs": []}]
            items.append(self.item("message", len(items), status="completed", role="assistant", content=content))
        for id, name, arguments in calls:
            about = {"status": "completed", "call_id": id, "name": name}
            if isinstance(arguments, str):
                items.append(self.item("custom_tool_call", len(items), input=arguments, **about))
            else:
                items.append(self.item("function_call", len(items), arguments=json.dumps(arguments), **about))
        return items

    def respond(self, texts=(), calls=(), thought=None, token=None):
        items = self.items(texts, calls, thought, token)
        if not self.exchange.is_stream:
            return self.exchange.reply(self.response("completed", items, self.usage))
        self.exchange.begin_stream()
        self.event("response.created", response=self.response("in_progress"))
        self.event("response.in_progress", response=self.response("in_progress"))
        for index, item in enumerate(items):
            self.stream(index, item, texts)
        self.event("response.completed", response=self.response("completed", items, self.usage))

    def stream(self, index, item, texts):
        about = {"item_id": item["id"], "output_index": index}
        empty = {"message": {"content": [], "status": "in_progress"}, "reasoning": {"summary": []}}
        empty |= {"function_call": {"arguments": ""}, "custom_tool_call": {"input": ""}}
        self.event("response.output_item.added", output_index=index, item=item | empty[item["type"]])
        if item["type"] == "message":
            self.text(about, texts, item["content"][0])
        elif item["type"] == "reasoning":
            about["summary_index"] = 0
            part = item["summary"][0]
            self.event("response.reasoning_summary_part.added", **about, part=part | {"text": ""})
            self.event("response.reasoning_summary_text.delta", **about, delta=part["text"])
            self.event("response.reasoning_summary_text.done", **about, text=part["text"])
            self.event("response.reasoning_summary_part.done", **about, part=part)
        elif item["type"] == "function_call":
            for part in (item["arguments"][:5], item["arguments"][5:]):
                self.event("response.function_call_arguments.delta", **about, delta=part)
            self.event("response.function_call_arguments.done", **about, name=item["name"], arguments=item["arguments"])
        else:
            self.event("response.custom_tool_call_input.delta", **about, delta=item["input"])
            self.event("response.custom_tool_call_input.done", **about, input=item["input"])
        self.event("response.output_item.done", output_index=index, item=item)

    def text(self, about, texts, part):
        about = about | {"content_index": 0}
        self.event("response.content_part.added", **about, part=part | {"text": ""})
        for text in texts:
            self.event("response.output_text.delta", **about, delta=text, logprobs=[])
        self.event("response.output_text.done", **about, text=part["text"], logprobs=[])
        self.event("response.content_part.done", **about, part=part)

    def begin(self, text):
        self.event("response.created", response=self.response("in_progress"))
        item = self.item("message", 0, status="in_progress", role="assistant", content=[])
        self.event("response.output_item.added", output_index=0, item=item)
        about = {"item_id": item["id"], "output_index": 0, "content_index": 0}
        self.event("response.content_part.added", **about, part={"type": "output_text", "text": "", "annotations": []})
        self.event("response.output_text.delta", **about, delta=text, logprobs=[])

    def error(self, message, code, param):
        return {"error": {"message": message, "type": "an_error", "param": param, "code": code}}

    def fail_in_stream(self, message, code):
        self.event("response.failed", response=self.response("failed", error={"code": code, "message": message}))

    @staticmethod
    def has_results(item):
        return item.get("type", "").endswith("_output")


class Messages:
    """Anthropic's format."""

    id_field = "request-id"
    stream_type = "text/event-stream"
    usage = {"input_tokens": 3, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": 5}

    def __init__(self, exchange):
        self.exchange = exchange

    def event(self, type, **members):
        self.exchange.wfile.write(f"event: {type}\ndata: {json.dumps({'type': type} | members)}\n\n".encode())

    def message(self, content, stop_reason, usage):
        about = {"id": "msg_upstream", "type": "message", "role": "assistant", "model": "up-model"}
        return about | {"content": content, "stop_reason": stop_reason, "stop_sequence": None, "usage": usage}

    def respond(self, texts=(), calls=(), thought=None, token=None):
        stop_reason = "tool_use" if calls else "end_turn"
        tools = [{"type": "tool_use", "id": id, "name": name, "input": arguments} for id, name, arguments in calls]
        thoughts = [{"type": "thinking", "thinking": thought, "signature": token}] if thought else []
        if not self.exchange.is_stream:
            said = [{"type": "text", "text": "".join(texts)}] if texts else []
            return self.exchange.reply(self.message(thoughts + said + tools, stop_reason, self.usage))
        self.exchange.begin_stream()
        self.event("message_start", message=self.message([], None, self.usage | {"output_tokens": 1}))
        self.event("ping")
        index = 0
        for block in thoughts:
            deltas = [{"type": "thinking_delta", "thinking": thought}, {"type": "signature_delta", "signature": token}]
            index = self.block(index, block | {"thinking": "", "signature": ""}, deltas)
        if texts:
            index = self.block(index, {"type": "text", "text": ""}, [{"type": "text_delta", "text": text} for text in texts])
        for tool in tools:
            arguments = json.dumps(tool["input"])
            deltas = [{"type": "input_json_delta", "partial_json": part} for part in ("", arguments[:5], arguments[5:])]
            index = self.block(index, tool | {"input": {}}, deltas)
        self.event("message_delta", delta={"stop_reason": stop_reason, "stop_sequence": None}, usage=self.usage)
        self.event("message_stop")

    def block(self, index, block, deltas):
        self.event("content_block_start", index=index, content_block=block)
        for delta in deltas:
            self.event("content_block_delta", index=index, delta=delta)
        self.event("content_block_stop", index=index)
        return index + 1

    def begin(self, text):
        self.event("message_start", message=self.message([], None, self.usage | {"output_tokens": 1}))
        self.event("content_block_start", index=0, content_block={"type": "text", "text": ""})
        self.event("content_block_delta", index=0, delta={"type": "text_delta", "text": text})

    def error(self, message, code, param):
        words = {"invalid_value": "invalid_request_error", "rate_limit_exceeded": "rate_limit_error"}
        words |= {"invalid_api_key": "authentication_error", "server_error": "overloaded_error"}
        return {"type": "error", "error": {"type": words.get(code, "api_error"), "message": message}, "request_id": "upstream-7"}

    def fail_in_stream(self, message, code):
        self.event(**self.error(message, code, None))

    @staticmethod
    def has_results(message):
        return isinstance(message["content"], list) and any(part["type"] == "tool_result" for part in message["content"])


class Ollama:
    """Ollama's format."""

    id_field = "x-upstream-id"
    stream_type = "application/x-ndjson"

    def __init__(self, exchange):
        self.exchange = exchange

    def line(self, done=False, **message):
        line = {"model": "up-model", "created_at": "2026-11-28T12:00:00.123456789Z", "done": done}
        if self.exchange.path == "/api/generate":
            line["response"] = message.get("content", "")
        else:
            line["message"] = {"role": "assistant", "content": ""} | message
        counts = {"done_reason": "stop", "total_duration": 9, "prompt_eval_count": 3, "eval_count": 5}
        return line | (counts if done else {})

    def event(self, data):
        self.exchange.wfile.write(json.dumps(data).encode() + b"\n")

    def respond(self, texts=(), calls=(), thought=None, token=None):
        calls = [
            {"id": id, "function": {"index": index, "name": name, "arguments": arguments}}
            for index, (id, name, arguments) in enumerate(calls)
        ]
        tools = {"tool_calls": calls} if calls else {}
        if not self.exchange.is_stream:
            thoughts = {"thinking": thought} if thought else {}
            return self.exchange.reply(self.line(True, content="".join(texts), **thoughts, **tools))
        self.exchange.begin_stream()
        if thought:
            self.event(self.line(thinking=thought))
        for text in texts:
            self.event(self.line(content=text))
        if tools:
            self.event(self.line(**tools))
        self.event(self.line(True))

    def begin(self, text):
        self.event(self.line(content=text))

    def error(self, message, code, param):
        return {"error": message}

    def fail_in_stream(self, message, code):
        self.event({"error": message})

    @staticmethod
    def has_results(message):
        return message["role"] == "tool"


class Contents:
    """Gemini's format."""

    id_field = "x-request-id"
    stream_type = "text/event-stream"
    usage = {"promptTokenCount": 3, "candidatesTokenCount": 5, "totalTokenCount": 8}

    def __init__(self, exchange):
        self.exchange = exchange

    def event(self, data):
        self.exchange.wfile.write(f"data: {json.dumps(data)}\r\n\r\n".encode())

    def response(self, parts, finish=None):
        candidate = {"content": {"parts": parts, "role": "model"}, "index": 0}
        response = {"candidates": [candidate], "modelVersion": "up-model", "responseId": "upstream-7"}
        if finish:
            candidate["finishReason"] = finish
            response["usageMetadata"] = self.usage
        return response

    def respond(self, texts=(), calls=(), thought=None, token=None):
        parts = [{"text": thought, "thought": True}] if thought else []
        parts += [{"text": text} for text in texts]
        parts += [{"functionCall": {"id": id, "name": name, "args": arguments}} for id, name, arguments in calls]
        # The signature of a step is on its first call, or at its end.
        signed = next((part for part in parts if "functionCall" in part), parts[-1])
        signed["thoughtSignature"] = token or "c2lnbmVk"
        if not self.exchange.is_stream:
            return self.exchange.reply(self.response(parts, "STOP"))
        self.exchange.begin_stream()
        for part in parts:
            self.event(self.response([part]))
        self.event(self.response([{"text": ""}], "STOP"))

    def begin(self, text):
        self.event(self.response([{"text": text}]))

    def error(self, message, code, param):
        statuses = {"invalid_value": (400, "INVALID_ARGUMENT"), "rate_limit_exceeded": (429, "RESOURCE_EXHAUSTED")}
        statuses |= {"invalid_api_key": (401, "UNAUTHENTICATED"), "server_error": (503, "UNAVAILABLE")}
        number, status = statuses.get(code, (500, "INTERNAL"))
        wait = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "7s"}
        return {"error": {"code": number, "message": message, "status": status, "details": [wait] if number == 429 else []}}

    def fail_in_stream(self, message, code):
        self.event(self.error(message, code, None))

    @staticmethod
    def has_results(content):
        # Google's servers read both spellings.
        return any("functionResponse" in part or "function_response" in part for part in content["parts"])


def form(content_type, data):
    """The fields of a form: texts, and the bytes of files."""
    message = BytesParser(policy=policy.HTTP).parsebytes(b"content-type: " + content_type.encode() + b"\r\n\r\n" + data)
    fields = {}
    for part in message.iter_parts():
        value = part.get_payload(decode=True)
        name = part.get_param("name", header="content-disposition")
        fields[name] = value if part.get_filename() else value.decode()
    return fields


class Upstream(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, scripts):
        super().__init__(("127.0.0.1", 0), Exchange)
        self.scripts = scripts
        self.requests = {name: queue.Queue() for name in scripts}
        self.thread = Thread(target=self.serve_forever, daemon=True)
        self.thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"

    def next_request(self, name) -> Exchange:
        """The oldest request to a model that was not returned yet; waits for it."""
        return self.requests[name].get(timeout=WAIT)

    def forget(self):
        for requests in self.requests.values():
            while not requests.empty():
                requests.get()

    def stop(self):
        self.shutdown()
        self.server_close()
