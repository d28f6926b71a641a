"""Codex works with the router as with OpenAI, whatever format the upstream has.

Codex is a program of 300 MB, so these tests are apart from the others.
"""

import json
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from router import KEY

PROGRAM = Path(sys.executable).parent / "codex"


def run(router, tmp_path, model, catalog=None, **provider):
    """What Codex reports, and its folder.

    - catalog: the router's catalog of models; None: Codex's own.
    - provider: more settings of the provider.
    """
    home, folder = tmp_path / "home", tmp_path / "folder"
    home.mkdir()
    folder.mkdir()
    settings = {"name": "llm-router", "base_url": router.url, "wire_api": "responses", "env_key": "ROUTER_KEY"} | provider
    lines = [f'model = "{model}"', 'model_provider = "router"', 'approval_policy = "never"', 'sandbox_mode = "danger-full-access"']
    if catalog:
        (home / "catalog.json").write_text(catalog)
        lines.append(f"model_catalog_json = {json.dumps(str(home / 'catalog.json'))}")
    lines += ["[model_providers.router]", *(f"{name} = {json.dumps(value)}" for name, value in settings.items())]
    (home / "config.toml").write_text("\n".join(lines) + "\n")
    # Nothing of the machine's own configuration, and no other server.
    environment = {"HOME": str(home), "CODEX_HOME": str(home), "PATH": "/usr/bin:/bin", "ROUTER_KEY": KEY}
    command = [PROGRAM, "exec", "--json", "--skip-git-repo-check", "Write the answer"]
    ended = subprocess.run(
        command, env=environment, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return [json.loads(line) for line in ended.stdout.splitlines()], folder


def items_of(events, type):
    return [event["item"] for event in events if event["type"] == "item.completed" and event["item"]["type"] == type]


@pytest.mark.parametrize("model", ["codex", "claude-codex", "responses-codex"])
def test_codex_runs_a_tool_and_ends(router, upstream, tmp_path, model):
    events, folder = run(router, tmp_path, model)
    assert [item["text"] for item in items_of(events, "agent_message")] == ["It is done."]
    assert [item["exit_code"] for item in items_of(events, "command_execution")] == [0]
    assert (folder / "answer.txt").read_text() == "42\n"
    assert events[-1]["type"] == "turn.completed"

    request = upstream.next_request("codex")
    assert request.body["model"] == "up-codex"
    assert KEY not in str(request.headers)


def test_codex_uses_http_if_it_would_rather_use_a_websocket(router, tmp_path):
    events, folder = run(router, tmp_path, "codex", supports_websockets=True)
    assert (folder / "answer.txt").read_text() == "42\n"
    assert events[-1]["type"] == "turn.completed"


def test_codex_takes_the_routers_catalog(router, upstream, tmp_path):
    request = urllib.request.Request(f"{router.url}/models?client_version=0.147.0", headers={"authorization": f"Bearer {KEY}"})
    catalog = urllib.request.urlopen(request).read().decode()
    events, _ = run(router, tmp_path, "codex", catalog)
    # Codex reports a model that isn't in its catalog, and a catalog that it can't read.
    assert not items_of(events, "error")
    assert [item["text"] for item in items_of(events, "agent_message")] == ["It is done."]
    assert "You are a coding agent in the user's terminal" in str(upstream.next_request("codex").body["messages"][0])
