"""LSL and OSC, each heard by a real receiver."""

import math
import os
import re
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from realtime.app.nodes.openface3 import ExpressionResult, columns
from realtime.app.nodes.streams import SendExpression, SendStream, streams
from realtime.config import resolve
from realtime.errors import UserInputError
from realtime.session.markers import SessionMarkers
from realtime.streams.lsl import LslStreams, channel_labels, expression_labels, length_labels, source_identity
from realtime.streams.osc import OscStream, parse_address
from realtime.types import Analysis, Expression, FaceObservation, Frame, Millimetres, Sides, TrackedFrame

UNITS = (1, 12)


def face() -> FaceObservation:
    points = np.zeros((98, 2), np.float32)
    return FaceObservation(1, np.zeros(4, np.float32), points, points, 0.75, True, None, (1.0, -2.0, 3.5))


BLACK = Frame(np.zeros((4, 4, 3), np.uint8), 0, 0.0)


def analyses() -> list[Analysis]:
    return [
        Analysis(0, 100.0, face(), {1: 0.5, 12: 4.25}, {1: 1.5, 12: 2.0}),
        Analysis(1, 100.04, face(), {1: 0.25, 12: math.nan}, {12: 3.0}),
        Analysis(2, 100.08, None),
    ]


def send(
    config_words: dict[str, Any], clock: Callable[[], float], listener: Callable[..., object] | None = None
) -> tuple[list[SendStream], SessionMarkers]:
    """Everything the configuration asks for, opened."""
    config = resolve(config_words, environment={}).config
    markers = SessionMarkers(None, clock)
    return [SendStream(open_one(UNITS)) for open_one in streams(config, markers, clock).values()], markers


def test_lsl_carries_labelled_values_and_markers_at_their_capture_times() -> None:
    pylsl = pytest.importorskip("pylsl")
    # A clock far from LSL's own: stamps must be converted, not copied.
    sinks, markers = send({"lsl": True}, lambda: time.monotonic() - 5000.0)
    (sink,) = sinks
    inlets = []
    try:
        for name in ("FaceMirror AU", "FaceMirror markers"):
            (found,) = pylsl.resolve_byprop("name", name, timeout=10.0)
            inlets.append(pylsl.StreamInlet(found, max_buflen=10))
            inlets[-1].open_stream(timeout=10.0)
        values, marks = inlets
        now = time.monotonic() - 5000.0
        there = pylsl.local_clock()
        for analysis in analyses():
            moved = replace(analysis, capture_time=now + analysis.capture_time - 100)
            sink.process(TrackedFrame(moved, BLACK))
        markers.add("begin", "key", capture_time=now + 0.5)
        got = [values.pull_sample(timeout=10.0) for _ in range(3)]
        stamps = [stamp for _, stamp in got]
        assert got[0][0] == [0.5, 1.5, 4.25, 2.0, 1.0, -2.0, 3.5, 0.75]
        assert [math.isnan(v) for v in got[1][0]] == [False, True, True, False, False, False, False, False]
        assert all(math.isnan(v) for v in got[2][0])
        assert np.allclose(stamps, [there, there + 0.04, there + 0.08], atol=0.02)
        text, stamp = marks.pull_sample(timeout=10.0)
        assert text == ["begin"]
        assert stamp == pytest.approx(there + 0.5, abs=0.02)
        info = values.info(timeout=10.0)
        assert info.source_id() == f"facemirror-live:{socket.gethostname()}:{source_identity('camera')}:au"
        assert info.channel_format() == pylsl.cf_float32
        node = info.desc().child("channels").child("channel")
        labels, sides, kinds = [], [], []
        while not node.empty():
            labels.append(node.child_value("label"))
            sides.append(node.child_value("side"))
            kinds.append(node.child_value("unit"))
            node = node.next_sibling()
        assert labels == channel_labels(UNITS)
        assert sides[:2] == ["patient's left", "patient's right"]
        assert kinds[0] == "intensity 0 to 5"
    finally:
        for inlet in inlets:
            inlet.close_stream()
        sink.close()


