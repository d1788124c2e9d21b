"""Colours against the defining equations of BT.601, BT.709 and BT.2020."""

import gc

import av
import numpy as np
import pytest

from realtime.media.convert import ToBgr

WEIGHTS = {"601": (0.299, 0.114), "709": (0.2126, 0.0722), "2020": (0.2627, 0.0593)}
TAGS = {"709": 1, "unspecified": 2, "470bg": 5, "170m": 6, "2020": 9}


def reference_bgr(y: int, cb: int, cr: int, matrix: str, *, full: bool) -> list[float]:
    kr, kb = WEIGHTS[matrix]
    luma = y / 255 if full else (y - 16) / 219
    blue, red = ((c - 128) / (255 if full else 224) for c in (cb, cr))
    r, b = luma + 2 * (1 - kr) * red, luma + 2 * (1 - kb) * blue
    g = (luma - kr * r - kb * b) / (1 - kr - kb)
    return [255 * min(max(v, 0), 1) for v in (b, g, r)]


def plain(y: int, cb: int, cr: int, tag: str, *, full: bool, height: int = 48) -> av.VideoFrame:
    frame = av.VideoFrame(64 if height < 577 else 1280, height, "yuv420p")
    for plane, value in zip(frame.planes, (y, cb, cr), strict=True):
        plane.update(bytes([value]) * plane.buffer_size)
    frame.colorspace, frame.color_range = TAGS[tag], 2 if full else 1
    return frame


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize(
    ("tag", "matrix"), [("709", "709"), ("470bg", "601"), ("170m", "601"), ("2020", "2020"), ("unspecified", "601")]
)
@pytest.mark.parametrize("yuv", [(120, 100, 190), (60, 150, 110), (200, 128, 128)])
def test_matrix_and_range_follow_the_tags(yuv: tuple[int, int, int], tag: str, matrix: str, full: bool) -> None:
    image = ToBgr().convert(plain(*yuv, tag, full=full))
    assert image[20, 30] == pytest.approx(reference_bgr(*yuv, matrix, full=full), abs=2.5)


def test_an_untagged_hd_picture_from_a_codec_is_bt709_but_a_cameras_is_bt601() -> None:
    frame = plain(120, 100, 190, "unspecified", full=False, height=720)
    assert ToBgr().convert(frame)[9, 9] == pytest.approx(reference_bgr(120, 100, 190, "709", full=False), abs=2.5)
    camera = ToBgr(broadcast=False).convert(frame)
    assert camera[9, 9] == pytest.approx(reference_bgr(120, 100, 190, "601", full=False), abs=2.5)


def camera_frame(y: int, cb: int, cr: int, layout: str, tag: str, *, full: bool) -> av.VideoFrame:
    """A plain picture as cameras give it: interleaved or half interleaved."""
    frame = av.VideoFrame(66, 50, layout)
    cells = {"nv12": ([y], [cb, cr]), "yuyv422": ([y, cb, y, cr],), "uyvy422": ([cb, y, cr, y],)}[layout]
    for plane, cell in zip(frame.planes, cells, strict=True):
        plane.update((bytes(cell) * plane.buffer_size)[: plane.buffer_size])
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size).copy()
        rows[:] = np.resize(np.array(cell, np.uint8), plane.line_size)
        plane.update(rows.tobytes())
    frame.colorspace, frame.color_range = TAGS[tag], 2 if full else 1
    return frame


@pytest.mark.parametrize("layout", ["nv12", "yuyv422", "uyvy422"])
@pytest.mark.parametrize(("tag", "matrix"), [("709", "709"), ("170m", "601"), ("unspecified", "601")])
@pytest.mark.parametrize("full", [False, True])
def test_camera_layouts_follow_the_same_equations(layout: str, tag: str, matrix: str, full: bool) -> None:
    image = ToBgr(broadcast=False).convert(camera_frame(120, 100, 190, layout, tag, full=full))
    assert image.shape == (50, 66, 3)
    for y, x in ((0, 0), (25, 33), (49, 65)):
        assert image[y, x] == pytest.approx(reference_bgr(120, 100, 190, matrix, full=full), abs=3)


