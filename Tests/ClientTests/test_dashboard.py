"""The dashboard at /ui/, in a real browser."""

import base64
import json
import os
import signal
import urllib.error
import urllib.request

import pytest
from browser import Browser
from router import RouterProcess

ADMIN = "sk-admin-0123456789"
TEAM = "sk-team-0123456789"
PROMPT = "the secret plan of the prompt"
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="

POLICY = f"""
version: 1
listen: 127.0.0.1:0
defaults: {{ retry: {{ retries: 0 }}, breaker: {{ failures: 2, cooldown: 5m }} }}
providers:
  steady: {{ plugin: demo }}
  failing: {{ plugin: demo, fail: 503 }}
models:
  broken: {{ provider: failing, supports: [tools] }}
  works: {{ provider: steady, tags: [good], supports: [image, tools], price: {{ input: 1, output: 2 }}, limits: {{ requests_per_minute: 600 }} }}
  spare: {{ provider: steady }}
routes:
  auto:
    try: [broken, {{ select: {{ tags: good }} }}]
    fallback: [spare]
    when: [{{ operation: embeddings, use: direct }}]
  direct: {{ try: works }}
keys:
  admin:
    secret: {ADMIN}
    admin: true
  team:
    secret: {TEAM}
    models: [works, broken, auto]
    budget: {{ usd: 1, tokens: 1000000, per: day, hard: false }}
state: memory
"""

# Short words that take more than one line.
BROKEN_WORDS = """[...document.querySelectorAll('main small')].map((node) => ({ text: node.innerText, height: node.offsetHeight }))
    .filter(({ text, height }) => text.length <= 12 && !/\\s/.test(text.trim()) && height > 30)"""
VIEWS = ["overview", "models", "routes", "requests", "tester", "policy", "usage"]


def post(router, path, body, **headers):
    """The status of the response."""
    request = urllib.request.Request(f"{router.origin}/{path}", json.dumps(body).encode(), {"authorization": f"Bearer {TEAM}", **headers})
    try:
        with urllib.request.urlopen(request) as response:
            response.read()
            return response.status
    except urllib.error.HTTPError as error:
        return error.code


def chat(router, model="auto", **headers):
    return post(router, "v1/chat/completions", {"model": model, "messages": [{"role": "user", "content": PROMPT}]}, **headers)


@pytest.fixture
def router():
    router = RouterProcess(POLICY)
    yield router
    router.stop()


@pytest.fixture(scope="module")
def chromium():
    browser = Browser()
    yield browser
    browser.stop()


@pytest.fixture
def page(chromium, router):
    """The tab at the key's dialog. At its end, it has loaded nothing from elsewhere, and complained of nothing."""
    chromium.problems.clear()
    chromium.loads.clear()
    chromium.show(1440, 900)
    chromium.open("about:blank")
    chromium.open(f"{router.origin}/ui/")
    chromium.until("document.querySelector('#sign-in').open")
    yield chromium
    # Otherwise the page would miss the router when that stops.
    chromium.open("about:blank")
    # The browser logs each error response too; those that a test causes are no problem of the page.
    assert [problem for problem in chromium.problems if "the server responded with a status of" not in problem] == []
    assert [url for url in chromium.loads if not url.startswith((f"{router.origin}/", "data:", "about:"))] == []


@pytest.fixture
def dashboard(page):
    """The tab with the key."""
    page.write("#sign-in-key", ADMIN)
    page.press("Enter")
    page.until("document.querySelector('.live.good')")
    return page


def go(page, view):
    page.run(f"location.hash = {json.dumps(view)}")


def shows(page, text, selector="main"):
    page.until(f"document.querySelector({json.dumps(selector)}).innerText.includes({json.dumps(text)})")


# The page and its key


def test_the_page_may_only_use_itself(router):
    with urllib.request.urlopen(f"{router.origin}/ui/") as response:
        policy = response.headers["content-security-policy"]
        assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in policy and "script-src 'self';" in policy and "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy and "require-trusted-types-for 'script'" in policy


def test_the_address_without_the_slash_leads_to_the_page(chromium, router):
    chromium.open(f"{router.origin}/ui")
    assert chromium.run("location.pathname") == "/ui/"


@pytest.mark.parametrize(("key", "words"), [("sk-wrong-0123456789", "no such key"), (TEAM, "admin")])
def test_a_key_that_is_not_an_admin_key_opens_nothing(page, key, words):
    page.write("#sign-in-key", key)
    page.press("Enter")
    shows(page, words, "#sign-in-error")
    assert page.run("document.querySelector('#sign-in').open && sessionStorage.length === 0")


