"""The real OBS: it shows the program's window, and the rules steer its scenes and texts.

Debian's OBS has no browser source and this machine no video device: OBS takes the picture, and the overlay page, from the screen here.
"""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from realtime.media.demux_options import demo_clip
from realtime.types import U8
from tests.dashboard.chromium import PROGRAM
from tests.live.program import program
from tests.live.real_obs import HEIGHT, MISSING, PASSWORD, WIDTH, RealObs, real_obs, x_display
from tests.live.waiting import eventually

pytestmark = [
    pytest.mark.skipif(bool(MISSING) or sys.platform != "linux", reason=f"needs OBS and Xvfb ({', '.join(MISSING)})"),
    pytest.mark.skipif("LIVE_TESTS" not in os.environ, reason="takes two minutes; set LIVE_TESTS"),
    pytest.mark.timeout(600),
]
RULES = """
[obs]
url = "{url}"

[[obs.rules]]
name = "smile"
when = "AU12.left > 1 for 0.2 s"
then = {{ scene = "Smile" }}
otherwise = {{ scene = "Talk" }}

[[obs.rules]]
name = "number"
then = {{ text = "Number", value = "AU12.left", template = "AU 12 left {{}}" }}
at_most_every = 0.1

[[obs.rules]]
name = "nowhere"
when = "face found"
then = {{ scene = "There is no such scene" }}
"""


def scenes(obs: RealObs) -> None:
    """Two scenes: the screen with a text over it, and a green one."""
    for name in ("Talk", "Smile"):
        obs.ask("CreateScene", {"sceneName": name})
    screen = {"inputKind": "xshm_input", "inputSettings": {"show_cursor": False}}
    obs.ask("CreateInput", {"sceneName": "Talk", "inputName": "Screen", **screen})
    font = {"face": "DejaVu Sans", "size": 48, "style": "Bold"}
    text = {"inputKind": "text_ft2_source_v2", "inputSettings": {"text": "–", "font": font}}
    obs.ask("CreateInput", {"sceneName": "Talk", "inputName": "Number", **text})
    green = {"color": 0xFF00FF00, "width": WIDTH, "height": HEIGHT}
    colour = {"inputKind": "color_source_v3", "inputSettings": green}
    obs.ask("CreateInput", {"sceneName": "Smile", "inputName": "Green", **colour})
    obs.ask("SetCurrentProgramScene", {"sceneName": "Talk"})


def scene(obs: RealObs) -> str:
    """The scene that is on the air."""
    return str(obs.ask("GetCurrentProgramScene")["currentProgramSceneName"])


def test_obs_shows_the_picture_and_obeys_the_face(tmp_path: Path) -> None:
    pictures = Path(os.environ.get("LIVE_PICTURES", tmp_path))
    with x_display() as display, real_obs(tmp_path / "home", display) as obs:
        scenes(obs)
        settings, summary = tmp_path / "rules.toml", tmp_path / "summary.json"
        settings.write_text(RULES.format(url=obs.url), "utf-8")
        before = obs.picture("Talk")
        environment = os.environ | {"DISPLAY": display, "FACEMIRROR_OBS_PASSWORD": PASSWORD}
        words = ("run", "--source", "demo", "--config", str(settings), "--summary", str(summary), "--duration", "30")
        with program(*words, environment=environment) as one:
            one.begun()
            eventually(lambda: any("Connected with OBS" in line for line in one.said), 30, "connected")

            def seen() -> bool:
                shown = obs.picture("Talk")
                cv2.imwrite(str(pictures / "obs_talk.png"), shown)
                return float(np.abs(shown.astype(float) - before).mean()) > 20

            eventually(seen, 30, "OBS shows the window")
            text = eventually(
                lambda: str(obs.ask("GetInputSettings", {"inputName": "Number"})["inputSettings"]["text"]).strip("–"),
                30,
                "a number",
            )
            assert text.startswith("AU 12 left")
            eventually(lambda: scene(obs) == "Smile", 30, "the demo smiles")
            smile = obs.picture("Smile")
            assert smile[..., 1].mean() > 200
            assert smile[..., 2].mean() < 50
            eventually(lambda: scene(obs) == "Talk", 30, "the smile ends")
            eventually(lambda: one.process.poll() is not None, 60, "the run ends")
        assert any("'nowhere': OBS refuses" in line for line in one.said)
        figures = json.loads(summary.read_text("utf-8"))["obs"]
        print(f"\nOBS {obs.version}:", json.dumps(figures))
        assert figures["connections"] == 1
        assert figures["requests"]["refused"] >= 1  # once for every time that the face is found
        assert figures["requests"]["answered"] > 10


