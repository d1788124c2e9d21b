"""The reading thread: newest wins, nothing is lost silently, and neither a stall nor a stop waits for the device."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from realtime.errors import DeviceError
from realtime.media.decoder import Decoded
from realtime.media.decoder_thread import DecoderThread
from realtime.media.stream_info import StreamInfo
from tests.media.clips import FakeClock, Stop


def info(*, live: bool) -> StreamInfo:
    return StreamInfo("fake", "fake", "raw", "bgr24", 64, 48, 30.0, 0, live, None if live else 1.0)


class FakeDecoder:
    """Gives `count` numbered pictures, then ends, fails, or blocks until released."""

    def __init__(self, count: int, *, live: bool = True, then: str = "end") -> None:
        self.count, self.live, self.then = count, live, then
        self.given = 0
        self.released = threading.Event()
        self.closed = threading.Event()
        self.gate: Callable[[int], Any] = lambda _: None
        self.failure: Exception | None = None

    def open(self) -> StreamInfo:
        if self.failure is not None:
            raise self.failure
        return info(live=self.live)

    def next(self) -> Decoded | None:
        self.gate(self.given)
        if self.given < self.count:
            self.given += 1
            return Decoded(None, None, float(self.given - 1))  # type: ignore[arg-type]
        if self.then == "fail":
            raise DeviceError("fake is gone (unplugged?).")
        if self.then == "block":
            self.released.wait(20)
        return None

    def abandon(self) -> None:
        self.released.set()

    def close(self) -> None:
        self.closed.set()


def thread_of(decoder: FakeDecoder, clock: FakeClock | None = None, **options: Any) -> DecoderThread:
    return DecoderThread(decoder, "fake", clock or FakeClock(), **options)


def test_a_live_source_keeps_the_newest_and_counts_what_it_overwrote() -> None:
    decoder = FakeDecoder(6, then="block")
    thread = thread_of(decoder)
    all_read = threading.Event()
    decoder.gate = lambda given: all_read.set() if given == 6 else None
    thread.open()
    assert all_read.wait(10)
    picture = thread.take(Stop())
    assert picture is not None
    assert (picture.arrival, picture.lost) == (5.0, 5)
    thread.close()
    assert thread.join(10)


def test_a_recording_over_the_network_loses_nothing_and_reads_only_a_little_ahead() -> None:
    decoder = FakeDecoder(50, live=False)
    thread = thread_of(decoder)
    thread.open()
    arrivals = []
    while (picture := thread.take(Stop())) is not None:
        arrivals.append(picture.arrival)
        assert decoder.given <= len(arrivals) + 6
        assert picture.lost == 0
    assert arrivals == [float(i) for i in range(50)]


def test_the_thread_is_woken_once_half_is_taken_or_when_it_is_asked_to_refill() -> None:
    thread, now = thread_of(FakeDecoder(0, live=False)), [0]
    wakes = list[int]()
    thread._pictures.extend(Decoded(None, None, float(n)) for n in range(4))  # type: ignore[arg-type]
    thread._changed.notify_all = lambda: wakes.append(now[0])  # type: ignore[method-assign]
    for now[0] in range(1, 5):
        assert thread.take(Stop()) is not None
    assert wakes == [2, 3, 4]
    thread.refill()
    assert wakes == [2, 3, 4, 4]


def test_a_stall_is_told_after_its_time_out() -> None:
    clock = FakeClock(0.0)

    def wait(_: threading.Condition, seconds: float) -> None:
        clock.now += seconds

    decoder = FakeDecoder(0, then="block")
    thread = thread_of(decoder, clock, stall_timeout=5.0, wait=wait)
    thread._info = info(live=True)
    with pytest.raises(DeviceError, match="no frame for 5 s"):
        thread.take(Stop())
    assert 5.0 < clock.now < 5.2


def test_a_stop_ends_a_stalled_take_at_the_next_look() -> None:
    looks = []
    thread = thread_of(FakeDecoder(0, then="block"), wait=lambda *_: looks.append(1))
    assert thread.take(Stop(after=3)) is None
    assert len(looks) == 3


def test_a_stop_ends_a_hanging_open_and_the_thread_lets_go_by_itself() -> None:
    decoder = FakeDecoder(0)
    hang = threading.Event()
    decoder.open = lambda: hang.wait(20) and info(live=True)  # type: ignore[method-assign, assignment, return-value]
    thread = thread_of(decoder, wait=lambda *_: None)
    assert thread.open(Stop(after=2)) is None
    thread.close()
    assert not decoder.closed.is_set()
    hang.set()
    assert thread.join(10)
    assert decoder.closed.is_set()


def test_a_device_that_never_opens_is_given_up() -> None:
    clock = FakeClock(0.0)
    decoder = FakeDecoder(0)
    hang = threading.Event()
    decoder.open = lambda: hang.wait(20) and info(live=True)  # type: ignore[method-assign, assignment, return-value]

    def wait(_: threading.Condition, seconds: float) -> None:
        clock.now += seconds

    thread = thread_of(decoder, clock, open_timeout=10.0, wait=wait)
    with pytest.raises(DeviceError, match="nothing came within 15 s"):
        thread.open()
    hang.set()


@pytest.mark.parametrize("error", [DeviceError("camera is busy"), RuntimeError("a bug")])
def test_what_opening_raises_reaches_the_opener(error: Exception) -> None:
    decoder = FakeDecoder(0)
    decoder.failure = error
    with pytest.raises(type(error), match=str(error)):
        thread_of(decoder).open()
    assert decoder.closed.wait(10)


def test_pictures_that_came_before_a_failure_are_delivered_first() -> None:
    decoder = FakeDecoder(3, live=False, then="fail")
    thread = thread_of(decoder)
    thread.open()
    assert thread.join(10)
    assert [p.arrival for p in (thread.take(Stop()) for _ in range(3)) if p] == [0.0, 1.0, 2.0]
    with pytest.raises(DeviceError, match="unplugged"):
        thread.take(Stop())


def test_closing_frees_a_decoder_that_is_ahead() -> None:
    decoder = FakeDecoder(1000, live=False)
    thread = thread_of(decoder)
    thread.open()
    assert thread.take(Stop()) is not None
    thread.close()
    assert thread.join(10)
    assert decoder.closed.is_set()
