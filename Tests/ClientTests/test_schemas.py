"""The JSON Schema of policies and the OpenAPI description, judged by the validators of others."""

import json
import pathlib
import subprocess

import jsonschema
import pytest
import yaml
from openapi_spec_validator import validate

from router import PROGRAM

ROOT = pathlib.Path(__file__).parents[2]
GOOD = sorted((ROOT / "Tests/RoutingPolicyTests/Goldens/good").glob("*.yaml"))
SCHEMA = json.loads((ROOT / "docs/routes.schema.json").read_text())


def errors(policy):
    validator = jsonschema.Draft202012Validator(SCHEMA)
    return [f"{error.json_path}: {error.message}"[:200] for error in validator.iter_errors(json.loads(json.dumps(policy)))]


def test_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", [ROOT / "routes.yaml", ROOT / "Packaging/container/routes.yaml", ROOT / "Packaging/debian/routes.yaml"], ids=str)
def test_a_policy_of_the_repository_is_valid(path):
    assert errors(yaml.safe_load(path.read_text())) == []


@pytest.mark.parametrize(
    "text",
    [
        "routez: {}",
        "version: 2",
        "version: '1'",
        "server: { drain: 30 }",
        "providers: { p: { plugin: openai, base_ur: x } }",
        "providers: { p: { plugin: openai, base_url: [x] } }",
        "models: { m: { provider: p, weight: 2000 } }",
        "models: { m: { provider: p, supports: [images] } }",
        "routes: { r: { fallback: [m] } }",
        "defaults: { failover: { 403: wait } }",
        "defaults: { failover: { 303: next } }",
    ],
)
def test_a_mistake_is_found(text):
    document = json.loads(json.dumps(yaml.safe_load(text)))
    assert errors(document) != []


@pytest.mark.parametrize(
    "text",
    [
        "version: 1",
        "server: { drain: '${DRAIN:-30s}' }",
        "defaults: { breaker: off, failover: { 403: stop } }",
        "routes: { r: { try: [m, { select: { max_price: 1 }, order: best }] } }",
        "keys: { k: { sha256: 1234 } }",
        "models: { m: { provider: p, price: { per_minute: 0.006 } }, n: { provider: p, price: { per_request: 1 } } }",
        "models: { m: { provider: p, limits: null, timeouts: null } }",
        "plugins: [own.so]\nproviders: { p: { plugin: own, anything: [1] } }",
        "server:\ndefaults:\nkeys:\nroutes:\nlog:\n",
    ],
)
def test_what_the_language_allows_is_allowed(text):
    assert errors(json.loads(json.dumps(yaml.safe_load(text)))) == []


def test_the_description_of_the_api_is_valid(router):
    import httpx

    validate(httpx.get(f"{router.origin}/openapi.json").json())


def test_the_first_policy_is_valid(tmp_path):
    subprocess.run([PROGRAM, "init", "--yes", "routes.yaml"], cwd=tmp_path, check=True, capture_output=True)
    assert errors(yaml.safe_load((tmp_path / "routes.yaml").read_text())) == []
