"""Claude Code works with the router as with Anthropic, whatever format the upstream has.

Claude Code is a program of 400 MB, so these tests are apart from the others.
"""

import json
import subprocess
from pathlib import Path

import claude_agent_sdk
import pytest
from router import KEY

PROGRAM = Path(claude_agent_sdk.__file__).parent / "_bundled/claude"


@pytest.mark.parametrize("model", ["agent", "claude-agent", "claude-agent[1m]"])
def test_claude_code_runs_a_tool_and_ends(router, upstream, tmp_path, model):
    home, folder = tmp_path / "home", tmp_path / "folder"
    home.mkdir()
    folder.mkdir()
    # Nothing of the machine's own configuration, and no other server.
    environment = {
        "HOME": str(home),
        "PATH": "/usr/bin:/bin",
        "ANTHROPIC_BASE_URL": router.origin,
        "ANTHROPIC_AUTH_TOKEN": KEY,
        "ANTHROPIC_DEFAULT_HAIKU_MODEL": model,
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    }
    arguments = ["-p", "Write the answer", "--model", model, "--allowedTools", "Bash", "--output-format", "json"]
    run = subprocess.run(
        [PROGRAM, *arguments], env=environment, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120
    )
    assert run.returncode == 0, run.stdout + run.stderr
    result = json.loads(run.stdout)
    assert (result["is_error"], result["result"]) == (False, "It is done.")
    assert (folder / "answer.txt").read_text() == "42\n"

    request = upstream.next_request("agent")
    assert request.body["model"] == "up-agent"
    assert KEY not in str(request.headers)
    if model != "agent":
        # What Claude Code asks for beyond the plain format reaches an upstream of the format.
        assert "claude-code-" in request.headers["anthropic-beta"]
        assert request.body["thinking"] and request.body["system"]
