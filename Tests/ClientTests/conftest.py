import asyncio

import openai
import pytest
import scripts
from router import KEY, Router
from upstream import Upstream


@pytest.fixture(scope="session")
def running_upstream():
    upstream = Upstream(scripts.ALL)
    yield upstream
    upstream.stop()


@pytest.fixture(scope="session")
def router(running_upstream):
    router = Router(running_upstream)
    yield router
    router.stop()


@pytest.fixture
def upstream(running_upstream):
    """The upstream, without the requests of earlier tests."""
    running_upstream.forget()
    return running_upstream


@pytest.fixture(params=["", "claude-", "responses-", "gemini-", "ollama-"], ids=["chat", "messages", "responses", "gemini", "ollama"])
def prefix(request):
    """What the names of the models begin with whose upstream has this format."""
    return request.param


class SyncSDK:
    """The SDK's client, with the SDK's own retries off unless a test sets them."""

    def __init__(self, url):
        self.settings = {"base_url": url, "api_key": KEY, "max_retries": 0}

    def run(self, use, **settings):
        """The result of `use(client)`."""
        with openai.OpenAI(**self.settings | settings) as client:
            return use(client)

    def chat(self, model, prompt="Hi", **members):
        members.setdefault("messages", [{"role": "user", "content": prompt}])
        return self.run(lambda client: client.chat.completions.create(model=model, **members))

    def stream(self, model, into, prompt="Hi", **members):
        """Appends the chunks of a stream to `into`, so that those before a failure are known."""
        with openai.OpenAI(**self.settings) as client:
            messages = members.pop("messages", [{"role": "user", "content": prompt}])
            for chunk in client.chat.completions.create(model=model, messages=messages, stream=True, **members):
                into.append(chunk)
        return into


class AsyncSDK(SyncSDK):
    """The same with the asynchronous client."""

    def run(self, use, **settings):
        async def body():
            async with openai.AsyncOpenAI(**self.settings | settings) as client:
                return await use(client)

        return asyncio.run(body())

    def stream(self, model, into, prompt="Hi", **members):
        async def body():
            async with openai.AsyncOpenAI(**self.settings) as client:
                messages = members.pop("messages", [{"role": "user", "content": prompt}])
                async for chunk in await client.chat.completions.create(model=model, messages=messages, stream=True, **members):
                    into.append(chunk)

        asyncio.run(body())
        return into


@pytest.fixture(params=[SyncSDK, AsyncSDK], ids=["sync", "async"])
def sdk(request, router):
    return request.param(router.url)
