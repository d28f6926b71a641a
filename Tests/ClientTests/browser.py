"""A headless Chromium, driven by its DevTools protocol."""

import base64
import json
import re
import subprocess
import tempfile
from threading import Timer
from time import monotonic

from websockets.sync.client import connect

WAIT = 20  # seconds until something that doesn't happen is a failure


class Navigated(Exception):
    """The page has gone to another while it was asked."""


class Browser:
    """One browser with one tab."""

    def __init__(self, program="chromium"):
        self.profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self.process = subprocess.Popen(
            [
                program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                "--remote-debugging-port=0", f"--user-data-dir={self.profile.name}", "about:blank",
            ],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        timeout = Timer(WAIT, self.process.kill)
        timeout.start()
        log = ""
        while not (found := re.search(r"listening on (ws://\S+)", log)):
            line = self.process.stderr.readline()
            log += line
            assert line, f"the browser did not start:\n{log}"
        timeout.cancel()
        # Nobody reads the rest of the log; a full pipe would block the browser.
        Timer(0, lambda: self.process.stderr.read()).start()
        self.socket = connect(found[1], max_size=None)
        self.number = 0
        # What the page has complained about: exceptions, console errors, and refused loads.
        self.problems = []
        # The addresses that the page has loaded from.
        self.loads = []
        self.session = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ["Page", "Runtime", "Log", "Network"]:
            self.call(f"{domain}.enable")

    def call(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        self.socket.send(json.dumps(message))
        while True:
            answer = json.loads(self.socket.recv(timeout=WAIT))
            if answer.get("id") == self.number:
                if "navigated" in answer.get("error", {}).get("message", ""):
                    raise Navigated
                assert "error" not in answer, f"{method}: {answer['error']}"
                return answer["result"]
            self.note(answer)

    def note(self, event):
        parameters = event.get("params", {})
        match event.get("method"):
            case "Runtime.exceptionThrown":
                details = parameters["exceptionDetails"]
                self.problems.append(details.get("exception", {}).get("description", details["text"]))
            case "Log.entryAdded" if parameters["entry"]["level"] == "error":
                entry = parameters["entry"]
                self.problems.append(f"{entry['text']} {entry.get('url', '')}")
            case "Network.requestWillBeSent":
                self.loads.append(parameters["request"]["url"])

    def show(self, width, height, dark=False):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def open(self, url):
        self.call("Page.navigate", url=url)
        self.until(f"document.readyState === 'complete' && location.href.startsWith({json.dumps(url)})")

    def reload(self):
        self.run("window.isOld = true")
        self.call("Page.reload")
        self.until("!window.isOld && document.readyState === 'complete'")

    def run(self, script):
        """The value of an expression, after its promise."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, f"{script}: {answer['exceptionDetails']}"
        return answer["result"].get("value")

    def until(self, condition):
        """Waits in the page until an expression is true, and returns its value."""
        script = f"""new Promise((resolve, reject) => {{
            const end = performance.now() + {WAIT * 500}
            const look = () => {{
                let value
                try {{ value = ({condition}) }} catch {{ value = undefined }}
                if (value) resolve(value instanceof Node ? true : value)
                else if (performance.now() > end) resolve(null)
                else setTimeout(look, 20)
            }}
            look()
        }})"""
        end = monotonic() + WAIT
        value = None
        while value is None and monotonic() < end:
            try:
                value = self.run(script) or False
            except Navigated:  # the page that was looked at is gone
                continue
        assert value, f"this stays untrue: {condition}\nthe page shows:\n{self.run('document.body.innerText')[:3000]}\n{self.problems}"
        return value

    def click(self, selector, text=""):
        """Clicks the first visible element that has the selector and contains the text."""
        self.until(f"{find(selector, text)} !== undefined")
        self.run(f"{find(selector, text)}.click()")

    def press(self, key):
        text = key if len(key) == 1 else ""
        code = {"Enter": 13, "Escape": 27, "Tab": 9}.get(key, ord(key.upper()) if text else 0)
        common = {"key": key, "windowsVirtualKeyCode": code, "text": "\r" if key == "Enter" else text}
        self.call("Input.dispatchKeyEvent", type="keyDown", **common)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=code)

    def write(self, selector, text):
        """Writes into a field as a person does."""
        self.until(f"{find(selector)} !== undefined")
        self.run(f"{find(selector)}.focus(); {find(selector)}.select?.()")
        self.call("Input.insertText", text=text)

    def picture(self, path, full=False):
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=full)["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))

    def stop(self):
        self.socket.close()
        self.process.terminate()
        self.process.wait(timeout=30)
        self.profile.cleanup()


def find(selector, text=""):
    return (
        f"[...document.querySelectorAll({json.dumps(selector)})]"
        f".find((node) => node.checkVisibility() && node.textContent.includes({json.dumps(text)}))"
    )
