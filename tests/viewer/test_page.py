"""The viewer in a real browser: what a person sees and presses."""

import asyncio
import json
from pathlib import Path

import pytest

from realtime.viewer.service import Viewer
from tests.dashboard.chromium import PROGRAM, Page, browser
from tests.viewer.sessions import make_session

pytestmark = [pytest.mark.skipif(PROGRAM is None, reason="Chromium is not installed"), pytest.mark.timeout(240)]
TOKEN = "A-token_for-tests_only_0123456789"
DROPPED = (5, 41, 42)
# Which picture the browser has on its screen: the stripes of `sessions.picture`, read from the playing element.
SEEN = """
(() => {
  const [video, image] = document.querySelectorAll("{stage} video, {stage} img"), canvas = document.createElement("canvas");
  canvas.width = 320;
  canvas.height = 180;
  const context = canvas.getContext("2d");
  context.drawImage(image.hidden ? video : image, 0, 0, 320, 180);
  let number = 0;
  for (let bit = 0; bit < 10; bit += 1) number |= (context.getImageData(32 * bit + 16, 90, 1, 1).data[1] > 120) << bit;
  return number;
})()"""

# Whether the drawing has pixels of the colour of what is hidden.
GREY = """
(() => {
  const drawing = document.querySelector(".drawing"), { data } = drawing.getContext("2d").getImageData(0, 0, drawing.width, drawing.height);
  const grey = (k) => data[k + 3] > 250 && [0, 1, 2].every((channel) => data[k + channel] === 0xb4);
  return Array.from({ length: data.length / 4 }, (_, k) => 4 * k).some(grey);
})()"""


def seen(pane: int = 1) -> str:
    """The script for the first or the second session."""
    return SEEN.replace("{stage}", f".pane:nth-child({pane}) .stage")


async def go(page: Page, frame: int) -> None:
    """Ask for a frame, and wait until the page says that it is shown."""
    await page.value(
        f"(() => {{ const go = document.getElementById('go'); go.value = {frame + 1}; go.dispatchEvent(new Event('change')); }})()"
    )
    await page.until(f"document.body.dataset.shown === '{frame}'")


async def press(page: Page, *keys: str) -> None:
    """Type."""
    for key in keys:
        await page.key(key)


def test_frames_are_exact_sessions_move_together_and_labels_are_saved(tmp_path: Path) -> None:
    one = make_session(tmp_path / "one", dropped=DROPPED, several=True)
    two = make_session(tmp_path / "two", 60, shown=False, raw=True)
    saved = tmp_path / "one-annotations.json"

    async def whole() -> None:
        viewer = Viewer([one, two], 0, TOKEN)
        serving = asyncio.create_task(viewer.run())
        async with browser() as page, asyncio.timeout(120):
            await page.open(viewer.url, 1400, 900)
            await page.until("document.body.dataset.ready")
            assert TOKEN not in await page.value("location.href")
            for name in ("two", "one"):
                await press(page, "w")
                await page.until(f"document.getElementById('saved').textContent.includes('{name}-annotations.json')")
            for frame in (70, 31, 32, 30, 0, 89):
                await go(page, frame)
                assert await page.value(seen()) == frame
                assert await page.value(seen(2)) == min(frame, 59)
            await go(page, 41)  # it was dropped, so the picture before it stands, and the page says so
            assert await page.value(seen()) == 40
            assert not await page.value("document.querySelector('.absent').hidden")
            await press(page, "ArrowRight", "ArrowRight")
            await page.until("document.body.dataset.shown === '43'")
            assert await page.value(seen()) == 43

            await go(page, 10)
            await press(page, " ")
            playing = "document.querySelector('.pane img').hidden && document.getElementById('go').value > 20"
            await page.until(playing)  # by the browser itself
            await press(page, " ")
            await page.until("!document.querySelector('.pane img').hidden && document.body.dataset.shown > 15")
            stopped = int(await page.value("document.body.dataset.shown"))
            assert await page.value(seen()) == stopped - (stopped in DROPPED) - (stopped == 42)
            await go(page, 43)
            await press(page, "]", "]")
            await page.until(f"{seen(2)} === 45")
            assert abs(float(await page.value("document.getElementById('offset').value")) - 2 / 30) < 0.002
            assert "captured" not in await page.value("document.querySelector('.notices').textContent")

            await page.value("document.getElementById('code').focus()")
            await press(page, *"smile", "Enter", "Escape")
            assert (
                await page.value("[...document.querySelectorAll('#about option')].map((one) => one.value).join()")
                == "0,1,2"
            )
            await page.value("(() => { about.value = '2'; about.dispatchEvent(new Event('change')); })()")
            await press(page, "1")
            await go(page, 50)
            await press(page, "1")
            await page.until("document.querySelectorAll('#spans tr').length === 1")
            assert await page.value("document.querySelector('#spans select').value") == "2"
            await press(page, "x", "ArrowLeft", "x", "m", *"cue", "Enter")
            await page.until("document.querySelectorAll('#spans tr').length === 3")
            await page.until("document.getElementById('saved').textContent.startsWith('Saved')")
            pixels = "document.querySelector('.drawing').getContext('2d').getImageData(0, 0, 900, 500).data.some((v) => v > 0)"
            assert await page.value(pixels), "points are drawn"
            # Lines of hidden parts are grey, which no other line is: the nose is white.
            for frame, words in ((63, "hidden: left eye, mouth"), (70, "")):
                await go(page, frame)
                assert ("hidden" in await page.value("document.querySelector('.figures').textContent")) == bool(words)
                assert words in await page.value("document.querySelector('.figures').textContent")
                assert await page.value(GREY) == bool(words)
            await press(page, "o")
            assert not await page.value(pixels)

            saved.write_text(saved.read_text().replace("cue", "another window's"))
            await press(page, "u")
            await page.until("document.getElementById('saved').textContent.includes('another window')")
            assert not await page.value("document.getElementById('again').hidden")
            await page.value("document.getElementById('again').click()")
            await page.until("document.getElementById('spans').textContent.includes('another window')")
            assert await page.value("document.documentElement.scrollWidth") <= 1400
            assert len(page.complaints) == 1
            assert "409" in page.complaints[0]  # the refused writing
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)

    asyncio.run(whole())
    found = json.loads(saved.read_text())
    # Frames 43 to 50, both with their whole time; an exclude range of two frames; a marker.
    labels = [(label["code"], label["start"], label["end"], label["face"]) for label in found["labels"]]
    assert labels == [("smile", 1431, 1698, 2)]
    assert [one["text"] for one in found["points"]] == ["another window's"]
