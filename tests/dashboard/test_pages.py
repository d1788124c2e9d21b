"""The pages in a real browser: what a person sees and presses."""

import asyncio
import itertools
import json
from collections.abc import Awaitable, Callable
from typing import Any, cast

import cv2
import numpy as np
import pytest

from realtime.app.controls import PatientPlace
from realtime.app.nodes.people import TrackPeople
from realtime.dashboard.choices import Fixed
from realtime.dashboard.commands import Commands, PlaceCommand
from realtime.dashboard.messages import encode_picture
from realtime.dashboard.service import Dashboard
from realtime.render.scene import Scene
from realtime.render.status import LiveFigures
from tests.dashboard.chromium import PROGRAM, Page, browser
from tests.dashboard.conftest import TOKEN, Recorded, commands_of, serve

pytestmark = [pytest.mark.skipif(PROGRAM is None, reason="Chromium is not installed"), pytest.mark.timeout(240)]
UNITS = (1, 6, 12)
FILL = "document.querySelectorAll('.row')[{row}].querySelector('.{side} .fill').style.transform"
NUMBER = "document.querySelectorAll('.row')[{row}].querySelector('.{side} .number').textContent"


def tell(dashboard: Dashboard, sequence: int, **changes: Any) -> None:
    """One frame, as the program would publish it."""
    state = {
        "type": "state",
        "sequence": sequence,
        "capture_time": 100.0 + sequence / 30,
        "status": "measured",
        "age_ms": 30.0,
        "result_age_ms": 0.0,
        "pose": [12.0, -3.0, 0.2],
        "left": [None, 0.0, 4.0],
        "right": [0.5, 1.0, 1.0],
        "overall": 0.25,
    }
    dashboard.hub.publish("state", json.dumps({**state, **changes}))


def in_browser(scene: Callable[[Page], Awaitable[None]]) -> None:
    async def whole() -> None:
        async with browser() as page:
            await scene(page)
            assert page.complaints == []

    asyncio.run(whole())


@pytest.fixture
def units() -> tuple[int, ...]:
    """The Action Units that are measured."""
    return UNITS


@pytest.fixture
def commands(recorded: Recorded) -> Commands:
    """The camera cannot be changed."""
    return commands_of(recorded, camera=Fixed("Camera", "demo", "The camera is fixed."))


def test_the_dashboard_shows_what_is_measured_and_obeys_the_keyboard(dashboard: Dashboard, recorded: Recorded) -> None:

    async def scene(page: Page) -> None:
        frame = itertools.count()
        await page.open(f"{dashboard.url}?token={TOKEN}", 1280, 720)
        await page.until(
            f"document.body.className === '' && {FILL.format(row=2, side='left')} === 'scaleX(0.8)'",
            lambda: tell(dashboard, next(frame)),
        )
        assert TOKEN not in await page.value("location.href")
        assert TOKEN not in await page.value("document.cookie"), "HttpOnly"
        assert await page.value("document.querySelectorAll('.row').length") == 3
        named = await page.value("[...document.querySelectorAll('.row .unit')].map((label) => label.textContent)")
        assert "12lip corner puller" in named  # the name is a line of its own
        await page.until(
            f"{FILL.format(row=2, side='right')} === 'scaleX(0.2)'"
            f" && {NUMBER.format(row=1, side='left')} === '0.0'"  # measured, and none
            f" && {NUMBER.format(row=0, side='left')} === '–'",  # not measured
            lambda: tell(dashboard, next(frame)),
        )
        assert await page.value(FILL.format(row=0, side="left")) == "scaleX(0)"
        right = await page.value("document.querySelector('.cell.right').getBoundingClientRect().x")
        left = await page.value("document.querySelector('.cell.left').getBoundingClientRect().x")
        assert right < left, "as in the picture, which is not flipped"
        assert await page.value("document.getElementById('yaw').textContent") == "12° own left"

        await page.until(
            f"{FILL.format(row=2, side='left')} === 'scaleX(0.4)' && document.body.classList.contains('held')",
            lambda: tell(dashboard, next(frame), status="held", left=[None, 0.0, 2.0]),
        )
        hatched = "getComputedStyle(document.querySelector('.fill')).backgroundImage.includes('gradient')"
        await page.until(hatched, lambda: tell(dashboard, next(frame), status="held"))

        red = np.full((90, 160, 3), (0, 0, 255), np.uint8)
        dashboard.hub.publish("picture", encode_picture(red, 100.0, 2, 640))
        pixel = "[...document.getElementById('picture').getContext('2d').getImageData(80, 45, 1, 1).data]"
        await page.until(f"{pixel}[0] > 240")

        await page.until("!document.getElementById('marker-text').disabled")
        for key in ["m", *"smile", "Enter"]:
            await page.key(key)
        await page.until("document.getElementById('said').textContent.includes('smile')")
        assert recorded.marks == [{"text": "smile", "capture_time": 99.0, "sequence": 42, "origin": "dashboard"}]
        await page.key("r")
        await page.until("document.getElementById('record').getAttribute('aria-pressed') === 'true'")
        assert recorded.active
        await page.until("document.getElementById('camera').disabled")
        assert "fixed" in await page.value("document.querySelector('[data-command=camera] .why').textContent")
        assert await page.value("document.documentElement.scrollWidth") <= 1280
        await page.until("document.body.classList.contains('stale')")  # no news for a while

    in_browser(scene)


