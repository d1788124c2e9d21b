"""The connection with OBS against a small server of the same protocol, well and ill behaved."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from realtime.errors import DeviceError
from realtime.obs.client import ObsClient
from realtime.obs.protocol import ObsAbsentError, ObsPasswordError, ObsRefusalError, authentication, connect
from realtime.obs.requests import ObsRequest, parse_action
from realtime.obs.rules import Fired
from tests.live.waiting import eventually
from tests.obs.fake_obs import FakeObs, fake_obs


@contextmanager
def client(url: str, password: str | None = None, now: float = 0.0) -> Iterator[tuple[ObsClient, list[str]]]:
    """A started client that tries again at once, and what it says."""
    said: list[str] = []
    made = ObsClient(url, password, lambda: now, said.append, lambda _seconds: asyncio.sleep(0.01))
    made.start()
    try:
        yield made, said
    finally:
        made.close()
        assert not made._thread.is_alive()


def fire(request: ObsRequest, capture_time: float = 0.0) -> Fired:
    """A rule's wish."""
    return Fired("R", request, capture_time)


def test_the_answer_to_a_challenge_is_the_protocol_descriptions() -> None:
    salt, challenge = "lM1GncleQOaCu9lT1yeUZhFYnqhsLLP1G5lAGo3ixaI=", "+IxH4CnCiqpX1rM9scsNynZzbOe4KhDeYcTNS3PDaeY="
    expected = "1Ct943GAT+6YQUUX47Ia/ncufilbe6+oD6lY+5kaCu4="
    assert authentication("supersecretpassword", salt, challenge) == expected


def test_requests_arrive_in_order_and_their_age_is_measured() -> None:
    with fake_obs(FakeObs(password="right")) as obs, client(obs.url, "right", now=1.020) as (one, said):
        eventually(lambda: one.state == "connected", 5, "connected")
        one.send(fire(parse_action({"scene": "Smile"}), 1.0))  # type: ignore[arg-type]
        one.send(fire(parse_action({"source": "Crown", "on": True}), 1.0))  # type: ignore[arg-type]
        eventually(lambda: one.counts.answered == 2, 5, "both answered")
    assert said == [f"Connected with OBS 29.0.2 at {obs.url}."]
    assert obs.asked == [
        ("GetVersion", {}),
        ("SetCurrentProgramScene", {"sceneName": "Smile"}),
        ("GetCurrentProgramScene", {}),
        ("GetSceneItemId", {"sceneName": "Talk", "sourceName": "Crown"}),
        ("SetSceneItemEnabled", {"sceneItemEnabled": True, "sceneName": "Talk", "sceneItemId": 7}),
    ]
    assert one.figures()["age_ms"]["p50"] == pytest.approx(20, abs=0.1)


def test_a_password_that_is_missing_or_wrong_is_one_sentence() -> None:
    with fake_obs(FakeObs(password="right")) as obs:
        with pytest.raises(ObsPasswordError, match="wants a password"):
            asyncio.run(connect(obs.url, None))
        with pytest.raises(ObsPasswordError, match="refuses the password"):
            asyncio.run(connect(obs.url, "wrong"))
        with client(obs.url, "wrong") as (one, said):
            eventually(lambda: obs.connections >= 4, 5, "tried again")
            assert one.state == "refused"
            assert len(said) == 1, "said once, however often it is tried"
            with pytest.raises(DeviceError, match="refuses the password"):
                one.call("GetVersion")


def test_what_obs_refuses_is_said_once_and_counted() -> None:
    server = FakeObs(refuse={"SetCurrentProgramScene": (600, "No source was found by the name of `Smile`.")})
    with fake_obs(server) as obs, client(obs.url) as (one, said):
        eventually(lambda: one.state == "connected", 5, "connected")
        for _ in range(3):
            one.send(fire(ObsRequest("SetCurrentProgramScene", {"sceneName": "Smile"})))
        one.send(fire(ObsRequest("SplitRecordFile")))
        eventually(lambda: one.counts.refused == 4, 5, "all refused")
    assert said[1:] == [
        "Rule 'R': OBS refuses SetCurrentProgramScene: No source was found by the name of `Smile`.",
        "Rule 'R': this OBS has no request SplitRecordFile.",
    ]
    assert all(kind != "SplitRecordFile" for kind, _ in obs.asked)