def test_osc_carries_each_unit_and_side_and_leaves_out_what_was_not_measured() -> None:
    pytest.importorskip("pythonosc")
    from pythonosc.dispatcher import Dispatcher
    from pythonosc.osc_server import ThreadingOSCUDPServer

    heard: list[tuple[object, ...]] = []
    all_heard = threading.Event()

    def take(path: str, *values: object) -> None:
        heard.append((path, *values))
        if path == "/facemirror/marker":
            all_heard.set()

    dispatcher = Dispatcher()
    dispatcher.set_default_handler(take)
    with ThreadingOSCUDPServer(("127.0.0.1", 0), dispatcher) as server:
        # One at a time, so that messages keep their order.
        server.process_request = lambda request, address: server.finish_request(request, address)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            sinks, markers = send({"osc": f"127.0.0.1:{server.server_address[1]}"}, lambda: 7.0)
            for analysis in analyses():
                sinks[0].process(TrackedFrame(analysis, BLACK))
            markers.captured(2)
            markers.add("Lächeln", "key")
            assert all_heard.wait(10.0)
            sinks[0].close()
        finally:
            server.shutdown()
            thread.join()
    first = heard[: heard.index(next(h for h in heard if h[:2] == ("/facemirror/frame", 1)))]
    assert ("/facemirror/au/12/left", 4.25) in first
    assert ("/facemirror/au/1/right", 1.5) in first
    assert ("/facemirror/pose", 1.0, -2.0, 3.5) in first
    rest = heard[len(first) :]
    assert rest[0][2] == pytest.approx(0.04, abs=1e-4)
    assert [h for h in rest if str(h[0]).startswith("/facemirror/au")] == [
        ("/facemirror/au/1/left", 0.25),
        ("/facemirror/au/12/right", 3.0),
    ]
    assert [h[1] for h in heard if h[0] == "/facemirror/face"] == [1, 1, 0]
    assert heard[-1] == ("/facemirror/marker", "Lächeln", 2)


EXPRESSION = Expression({1: 0.25, 12: 0.75}, {"happy": 0.75, "sad": 0.25}, (0.5, -0.25))


def test_lsl_carries_openface3_in_an_outlet_of_its_own() -> None:
    pylsl = pytest.importorskip("pylsl")
    (sink,), _ = send({"lsl": True}, time.monotonic)
    stream = sink._stream
    stream.open_expression([1, 12], ["happy", "sad"])
    inlet = None
    try:
        (found,) = pylsl.resolve_byprop("name", "FaceMirror OpenFace 3.0", timeout=10.0)
        inlet = pylsl.StreamInlet(found, max_buflen=10)
        inlet.open_stream(timeout=10.0)
        there, now = pylsl.local_clock(), time.monotonic()
        sending = SendExpression(stream)
        sending.process(ExpressionResult(4, now - 0.5, 1, EXPRESSION))
        sending.process(ExpressionResult(5, now, None, None))
        values, stamp = inlet.pull_sample(timeout=10.0)
        assert values == [0.25, 0.75, 0.75, 0.25, 0.5, -0.25]
        assert stamp == pytest.approx(there - 0.5, abs=0.02)
        assert all(math.isnan(value) for value in inlet.pull_sample(timeout=10.0)[0])
        node = inlet.info(timeout=10.0).desc().child("channels").child("channel")
        told = []
        while not node.empty():
            told.append((node.child_value("label"), node.child_value("unit")))
            node = node.next_sibling()
        assert told[0] == ("of3_AU01", "0 to 1, present above 0.5")
        assert [label for label, _ in told] == expression_labels([1, 12], ["happy", "sad"])
        assert not any("intensity" in unit for _, unit in told)
        assert [label for label, _ in told] == [
            name for name in columns((1, 12), ("happy", "sad")) if name.startswith("of3_") and name != "of3_emotion"
        ], "named as in openface3.csv"
    finally:
        if inlet is not None:
            inlet.close_stream()
        sink.close()
    SendExpression(stream).process(ExpressionResult(6, now, 1, EXPRESSION))


def test_osc_carries_openface3_under_addresses_of_its_own() -> None:
    pytest.importorskip("pythonosc")
    from pythonosc.osc_packet import OscPacket

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(10.0)
        (sink,), _ = send({"osc": f"127.0.0.1:{receiver.getsockname()[1]}"}, lambda: 7.0)
        sending = SendExpression(sink._stream)
        sending.process(ExpressionResult(3, 10.0, None, None))
        sending.process(ExpressionResult(4, 10.5, 1, EXPRESSION))
        packet = receiver.recv(65536)
        sink.close()
    heard = {timed.message.address: timed.message.params for timed in OscPacket(packet).messages}
    assert heard == {
        "/facemirror/openface3/frame": [4, 0.0],
        "/facemirror/openface3/au/1": [0.25],
        "/facemirror/openface3/au/12": [0.75],
        "/facemirror/openface3/emotion": ["happy", 0.75],
        "/facemirror/openface3/gaze": [0.5, -0.25],
    }