@pytest.mark.parametrize("units", [()])
def test_openface3_has_bars_of_its_own_with_its_threshold(dashboard: Dashboard) -> None:
    found = {
        "units": [[1, 0.25], [12, 0.9], [26, None]],
        "present": 0.5,
        "emotion": "happy",
        "probability": 0.75,
        "gaze": [30.0, -1.0],
        "age_ms": 125.0,
    }
    share = "document.querySelectorAll('.share')[{}]"

    async def scene(page: Page) -> None:
        frame = itertools.count()
        await page.open(f"{dashboard.url}?token={TOKEN}", 1280, 720)
        full = f"{share.format(1)}.querySelector('.fill').style.transform === 'scaleX(0.9)'"
        await page.until(full, lambda: tell(dashboard, next(frame), left=[], right=[], openface3=found))
        texts = await page.value("[...document.querySelectorAll('.share .number')].map((n) => n.textContent)")
        assert texts == ["0.25", "0.90", "–"]
        named = await page.value(f"{share.format(0)}.querySelector('.unit').textContent")
        assert named == "1inner brow raiser"
        reach = f"(({{left, width}}, whole) => [left - whole.left, width / whole.width])({share.format(1)}"
        reach += f".querySelector('.fill').getBoundingClientRect(), {share.format(1)}.querySelector('.track').getBoundingClientRect())"
        assert await page.value(reach) == pytest.approx([0.0, 0.9]), "from 0 at the left"
        assert await page.value("document.getElementById('emotion').textContent") == "happy 0.75"
        assert await page.value("document.getElementById('gaze').textContent") == "30° -1°"
        assert await page.value(f"{share.format(0)}.querySelector('.threshold').style.left") == "50%"
        assert not await page.value("document.getElementById('openface3').hidden")
        assert await page.value("document.querySelectorAll('.row').length") == 0, "no bars of 0 to 5"
        gone = "document.getElementById('emotion').textContent === '–'"
        await page.until(gone, lambda: tell(dashboard, next(frame), left=[], right=[], openface3=None))
        assert await page.value(f"{share.format(1)}.querySelector('.number').textContent") == "–"

    in_browser(scene)


def test_the_overlay_is_transparent_and_comes_back_after_a_restart(dashboard: Dashboard) -> None:
    async def scene(page: Page) -> None:
        frame = itertools.count()
        await page.open(f"{dashboard.url}overlay?token={TOKEN}&au=12,6,26,x&side=left", 400, 200)
        moved = f"{FILL.format(row=0, side='left')} === 'scaleX(0.8)' && !document.body.matches('.lost, .stale, .held')"
        await page.until(moved, lambda: tell(dashboard, next(frame)))
        assert await page.value("document.querySelectorAll('.row').length") == 3
        assert await page.value(NUMBER.format(row=2, side="left")) == "–", "AU 26 is not measured here"
        assert await page.value("document.querySelectorAll('.cell.right').length") == 0
        tell(dashboard, next(frame))
        image = cv2.imdecode(np.frombuffer(await page.picture(), np.uint8), cv2.IMREAD_UNCHANGED)
        assert image is not None
        assert image.shape == (200, 400, 4)
        assert (image[[0, 0, -1, -1], [0, -1, 0, -1], 3] == 0).all(), "the corners"
        assert (image[..., 3] == 0).mean() > 0.3
        orange = (np.abs(image.astype(int) - (0, 159, 230, 255)).max(axis=2) < 12).mean()
        assert orange > 0.02, "the bars are there"

        dashboard.stop()
        await page.until("document.body.classList.contains('lost')")
        again = serve(commands_of(Recorded()), UNITS, port=dashboard.port, clock=200.0)
        try:
            back = (
                f"{FILL.format(row=0, side='left')} === 'scaleX(0.5)' && !document.body.matches('.lost, .stale, .held')"
            )
            await page.until(back, lambda: tell(again, next(frame), left=[0.0, 0.0, 2.5]))
        finally:
            again.stop()
        page.complaints.clear()  # the browser notes every attempt while nobody answered

    in_browser(scene)


