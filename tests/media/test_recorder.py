"""The recording: capture times in, playable file out, whatever happens to the process or the disk."""

import io
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest

from realtime.errors import DeviceError
from realtime.media.encoders import ENCODERS, Encoder, available_encoders
from realtime.media.recorder import VideoRecorder, fit
from tests.media.clips import number_of, numbered, quadrants

FULL = Path("/dev/full")


def read_back(path: Path) -> tuple[list[float], list[np.ndarray]]:
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    return [float(f.pts * f.time_base) for f in frames], [f.to_ndarray(format="bgr24") for f in frames]


@pytest.mark.parametrize("encoder", available_encoders(), ids=lambda encoder: encoder.name)
def test_time_stamps_are_capture_times_and_pictures_come_back(tmp_path: Path, encoder: Encoder) -> None:
    path = tmp_path / "video.mp4"
    times = [500.0, 500.033, 500.070, 500.5, 502.25, 502.2834]
    recorder = VideoRecorder(path, encoder=encoder)
    assert all(recorder.write(numbered(i), t) for i, t in enumerate(times))
    recorder.close()
    recorder.close()
    stamps, images = read_back(path)
    assert stamps == pytest.approx([t - 500 for t in times], abs=1 / encoder.ticks)
    assert [number_of(image) for image in images] == list(range(len(times)))
    assert (recorder.origin, recorder.frames, recorder.notices) == (500.0, len(times), [])


def test_the_list_of_encoders_is_in_order_of_preference() -> None:
    names = [encoder.name for encoder in available_encoders()]
    assert names == [encoder.name for encoder in ENCODERS if encoder.name in names]
    assert "mpeg4" in names


def test_colours_come_back(tmp_path: Path) -> None:
    recorder = VideoRecorder(tmp_path / "video.mp4")
    picture = quadrants(128, 96)
    for index in range(3):
        recorder.write(picture, index / 30)
    recorder.close()
    for image in read_back(tmp_path / "video.mp4")[1]:
        for y, x in ((20, 20), (20, 100), (80, 20), (80, 100)):
            assert image[y, x] == pytest.approx(picture[y, x].astype(int), abs=6)


def test_the_first_frame_of_every_second_is_a_keyframe(tmp_path: Path) -> None:
    recorder = VideoRecorder(tmp_path / "video.mp4", fps=30)
    for index in range(45):
        recorder.write(numbered(index), index / 15)
    recorder.close()
    with av.open(str(tmp_path / "video.mp4")) as container:
        keys = [float(p.pts * p.time_base) for p in container.demux(video=0) if p.is_keyframe and p.pts is not None]
    assert keys == pytest.approx([0, 1, 2])


def test_frames_that_do_not_move_forward_in_time_are_left_out(tmp_path: Path) -> None:
    recorder = VideoRecorder(tmp_path / "video.mp4")
    for index, time in enumerate([5.0, 5.1, 5.1, 5.05, 5.2]):
        assert recorder.write(numbered(index), time)
    recorder.close()
    stamps, images = read_back(tmp_path / "video.mp4")
    assert stamps == pytest.approx([0, 0.1, 0.2])
    assert [number_of(image) for image in images] == [0, 1, 4]


@pytest.mark.parametrize("size", [(65, 49), (66, 50), (64, 50), (65, 48), (70, 46), (854, 482)])
def test_every_size_is_recorded_and_odd_ones_padded_by_one(tmp_path: Path, size: tuple[int, int]) -> None:
    width, height = size
    recorder = VideoRecorder(tmp_path / "video.mp4")
    picture = quadrants(width, height)
    assert recorder.write(picture, 0.0)
    recorder.close()
    (image,) = read_back(tmp_path / "video.mp4")[1]
    assert image.shape == (height + height % 2, width + width % 2, 3)
    assert np.median(np.abs(image[:height, :width].astype(int) - picture)) <= 6
    for y, x in ((10, 10), (10, -10), (-10, 10), (-10, -10)):
        assert image[y, x] == pytest.approx(picture[y, x].astype(int), abs=10)