def test_an_obs_that_goes_is_found_again_and_costs_nothing_meanwhile() -> None:
    server = FakeObs()
    with fake_obs(server) as obs, client(obs.url) as (one, said):
        eventually(lambda: one.connections == 1, 5, "connected")
        obs.hang_up()
        eventually(lambda: one.connections == 2, 5, "connected again")
    assert any("has gone; the run goes on" in sentence for sentence in said)


def test_requests_for_an_obs_that_is_not_there_are_forgotten_not_kept() -> None:
    server = FakeObs()
    with fake_obs(server) as obs:
        url = obs.url
    with client(url) as (one, said):
        one.send(fire(ObsRequest("SetCurrentProgramScene", {"sceneName": "Smile"})))
        eventually(lambda: one.counts.unsent == 1, 5, "counted")
        eventually(lambda: said, 5, "said")
        with pytest.raises(DeviceError, match="No OBS answers"):
            one.call("GetVersion")
        later = FakeObs(port=server.port)
        with fake_obs(later):
            eventually(lambda: one.state == "connected", 5, "found")
            one.call("GetCurrentProgramScene")
    assert [kind for kind, _ in later.asked] == ["GetVersion", "GetCurrentProgramScene"]
    assert "WebSocket Server Settings" in said[0]


def test_more_requests_than_obs_takes_are_dropped_not_queued_without_end() -> None:
    with fake_obs(FakeObs(silent={"SetCurrentProgramScene"})) as obs, client(obs.url) as (one, _said):
        eventually(lambda: one.state == "connected", 5, "connected")
        for _ in range(200):
            one.send(fire(ObsRequest("SetCurrentProgramScene", {"sceneName": "Smile"})))
        eventually(lambda: one.counts.sent == 200, 5, "all taken")
        assert one.counts.unsent >= 140


@pytest.mark.parametrize(
    "hello", ["{", "[]", json.dumps({"op": 0, "d": {"rpcVersion": 2}}), json.dumps({"op": 9, "d": {}}), "x" * 5_000_000]
)
def test_what_does_not_speak_the_protocol_is_refused(hello: str) -> None:
    with fake_obs(FakeObs(hello=hello)) as obs, pytest.raises(ObsRefusalError):
        asyncio.run(connect(obs.url, None))


def test_an_obs_websocket_4_that_waits_to_be_asked_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("realtime.obs.protocol._GREETING_SECONDS", 0.2)
    with fake_obs(FakeObs(greets=False)) as obs, pytest.raises(ObsAbsentError, match="does not greet, as OBS 28"):
        asyncio.run(connect(obs.url, None))