def test_the_key_is_kept_for_the_tab_only_and_forgotten_on_demand(dashboard):
    assert ADMIN in dashboard.run("JSON.stringify(sessionStorage)")
    assert ADMIN not in dashboard.run("JSON.stringify(localStorage) + document.cookie + location.href")
    dashboard.reload()
    dashboard.until("document.querySelector('.live.good')")
    dashboard.click("button", "Sign out")
    dashboard.until("document.querySelector('#sign-in').open && sessionStorage.length === 0")


def test_without_keys_the_page_asks_for_none(chromium):
    router = RouterProcess(POLICY.split("keys:")[0])
    try:
        chromium.open(f"{router.origin}/ui/")
        chromium.until("document.querySelector('.live.good') && !document.querySelector('#sign-in').open")
        # The page's own origin may send requests, which `explain` is.
        go(chromium, "routes")
        shows(chromium, "steady/works would serve now", "[data-name=direct]")
        chromium.open("about:blank")
    finally:
        router.stop()


@pytest.mark.parametrize(("place", "words"), [
    ("policy", "in service as"), ("usage", "Nothing was used."), ("routes", "steady/works would serve"), ("requests/first", "steady/works"),
])  # fmt: skip
def test_a_view_opened_by_its_address_is_read_again_with_the_key(page, router, place, words):
    assert chat(router, "works", **{"x-request-id": "first"}) == 200
    go(page, place)
    page.write("#sign-in-key", ADMIN)
    page.press("Enter")
    shows(page, words if place != "usage" else "for 1 request")


@pytest.mark.parametrize("width", [320, 360, 390, 681, 700, 768, 834, 900, 1000, 1440])
def test_the_frame_fits_every_width(dashboard, width):
    dashboard.show(width, 900)
    for view in VIEWS:
        go(dashboard, view)
        dashboard.until(f"document.querySelector('nav [aria-current]').hash === '#{view}'")
        assert dashboard.run("document.documentElement.scrollWidth") <= width
    tabs = dashboard.run("[...document.querySelectorAll('nav a')].map((node) => [node.offsetWidth, node.scrollWidth])")
    assert all(wide <= width for width, wide in tabs)


# The views


def test_an_idle_router_has_empty_views(dashboard):
    shows(dashboard, "All 3 models can be called.")
    shows(dashboard, "No requests in the last hour.")
    go(dashboard, "requests")
    shows(dashboard, "No requests yet.")
    go(dashboard, "policy")
    shows(dashboard, "in service as")


def test_the_overview_says_what_fails(dashboard, router):
    assert [chat(router) for _ in range(3)] == [200] * 3
    assert chat(router, "broken") == 503
    shows(dashboard, "1 of 3 models can't be called now.")
    shows(dashboard, "failing/broken open")
    shows(dashboard, "Last failures")
    dashboard.reload()
    shows(dashboard, "25 % of the last hour's requests failed.")
    shows(dashboard, "upstream error")
    assert dashboard.run("document.querySelectorAll('.chart rect.accent').length") > 0


def test_a_model_with_an_open_breaker_can_be_reset(dashboard, router):
    assert [chat(router) for _ in range(2)] == [200] * 2
    go(dashboard, "models")
    dashboard.until("document.querySelector('[data-key=\"failing/broken\"]').innerText.includes('503')")
    shows(dashboard, "open", "[data-key='failing/broken'] .pill")
    shows(dashboard, "600 requests/min", "[data-key='steady/works']")
    dashboard.click("[data-key='failing/broken'] button", "Reset")
    shows(dashboard, "failing/broken is reset")
    shows(dashboard, "ready", "[data-key='failing/broken'] .pill")
    dashboard.write("input[type=search]", "nothing")
    shows(dashboard, "No model matches.")


def test_the_usage_shows_what_keys_and_models_cost_and_what_is_left(dashboard, router):
    go(dashboard, "usage")
    shows(dashboard, "Nothing was used.")
    shows(dashboard, "$1.00 left of $1.00", ".budgets")
    assert [chat(router, "works") for _ in range(3)] == [200] * 3
    dashboard.click(".chips button", "All that is kept")
    shows(dashboard, "for 3 requests", ".headline")
    assert dashboard.run("[...document.querySelectorAll('.ranked span')].map((node) => node.firstChild.textContent)") == ["team", "steady/works"]
    shows(dashboard, "3 requests", ".ranked")
    dashboard.until("!document.querySelector('.budgets').innerText.includes('1.00M tokens left')")


def test_the_routes_show_their_parts_and_who_would_serve(dashboard, router):
    go(dashboard, "routes")
    auto, direct = "[data-name=auto]", "[data-name=direct]"
    shows(dashboard, "failing/broken would serve now", auto)
    parts = dashboard.run(f"[...document.querySelectorAll('{auto} h4')].map((node) => node.textContent)")
    assert parts == ["when", "try", "fallback"]
    shows(dashboard, "operation embeddings", auto)
    assert [chat(router) for _ in range(2)] == [200] * 2
    shows(dashboard, "steady/works would serve now", auto)
    shows(dashboard, "steady/works would serve now", direct)
    dashboard.click("button", "Image")
    dashboard.until(f"[...document.querySelectorAll('{auto} .candidate.out')].some((node) => node.innerText.startsWith('broken'))")


