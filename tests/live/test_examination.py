"""A full examination through the real program, begun on its page in a browser, by a person who obeys.

Healthy, and with a left palsy, from the demo clip; and a rendered left palsy with oral-ocular synkinesis of known strength, which
needs EXAMINATION_BANK, the folder of `python -m tools.synth.textures`. The pictures of the page are kept where EXAMINATION_SHOTS names
a folder.
"""

import asyncio
import json
import os
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from realtime.app.examination_view import Shown
from realtime.app.pipeline import App
from realtime.app.replay import replay_session
from realtime.app.run import Run
from realtime.clinic.protocol import SECONDS, load_protocol
from realtime.clinic.scores import score_examination
from realtime.clinic.store import read_examination
from realtime.clinic.sunnybrook import shares
from realtime.clinic.types import Examination, Repetition
from realtime.config import resolve
from realtime.media import video_source
from realtime.media.plugin_source import PictureSource
from realtime.session.markers import read_markers
from realtime.session.verify import verify
from tests.dashboard.chromium import PROGRAM, Page, browser
from tests.live.mirror_patient import MirrorPatient

pytestmark = [
    pytest.mark.skipif(PROGRAM is None, reason="Chromium is not installed"),
    pytest.mark.skipif("LIVE_TESTS" not in os.environ, reason="takes two minutes; set LIVE_TESTS"),
    pytest.mark.timeout(1200),
]
TOKEN = "A-token_for-tests_only_0123456789"
PROTOCOL = os.environ.get("EXAMINATION_PROTOCOL", "full")
TEXT = "document.getElementById('{}').textContent"
# The mirror picture and what is said of it must not lie over each other.
OVERLAP = """(() => {
  const face = document.getElementById("picture").getBoundingClientRect();
  return ["title", "sentence", "diagram", "remark", "bar", "progress", "toggle", "stop"].filter((id) => {
    const box = document.getElementById(id).getBoundingClientRect();
    return box.width && box.left < face.right - 1 && box.right > face.left + 1 && box.top < face.bottom - 1 && box.bottom > face.top + 1;
  });
})()"""


Obedient = Callable[[Callable[[], Shown | None]], PictureSource]
"""Makes the patient, who is told what the program shows."""


class Watched:
    """A run whose examination can be seen from outside, and its page."""

    def __init__(self, folder: Path, patient: Obedient) -> None:
        self.said: list[str] = []
        self._apps: list[App] = []
        self._linked = threading.Event()
        self.source = patient(self.shown)
        settings = {
            "source": "plugin:patient",
            "speed": "max",
            "headless": True,
            "dashboard": True,
            "port": 0,
            "session": folder / "session",
            "people": folder / "people",
            "record": "raw",
            "view": "raw",
            "selfie": True,
            "cadence.whole_every": 1,
            "millimetres.scale": "iris",
        }
        self.run = Run(resolve(settings), started=self._apps.append, say=self._say)

    def shown(self) -> Shown | None:
        """What the program shows."""
        examination = self._apps[0].examination if self._apps else None
        return None if examination is None else examination.shown

    def link(self) -> str:
        """Of the page."""
        assert self._linked.wait(300)
        address = next(line for line in self.said if line.startswith("Examination page:")).split(": ", 1)[1]
        return address.strip()

    def _say(self, sentence: str) -> None:
        self.said.append(sentence)
        if sentence.startswith("Examination page:"):
            self._linked.set()