LAYOUT = (
    "[...document.querySelectorAll('.row, .cell, .track, .number, .unit, .heading, .zone')]"
    ".map((e) => (({x, y, width, height}) => [x, y, width, height])(e.getBoundingClientRect()))"
)


@pytest.mark.parametrize("style", ["bars", "face"])
def test_nothing_that_is_measured_moves_the_overlay(dashboard: Dashboard, style: str) -> None:
    async def scene(page: Page) -> None:
        frame = itertools.count()
        await page.open(f"{dashboard.url}overlay?token={TOKEN}&style={style}&safe=5", 640, 360)
        drawn = f"document.querySelectorAll('.row, .zone').length === {3 if style == 'bars' else 6}"
        await page.until(drawn, lambda: tell(dashboard, next(frame)))
        await page.value("document.fonts.ready.then(() => true)")
        assert await page.value("document.fonts.check('600 12px Inter')"), "the bundled font"
        before = await page.value(LAYOUT)
        assert min(box[0] for box in before) >= 0.05 * 640 - 1, "the safe area is free"
        assert max(box[0] + box[2] for box in before) <= 0.95 * 640 + 1
        for left in ([5.0, 4.9, 0.0], [None, None, None]):
            seen = f"document.body.dataset.seen === '{left[0]}'"
            mark = f"document.body.dataset.seen = '{left[0]}'"
            await page.value(mark)
            await page.until(seen, lambda left=left: tell(dashboard, next(frame), left=left, right=left))  # type: ignore[misc]
            assert await page.value(LAYOUT) == before
        dashboard.stop()
        await page.until("document.body.classList.contains('lost')")
        assert await page.value(LAYOUT) == before
        page.complaints.clear()  # the browser notes every attempt while nobody answered

    in_browser(scene)


WORDS = """
[...document.querySelectorAll('.key, .number, .unit b, .unit small')].map((e) => {
  const { left, right } = e.getBoundingClientRect();
  return [parseFloat(getComputedStyle(e).fontSize), left, right, e.scrollWidth - e.clientWidth];
})"""


def test_a_narrow_overlay_keeps_its_words_and_its_bars(dashboard: Dashboard) -> None:
    async def scene(page: Page) -> None:
        frame = itertools.count()
        for words, longest_fits in (
            ("au=12,15", True),
            ("au=12,15&scale=2", False),
            ("au=12,15&safe=25&background=00b140", False),
        ):
            await page.open(f"{dashboard.url}overlay?token={TOKEN}&{words}", 320, 180)
            there = "document.querySelectorAll('.row').length === 2 && !document.body.matches('.lost, .stale')"
            await page.until(there, lambda: tell(dashboard, next(frame)))
            await page.value("document.fonts.ready.then(() => true)")
            assert await page.value("innerWidth") == 320
            found = await page.value(WORDS)
            assert min(size for size, *_ in found) >= 10, "pixels that a person can read"
            assert all(left >= 0 and right <= 320 for _, left, right, _ in found)
            assert not longest_fits or max(over for *_, over in found) <= 0, "no name is cut short"
            assert await page.value("document.querySelector('.track').getBoundingClientRect().width") >= 25
        image = cv2.imdecode(np.frombuffer(await page.picture(), np.uint8), cv2.IMREAD_UNCHANGED)
        assert image is not None
        assert image[-1, -1].tolist() == [0x40, 0xB1, 0], "a colour that can be keyed out"

    in_browser(scene)


