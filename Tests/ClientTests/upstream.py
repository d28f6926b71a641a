"""An upstream in OpenAI's format. Each model has a script, and its requests are recorded."""

import json
import queue
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

WAIT = 20  # seconds: the longest wait for something that should happen at once

USAGE = {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}


class Exchange(BaseHTTPRequestHandler):
    """One request, and what its script sends."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        name = self.body["model"].removeprefix("up-")
        self.server.requests[name].put(self)
        self.server.scripts[name](self)

    def log_message(self, *_):
        pass

    def reply(self, body, status=200, **fields):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        for name, value in fields.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)

    def fail(self, status, message, code=None, param=None, **fields):
        error = {"message": message, "type": "an_error", "param": param, "code": code}
        self.reply({"error": error}, status, **fields)

    def begin_stream(self):
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        self.close_connection = True

    def event(self, data):
        self.wfile.write(f"data: {data if isinstance(data, str) else json.dumps(data)}\n\n".encode())

    def chunk(self, delta=None, finish=None, **members):
        choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
        self.event(completion("chat.completion.chunk", choices) | members)

    def respond(self, message, deltas, finish="stop"):
        """Responds with a message, or with the same in deltas if the request asks for a stream."""
        if not self.body.get("stream"):
            choice = {"index": 0, "message": {"role": "assistant"} | message, "finish_reason": finish}
            return self.reply(completion("chat.completion", [choice]) | {"usage": USAGE})
        self.begin_stream()
        self.chunk({"role": "assistant", "content": ""})
        for delta in deltas:
            self.chunk(delta)
        self.chunk({}, finish)
        if self.body.get("stream_options", {}).get("include_usage"):
            self.chunk(usage=USAGE)
        self.event("[DONE]")

    def say(self, *texts):
        self.respond({"content": "".join(texts)}, [{"content": text} for text in texts])

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


def completion(kind, choices):
    return {"id": "chatcmpl-1", "object": kind, "created": 1766000000, "model": "up-model", "choices": choices}


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
        return f"http://127.0.0.1:{self.server_port}/v1"

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