KEY = (0x40, 0xB1, 0x00)
"""`&background=00b140`, BGR."""
_PAGE = (640, 240)


@contextlib.contextmanager
def page_on(display: str, link: str, profile: Path) -> Iterator[None]:
    """The page in a window of its own at the display's top left."""
    assert PROGRAM is not None
    window = ("--window-position=0,0", f"--window-size={_PAGE[0]},{_PAGE[1]}", f"--app={link}")
    quiet = ("--no-sandbox", "--test-type", "--disable-gpu", "--no-first-run", f"--user-data-dir={profile}")
    browser = subprocess.Popen(
        [PROGRAM, *quiet, *window],
        env=os.environ | {"DISPLAY": display},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        browser.terminate()
        browser.wait(20)


def near(image: U8, colour: tuple[int, int, int], levels: int = 12) -> float:
    """The share of a picture that has this BGR colour."""
    return float((np.abs(image.astype(int) - colour).max(axis=2) <= levels).mean())


@pytest.mark.skipif(PROGRAM is None, reason="Chromium is not installed")
def test_the_overlay_page_lies_over_a_scene_by_a_colour_key(tmp_path: Path) -> None:
    pictures = Path(os.environ.get("LIVE_PICTURES", tmp_path))
    behind = tmp_path / "behind.png"
    capture = cv2.VideoCapture(str(demo_clip()))
    cv2.imwrite(str(behind), capture.read()[1])
    capture.release()
    source = f"lavfi:movie={demo_clip()}:loop=0,scale=640:-2,setpts=N/(30*TB),fps=15"
    environment = os.environ | {"FACEMIRROR_TOKEN": "for_the_live_tests_of_OBS_only"}
    with (
        x_display() as display,
        real_obs(tmp_path / "home", display) as obs,
        program("run", "--source", source, "--headless", "--dashboard", "--port", "0", environment=environment) as one,
    ):
        one.begun()
        link = f"{one.link('OBS overlay')}&au=12,6,25&theme=panel&background=00b140"
        with page_on(display, link, tmp_path / "profile"):
            obs.ask("CreateScene", {"sceneName": "Talk"})
            scene_of = {"sceneName": "Talk", "inputName": "Behind", "inputKind": "image_source"}
            obs.ask("CreateInput", {**scene_of, "inputSettings": {"file": str(behind)}})
            cut = {"show_cursor": False, "cut_right": 1600 - _PAGE[0], "cut_bot": 900 - _PAGE[1]}
            page = {"sceneName": "Talk", "inputName": "Page", "inputKind": "xshm_input", "inputSettings": cut}
            obs.ask("CreateInput", page)
            obs.ask("SetCurrentProgramScene", {"sceneName": "Talk"})
            there = (slice(0, _PAGE[1]), slice(0, _PAGE[0]))
            eventually(lambda: near(obs.picture("Talk")[there], KEY) > 0.2, 90, "OBS shows the page")
            key = {"key_color_type": "custom", "key_color": 0xFF00_0000 | KEY[0] << 16 | KEY[1] << 8 | KEY[2]}
            named = {"sourceName": "Page", "filterName": "Key", "filterKind": "color_key_filter_v2"}
            obs.ask("CreateSourceFilter", {**named, "filterSettings": {**key, "similarity": 80, "smoothness": 50}})
            eventually(lambda: near(obs.picture("Talk")[there], KEY) < 0.001, 30, "the colour is gone")
            found, under = obs.picture("Talk"), cv2.imread(str(behind))
            assert under is not None
            alike = (np.abs(found.astype(int) - under).max(axis=2) <= 8)[there]
            assert 0.2 < alike.mean() < 0.8, "the scene shows beside the page's rows"
            orange = (0, 159, 230)
            eventually(lambda: near(obs.picture("Talk")[there], orange) > 0.015, 60, "the demo's left side smiles")
            cv2.imwrite(str(pictures / "obs_keyed.png"), obs.picture("Talk"))