def test_tls_where_none_is_spoken_and_none_where_tls_is_are_told_apart() -> None:
    with fake_obs(FakeObs()) as obs, pytest.raises(ObsRefusalError, match="is at ws://"):
        asyncio.run(connect(obs.url.replace("ws://", "wss://"), None))

    async def alert(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """What a server with TLS answers to words without: fatal, unexpected message (RFC 8446, section 6)."""
        await reader.read(100)
        writer.write(b"\x15\x03\x01\x00\x02\x02\x0a")
        writer.close()

    async def ask() -> None:
        async with await asyncio.start_server(alert, "127.0.0.1", 0) as server:
            host, port = server.sockets[0].getsockname()
            with pytest.raises(ObsAbsentError, match="is no OBS; a server with TLS is at wss://"):
                await connect(f"ws://{host}:{port}", None)

    asyncio.run(ask())


def test_nobody_at_the_address_is_absent() -> None:
    with pytest.raises(ObsAbsentError, match="No OBS answers at"):
        asyncio.run(connect("ws://127.0.0.1:9", None))


OVERLAY: dict[str, Mapping[str, Any]] = {
    "GetInputKindList": {"inputKinds": ["browser_source", "image_source"]},
    "GetVideoSettings": {"baseWidth": 1280, "baseHeight": 720},
}


def test_the_overlay_becomes_a_source_once_and_is_loaded_anew_then() -> None:
    server = FakeObs(answers={**OVERLAY, "GetInputList": {"inputs": []}})
    with fake_obs(server) as obs, client(obs.url) as (one, _said):
        eventually(lambda: one.state == "connected", 5, "connected")
        assert one.show_overlay("http://127.0.0.1:8765/overlay?token=t") == (
            "The overlay is a source of OBS's scene 'Talk' now."
        )
        kind, data = obs.asked[-1]
        assert kind == "CreateInput"
        assert data["inputSettings"]["url"].endswith("/overlay?token=t")
        assert (data["inputSettings"]["width"], data["inputSettings"]["height"]) == (634, 720)
        server.answers["GetInputList"] = {"inputs": [{"inputName": "facemirror-live overlay"}]}
        theirs = "http://127.0.0.1:8765/overlay?token=t&au=12,9&style=face"
        server.answers["GetInputSettings"] = {"inputSettings": {"url": theirs, "width": 300, "height": 300}}
        assert "loaded anew" in one.show_overlay("http://127.0.0.1:8765/overlay?token=u")
        assert obs.asked[-3][1]["inputSettings"] == {"url": "http://127.0.0.1:8765/overlay?token=u&au=12,9&style=face"}
        assert [kind for kind, _ in obs.asked[-3:]] == [
            "SetInputSettings",
            "PressInputPropertiesButton",
            "GetSceneItemId",
        ]


def test_an_obs_without_browser_source_says_so() -> None:
    with (
        fake_obs(FakeObs(answers={"GetInputKindList": {"inputKinds": ["image_source"]}})) as obs,
        client(obs.url) as (one, _said),
    ):
        eventually(lambda: one.state == "connected", 5, "connected")
        with pytest.raises(DeviceError, match="no browser source"):
            one.show_overlay("http://127.0.0.1:8765/overlay")


ODD: list[Any] = [None, True, -1, 1e300, "", "x" * 100_000, "\ud800\x1b[2J", [], {}, [[]], [None, 3, "a"], {"url": 3}]
FIELDS = [
    ("GetInputKindList", "inputKinds"),
    ("GetCurrentProgramScene", "currentProgramSceneName"),
    ("GetInputList", "inputs"),
    ("GetVideoSettings", "baseHeight"),
    ("GetVideoSettings", "baseWidth"),
    ("GetInputSettings", "inputSettings"),
]


def test_an_answer_of_any_form_is_done_or_refused_in_a_sentence() -> None:
    """OBS forks and plug-ins answer requests of the same names."""
    whole = {**OVERLAY, "GetInputList": {"inputs": []}}
    known = {**OVERLAY, "GetInputList": {"inputs": [{"inputName": "facemirror-live overlay"}]}}
    server = FakeObs()
    with fake_obs(server) as obs, client(obs.url) as (one, _said):
        eventually(lambda: one.state == "connected", 5, "connected")
        for kind, name in FIELDS:
            for odd in [{name: value} for value in ODD] + [{}]:
                server.answers = {**(known if kind == "GetInputSettings" else whole), kind: odd}
                try:
                    sentence = one.show_overlay("http://127.0.0.1:8765/overlay?token=t")
                except DeviceError as error:
                    sentence = str(error)
                assert 0 < len(sentence) < 400
                sentence.encode()
        assert one.connections == 1, "the connection outlives them all"


@pytest.mark.parametrize("answer", [{}, {"currentProgramSceneName": None}, {"currentProgramSceneName": ["a"]}])
def test_a_rule_outlives_an_answer_without_what_it_needs(answer: Mapping[str, Any]) -> None:
    server = FakeObs(answers={"GetCurrentProgramScene": answer})
    with fake_obs(server) as obs, client(obs.url) as (one, said):
        eventually(lambda: one.state == "connected", 5, "connected")
        one.send(fire(ObsRequest("SetSceneItemEnabled", {"sceneItemEnabled": True}, item="Hat")))
        eventually(lambda: one.counts.refused == 1, 5, "it is refused")
        server.answers = {}
        one.send(fire(ObsRequest("SetSceneItemEnabled", {"sceneItemEnabled": True}, item="Hat")))
        eventually(lambda: one.counts.answered == 1, 5, "the next one is done")
        assert one.connections == 1
    assert said[1:] == ["Rule 'R': OBS's answer has no text currentProgramSceneName."]


def test_what_obs_says_of_itself_is_one_short_line() -> None:
    version = {"obsVersion": "29\n" + "x" * 100_000, "availableRequests": 3}
    with fake_obs(FakeObs(answers={"GetVersion": version})) as obs, client(obs.url) as (one, said):
        eventually(lambda: one.state == "connected", 5, "connected")
    assert len(said[0]) < 300
    assert "\n" not in said[0]