def test_another_size_is_fitted_into_the_first_and_said_once(tmp_path: Path) -> None:
    recorder = VideoRecorder(tmp_path / "video.mp4")
    recorder.write(np.full((48, 64, 3), 90, np.uint8), 0.0)
    for index in range(1, 4):
        recorder.write(np.full((80, 40, 3), 200, np.uint8), index / 30)
    recorder.close()
    images = read_back(tmp_path / "video.mp4")[1]
    assert [image.shape for image in images] == [(48, 64, 3)] * 4
    assert images[-1][24, 32] == pytest.approx([200] * 3, abs=6)
    assert images[-1][24, 3] == pytest.approx([0] * 3, abs=6)
    assert len(recorder.notices) == 1
    assert "40x80" in recorder.notices[0]
    assert "64x48" in recorder.notices[0]


@pytest.mark.parametrize(("width", "height"), [(64, 48), (48, 64), (33, 100)])
def test_fit_keeps_the_shape_and_centres(width: int, height: int) -> None:
    fitted = fit(np.full((30, 60, 3), 255, np.uint8), width, height)
    assert fitted.shape == (height, width, 3)
    rows = np.flatnonzero(fitted[:, width // 2, 0])
    columns = np.flatnonzero(fitted[height // 2, :, 0])
    assert len(columns) / len(rows) == pytest.approx(2, rel=0.1)
    assert abs(rows[0] - (height - 1 - rows[-1])) <= 1
    assert abs(columns[0] - (width - 1 - columns[-1])) <= 1


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="cannot be written"):
        VideoRecorder(tmp_path / "nowhere" / "video.mp4")


@pytest.mark.skipif(not FULL.exists(), reason="needs a device that is always full")
def test_a_full_disk_ends_the_recording_with_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("realtime.media.recorder.open_private", lambda *_: io.BytesIO())  # the device is there already
    recorder = VideoRecorder(FULL)
    results = [recorder.write(numbered(i), i / 30) for i in range(60)]
    recorder.close()
    assert not results[-1]
    assert recorder.failed
    assert len(recorder.notices) == 1
    assert "the disk is full" in recorder.notices[0]


def test_without_any_encoder_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("realtime.media.recorder.available_encoders", list)
    with pytest.raises(DeviceError, match="No video encoder"):
        VideoRecorder(tmp_path / "video.mp4")


WRITER = """
import sys
from pathlib import Path
from realtime.media.recorder import VideoRecorder
from tests.media.clips import numbered
recorder = VideoRecorder(Path(sys.argv[1]))
for i in range(150):
    recorder.write(numbered(i), 100 + i / 30)
print("written", flush=True)
sys.stdin.read()
"""


def test_a_killed_process_loses_less_than_the_last_second(tmp_path: Path) -> None:
    path = tmp_path / "video.mp4"
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=root
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline().strip() == b"written"
        child.kill()
    stamps, images = read_back(path)
    assert stamps == pytest.approx([i / 30 for i in range(len(stamps))], abs=1e-4)
    assert 5.0 - stamps[-1] < 1.0
    assert [number_of(image) for image in images] == [i % 28 for i in range(len(images))]


def test_a_picture_that_no_library_takes_ends_the_recording_with_one_sentence(tmp_path: Path) -> None:
    """Such an error was a traceback a frame and exit 0, with fewer pictures in the file than were shown."""
    recorder = VideoRecorder(tmp_path / "video.mp4")
    image = np.zeros((48, 64, 3), np.uint8)
    assert recorder.write(image, 1.0)
    assert not recorder.write(image, 1e18)
    assert not recorder.write(image, 1.5)
    recorder.close()
    assert recorder.failed
    assert len(recorder.notices) == 1
    assert recorder.notices[0].startswith("Recording stopped after 1 frames: ")
    with av.open(str(tmp_path / "video.mp4")) as container:
        assert sum(1 for _ in container.decode(video=0)) == 1
