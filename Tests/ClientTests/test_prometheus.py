"""A Prometheus server that scrapes a running router, and answers what the Grafana dashboard asks."""

import json
import re
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pytest
from router import RouterProcess
from upstream import WAIT

ADMIN = "sk-admin-0123456789"
TEAM = "sk-team-0123456789"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
MONITORING = Path(__file__).parents[2] / "docs/monitoring"

pytestmark = pytest.mark.skipif(not shutil.which("prometheus"), reason="Debian's package prometheus can't be installed here")

# Every panel of the dashboard has something to show for one of these requests. A key with a budget uses only models with
# a price. Nothing listens on port 9, neither for the provider nor for the traces.
POLICY = f"""
version: 1
listen: 127.0.0.1:0
telemetry: {{ otlp: {{ endpoint: "http://127.0.0.1:9", sample: 0 }} }}
defaults: {{ retry: {{ retries: 0 }}, breaker: {{ failures: 2, cooldown: 5m }} }}
providers:
  steady: {{ plugin: demo }}
  busy: {{ plugin: demo, fail: 429 }}
  away: {{ plugin: openai-compatible, base_url: "http://127.0.0.1:9/v1" }}
models:
  works: {{ provider: steady, price: {{ input: 1, output: 2 }}, limits: {{ requests_per_minute: 600, concurrent: 5 }} }}
  spare: {{ provider: steady, price: {{ input: 1, output: 2 }} }}
  limited: {{ provider: busy, price: {{ input: 1, output: 2 }} }}
  missing: {{ provider: away, price: {{ input: 1, output: 2 }} }}
routes:
  auto: {{ try: [limited, works] }}
  last: {{ try: [missing], fallback: [spare] }}
keys:
  admin: {{ secret: {ADMIN}, admin: true }}
  team: {{ secret: {TEAM}, budget: {{ usd: 10, tokens: 1000000, per: day }} }}
"""

# What needs longer, or another provider: nothing has waited in a queue, the demo reports no tokens of a cache, and no
# soft budget is used up.
MAY_BE_EMPTY = ["llm_router_queue_seconds_bucket", "llm_router_key_requests_beyond_budget_total"]


def chat(router, model, stream=False, **fields):
    body = {"model": model, "messages": [{"role": "user", "content": "Hello"}], "stream": stream}
    headers = {"authorization": f"Bearer {TEAM}", **fields}
    request = urllib.request.Request(f"{router.url}/chat/completions", json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=WAIT) as response:
            response.read()
    except urllib.error.HTTPError as error:
        error.read()


class Prometheus:
    """The server of Debian's package `prometheus`, which scrapes each second."""

    def __init__(self, router):
        self.folder = tempfile.TemporaryDirectory()
        folder = Path(self.folder.name)
        config = {
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(MONITORING / "alerts.yaml")],
            "scrape_configs": [
                {
                    "job_name": "llm-router",
                    "authorization": {"credentials": ADMIN},
                    "static_configs": [{"targets": [router.origin.removeprefix("http://")]}],
                }
            ],
        }
        (folder / "prometheus.yml").write_text(json.dumps(config))
        self.log = open(folder / "log", "w+")
        self.process = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                "--web.listen-address=127.0.0.1:0",
                "--enable-feature=exemplar-storage",
            ],
            stdout=self.log,
            stderr=subprocess.STDOUT,
        )
        self.origin = f"http://{self.wait_for(self.address)}"
        self.wait_for(self.is_ready)

    def address(self):
        text = Path(self.log.name).read_text()
        assert self.process.poll() is None, text
        found = re.search(r'msg="Listening on" address=(127\.0\.0\.1:\d+)', text)
        return found and found[1]

    def is_ready(self):
        try:
            with urllib.request.urlopen(f"{self.origin}/-/ready", timeout=WAIT) as response:
                return response.status == 200
        except urllib.error.HTTPError:
            return False

    def wait_for(self, condition):
        """The result of `condition()` as soon as it is true."""
        end = time.monotonic() + WAIT
        while not (result := condition()):
            assert time.monotonic() < end, Path(self.log.name).read_text()
            time.sleep(0.1)
        return result

    def get(self, path, **parameters):
        """The data of the response."""
        url = f"{self.origin}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=WAIT) as response:
                return json.load(response)["data"]
        except urllib.error.HTTPError as error:
            pytest.fail(f"{parameters}: {error.read().decode()}")

    def query(self, expression):
        return self.get("query", query=expression)["result"]

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=30)
        self.log.close()
        self.folder.cleanup()