def test_the_face_lights_the_side_that_moves(dashboard: Dashboard) -> None:
    async def scene(page: Page) -> None:
        frame = itertools.count()
        await page.open(f"{dashboard.url}overlay?token={TOKEN}&style=face&au=12", 480, 600)
        opacity = (
            "[...document.querySelectorAll('.zone')].map((z) => [z.parentNode.className.baseVal, z.style.fillOpacity])"
        )
        lit = f"JSON.stringify({opacity}) === JSON.stringify([['right', '0.2'], ['left', '0.8']])"
        await page.until(lit, lambda: tell(dashboard, next(frame)))
        x = "document.querySelector('g.{} .zone').getBoundingClientRect().x"
        assert await page.value(x.format("right")) < await page.value(x.format("left")), "as in the picture"
        dark = "[...document.querySelectorAll('.zone.unmeasured')].length === 2"
        await page.until(dark, lambda: tell(dashboard, next(frame), left=[None] * 3, right=[None] * 3))

    in_browser(scene)


def test_lengths_say_that_they_are_held(dashboard: Dashboard) -> None:
    value = {"name": "brow_height", "words": "brow height", "unit": "mm", "left": 20.1, "right": 18.4}
    mm = {"values": [value], "per_pixel": 0.2, "source": "iris", "state": "measured", "withheld": ""}
    colour = "getComputedStyle(document.querySelector('#lengths-rows td')).color"
    warning = "getComputedStyle(document.querySelector('#warnings')).color"

    async def scene(page: Page) -> None:
        frame = itertools.count()
        await page.open(f"{dashboard.url}?token={TOKEN}", 1280, 720)
        await page.until(f"{colour} !== {warning}", lambda: tell(dashboard, next(frame), mm=mm))
        await page.until(f"{colour} === {warning}", lambda: tell(dashboard, next(frame), mm=mm, status="held"))

    in_browser(scene)


class _Pointed:
    """Stands for the tracker: where the user pointed, in pixels of the captured picture."""

    def __init__(self) -> None:
        self.places: list[tuple[float, float]] = []

    def choose(self, place: tuple[float, float]) -> bool:
        self.places.append(place)
        return True


@pytest.mark.parametrize("size", [(1280, 720), (900, 1100)])
def test_a_click_on_a_face_makes_its_person_the_patient(recorded: Recorded, size: tuple[int, int]) -> None:
    """A real mouse on the real page reaches the pixel of the captured picture, at any size of the window."""
    pointed, scene_drawn = _Pointed(), Scene("overlay", UNITS, panel="off")
    picture = np.full((720, 1280, 3), 90, np.uint8)
    scene_drawn.draw(picture, None, None, LiveFigures(30.0, 5.0, 0.0, 0, "no face"))
    place = PatientPlace(cast("TrackPeople", pointed), scene_drawn)
    commands = commands_of(recorded, patient=PlaceCommand(place, "A click on a face makes its person the patient."))
    dashboard = serve(commands, UNITS)

    async def scene(page: Page) -> None:
        frame = itertools.count()
        await page.open(f"{dashboard.url}?token={TOKEN}", *size)
        await page.until("document.body.className === ''", lambda: tell(dashboard, next(frame)))
        dashboard.hub.publish("picture", encode_picture(picture, 100.0, 2, 640))
        await page.until("document.getElementById('picture').width === 640")
        await page.until("document.getElementById('picture').classList.contains('clickable')")
        left, top, width, height = await page.value(
            "(() => { const r = document.getElementById('picture').getBoundingClientRect(), s = Math.min(r.width / 640,"
            " r.height / 360); return [r.left + (r.width - 640 * s) / 2, r.top + (r.height - 360 * s) / 2, 640 * s, 360 * s]; })()"
        )
        where = {"x": left + 0.75 * width, "y": top + 0.25 * height, "button": "left", "clickCount": 1}
        await page.call("Input.dispatchMouseEvent", type="mousePressed", **where)
        await page.call("Input.dispatchMouseEvent", type="mouseReleased", **where)
        await page.until("document.getElementById('said').textContent.includes('patient')")

    try:
        in_browser(scene)
    finally:
        dashboard.stop()
    ((x, y),) = pointed.places
    assert x == pytest.approx(0.75 * 1280, abs=6)
    assert y == pytest.approx(0.25 * 720, abs=6)