def test_a_request_appears_when_it_has_ended_and_opens_as_a_timeline(dashboard, router):
    go(dashboard, "requests")
    shows(dashboard, "No requests yet.")
    assert chat(router, **{"x-request-id": "first"}) == 200
    assert chat(router, "broken", **{"x-request-id": "second"}) == 503
    dashboard.until("document.querySelectorAll('.requests tbody tr').length === 2")
    dashboard.click(".chips button", "Failed over")
    dashboard.click(".requests tbody tr", "works")
    shows(dashboard, "failing/broken upstream error, 503".split()[0], ".timeline")
    rows = dashboard.run("[...document.querySelectorAll('.timeline li')].map((node) => node.innerText.split('\\n')[0])")
    assert rows == ["failing/broken", "steady/works"]
    assert dashboard.run("document.querySelectorAll('.timeline rect.bad').length") == 1
    shows(dashboard, "first", ".facts")
    dashboard.press("Escape")
    dashboard.until("location.hash === '#requests' && document.querySelector('.detail').hidden")


def test_the_keyboard_reaches_everything(dashboard, router):
    for number, view in enumerate(VIEWS, 1):
        dashboard.press(str(number))
        dashboard.until(f"location.hash === '#{view}'")
        dashboard.until(f"document.querySelector('nav [aria-current]').hash === '#{view}'")
    dashboard.press("4")
    # One after the other: the rows have the order in which the requests ended.
    for count, name in enumerate(["first", "second"], 1):
        assert chat(router, **{"x-request-id": name}) == 200
        dashboard.until(f"document.querySelectorAll('.requests tbody tr').length === {count}")
    dashboard.press("j")
    dashboard.until("location.hash === '#requests/second'")
    dashboard.press("j")
    dashboard.until("location.hash === '#requests/first'")
    dashboard.press("k")
    dashboard.until("location.hash === '#requests/second'")
    dashboard.press("/")
    dashboard.until("document.activeElement.type === 'search'")
    unnamed = dashboard.run(
        "[...document.querySelectorAll('button, a, input, select, textarea')]"
        ".filter((node) => !(node.textContent || node.labels?.length || node.ariaLabel)).map((node) => node.outerHTML)"
    )
    assert unnamed == []


def test_no_view_shows_a_prompt(dashboard, router):
    assert chat(router) == 200
    go(dashboard, "requests")
    dashboard.click(".requests tbody tr", "works")
    shows(dashboard, "Request id", ".facts")
    for view in VIEWS:
        go(dashboard, view)
        assert PROMPT not in dashboard.run("document.documentElement.outerHTML")


def test_a_name_from_a_client_is_only_text(dashboard, router):
    name = "<img src=x onerror=alert(1)>"
    assert chat(router, name) == 404
    go(dashboard, "requests")
    shows(dashboard, name)
    assert dashboard.run("document.querySelectorAll('main img:not([hidden])').length") == 0


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "buffered"])
@pytest.mark.parametrize("face", ["openai", "responses", "anthropic", "gemini", "ollama"])
def test_the_tester_speaks_every_face(dashboard, face, stream):
    go(dashboard, "tester")
    dashboard.until("document.querySelector('form.form select')")
    dashboard.run(f"document.querySelector('form.form select').value = '{face}'")
    if not stream:
        dashboard.click("label.check", "Streamed")
    dashboard.click("button", "Send")
    dashboard.until("/^200 after/.test(document.querySelector('.summary').textContent)")
    assert len(dashboard.run("document.querySelector('.answer').textContent")) > 10
    assert dashboard.run("document.querySelector('.answer').className") == "answer"
    shows(dashboard, "works", ".facts")
    shows(dashboard, "failing/broken try", ".plan")


def test_the_tester_sends_an_image_and_tools(dashboard, tmp_path):
    image = tmp_path / "dot.png"
    image.write_bytes(base64.b64decode(PNG))
    go(dashboard, "tester")
    dashboard.until("document.querySelector('input[type=file]')")
    document = dashboard.call("DOM.getDocument")["root"]["nodeId"]
    node = dashboard.call("DOM.querySelector", nodeId=document, selector="input[type=file]")["nodeId"]
    dashboard.call("DOM.setFileInputFiles", nodeId=node, files=[os.fspath(image)])
    dashboard.until("document.querySelector('form img').naturalWidth === 1")
    dashboard.click("label.check", "Tools")
    dashboard.click("button", "Explain only")
    shows(dashboard, "needs image, tools", ".plan")
    dashboard.click("button", "Send")
    dashboard.until("/^200 after/.test(document.querySelector('.summary').textContent)")