@pytest.fixture(scope="module")
def router():
    router = RouterProcess(POLICY)
    for model in ["auto", "auto", "auto", "last", "last", "missing"]:
        chat(router, model)
    for _ in range(2):
        chat(router, "works", stream=True, traceparent=f"00-{TRACE}-00f067aa0ba902b7-01")
    yield router
    router.stop()


@pytest.fixture(scope="module")
def prometheus(router):
    prometheus = Prometheus(router)
    # The rate of a counter needs more than one sample.
    prometheus.wait_for(lambda: prometheus.query("count_over_time(llm_router_build_info[1m]) >= 3"))
    yield prometheus
    prometheus.stop()


def expressions():
    """Those of the dashboard, with Grafana's variables replaced."""
    dashboard = json.loads((MONITORING / "dashboard.json").read_text())
    all = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
    all += [annotation["expr"] for annotation in dashboard["annotations"]["list"] if "expr" in annotation]
    replaced = [expression.replace("$__rate_interval", "1m").replace("$__range", "1m") for expression in all]
    return [re.sub(r"\$[a-z]+", ".*", expression) for expression in replaced]


@pytest.mark.parametrize("expression", expressions())
def test_prometheus_answers_the_queries_of_the_dashboard(prometheus, expression):
    result = prometheus.query(expression)
    is_condition = " > 0" in expression
    assert result or is_condition or any(name in expression for name in MAY_BE_EMPTY), expression


def test_the_variables_of_the_dashboard_have_values(prometheus):
    dashboard = json.loads((MONITORING / "dashboard.json").read_text())
    queries = [variable["query"]["query"] for variable in dashboard["templating"]["list"] if variable["type"] == "query"]
    assert len(queries) >= 5
    for query in queries:
        metric, label = re.fullmatch(r"label_values\((\w+)(?:\{.*\})?, (\w+)\)", query).groups()
        assert prometheus.get(f"label/{label}/values", **{"match[]": metric}), query


def test_the_scrape_succeeds_in_openmetrics(prometheus):
    [target] = prometheus.get("targets")["activeTargets"]
    assert target["health"] == "up" and target["lastError"] == ""
    assert prometheus.query("up")[0]["value"][1] == "1"
    [series] = prometheus.query('llm_router_requests_total{endpoint="chat",status="200"}')
    assert int(series["value"][1]) >= 7


def test_the_alert_rules_are_evaluated(prometheus):
    rules = [rule for group in prometheus.get("rules")["groups"] for rule in group["rules"]]
    assert len(rules) >= 5
    prometheus.wait_for(lambda: all(rule["health"] != "unknown" for rule in prometheus.get("rules")["groups"][0]["rules"]))
    assert [rule for rule in prometheus.get("rules")["groups"][0]["rules"] if rule["health"] != "ok"] == []


@pytest.mark.parametrize("family", ["llm_router_request_duration_seconds_bucket", "llm_router_time_to_first_token_seconds_bucket"])
def test_exemplars_lead_to_traces(prometheus, family):
    now = time.time()
    found = prometheus.get("query_exemplars", query=family, start=now - 60, end=now + 60)
    assert {exemplar["labels"]["trace_id"] for series in found for exemplar in series["exemplars"]} == {TRACE}


def test_promtool_finds_nothing_to_complain_about(router):
    request = urllib.request.Request(f"{router.origin}/metrics", headers={"authorization": f"Bearer {ADMIN}"})
    with urllib.request.urlopen(request, timeout=WAIT) as response:
        text = response.read()
    check = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True)
    assert check.returncode == 0 and check.stderr == b"" and check.stdout == b"", check.stderr.decode()