LENGTHS = Millimetres(0.4, "iris", scale_state="measured", commissure=Sides(30.0, 24.5), fai=-1.25)


def test_osc_carries_lengths_by_name_and_leaves_out_what_was_not_measured() -> None:
    pytest.importorskip("pythonosc")
    from pythonosc.osc_packet import OscPacket

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(10.0)
        (sink,), _ = send({"osc": f"127.0.0.1:{receiver.getsockname()[1]}"}, lambda: 7.0)
        sink.process(TrackedFrame(replace(analyses()[0], millimetres=LENGTHS), BLACK))
        packet = OscPacket(receiver.recv(65536))
        sink.close()
    heard = {timed.message.address: list(timed.message) for timed in packet.messages}
    lengths = {address: values for address, values in heard.items() if "/mm/" in address}
    assert lengths == {
        "/facemirror/mm/scale": [pytest.approx(0.4), "iris", "measured"],
        "/facemirror/mm/commissure/left": [30.0],
        "/facemirror/mm/commissure/right": [24.5],
        "/facemirror/mm/fai": [-1.25],
    }


def test_lsl_sends_lengths_on_an_outlet_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    pylsl = pytest.importorskip("pylsl")
    sent: dict[str, list[list[float]]] = {}

    class Outlet:
        """Keeps what it is given, by the stream's name."""

        def __init__(self, info: Any, **_: object) -> None:
            self.samples = sent.setdefault(info.name(), [])
            assert info.channel_count() == (len(length_labels()) if "lengths" in info.name() else info.channel_count())

        def push_sample(self, values: list[float], _stamp: float) -> None:
            self.samples.append(values)

    monkeypatch.setattr(pylsl, "StreamOutlet", Outlet)
    claimed = Outlet(pylsl.StreamInfo("FaceMirror AU", "AU", 1))
    monkeypatch.setattr(LslStreams, "_claim", lambda _self, identity: (identity, claimed))
    stream = LslStreams(UNITS, time.monotonic, identity="x", millimetres=True, look_seconds=0.0)
    stream.frame(replace(analyses()[0], millimetres=LENGTHS))
    stream.frame(analyses()[0])
    stream.close()
    first, second = sent["FaceMirror lengths"]
    found = dict(zip((label for label, _, _ in length_labels()), first, strict=True))
    assert (found["mm_scale"], found["mm_commissure_left"], found["mm_fai"]) == (0.4, 30.0, -1.25)
    assert math.isnan(found["mm_brow_height_left"])
    assert all(math.isnan(value) for value in second)
    assert len(second) == len(first)


def test_osc_to_nobody_costs_nothing_and_is_no_error() -> None:
    pytest.importorskip("pythonosc")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    stream = OscStream("127.0.0.1", port, UNITS)
    for analysis in analyses() * 5:
        stream.frame(analysis)
    stream.close()


@pytest.mark.parametrize("words", ["nowhere", ":9000", "host:", "host:0", "host:99999", "host:x"])
def test_a_wrong_osc_address_is_one_sentence(words: str) -> None:
    with pytest.raises(UserInputError, match="HOST:PORT"):
        parse_address(words)


def test_an_unknown_host_is_one_sentence() -> None:
    pytest.importorskip("pythonosc")
    with pytest.raises(UserInputError, match="no host"):
        OscStream("no-such-host.invalid", 9000, UNITS)


def test_nothing_is_sent_unless_asked(tmp_path: Path) -> None:
    assert streams(resolve({}, environment={}).config, SessionMarkers(None, lambda: 0.0), lambda: 0.0) == {}


def test_an_identity_is_the_same_again_for_one_person_and_camera_and_another_for_others() -> None:
    found = source_identity("camera:0", "Ada")
    assert found == source_identity("camera:0", "Ada")
    others = [("camera:0", "Bo"), ("camera:1", "Ada"), ("camera:0", None), ("camera:0Ada", "")]
    assert len({found, *(source_identity(*other) for other in others)}) == 5
    assert re.fullmatch("[0-9a-f]{12}", found), "the person's name does not go over the network"
    assert source_identity("camera:0", "Ada", " left chair ") == "left chair"
    for name in ("", " ", "a\nb", "x" * 61):
        with pytest.raises(UserInputError, match="--name"):
            source_identity("camera:0", name=name)


