"""OBS in a run: rules are checked before it starts, every analysis goes through them, and what holds is sent again."""

from typing import Any

import numpy as np
import pytest

from realtime.app.nodes.obs import SteerObs, check_rules, open_client, read_rules
from realtime.app.obs_control import ObsControl
from realtime.config import Config, resolve
from realtime.config.conflicts import refuse_conflicts
from realtime.errors import UserInputError
from realtime.obs.client import ObsClient
from realtime.obs.rules import Fired
from realtime.session.markers import Mark
from realtime.types import Analysis, Frame, TrackedFrame
from tests.obs.test_rules import analysis

RULE = {"when": "AU12.left > 2.5", "then": {"scene": "Smile"}, "otherwise": {"scene": "Talk"}}


class Sent:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.connections = 0
        self.fired: list[Fired] = []

    def send(self, fired: Fired) -> None:
        self.fired.append(fired)

    @property
    def scenes(self) -> list[str]:
        """The scenes that were asked for, in order."""
        return [str(fired.request.data["sceneName"]) for fired in self.fired]


def config(*rules: dict[str, Any], url: str | None = "ws://127.0.0.1:4455") -> Config:
    return Config.model_validate({"obs": {"url": url, "rules": rules}})


def tracked(one: Analysis) -> TrackedFrame:
    return TrackedFrame(one, Frame(np.zeros((4, 4, 3), np.uint8), one.sequence, one.capture_time))


def test_frames_go_through_the_rules_and_a_new_obs_hears_what_holds() -> None:
    sent = Sent()
    node = SteerObs(read_rules(config(RULE)), sent)
    node.process(tracked(analysis(0, 3.0)))
    sent.connections = 1
    node.process(tracked(analysis(1, 3.0)))
    node.process(tracked(analysis(2, 3.0)))
    assert sent.scenes == ["Smile", "Smile"]


def test_markers_and_calibrations_are_events() -> None:
    sent = Sent()
    rules = ({"when": "marker", "then": {"scene": "Mark"}}, {"when": "calibration done", "then": {"scene": "Ready"}})
    node = SteerObs(read_rules(config(*rules)), sent)
    node.marker(Mark(0, 0.0, "", "x", "key"))
    node.calibrated()
    node.process(tracked(analysis(0, 0.0)))
    assert sent.scenes == ["Mark", "Ready"]
    assert node.notices == []


def test_a_rule_held_back_is_told_at_the_end() -> None:
    node = SteerObs(read_rules(config({**RULE, "name": "smile", "release_seconds": 0.0})), Sent())
    for number in range(15):
        node.process(tracked(analysis(number, 3.0 if number % 2 == 0 else 0.0)))
    assert node.notices == ["Rule 'smile' was held back 7 times (at_most_every)."]


def test_rules_name_only_what_is_measured() -> None:
    rules = read_rules(config(RULE, {"when": "mm.fai > 3", "then": {"scene": "X"}}))
    with pytest.raises(UserInputError, match=r"Rule '1': AU 12 is not measured; there are 4, 45\."):
        check_rules(rules[:1], (4, 45), millimetres=False)
    with pytest.raises(UserInputError, match="Rule '2' compares a length"):
        check_rules(rules, (12,), millimetres=False)
    check_rules(rules, (12,), millimetres=True)


def test_a_damaged_rule_is_named_by_its_place(tmp_path: Any) -> None:
    file = tmp_path / "rules.toml"
    file.write_text(
        '[[obs.rules]]\nwhen = "face lost"\nthen = { scene = "A" }\n'
        '[[obs.rules]]\nwhen = "AU12.left > 2"\nthen = { scene = 3 }\n',
        "utf-8",
    )
    with pytest.raises(UserInputError, match=r"obs\.rules, entry 2 = .*'scene' needs a name in quotes"):
        resolve({}, file)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (config(RULE, url=None), "they need --obs"),
        (config().model_copy(update={"speed": "max"}), "does not go with --speed max"),
    ],
)
def test_settings_that_do_not_go_together(given: Config, said: str) -> None:
    with pytest.raises(UserInputError, match=said):
        refuse_conflicts(given)


def test_the_client_takes_its_password_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACEMIRROR_OBS_PASSWORD", "secret")
    client = open_client(config(), lambda: 0.0, lambda _s: None, lambda _s: pytest.fail("asked"))
    assert client.url == "ws://127.0.0.1:4455"
    client.close()
    with pytest.raises(UserInputError, match="reads ws://HOST:PORT"):
        open_client(config(url="obs"), lambda: 0.0, lambda _s: None)


def test_the_pages_button_says_what_the_connection_does() -> None:
    client = ObsClient("ws://127.0.0.1:9", None, lambda: 0.0)
    command = ObsControl(client, "http://127.0.0.1:8765/overlay").command()
    assert command.describe() == {
        "reason": "OBS at ws://127.0.0.1:9 is being looked for.",
        "button": "Show the overlay in OBS",
        "note": "",
    }
    client.state = "connected"
    client.counts.sent, client.counts.answered = 3, 2
    client.ages.record(0.012)
    assert command.describe()["note"] == "2 of 3 requests done; 12 ms after the frame (p95 12 ms)"
    client.close()
