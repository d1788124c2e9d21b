"""A headless Chromium, driven by its DevTools protocol. Also makes the pictures of the documentation:

python -m tests.dashboard.chromium URL FILE.png WIDTH HEIGHT SECONDS [SCRIPT]
"""

import asyncio
import base64
import contextlib
import itertools
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, ClientWebSocketResponse

PROGRAM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
_OPTIONS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-port=0",
]


class Page:
    """One tab. complaints: what the browser logged as an error, such as a breach of the Content-Security-Policy."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self.complaints: list[str] = []
        self._socket = socket
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._reader = asyncio.create_task(self._read())

    async def call(self, method: str, **parameters: Any) -> Any:
        """A DevTools command and its result."""
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        return await answer

    async def open(self, url: str, width: int, height: int) -> None:
        """Go there with a window of this size, on a background that is transparent where the page has none."""
        for domain in ("Page", "Log", "Runtime"):
            await self.call(f"{domain}.enable")
        await self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        await self.call("Emulation.setDefaultBackgroundColorOverride", color={"r": 0, "g": 0, "b": 0, "a": 0})
        await self.call("Page.navigate", url=url)

    async def value(self, expression: str) -> Any:
        """What an expression is in the page."""
        answer = await self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise AssertionError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    async def until(self, expression: str, meanwhile: Callable[[], object] = lambda: None) -> None:
        """Wait until the expression is true; the page looks once a frame, and `meanwhile` is called before each look."""
        while True:
            meanwhile()
            with contextlib.suppress(AssertionError):  # the page is loading: its elements are not there yet
                if await self.value(f"new Promise(requestAnimationFrame).then(() => Boolean({expression}))"):
                    return

    async def key(self, key: str) -> None:
        """Press and release a key; a letter is typed."""
        text = {"text": key} if len(key) == 1 else {"text": "\r"} if key == "Enter" else {}
        await self.call("Input.dispatchKeyEvent", type="keyDown", key=key, **text)
        await self.call("Input.dispatchKeyEvent", type="keyUp", key=key)

    async def picture(self) -> bytes:
        """A PNG of the page."""
        answer = await self.call("Page.captureScreenshot", format="png")
        return base64.b64decode(answer["data"])

    async def close(self) -> None:
        """Stop listening."""
        self._reader.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._reader

    async def _read(self) -> None:
        async for message in self._socket:
            words = message.json()
            if "id" in words:
                self._answers.pop(words["id"]).set_result(words.get("result", words))
            elif words["method"] == "Log.entryAdded" and words["params"]["entry"]["level"] == "error":
                self.complaints.append(words["params"]["entry"]["text"])
            elif words["method"] == "Runtime.exceptionThrown":
                self.complaints.append(str(words["params"]["exceptionDetails"]))


@contextlib.asynccontextmanager
async def browser() -> AsyncIterator[Page]:
    """A new browser with an empty profile, and its tab."""
    assert PROGRAM is not None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        program = subprocess.Popen(  # noqa: ASYNC220  it returns at once
            [PROGRAM, *_OPTIONS, f"--user-data-dir={profile}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert program.stderr is not None
        try:
            lines = iter(program.stderr.readline, "")
            line = await asyncio.to_thread(lambda: next(line for line in lines if "DevTools listening" in line))
            port = line.split(":")[2].split("/")[0]
            drain = asyncio.get_running_loop().run_in_executor(None, program.stderr.read)
            async with ClientSession() as session:
                async with session.get(f"http://127.0.0.1:{port}/json") as answer:
                    tab = next(tab for tab in await answer.json() if tab["type"] == "page")
                async with session.ws_connect(tab["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                    page = Page(socket)
                    yield page
                    await page.close()
        finally:
            program.terminate()
            program.wait(20)
            await drain
            program.stderr.close()


async def _main(url: str, file: str, width: str, height: str, seconds: str, script: str = "") -> None:
    async with browser() as page:
        await page.open(url, int(width), int(height))
        await asyncio.sleep(float(seconds))
        if script:
            print(await page.value(script))
        await asyncio.to_thread(Path(file).write_bytes, await page.picture())
        print(page.complaints or "no complaints")


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
