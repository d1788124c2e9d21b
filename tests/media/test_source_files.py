"""Files and generators: what is delivered, when it is due, and what is said when something is wrong with them."""

import os
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from av.video.frame import VideoFrame

from realtime.errors import DeviceError, UserInputError
from realtime.media.convert import ToBgr
from realtime.media.decoder_thread import DecoderThread
from realtime.media.source_spec import parse_source
from realtime.media.video_source import Speed, VideoSource
from realtime.types import Frame
from realtime.viewer.film_index import read_index
from tests.media.clips import (
    FakeClock,
    Stop,
    number_of,
    numbered,
    quadrants,
    rotate_mp4,
    set_display_matrix,
    write_clip,
    write_sound,
)


def source(path: Path | str, clock: FakeClock | None = None, speed: Speed = "max") -> VideoSource:
    clock = clock or FakeClock()
    return VideoSource(parse_source(str(path)), clock, speed=speed, sleep=clock.sleep)


def frames_of(opened: VideoSource, limit: int = 10_000) -> list[Frame]:
    stop = Stop()
    frames: list[Frame] = []
    opened.open()
    while len(frames) < limit and (frame := opened.read(stop)) is not None:
        frames.append(frame)
    opened.close()
    return frames


def test_every_frame_of_a_file_comes_once_in_order_with_its_time_stamp(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "a.mp4", [numbered(i) for i in range(25)], fps=25)
    frames = frames_of(source(clip))
    assert [number_of(frame.image) for frame in frames] == list(range(25))
    assert [frame.sequence for frame in frames] == list(range(25))
    assert [frame.pts for frame in frames] == pytest.approx([i / 25 for i in range(25)])
    assert [frame.capture_time for frame in frames] == [frame.pts for frame in frames]


def test_a_file_may_be_over_after_a_part_of_it_whatever_the_readers_speed(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "a.mp4", [numbered(i) for i in range(25)], fps=25)
    clock = FakeClock()
    opened = VideoSource(parse_source(str(clip)), clock, speed="max", sleep=clock.sleep, until=0.4)
    assert [number_of(frame.image) for frame in frames_of(opened)] == list(range(10))
    assert (opened.notices, opened.reached_until) == ([], True)
    longer = VideoSource(parse_source(str(clip)), clock, speed="max", sleep=clock.sleep, until=2.0)
    assert (len(frames_of(longer)), longer.reached_until) == (25, False)


def test_real_time_waits_for_each_frames_due_time_and_stamps_it_with_that(tmp_path: Path) -> None:
    times = [0.0, 0.04, 0.30, 0.32, 1.0]
    clip = write_clip(tmp_path / "vfr.mkv", [numbered(i) for i in range(5)], times=times, fps=25)
    clock = FakeClock(50.0)
    opened, stop = source(clip, clock, "realtime"), Stop()
    opened.open()
    for due in times:
        frame = opened.read(stop)
        assert frame is not None
        assert frame.capture_time == pytest.approx(50.0 + due, abs=0.002)
        assert clock.now == pytest.approx(50.0 + due, abs=0.002)
    assert opened.read(stop) is None
    assert max(clock.slept) <= 0.05


def test_a_late_reader_gets_late_frames_at_once_and_the_schedule_stays(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "a.mp4", [numbered(i) for i in range(10)], fps=10)
    clock = FakeClock(0.0)
    opened, stop = source(clip, clock, "realtime"), Stop()
    opened.open()
    assert opened.read(stop) is not None
    clock.now += 0.35
    slept = len(clock.slept)
    late = [opened.read(stop) for _ in range(3)]
    assert [f.capture_time for f in late if f] == pytest.approx([0.1, 0.2, 0.3])
    assert len(clock.slept) == slept
    following = opened.read(stop)
    assert following is not None
    assert following.capture_time == pytest.approx(0.4)
    assert clock.now == pytest.approx(0.4)