@pytest.mark.parametrize("layout", ["nv12", "yuyv422", "uyvy422", "gray"])
def test_the_fast_way_and_swscale_agree_on_a_picture(layout: str) -> None:
    ramp = np.add.outer(np.arange(50) * 2, np.arange(66)).astype(np.uint8)
    bgr = np.dstack([ramp + 20, 255 - ramp, np.full_like(ramp, 99)])
    frame = av.VideoFrame.from_ndarray(bgr, format="bgr24").reformat(format=layout, threads=1)
    converter = ToBgr(broadcast=False)
    fast = converter.convert(frame)
    assert converter._by_opencv(frame) is not None
    plain_way = frame.to_ndarray(format="bgr24")
    assert np.median(np.abs(fast.astype(int) - plain_way)) <= 2


@pytest.mark.parametrize("size", [(64, 48), (33, 17), (854, 480), (1, 1), (640, 360)])
@pytest.mark.parametrize("pixel_format", ["bgr24", "rgb24", "yuv444p", "gray", "bgra", "yuv420p10le", "nv12"])
def test_every_size_and_format_gives_a_contiguous_read_only_picture(size: tuple[int, int], pixel_format: str) -> None:
    width, height = size
    bgr = np.empty((height, width, 3), np.uint8)
    bgr[:] = (90, 90, 90)
    # One thread: swscale's slices leave wrong lines at their seams in ten-bit pictures.
    frame = av.VideoFrame.from_ndarray(bgr, format="bgr24").reformat(format=pixel_format, threads=1)
    image = ToBgr().convert(frame)
    assert image.shape == (height, width, 3)
    assert image.dtype == np.uint8
    assert image.flags.c_contiguous
    assert not image.flags.writeable
    assert np.abs(image.astype(int) - 90).max() <= 3


def test_grey_of_ten_bits_keeps_its_levels() -> None:
    frame = av.VideoFrame(64, 48, "gray10le")
    for plane in frame.planes:
        plane.update((512).to_bytes(2, "little") * (plane.buffer_size // 2))
    assert ToBgr().convert(frame)[5, 5] == pytest.approx([128] * 3, abs=2)


def test_pictures_stay_what_they_are_while_later_ones_are_converted() -> None:
    convert = ToBgr().convert
    frames = [plain(16 + 10 * i, 128, 128, "170m", full=False) for i in range(20)]
    images = [convert(frame) for frame in frames]
    copies = [image.copy() for image in images]
    del frames
    for level in range(40):
        convert(plain(235 - level, 128, 128, "170m", full=False))
    assert all(np.array_equal(image, copy) for image, copy in zip(images, copies, strict=True))


def test_the_picture_size_may_change_between_frames() -> None:
    convert = ToBgr().convert
    shapes = []
    for width, height in ((64, 48), (32, 32), (65, 49), (64, 48)):
        source = np.full((height, width, 3), 77, np.uint8)
        image = convert(av.VideoFrame.from_ndarray(source, format="bgr24").reformat(format="yuv420p"))
        assert np.abs(image.astype(int) - 77).max() <= 5  # two conversions of swscale, each up to 2.5
        shapes.append(image.shape)
    assert shapes == [(48, 64, 3), (32, 32, 3), (49, 65, 3), (48, 64, 3)]


def test_frames_are_freed_without_waiting_for_the_garbage_collector() -> None:
    to_bgr = ToBgr()
    to_bgr.convert(plain(90, 120, 140, "709", full=False))  # the first frame of a stream may live longer
    gc.collect(0)
    gc.disable()
    try:
        for _ in range(5):
            to_bgr.convert(plain(90, 120, 140, "709", full=False))
        # What is new is in the youngest generation; all other objects of a worker are hundreds of thousands.
        assert not [each for each in gc.get_objects(generation=0) if type(each) is av.VideoFrame]
    finally:
        gc.enable()