def test_the_tester_shows_an_error(dashboard):
    go(dashboard, "tester")
    dashboard.write("input[list]", "broken")
    dashboard.click("button", "Send")
    dashboard.until("/^503 after/.test(document.querySelector('.summary').textContent)")
    dashboard.until("document.querySelector('.answer.bad').textContent !== ''")


def test_a_copy_of_the_policy_is_checked_and_compared(dashboard):
    go(dashboard, "policy")
    shows(dashboard, "routes:", ".lines")
    assert ADMIN not in dashboard.run("document.body.innerText")
    dashboard.click("button", "Edit a copy")
    dashboard.click("button", "Check")
    shows(dashboard, "The copy is a valid policy")
    dashboard.run("document.querySelector('.editor textarea').setSelectionRange(0, 0)")
    dashboard.call("Input.insertText", text="routs: {}\n")
    dashboard.click("button", "Check")
    shows(dashboard, "The copy has")
    shows(dashboard, "routs", ".issues")
    dashboard.until("document.querySelector('.gutter .bad').textContent.includes('1')")
    dashboard.click("button", "Difference")
    dashboard.until("document.querySelector('.difference .add').textContent.includes('routs: {}')")
    assert dashboard.run("document.querySelectorAll('.difference .add, .difference .remove').length") == 1
    dashboard.click("button", "Discard")
    dashboard.until("document.querySelector('.editor').hidden")


def test_the_warnings_of_the_policy_in_service_are_marked(dashboard, router):
    go(dashboard, "policy")
    shows(dashboard, "routes:", ".lines")
    assert not dashboard.run("document.querySelector('details summary')?.checkVisibility()")
    router.path.write_text(POLICY.replace("providers:\n", "providers:\n  away: { plugin: openai, api_key: '${UNSET_OF_TEST}' }\n"))
    router.process.send_signal(signal.SIGHUP)
    shows(dashboard, "1 warning", "details summary")
    dashboard.until("document.querySelector('.lines li.warn').innerText.includes('away: { plugin: openai, api_key: ')")
    dashboard.click("details summary")
    shows(dashboard, "UNSET_OF_TEST", ".issues")


def test_a_reload_is_listed_with_its_changes_or_errors(dashboard, router):
    go(dashboard, "policy")
    shows(dashboard, "routes:", ".lines")
    router.path.write_text(POLICY.replace("requests_per_minute: 600", "requests_per_minute: 60"))
    router.process.send_signal(signal.SIGHUP)
    shows(dashboard, "by SIGHUP", ".history")
    shows(dashboard, "requests_per_minute: 60 ", ".lines")
    router.path.write_text("version: 2\n")
    dashboard.click("button", "Reload the file")
    shows(dashboard, "failed", ".history")
    shows(dashboard, "/admin/reload", ".history")


@pytest.mark.parametrize(
    ("before", "after", "edits"),
    [
        ("a\nb\nc", "a\nc", ["-b"]), ("a", "a", []), ("", "a", ["-", "+a"]), ("a\nb\nc\nd", "b\nx\nd\ne", ["-a", "-c", "+x", "+e"]),
        ("a\na\na", "a\na", ["-a"]),
    ],
)  # fmt: skip
def test_a_difference_is_the_shortest(dashboard, before, after, edits):
    script = f"import('./lines.js').then(({{ difference }}) => difference({json.dumps(before)}, {json.dumps(after)}))"
    lines = dashboard.run(script)
    assert sorted({"add": "+", "remove": "-"}[line["kind"]] + line["text"] for line in lines if line["kind"] != "same") == sorted(edits)
    assert "\n".join(line["text"] for line in lines if line["kind"] != "remove") == after
    assert "\n".join(line["text"] for line in lines if line["kind"] != "add") == before


# Screens


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [390, 900, 1440])
def test_every_view_fits_the_screen(dashboard, router, width, dark):
    for model in ["auto", "auto", "broken", "no-such-model-with-a-name-that-is-much-too-long-for-the-screen-of-a-phone"]:
        chat(router, model)
    dashboard.show(width, 844, dark)
    for view in VIEWS:
        go(dashboard, view)
        dashboard.until(f"document.querySelector('nav [aria-current]').hash === '#{view}'")
        # The text of the policy and the routes scroll inside their panels.
        assert dashboard.run("document.documentElement.scrollWidth <= innerWidth"), view
        if view == "models":
            dashboard.until("document.querySelector('.models th small')")
        assert dashboard.run(BROKEN_WORDS) == [], view
    dark_ground = dashboard.run("getComputedStyle(document.body).backgroundColor") == "rgb(17, 19, 20)"
    assert dark_ground == dark