@pytest.mark.parametrize(("converting", "begun"), [(0.001, [0.0, 0.05, 0.15, 0.25]), (0.03, [0.0, 0.03, 0.1, 0.2])])
def test_a_paced_frame_is_made_in_the_second_half_of_its_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, converting: float, begun: list[float]
) -> None:
    """Beside the tracking of the frame before it, it would take a processor from that; one that takes long is not put off."""
    clock = FakeClock(0.0)
    converted, refilled = list[float](), list[float]()
    convert, refill = ToBgr.convert, DecoderThread.refill

    def slow_convert(self: ToBgr, picture: VideoFrame) -> np.ndarray:
        converted.append(clock.now)
        clock.now += converting
        return convert(self, picture)

    def noted_refill(self: DecoderThread) -> None:
        refilled.append(clock.now)
        refill(self)

    monkeypatch.setattr(ToBgr, "convert", slow_convert)
    monkeypatch.setattr(DecoderThread, "refill", noted_refill)
    clip = write_clip(tmp_path / "a.mp4", [numbered(i) for i in range(4)], fps=10)
    frames = frames_of(source(clip, clock, "realtime"))
    assert [number_of(frame.image) for frame in frames] == [0, 1, 2, 3]
    assert [frame.capture_time for frame in frames] == pytest.approx([0.0, 0.1, 0.2, 0.3])
    assert converted == refilled == pytest.approx(begun)


def test_a_stop_ends_a_paced_wait_within_one_slice(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "slow.mkv", [numbered(0), numbered(1)], times=[0, 100], fps=25)
    clock = FakeClock(0.0)
    opened = source(clip, clock, "realtime")
    opened.open()
    assert opened.read(Stop()) is not None
    assert opened.read(Stop(after=3)) is None
    assert clock.now < 0.3


def test_a_generator_is_paced_like_a_file() -> None:
    clock = FakeClock(10.0)
    frames = frames_of(source("lavfi:testsrc2=size=64x48:rate=20", clock, "realtime"), limit=5)
    assert [frame.capture_time for frame in frames] == pytest.approx([10, 10.05, 10.1, 10.15, 10.2])
    assert clock.now == pytest.approx(10.2)