def shoot(picture: bytes, name: str) -> None:
    folder = os.environ.get("EXAMINATION_SHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        (Path(folder) / f"{name}.png").write_bytes(picture)


async def attend(watched: Watched, side: str, kind: str) -> None:
    """Begin on the page, look at it in every part, and wait for the end."""
    async with browser() as page:
        link = await asyncio.to_thread(watched.link)
        await page.open(link, 1280, 720)
        await page.until("!document.body.matches('.lost') && !document.getElementById('setup').hidden")
        await page.value("document.getElementById('person').value = 'Ada'")
        await page.value(f"document.getElementById('protocol').value = '{PROTOCOL}'")
        await page.value(f"document.getElementById('affected').value = '{side}'")
        await page.value("document.getElementById('toggle').click()")
        await page.until(
            "document.getElementById('setup').hidden && document.getElementById('title').textContent.trim()"
        )
        for title in ("Raise your eyebrows", "Smile with open lips"):
            await page.until(f"{TEXT.format('title')} === '{title}'")
            await look(page, f"{kind}-{title.split()[0].lower()}-instruction")
            await page.until("!document.getElementById('bar').hidden")
            await look(page, f"{kind}-{title.split()[0].lower()}-hold")
        await page.call("Emulation.setDeviceMetricsOverride", width=390, height=844, deviceScaleFactor=1, mobile=True)
        await page.until("!document.getElementById('count').hidden")
        await look(page, f"{kind}-phone-count")
        await page.until("!document.getElementById('bar').hidden")
        await look(page, f"{kind}-phone-hold")
        await page.until(f"{TEXT.format('sentence')}.startsWith('Done.')")
        await look(page, f"{kind}-done")
        assert not page.complaints
    watched.run.stop()


async def look(page: Page, name: str) -> None:
    shoot(await page.picture(), name)
    assert await page.value(OVERLAP) == [], name


def examined(folder: Path, patient: Obedient, kind: str, affected: str, monkeypatch: pytest.MonkeyPatch) -> Examination:
    """Run it, and check what holds for everybody."""
    monkeypatch.setenv("FACEMIRROR_TOKEN", TOKEN)
    watched = Watched(folder, patient)
    monkeypatch.setattr(video_source, "plugin_source", lambda _target: lambda: watched.source)
    failed: list[BaseException] = []

    def scene() -> None:
        try:
            asyncio.run(attend(watched, affected, kind))
        except BaseException as error:  # noqa: BLE001  told below
            failed.append(error)
            watched.run.stop()

    thread = threading.Thread(target=scene)
    thread.start()
    code, _summary = watched.run.execute()
    thread.join(60)
    assert not failed, failed
    assert code == 0, (watched.said, _summary)
    session = folder / "session"
    examination = read_examination(session)
    assert examination.finished
    assert (examination.person, examination.affected) == ("Ada", affected)
    movements = load_protocol(PROTOCOL).movements
    counted = Counter(one.movement for one in examination.repetitions if one.outcome == "counted")
    assert counted == dict.fromkeys(movements, 3), [one.reason for one in examination.repetitions]
    last = examination.repetitions[-1].ended
    assert last is not None
    assert last <= SECONDS
    assert all(one.onset is not None for one in examination.repetitions if one.movement != "rest")
    marks = [mark.text for mark in read_markers(session / "markers.csv")]
    assert {"examination: begin", "open_smile 2: peak", "examination: end"} <= set(marks)
    assert verify(session).right
    again = replay_session(session, folder / "again")
    assert again.same, again.sentence
    assert json.loads((folder / "again" / "examination.json").read_text("utf-8"))["finished"]
    return examination


def of_the_clip(*, palsy: bool) -> Obedient:
    """The demo clip's person."""
    return lambda shown: MirrorPatient(shown, palsy=palsy, longest=280)


def smiles(tried: tuple[Repetition, ...]) -> tuple[float, float]:
    """Median intensity of AU 12 at the peaks of the open smiles, left and right."""
    peaks = [one.at_peak.units[12] for one in tried if one.movement == "open_smile" and one.at_peak is not None]
    return float(np.median([peak.left for peak in peaks])), float(np.median([peak.right for peak in peaks]))


def test_a_healthy_person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    examination = examined(tmp_path, of_the_clip(palsy=False), "healthy", "none", monkeypatch)
    left, right = smiles(examination.repetitions)
    assert min(left, right) > 3
    assert abs(left - right) < 1


def test_a_left_palsy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left, right = smiles(examined(tmp_path, of_the_clip(palsy=True), "palsy", "left", monkeypatch).repetitions)
    assert right > 3
    assert left < 0.3 * right


@pytest.mark.skipif("EXAMINATION_BANK" not in os.environ, reason="needs rendered heads; set EXAMINATION_BANK")
def test_a_rendered_left_palsy_with_oral_ocular_synkinesis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.live.rendered_patient import RenderedPatient, left_palsy

    patient, movements = left_palsy(Path(os.environ["EXAMINATION_BANK"])), load_protocol(PROTOCOL).movements
    examination = examined(
        tmp_path,
        lambda shown: RenderedPatient(shown, patient, movements, longest=280),
        "synkinesis",
        "left",
        monkeypatch,
    )
    scores = score_examination(examination)
    along = scores.synkinesis.pattern("oral-ocular")
    assert along is not None
    assert along.grade
    assert along.side == "left"
    other = scores.synkinesis.pattern("ocular-oral")
    assert other is None or not other.grade
    smile, brow = (shares(examination, movement) for movement in ("open_smile", "brow_raise"))
    assert smile is not None
    assert brow is not None
    assert max(smile.mean, brow.mean) < 0.75
