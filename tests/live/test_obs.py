"""The real OBS: it shows the program's window, and the rules steer its scenes and texts.

Debian's OBS has no browser source and this machine no video device: OBS takes the picture from the screen here.
"""

import json
import os
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

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