def test_reading_a_file_again_starts_over_but_the_sequence_goes_on(tmp_path: Path) -> None:
    opened = source(write_clip(tmp_path / "a.mp4", [numbered(i) for i in range(3)]))
    assert [f.sequence for f in frames_of(opened)] == [0, 1, 2]
    again = frames_of(opened)
    assert [number_of(f.image) for f in again] == [0, 1, 2]
    assert [f.sequence for f in again] == [3, 4, 5]


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_the_display_matrix_is_honoured(tmp_path: Path, degrees: int) -> None:
    picture = quadrants()
    clip = rotate_mp4(write_clip(tmp_path / "r.mp4", [picture] * 3), degrees)
    opened = source(clip)
    frame = frames_of(opened)[0]
    expected = np.rot90(picture, -degrees // 90)
    assert frame.image.shape == expected.shape
    assert np.median(np.abs(frame.image.astype(int) - expected)) <= 6
    assert opened.stream_info is not None
    assert (opened.stream_info.height, opened.stream_info.width) == expected.shape[:2]
    assert opened.stream_info.rotation == (-degrees) % 360


@pytest.mark.parametrize("a", [-1, 1])
@pytest.mark.parametrize("d", [-1, 1])
@pytest.mark.parametrize("transposed", [False, True])
def test_every_display_matrix_shows_the_picture_as_players_do(
    tmp_path: Path, a: int, d: int, *, transposed: bool
) -> None:
    """A mirrored matrix was applied as a turn by 180 degrees, and a vertical flip not at all."""
    picture = quadrants()
    matrix = (0, d, a, 0) if transposed else (a, 0, 0, d)
    opened = source(set_display_matrix(write_clip(tmp_path / "r.mp4", [picture] * 3), *matrix))
    shown = frames_of(opened)[0].image
    # The matrix by its definition: a pixel at (x, y), counted from the middle, goes to (a x + c y, b x + d y).
    y, x = np.mgrid[:48, :64]
    middle = np.array([31.5, 23.5])
    at = np.stack([x, y], -1) - middle
    to = at @ np.array(matrix).reshape(2, 2) + (middle[::-1] if transposed else middle)
    expected = np.zeros((64, 48, 3) if transposed else (48, 64, 3), np.uint8)
    expected[to[..., 1].astype(int), to[..., 0].astype(int)] = picture
    assert shown.shape == expected.shape
    assert np.median(np.abs(shown.astype(int) - expected)) <= 6
    info = opened.stream_info
    assert info is not None
    mirrored = (a * d < 0) ^ transposed
    assert info.mirrored == mirrored
    assert len(opened.notices) == int(mirrored)
    assert all("left and right are exchanged" in notice for notice in opened.notices)
    assert np.array_equal(np.rot90(picture[:, ::-1] if mirrored else picture, info.rotation // 90), expected)


@pytest.mark.parametrize(
    ("aspect", "size"),
    [
        (Fraction(64, 45), (91, 48)),
        (Fraction(8, 9), (64, 54)),
        (Fraction(1, 1), (64, 48)),
        (Fraction(1088, 1087), (64, 48)),
        (Fraction(1, 50), (64, 48)),
    ],
)
def test_pixels_that_are_not_square_are_made_square(tmp_path: Path, aspect: Fraction, size: tuple[int, int]) -> None:
    picture = quadrants()
    opened = source(write_clip(tmp_path / "sar.mp4", [picture] * 3, codec="libx264", pixel_aspect=aspect))
    frame = frames_of(opened)[0]
    assert frame.image.shape == (*size[::-1], 3)
    assert opened.stream_info is not None
    assert (opened.stream_info.width, opened.stream_info.height) == size
    for row, column in ((0.25, 0.25), (0.25, 0.75), (0.75, 0.25), (0.75, 0.75)):
        there = frame.image[round(row * size[1]), round(column * size[0])].astype(int)
        assert np.abs(there - picture[round(row * 48), round(column * 64)]).max() <= 8
    assert opened.notices == []


@pytest.mark.parametrize("start", [0.5, 1e6])
def test_time_stamps_may_begin_anywhere(tmp_path: Path, start: float) -> None:
    """Matroska's header says when the last picture ends: 90 frames from 1,000,000 s on were called cut short."""
    times = [start + i / 30 for i in range(90)]
    rng = np.random.default_rng(1)
    images = [rng.integers(0, 255, (48, 64, 3), np.uint8) for _ in range(90)]
    whole = write_clip(tmp_path / "whole.mkv", images, times=times)
    opened = source(whole)
    frames = frames_of(opened)
    assert opened.notices == []
    assert [frame.capture_time for frame in frames] == pytest.approx([i / 30 for i in range(90)], abs=0.002)
    assert opened.stream_info is not None
    assert opened.stream_info.duration == pytest.approx(3.0, abs=0.1)
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 3])
    opened = source(cut)
    frames_of(opened)
    assert ["lasts 3.0 s" in notice for notice in opened.notices] == [True]


@pytest.mark.parametrize(
    ("name", "codec", "pixel_format", "size"),
    [
        ("odd.mkv", "ffv1", "yuv420p", (65, 49)),
        ("ten_bit.mkv", "ffv1", "yuv420p10le", (64, 48)),
        ("ten_bit_hevc.mp4", "libx265", "yuv420p10le", (128, 96)),
        ("grey.mkv", "ffv1", "gray", (64, 48)),
        ("grey10.mkv", "ffv1", "gray10le", (64, 48)),
        ("jpeg.avi", "mjpeg", "yuvj422p", (64, 48)),
        ("rgb.mov", "png", "rgb24", (64, 48)),
    ],
)
def test_unusual_pictures_keep_their_levels(
    tmp_path: Path, name: str, codec: str, pixel_format: str, size: tuple[int, int]
) -> None:
    images = [np.full((size[1], size[0], 3), level, np.uint8) for level in (40, 120, 200)]
    options = {"x265-params": "log-level=none"} if codec == "libx265" else {}
    opened = source(write_clip(tmp_path / name, images, codec=codec, pixel_format=pixel_format, options=options))
    frames = frames_of(opened)
    assert [frame.image.shape for frame in frames] == [(size[1], size[0], 3)] * 3
    # Grey files carry no range tag and are read as full range by custom, whatever the writer meant.
    tolerance = 20 if "gray" in pixel_format else 6
    assert [np.median(f.image) for f in frames] == pytest.approx([40, 120, 200], abs=tolerance)
    assert opened.stream_info is not None
    assert opened.stream_info.pixel_format == pixel_format


def test_a_picture_size_that_changes_is_followed_and_told(tmp_path: Path) -> None:
    clip = tmp_path / "joined.ts"
    for part, size in enumerate(((64, 48), (96, 80))):
        images = [np.full((size[1], size[0], 3), 100, np.uint8)] * 5
        piece = write_clip(tmp_path / f"{part}.ts", images, codec="libx264", fps=25)
        with clip.open("ab") as whole:
            whole.write(piece.read_bytes())
    opened = source(clip)
    frames = frames_of(opened)
    assert [f.image.shape for f in frames] == [(48, 64, 3)] * 5 + [(80, 96, 3)] * 5
    assert [f.capture_time for f in frames] == sorted({f.capture_time for f in frames})
    assert len(opened.notices) == 1
    assert "from 64x48 to 96x80" in opened.notices[0]


def test_a_truncated_file_gives_what_it_has_and_says_so_in_one_sentence(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    images = [rng.integers(0, 255, (48, 64, 3), np.uint8) for _ in range(60)]
    whole = write_clip(tmp_path / "whole.mp4", images, container_options={"movflags": "faststart"})
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    opened = source(cut)
    frames = frames_of(opened)
    assert 20 <= len(frames) <= 40
    assert len(opened.notices) == 1
    assert f"{len(frames)} of 60 frames" in opened.notices[0]


def test_damage_in_the_middle_leaves_a_gap_in_the_sequence(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "a.avi", [quadrants()] * 20, codec="mjpeg", pixel_format="yuvj420p")
    with av.open(str(clip)) as container:
        packet = list(container.demux(video=0))[8]
        assert packet.pos is not None
        start, end = packet.pos + 16, packet.pos + packet.size - 16
    data = bytearray(clip.read_bytes())
    data[start:end] = bytes(end - start)
    clip.write_bytes(bytes(data))
    opened = source(clip)
    assert [frame.sequence for frame in frames_of(opened)] == [i for i in range(20) if i != 8]
    assert opened.lost == 1
    assert len(opened.notices) == 1
    assert "1 frame" in opened.notices[0]


@pytest.mark.parametrize("kind", ["text", "noise", "empty", "sound", "cut index"])
def test_what_is_no_video_is_told_in_one_sentence(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "input.mp4"
    if kind == "text":
        path = tmp_path / "notes.txt"
        path.write_text("Dear diary,\nno video today.\n" * 50)
    elif kind == "noise":
        path.write_bytes(np.random.default_rng(0).bytes(50_000))
    elif kind == "empty":
        path.touch()
    elif kind == "sound":
        write_sound(path)
    else:
        whole = write_clip(tmp_path / "whole.mp4", [numbered(i) for i in range(30)])
        path.write_bytes(whole.read_bytes()[:-200])
    with pytest.raises(UserInputError) as caught:
        source(path).open()
    sentence = str(caught.value)
    assert sentence.startswith(str(path))
    assert "\n" not in sentence
    assert ("only sound" in sentence) == (kind == "sound")


def test_a_file_that_vanished_after_parsing(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "a.mp4", [numbered(0)])
    opened = source(clip)
    clip.unlink()
    with pytest.raises(UserInputError, match="No such file"):
        opened.open()


@pytest.mark.parametrize("harm", ["pixels", "header", "end"])
def test_a_damaged_picture_is_one_sentence(tmp_path: Path, harm: str) -> None:
    """libpng's complaints came as "Generic error in an external library", 12 of 32 damaged files as a traceback."""
    path = tmp_path / "face.png"
    cv2.imwrite(str(path), np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8))
    data = bytearray(path.read_bytes())
    place = {"pixels": data.index(b"IDAT") + 6, "header": 20, "end": len(data) - 60}[harm]
    data[place : place + 8] = b"\xa5" * 8
    path.write_bytes(bytes(data))
    opened = source(path)
    try:
        opened.open()
        assert opened.read(Stop()) is not None
    except UserInputError as error:
        assert str(error).startswith(str(path))  # noqa: PT017  either is right
        assert "\n" not in str(error)  # noqa: PT017


def test_a_codec_that_nobody_knows_is_named(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "a.avi", [quadrants()] * 3, codec="mjpeg", pixel_format="yuvj420p")
    clip.write_bytes(clip.read_bytes().replace(b"MJPG", b"Z9Z9"))
    with pytest.raises(UserInputError, match="cannot decode"):
        source(clip).open()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")
def test_pipes_devices_and_odd_names_are_refused_before_anything_waits_for_them(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    for word, reason in (
        (str(tmp_path / "pipe.mp4"), "pipe or socket"),
        ("/dev/null", "camera:0"),
        ("x" * 5000, "File name too long"),
        ("a\0b", "rename"),
        ("caf\udce9.mp4", "rename"),
        ("~nobody-here/x.mp4", "cannot be opened"),
        (str(tmp_path / "pipe.mp4" / "x.mp4"), "no such file"),
    ):
        with pytest.raises(UserInputError, match=reason) as caught:
            parse_source(word)
        str(caught.value).encode()
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("graph", ["nonsense=1", "sine", "testsrc=size=banana"])
def test_a_wrong_filter_graph(graph: str) -> None:
    with pytest.raises(UserInputError, match="lavfi"):
        source(f"lavfi:{graph}").open()


def test_the_size_wish_of_a_camera_reaches_no_file(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "a.mp4", [numbered(0)])
    clock = FakeClock()
    opened = VideoSource(parse_source(str(clip)), clock, size=(1280, 720), fps=60, speed="max")
    frame = frames_of(opened)[0]
    assert frame.image.shape == (48, 64, 3)
    assert opened.stream_info is not None
    assert (opened.stream_info.width, opened.stream_info.fps, opened.stream_info.live) == (64, 30.0, False)


def test_reading_before_opening_is_a_programmers_mistake(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="open"):
        source(write_clip(tmp_path / "a.mp4", [numbered(0)])).read(Stop())


def test_a_truncated_matroska_says_how_far_it_got(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    images = [rng.integers(0, 255, (48, 64, 3), np.uint8) for _ in range(90)]
    whole = write_clip(tmp_path / "whole.mkv", images)
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 3])
    opened = source(cut)
    frames = frames_of(opened)
    assert 20 <= len(frames) <= 40
    assert len(opened.notices) == 1
    assert "lasts 3.0 s" in opened.notices[0]


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi", "a.mov", "a.ts"])
def test_a_whole_file_gives_no_notice(tmp_path: Path, name: str) -> None:
    opened = source(write_clip(tmp_path / name, [numbered(i) for i in range(20)]))
    assert len(frames_of(opened)) == 20
    assert opened.notices == []


@pytest.mark.shared
def test_a_real_hevc_clip_is_read_whole(shared: Path) -> None:
    opened = source(shared / "video" / "noface_face.mov")
    frames = frames_of(opened)
    assert len(frames) == 169
    assert all(f.image.std() > 5 for f in frames[::20])
    assert opened.notices == []


def test_device_errors_are_not_user_errors() -> None:
    with pytest.raises(DeviceError, match="refused"):
        source("tcp://127.0.0.1:9").open()


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi"])
def test_a_title_in_another_encoding_is_no_reason_to_refuse_a_film(tmp_path: Path, name: str) -> None:
    path = write_clip(tmp_path / name, [quadrants()] * 3, metadata={"title": "M_ller"})
    content = path.read_bytes()
    assert b"M_ller" in content
    path.write_bytes(content.replace(b"M_ller", b"M\xfcller"))  # Latin-1, as cameras of old wrote it
    assert len(frames_of(source(path))) == 3
    assert len(read_index(path).stamps) == 3


@pytest.mark.skipif(os.name == "nt", reason="a drive's colon ends a filter's word")
def test_numbered_pictures_are_a_video_of_25_a_second(tmp_path: Path) -> None:
    for number in range(1, 4):
        cv2.imwrite(str(tmp_path / f"{number:04d}.png"), numbered(number))
    frames = frames_of(source(f"lavfi:movie={tmp_path}/%04d.png"))
    assert [number_of(frame.image) for frame in frames] == [1, 2, 3]
    assert [frame.capture_time for frame in frames] == pytest.approx([0, 0.04, 0.08])
