"""Raw recording: every bit comes back, the graph is never held up, losses are counted."""

import io
import threading
from pathlib import Path

import numpy as np
import pytest

from realtime.errors import DeviceError, UserInputError
from realtime.media import lossless
from realtime.media.lossless import RawRecorder, read_raw
from realtime.types import Frame


def frames(count: int, shape: tuple[int, int, int] = (90, 122, 3), seed: int = 0) -> list[Frame]:
    """Noise: the hardest picture to keep."""
    rng = np.random.default_rng(seed)
    return [Frame(rng.integers(0, 256, shape, np.uint8), 3 * n, 50.0 + n / 30) for n in range(count)]


@pytest.mark.parametrize("codec", lossless._CODECS, ids=lambda codec: codec.name)
@pytest.mark.parametrize("shape", [(90, 122, 3), (91, 123, 3)], ids=str)
def test_every_bit_comes_back_in_order(
    tmp_path: Path, codec: lossless._Lossless, shape: tuple[int, int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lossless, "_CODECS", (codec,))
    told: list[tuple[int, float]] = []
    recorder = RawRecorder(tmp_path / "raw.mkv", lambda n, t: told.append((n, t)))
    given = frames(20, shape)
    for frame in given:
        assert recorder.put(frame, wait=True)
    recorder.close()
    recorder.close()
    found = list(read_raw(tmp_path / "raw.mkv"))
    assert len(found) == 20
    assert all(np.array_equal(image, frame.image) for image, frame in zip(found, given, strict=True))
    assert all(image.flags.c_contiguous for image in found)
    assert told == [(frame.sequence, frame.capture_time) for frame in given]
    assert recorder.notices == []


def test_a_full_backlog_drops_and_counts_instead_of_waiting(tmp_path: Path) -> None:
    hold = threading.Event()
    recorder = RawRecorder(tmp_path / "raw.mkv", lambda _n, _t: hold.wait(), backlog=4)
    taken = [recorder.put(frame) for frame in frames(12)]
    assert taken.count(False) == recorder.dropped >= 12 - 4 - 1
    hold.set()
    recorder.close()
    assert recorder.frames == taken.count(True)
    assert "could not keep up" in recorder.notices[0]
    assert len(list(read_raw(tmp_path / "raw.mkv"))) == recorder.frames


def test_frames_that_would_wait_too_long_are_dropped_so_that_a_kill_loses_little(tmp_path: Path) -> None:
    """45 waiting frames were 1.5 s at 30 frames a second, and 4.5 s at 10."""
    hold = threading.Event()
    recorder = RawRecorder(tmp_path / "raw.mkv", lambda _n, _t: hold.wait())
    given = [Frame(frame.image, n, 50.0 + n / 10) for n, frame in enumerate(frames(30))]
    taken = [frame.capture_time for frame in given if recorder.put(frame)]
    hold.set()
    recorder.close()
    assert taken[-1] - taken[0] <= 0.6
    assert recorder.dropped == 0, "told in a notice"
    assert f"{30 - len(taken)} captured frames are missing" in recorder.notices[0]
    slow = RawRecorder(tmp_path / "slow.mkv", lambda _n, _t: None)
    assert all(slow.put(Frame(frame.image, n, 2.0 * n)) for n, frame in enumerate(frames(2))), (
        "one a second is no backlog"
    )
    slow.close()


@pytest.mark.parametrize("codec", lossless._CODECS, ids=lambda codec: codec.name)
@pytest.mark.parametrize("count", [2, 3, 40])
def test_a_kill_loses_only_the_picture_that_was_written_last(
    tmp_path: Path, codec: lossless._Lossless, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """300 ms of pictures were lost, and a file could not be opened before they were full."""
    monkeypatch.setattr(lossless, "_CODECS", (codec,))
    written = threading.Semaphore(0)
    recorder = RawRecorder(tmp_path / "raw.mkv", lambda _n, _t: written.release())
    given = frames(count)
    for frame in given:
        recorder.put(frame, wait=True)
        assert written.acquire(timeout=20)
    killed = tmp_path / "killed.mkv"
    killed.write_bytes((tmp_path / "raw.mkv").read_bytes())
    killed_in_a_picture = tmp_path / "cut.mkv"
    killed_in_a_picture.write_bytes(killed.read_bytes()[:-500])
    recorder.close()
    found = list(read_raw(killed))
    assert len(found) >= count - 1
    assert all(np.array_equal(image, frame.image) for image, frame in zip(found, given, strict=False))
    if count > 2:
        assert len(list(read_raw(killed_in_a_picture))) >= count - 2


def test_a_frame_of_another_size_is_counted_not_scaled(tmp_path: Path) -> None:
    told: list[int] = []
    recorder = RawRecorder(tmp_path / "raw.mkv", lambda n, _t: told.append(n))
    first = frames(2)
    other = Frame(np.zeros((40, 40, 3), np.uint8), 100, 60.0)
    for frame in (first[0], other, first[1]):
        recorder.put(frame, wait=True)
    recorder.close()
    assert told == [first[0].sequence, first[1].sequence]
    assert "1 captured frames are missing" in recorder.notices[0]


def test_frames_after_the_end_are_refused(tmp_path: Path) -> None:
    recorder = RawRecorder(tmp_path / "raw.mkv", lambda _n, _t: None)
    recorder.close()
    assert not recorder.put(frames(1)[0])


def test_what_cannot_be_written_or_read_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DeviceError, match="cannot be written"):
        RawRecorder(tmp_path / "nowhere" / "raw.mkv", lambda _n, _t: None)
    with pytest.raises(UserInputError, match="--record raw"):
        list(read_raw(tmp_path / "raw.mkv"))
    (tmp_path / "raw.mkv").write_bytes(b"no film" * 99)
    with pytest.raises(UserInputError, match="cannot be read"):
        list(read_raw(tmp_path / "raw.mkv"))
    monkeypatch.setattr(lossless, "_CODECS", ())
    with pytest.raises(DeviceError, match="libx264rgb"):
        RawRecorder(tmp_path / "other.mkv", lambda _n, _t: None)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
def test_a_full_disk_ends_the_recording_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lossless, "open_private", lambda *_: io.BytesIO())  # the device is there already
    recorder = RawRecorder(Path("/dev/full"), lambda _n, _t: None)
    for frame in frames(40):
        recorder.put(frame, wait=True)
    recorder.close()
    assert recorder.failed
    assert "stopped after" in recorder.notices[0]
    assert len(recorder.notices) == 1


@pytest.mark.timeout(60)
@pytest.mark.parametrize("where", ["the time", "the log"])
def test_no_error_leaves_a_caller_waiting_for_the_recorder_s_thread(tmp_path: Path, where: str) -> None:
    def log(sequence: int, _time: float) -> None:
        if where == "the log" and sequence:
            raise MemoryError

    given = frames(70)
    if where == "the time":
        given[1] = Frame(given[1].image, given[1].sequence, 1e18)
    recorder = RawRecorder(tmp_path / "raw.mkv", log)
    for frame in given:
        recorder.put(frame, wait=True)
    recorder.close()
    assert recorder.failed
    assert [notice.partition(" after ")[0] for notice in recorder.notices] == ["The raw recording stopped"]
    assert len(list(read_raw(tmp_path / "raw.mkv"))) >= 1