def test_two_runs_of_one_person_and_camera_never_share_a_source_id() -> None:
    pytest.importorskip("pylsl")
    ids, identity = [], f"runs-{os.getpid()}"
    first = LslStreams(UNITS, time.monotonic, identity=identity)
    try:
        second = LslStreams(UNITS, time.monotonic, identity=identity, name="chair 2")
        ids += [first.identity, second.identity]
        second.close()
    finally:
        first.close()
    again = LslStreams(UNITS, time.monotonic, identity=identity)
    ids.append(again.identity)
    again.close()
    assert ids == [identity, f"{identity}-2", identity]


@pytest.mark.parametrize("locked", [True, False], ids=["on one machine", "on two"])
def test_runs_that_start_in_the_same_moment_have_different_source_ids(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, locked: bool
) -> None:
    pytest.importorskip("pylsl")
    # A place where no lock can be had: then they have only what they hear of each other.
    monkeypatch.setenv("FACEMIRROR_CACHE", str(tmp_path if locked else Path(os.devnull) / "nowhere"))
    identity = f"moment-{os.getpid()}-{locked}"  # other tests and other copies of them may run beside this one
    barrier = threading.Barrier(2)

    def start() -> LslStreams:
        barrier.wait()
        return LslStreams(UNITS, time.monotonic, identity=identity)

    with ThreadPoolExecutor(2) as pool:
        runs = [one.result() for one in [pool.submit(start) for _ in range(2)]]
    try:
        assert sorted(run.identity for run in runs) == [identity, f"{identity}-2"]
    finally:
        for run in runs:
            run.close()


def test_a_named_run_shows_its_name_in_the_list_of_streams() -> None:
    pylsl = pytest.importorskip("pylsl")
    sinks, _ = send({"lsl": True, "name": "chair 3"}, time.monotonic)
    try:
        (found,) = pylsl.resolve_byprop("name", "FaceMirror AU chair 3", timeout=10.0)
        assert found.source_id() == f"facemirror-live:{socket.gethostname()}:chair 3:au"
    finally:
        sinks[0].close()


def test_lsl_gives_everybody_an_outlet_and_keeps_it() -> None:
    """Heard by real receivers: who is not the patient has an outlet of their own, whoever else comes and goes."""
    pylsl = pytest.importorskip("pylsl")
    person = f"test{os.getpid()}"  # so that only this run's outlets are found
    (sink,), _ = send({"lsl": True, "people": 3, "person": person}, time.monotonic)

    def seen(face_id: int, value: float) -> Analysis:
        return Analysis(0, 0.0, replace(face(), face_id=face_id), {1: value, 12: value}, {1: 0.0, 12: 0.0})

    inlets: dict[str, Any] = {}
    own = source_identity("camera", person)
    try:
        for stream in ("FaceMirror AU", "FaceMirror AU person 2", "FaceMirror AU person 3"):
            found = [one for one in pylsl.resolve_byprop("name", stream, timeout=10.0) if own in one.source_id()]
            assert len({one.source_id() for one in found}) == 1, stream
            inlets[stream] = pylsl.StreamInlet(found[0], max_buflen=10)
            inlets[stream].open_stream(timeout=10.0)
        frames = [
            (seen(1, 0.5), (seen(2, 1.0), seen(7, 2.0))),
            (seen(1, 0.5), (seen(7, 2.5),)),  # the second person is away
            (Analysis(0, 0.0, None), (seen(2, 1.5), seen(7, 3.0))),  # and back; now the patient is not seen
        ]
        for number, (patient, others) in enumerate(frames):
            now = time.monotonic() + number / 30
            whole = replace(patient, capture_time=now, others=tuple(replace(one, capture_time=now) for one in others))
            sink.process(TrackedFrame(whole, BLACK))
        patient_values = [inlets["FaceMirror AU"].pull_sample(timeout=10.0)[0] for _ in range(3)]
        assert [values[0] for values in patient_values[:2]] == [0.5, 0.5]
        assert math.isnan(patient_values[2][0])
        second = [inlets["FaceMirror AU person 2"].pull_sample(timeout=10.0)[0] for _ in range(2)]
        third = [inlets["FaceMirror AU person 3"].pull_sample(timeout=10.0)[0] for _ in range(3)]
        assert [(values[0], values[-1]) for values in second] == [(1.0, 2.0), (1.5, 2.0)]
        assert [(values[0], values[-1]) for values in third] == [(2.0, 7.0), (2.5, 7.0), (3.0, 7.0)]
    finally:
        for inlet in inlets.values():
            inlet.close_stream()
        sink.close()
