"""The reader's dealings with devices, by stand-ins: modes that are refused, kernel time stamps, would-block."""

import time
from collections.abc import Iterator
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import pytest
from av import Packet
from av.error import BlockingIOError as WouldBlock
from av.error import FFmpegError

from realtime.errors import DeviceError
from realtime.media.decoder import Decoder
from realtime.media.demux_options import Attempt, OpenPlan
from tests.media.clips import FakeClock

GOOD = Attempt("testsrc2=size=64x48:rate=30", "lavfi")


def test_a_mode_that_is_refused_leads_to_the_next() -> None:
    opening = OpenPlan("camera 0", (Attempt("no_such_filter", "lavfi"), Attempt("color=size=x", "lavfi"), GOOD))
    reader = Decoder(opening, FakeClock())
    assert (reader.open().width, reader.open().fps) == (64, 30.0)
    reader.close()


@pytest.mark.parametrize(("number", "tries"), [(16, 1), (13, 1), (19, 1), (22, 3)])
def test_a_busy_camera_is_not_tried_in_every_mode(monkeypatch: pytest.MonkeyPatch, number: int, tries: int) -> None:
    opened = []

    def refuse(file: str, **_: object) -> None:
        opened.append(file)
        raise FFmpegError(number, "refused")

    monkeypatch.setattr("av.open", refuse)
    opening = OpenPlan("camera 0", (GOOD, GOOD, GOOD), device=True)
    with pytest.raises(DeviceError, match="camera 0"):
        Decoder(opening, FakeClock()).open()
    assert len(opened) == tries


def test_kernel_time_stamps_give_the_time_the_picture_was_taken() -> None:
    reader = Decoder(OpenPlan("camera 0", (GOOD,), device=True), FakeClock(500.0))
    taken = time.monotonic() - 0.040
    packet = SimpleNamespace(pts=round(taken * 1e6), time_base=Fraction(1, 1_000_000))
    assert reader._arrival(packet) == pytest.approx(500.0 - 0.040, abs=0.02)  # type: ignore[arg-type]


@pytest.mark.parametrize("seconds", [-1.0, 5.0, 1e9])
def test_stamps_of_another_clock_are_not_believed(seconds: float) -> None:
    reader = Decoder(OpenPlan("camera 0", (GOOD,), device=True), FakeClock(500.0))
    packet = SimpleNamespace(pts=round((time.monotonic() - seconds) * 1e6), time_base=Fraction(1, 1_000_000))
    assert reader._arrival(packet) == 500.0  # type: ignore[arg-type]


class Container:
    """Demuxes from a script of packets and exceptions."""

    def __init__(self, *script: bytes | Exception) -> None:
        self.script = list(script)

    def demux(self, _: object) -> Iterator["Packet[Any]"]:
        while self.script:
            entry = self.script.pop(0)
            if isinstance(entry, Exception):
                raise entry
            yield Packet(entry)


def test_a_device_that_would_block_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    reader = Decoder(OpenPlan("camera 0", (GOOD,), device=True), FakeClock())
    container = Container(b"a", WouldBlock(35, "try again"), WouldBlock(35, "try again"), b"b")
    assert [bytes(packet) for packet in reader._packets(container, None)] == [b"a", b"b"]  # type: ignore[arg-type]


def test_a_device_that_would_block_for_ever_is_left_when_nobody_wants_it(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = Decoder(OpenPlan("camera 0", (GOOD,), device=True), FakeClock())
    waits = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            reader.abandon()

    monkeypatch.setattr("time.sleep", wait)
    container = Container(*[WouldBlock(35, "try again")] * 50)
    assert list(reader._packets(container, None)) == []  # type: ignore[arg-type]
    assert len(waits) == 3


def test_an_unplugged_camera_is_told() -> None:
    reader = Decoder(OpenPlan("camera 0 (Webcam)", (GOOD,), device=True), FakeClock())
    packets = reader._packets(Container(b"a", FFmpegError(19, "No such device")), None)  # type: ignore[arg-type]
    assert bytes(next(packets)) == b"a"
    with pytest.raises(DeviceError, match="gone"):
        next(packets)
