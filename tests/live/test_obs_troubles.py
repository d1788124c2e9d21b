"""The real OBS as streamers treat it: killed and started again, a scene renamed, rules that flood and fight, a wrong password."""

import json
import os
import sys
from pathlib import Path

import pytest

from realtime.media.demux_options import demo_clip
from tests.live.program import Program, program
from tests.live.real_obs import MISSING, PASSWORD, WIDTH, RealObs, free_port, real_obs, x_display
from tests.live.waiting import eventually

pytestmark = [
    pytest.mark.skipif(bool(MISSING) or sys.platform != "linux", reason=f"needs OBS and Xvfb ({', '.join(MISSING)})"),
    pytest.mark.skipif("LIVE_TESTS" not in os.environ, reason="takes three minutes; set LIVE_TESTS"),
    pytest.mark.timeout(900),
]
RULES = """
[obs]
url = "ws://127.0.0.1:{port}"
{flood}
[[obs.rules]]
name = "smile"
when = "AU12.left > 1 for 0.2 s"
then = {{ scene = "Smile" }}
otherwise = {{ scene = "Talk" }}

[[obs.rules]]
name = "against it"
when = "AU12.left > 1 for 0.2 s"
then = {{ scene = "Talk" }}
otherwise = {{ scene = "Smile" }}

[[obs.rules]]
name = "restless"
when = "yaw > -90"
until = "yaw > -90"
then = {{ request = "SetCurrentProgramScene", data = {{ sceneName = "Talk" }} }}
at_most_every = 0.1
"""
FLOOD = """
[[obs.rules]]
name = "flood {number}"
then = {{ text = "Number", value = "AU12.left", template = "{number}: {{}}", decimals = 6 }}
at_most_every = 0.1
"""


def _fill(obs: RealObs) -> None:
    for name in ("Talk", "Smile"):
        obs.ask("CreateScene", {"sceneName": name})
    text = {"inputKind": "text_ft2_source_v2", "inputSettings": {"text": "", "custom_width": WIDTH}}
    obs.ask("CreateInput", {"sceneName": "Talk", "inputName": "Number", **text})


def _shown(obs: RealObs) -> str:
    return str(obs.ask("GetInputSettings", {"inputName": "Number"})["inputSettings"]["text"])


def _follows(obs: RealObs) -> None:
    """The text in OBS changes with the face."""
    seen = {_shown(obs)}
    eventually(lambda: seen.add(_shown(obs)) or len(seen) > 10, 90, "the number changes")


def _said(one: Program, words: str) -> bool:
    assert one.running()
    return any(words in line for line in one.said)


def test_obs_is_killed_renamed_and_flooded_while_the_run_goes_on(tmp_path: Path) -> None:
    port, settings, summary = free_port(), tmp_path / "rules.toml", tmp_path / "summary.json"
    settings.write_text(
        RULES.format(port=port, flood="".join(FLOOD.format(number=number) for number in range(4))), "utf-8"
    )
    environment = os.environ | {"FACEMIRROR_OBS_PASSWORD": PASSWORD}
    # The demo's 15 s, over and over.
    source = f"lavfi:movie={demo_clip()}:loop=0,setpts=N/(30*TB)"
    words = ("run", "--source", source, "--config", str(settings), "--summary", str(summary), "--headless")
    with x_display() as display, program(*words, environment=environment) as one:
        one.begun()
        eventually(lambda: _said(one, "No OBS answers"), 60, "it says that OBS is not there")
        with real_obs(tmp_path / "home", display, port) as obs:
            eventually(lambda: _said(one, "Connected with OBS"), 60, "connected")
            eventually(lambda: _said(one, "No source was found by the name of `Number`"), 60, "no text source yet")
            _fill(obs)
            _follows(obs)
            obs.ask("SetSceneName", {"sceneName": "Talk", "newSceneName": "Chat"})
            eventually(lambda: _said(one, "No source was found by the name of `Talk`"), 60, "no such scene any more")
            obs.ask("SetSceneName", {"sceneName": "Chat", "newSceneName": "Talk"})
            _follows(obs)
        eventually(lambda: _said(one, "has gone; the run goes on"), 60, "OBS is gone")
        with real_obs(tmp_path / "home", display, port) as obs:
            gone = max(number for number, line in enumerate(one.said) if "has gone" in line)
            eventually(lambda: any("Connected with OBS" in line for line in one.said[gone:]), 60, "connected again")
            if not any(found["sceneName"] == "Talk" for found in obs.ask("GetSceneList")["scenes"]):
                _fill(obs)  # killed before it stored them
            _follows(obs)
            one.process.send_signal(2)
            eventually(lambda: one.process.poll() is not None, 60, "the run ends")
    assert one.process.returncode == 130
    found = json.loads(summary.read_text("utf-8"))
    print("\n" + "\n".join(line for line in one.said if "OBS" in line or "Rule" in line))
    print(json.dumps(found["obs"]), json.dumps(found["frames"]), f"{found['seconds']:.0f} s")
    assert found["failures"] == {}
    assert found["obs"]["connections"] >= 2
    requests = found["obs"]["requests"]
    assert requests["answered"] >= 30
    assert requests["sent"] == sum(requests[name] for name in ("answered", "refused", "unsent"))
    refusals = [line for line in one.said if "by the name of `Talk`" in line]
    assert len(refusals) <= 3 * 2, "once for each rule and connection, not thirty times a second"


def test_a_stale_password_file_is_one_sentence_and_the_run_goes_on(tmp_path: Path) -> None:
    port, stale = free_port(), tmp_path / "stale" / "obs-studio" / "global.ini"
    stale.parent.mkdir(parents=True)
    stale.write_text("[OBSWebSocket]\nAuthRequired=true\nServerPassword=of last year\n", "utf-8")
    environment = {name: value for name, value in os.environ.items() if name != "FACEMIRROR_OBS_PASSWORD"}
    words = ("run", "--source", "demo", "--headless", "--obs", f"ws://127.0.0.1:{port}", "--duration", "5")
    with x_display() as display, real_obs(tmp_path / "home", display, port):
        with program(*words, environment=environment | {"XDG_CONFIG_HOME": str(tmp_path / "stale")}) as one:
            eventually(lambda: one.process.poll() is not None, 120, "the run ends")
        assert one.process.returncode == 0
        assert sum("refuses the password" in line for line in one.said) == 1, one.said
        right = environment | {"XDG_CONFIG_HOME": str(tmp_path / "home")}
        with program(*words, environment=right) as one:
            eventually(lambda: one.process.poll() is not None, 120, "the run ends")
        assert any("Connected with OBS" in line for line in one.said), "OBS's own file has the password"
