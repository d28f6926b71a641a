"""The traces of a router, decoded by OpenTelemetry's own message definitions."""

import base64
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from threading import Thread

import openai
import pytest
from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest, ExportTraceServiceResponse
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from router import RouterProcess
from upstream import WAIT

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"


def decoded(data):
    """An export in OTLP's JSON, in which ids are hexadecimal. Protobuf's own JSON has base64 there."""

    def with_base64(node):
        if isinstance(node, list):
            return [with_base64(item) for item in node]
        if not isinstance(node, dict):
            return node
        ids = {"traceId", "spanId", "parentSpanId"}
        return {key: base64.b64encode(bytes.fromhex(value)).decode() if key in ids else with_base64(value) for key, value in node.items()}

    # An unknown field is an error.
    return json_format.ParseDict(with_base64(json.loads(data)), ExportTraceServiceRequest())


class Collector:
    def __init__(self):
        exports = self.exports = Queue()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                exports.put((self.path, dict(self.headers), self.rfile.read(int(self.headers["content-length"]))))
                body = json_format.MessageToJson(ExportTraceServiceResponse()).encode()
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def spans(self, count):
        """The next spans, and the resources that they come from."""
        spans, resources = [], []
        while len(spans) < count:
            path, headers, data = self.exports.get(timeout=WAIT)
            assert path == "/v1/traces" and headers["content-type"] == "application/json"
            for resource_spans in decoded(data).resource_spans:
                resources.append(attributes(resource_spans.resource))
                spans += [span for scope in resource_spans.scope_spans for span in scope.spans]
        return spans, resources


def attributes(node):
    return {item.key: getattr(item.value, item.value.WhichOneof("value")) for item in node.attributes}


@pytest.fixture(scope="module")
def collector():
    collector = Collector()
    yield collector
    collector.server.shutdown()


@pytest.fixture(scope="module")
def client(collector):
    router = RouterProcess(
        f"""
version: 1
listen: 127.0.0.1:0
telemetry: {{ otlp: {{ endpoint: "{collector.url}" }} }}
defaults: {{ retry: {{ retries: 0 }} }}
providers:
  failing: {{ plugin: demo, fail: 503 }}
  steady: {{ plugin: demo }}
models:
  broken: {{ provider: failing }}
  works: {{ provider: steady, price: {{ input: 1, output: 2 }} }}
routes:
  auto: {{ try: [broken, works] }}
"""
    )
    with openai.OpenAI(base_url=router.url, api_key="none", max_retries=0) as client:
        yield client
    router.stop()


def test_a_streamed_failover(client, collector):
    stream = client.chat.completions.create(
        model="auto",
        messages=[{"role": "user", "content": "a secret prompt"}],
        stream=True,
        temperature=0.5,
        extra_headers={"traceparent": f"00-{TRACE}-{PARENT}-01", "tracestate": "vendor=1"},
    )
    assert list(stream)
    [server, failed, served], [resource] = collector.spans(3)
    assert resource["service.name"] == "llm-router" and resource["service.version"]
    assert all(span.trace_id == bytes.fromhex(TRACE) for span in [server, failed, served])
    assert server.parent_span_id == bytes.fromhex(PARENT)
    assert failed.parent_span_id == served.parent_span_id == server.span_id
    assert [span.kind for span in [server, failed, served]] == [Span.SPAN_KIND_SERVER, Span.SPAN_KIND_CLIENT, Span.SPAN_KIND_CLIENT]
    assert [span.name for span in [server, failed, served]] == ["POST /v1/chat/completions", "chat broken", "chat works"]
    assert [span.status.code for span in [server, failed, served]] == [
        Status.STATUS_CODE_UNSET, Status.STATUS_CODE_ERROR, Status.STATUS_CODE_UNSET,
    ]  # fmt: skip
    assert [event.name for event in server.events] == ["llm_router.retry", "llm_router.first_content"]
    assert attributes(server)["llm_router.attempts"] == 2 and attributes(server)["llm_router.cost_usd"] > 0
    assert attributes(failed)["error.type"] == "upstream_error" and attributes(failed)["http.response.status_code"] == 503
    found = attributes(served)
    assert found["gen_ai.operation.name"] == "chat" and found["gen_ai.request.stream"] is True
    assert [value.string_value for value in found["gen_ai.response.finish_reasons"].values] == ["stop"]
    assert found["gen_ai.request.temperature"] == 0.5
    assert attributes(server)["url.scheme"] == "http" and server.trace_state == failed.trace_state == "vendor=1"
    assert found["gen_ai.usage.output_tokens"] > 0 and found["gen_ai.response.time_to_first_chunk"] > 0
    assert server.start_time_unix_nano <= failed.start_time_unix_nano <= served.start_time_unix_nano
    assert served.end_time_unix_nano <= server.end_time_unix_nano
    assert "secret prompt" not in str([server, failed, served])


def test_a_refused_request(client, collector):
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.create(model="nothing", messages=[])
    [span], _ = collector.spans(1)
    assert span.parent_span_id == b"" and len(span.trace_id) == 16 and len(span.span_id) == 8
    assert attributes(span)["error.type"] == "model_not_found" and attributes(span)["http.response.status_code"] == 404
