"""The page of the examination in a browser: what it shows, what its buttons and keys ask for, and that nothing hides the face."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest

from realtime.dashboard.commands import Commands, ExaminationCommand
from realtime.dashboard.service import Dashboard
from realtime.errors import UserInputError
from tests.dashboard.chromium import PROGRAM, Page, browser
from tests.dashboard.conftest import TOKEN, Recorded, commands_of

pytestmark = [pytest.mark.skipif(PROGRAM is None, reason="Chromium is not installed"), pytest.mark.timeout(240)]
SHOWN: Mapping[str, Any] = {
    "type": "examination",
    "guides": True,
    "person": "Ada",
    "protocol": "full",
    "affected": "left",
    "language": "de",
    "phase": "rest",
    "movement": "open_smile",
    "title": "Lächeln mit offenen Lippen",
    "sentence": "Entspannen Sie das Gesicht.",
    "remark": "Der Kopf war gedreht: bitte schauen Sie geradeaus.",
    "number": 2,
    "of": 3,
    "count": 3,
    "share": 0.0,
    "done": 13,
    "total": 27,
    "seconds_left": 125,
    "cue": "tick",
    "cue_number": 40,
}
# What lies over the mirror picture.
OVERLAP = """(() => {
  const face = document.getElementById("picture").getBoundingClientRect();
  return ["title", "sentence", "diagram", "count", "remark", "bar", "progress", "toggle", "stop"].filter((id) => {
    const box = document.getElementById(id).getBoundingClientRect();
    return box.width && box.left < face.right - 1 && box.right > face.left + 1 && box.top < face.bottom - 1 && box.bottom > face.top + 1;
  });
})()"""
# What reaches beyond the screen's right side.
BEYOND = """[...document.querySelectorAll("main *")].filter((e) => e.checkVisibility()
  && e.getBoundingClientRect().right > screen.width + 1).map((e) => e.id || e.tagName)"""
TEXT = "document.getElementById('{}').textContent"


class Asked:
    """An examination that remembers what it was asked for."""

    def __init__(self) -> None:
        self.words: list[tuple[str, Mapping[str, str]]] = []
        self.guides = False

    def ask(self, word: str, changes: Mapping[str, str] | None = None) -> None:
        self.words.append((word, changes or {}))
        if word == "redo":
            raise UserInputError("There is nothing to do again.")


@pytest.fixture
def asked() -> Asked:
    return Asked()


@pytest.fixture
def commands(recorded: Recorded, asked: Asked) -> Commands:
    return commands_of(recorded, examination=ExaminationCommand(asked))


async def show_at(page: Page, width: int, height: int) -> None:
    """Give the page a phone's size; nothing of it lies beyond the screen's sides."""
    await page.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=True)
    await page.until(f"screen.width === {width}")
    assert await page.value(BEYOND) == [], (width, height)


def test_the_page_begins_shows_and_leads_an_examination(dashboard: Dashboard, asked: Asked) -> None:
    async def scene(page: Page) -> None:
        await page.open(f"{dashboard.url}examine?token={TOKEN}", 1280, 720)
        await page.until("!document.body.matches('.lost') && !document.getElementById('setup').hidden")
        assert "token" not in await page.value("location.href")
        await page.until(f"{TEXT.format('sentence')}.startsWith('Enter the name and the affected side')")
        await page.value("(() => { const e = document.getElementById('language'); e.value = 'de'; e.onchange(); })()")
        assert "Beginnen" in await page.value(TEXT.format("sentence"))
        await page.value("(() => { const e = document.getElementById('language'); e.value = 'en'; e.onchange(); })()")
        for width, height in ((360, 740), (844, 390), (1280, 720)):  # with the form, before the beginning
            await show_at(page, width, height)
        await page.value("document.getElementById('person').value = 'Ada'")
        await page.value("document.getElementById('affected').value = 'left'")
        await page.value("document.activeElement.blur()")
        await page.key(" ")
        while not asked.words:
            await page.until("true")
        assert asked.words == [
            ("start", {"person": "Ada", "protocol": "full", "affected": "left", "language": "en"})
        ]  # fmt: skip
        dashboard.hub.publish("examination", json.dumps(SHOWN))
        await page.until(f"{TEXT.format('title')} === 'Lächeln mit offenen Lippen'")
        assert await page.value(TEXT.format("count")) == "3"
        assert await page.value(TEXT.format("remark")) == SHOWN["remark"]
        assert await page.value(TEXT.format("progress")) == "2 / 3  ·  fertig 13 / 27  ·  2:05"
        assert await page.value("document.getElementById('setup').hidden")
        assert "Pause" in await page.value(TEXT.format("toggle"))
        assert await page.value(OVERLAP) == []
        for key in ("s", "x"):
            await page.key(key)
        await page.key("a")
        await page.until(f"{TEXT.format('said')} === 'There is nothing to do again.'")
        assert sorted(word for word, _ in asked.words[1:]) == ["redo", "skip", "stop"]
        for width, height in ((390, 844), (844, 390)):
            await show_at(page, width, height)
            assert await page.value(OVERLAP) == [], (width, height)
        dashboard.hub.publish("examination", json.dumps({**SHOWN, "phase": "finished", "movement": None, "count": 0}))
        await page.until("document.getElementById('toggle').disabled")
        assert ["409" in complaint for complaint in page.complaints] == [True], "what was refused, and nothing else"

    async def whole() -> None:
        async with browser() as page:
            await asyncio.wait_for(scene(page), 200)

    asyncio.run(whole())
