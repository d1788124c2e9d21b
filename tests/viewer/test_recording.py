"""Recordings as the viewer reads them: every picture, its row, and what a browser gets."""

import io
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame

from realtime.errors import UserInputError
from realtime.files import file_sha256, write_json
from realtime.media.encoders import Encoder
from realtime.media.recorder import VideoRecorder, origin_of
from realtime.session.folder import SESSION
from realtime.viewer.exact_pictures import ExactPictures
from realtime.viewer.film_index import read_index
from realtime.viewer.placement import place
from realtime.viewer.viewed_session import ViewedSession
from realtime.viewer.virtual_mp4 import VirtualMp4
from tests.viewer.sessions import make_session, number_of, picture, time_of

DROPPED = (5, 41, 42)
SHOWN = [sequence for sequence in range(90) if sequence not in DROPPED]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A session with both recordings, from which three frames were dropped."""
    return make_session(tmp_path_factory.mktemp("viewer") / "both", dropped=DROPPED, raw=True)


def test_the_served_file_has_the_recordings_pictures_and_times_and_its_index_in_front(folder: Path) -> None:
    index = read_index(folder / "video.mp4")
    mp4 = VirtualMp4(index)
    content = b"".join(mp4.read(0, mp4.size))
    assert len(content) == mp4.size
    assert content.find(b"moov") < content.find(b"mdat")
    assert b"".join(mp4.read(1000, 2345)) == content[1000:2345]
    with av.open(io.BytesIO(content)) as served, av.open(str(folder / "video.mp4")) as recorded:
        assert served.streams.video[0].frames == len(SHOWN)
        pairs = zip(served.decode(video=0), recorded.decode(video=0), strict=True)
        assert all(a.pts == b.pts and (a.to_ndarray() == b.to_ndarray()).all() for a, b in pairs)
    assert index.plays_in_browsers
    assert index.origin == pytest.approx(time_of(0), abs=1e-6)


def test_any_picture_comes_exactly_in_any_order_from_either_recording(folder: Path) -> None:
    session = ViewedSession.open(folder)
    for film in session.films:
        for number in (0, 60, 61, 59, 3, 86, 30, 29, 4):
            assert number_of(film.pictures.jpeg(number, 200)) == SHOWN[number], (film.kind, number)
    session.close()


def test_each_picture_stands_at_the_row_of_its_frame(folder: Path) -> None:
    session = ViewedSession.open(folder)
    assert [film.kind for film in session.films] == ["shown", "captured"]
    for film in session.films:
        assert film.rows.tolist() == SHOWN
        assert film.notices == ()
    session.close()


def test_a_recording_without_its_origin_is_placed_by_its_times(rng: np.random.Generator) -> None:
    rows = np.cumsum(0.033 + 0.004 * rng.random(400))
    likely = np.ones(400, np.bool_)
    likely[:7] = False
    begun = 120  # the recording was turned on later
    film = np.round((rows[begun:300] - rows[begun]) * 90_000) / 90_000
    found = place(film, rows, None, likely)
    assert found.sure
    assert found.rows.tolist() == list(range(begun, 300))
    even = np.arange(400) / 30
    unsure = place(even[:50], even, None, likely)
    assert not unsure.sure
    assert unsure.rows[0] == 7  # the earliest that can be
    assert place(film, rows[:0], None, likely[:0]).origin is None
    assert (place(film + 0.5 * np.arange(len(film)), rows, None, likely).rows == -1).all()


@pytest.fixture
def rng() -> np.random.Generator:
    """The same numbers each time."""
    return np.random.default_rng(7)


def test_a_recording_cut_by_a_kill_shows_what_came_before(folder: Path, tmp_path: Path) -> None:
    whole = (folder / "video.mp4").read_bytes()
    cut = tmp_path / "video.mp4"
    cut.write_bytes(whole[: int(0.6 * len(whole))])
    index = read_index(cut)
    assert 20 < len(index.stamps) < len(SHOWN)
    mp4 = VirtualMp4(index)
    with av.open(io.BytesIO(b"".join(mp4.read(0, mp4.size)))) as served:
        assert sum(1 for _ in served.decode(video=0)) == len(index.stamps)
    cut.write_bytes(b"nonsense" * 50)
    with pytest.raises(UserInputError, match="cannot be read"):
        read_index(cut)


def test_a_recording_says_when_its_first_picture_was_taken(tmp_path: Path) -> None:
    recorder = VideoRecorder(tmp_path / "video.mp4")
    recorder.write(picture(1), 1234.567891)
    recorder.close()
    assert read_index(tmp_path / "video.mp4").origin == 1234.567891
    assert origin_of("somebody's comment") is None
    assert origin_of("first picture at capture time soon") is None


def test_the_recording_that_a_batch_measured_is_found_and_checked(tmp_path: Path) -> None:
    source = tmp_path / "clip.mp4"
    with av.open(
        str(source), "w"
    ) as container:  # as cameras write them, with pictures that are stored in another order
        stream = container.add_stream("libx264", rate=30, options={"preset": "veryfast", "bf": "2"})
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for number in range(40):
            frame = VideoFrame.from_ndarray(picture(number), format="bgr24")
            frame.pts, frame.time_base = number, Fraction(1, 30)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    out = tmp_path / "out"
    bundle = make_session(out / "recordings" / "clip", 40, shown=False, finished=False, at=lambda number: number / 30)
    known = {"width": 320, "height": 180, "sha256": file_sha256(source)}
    write_json(bundle / SESSION, {"format": 1, "batch": {"input": known}})
    (out / "ledger" / "inputs").mkdir(parents=True)
    write_json(out / "ledger" / "inputs" / "clip.json", {"path": str(source)})

    opened = ViewedSession.open(bundle)
    film = opened.film("measured")
    assert film.rows.tolist() == list(range(40))
    assert (film.overlay, film.index.reordered, film.index.plays_in_browsers) == ("clean", True, True)
    assert [number_of(film.pictures.jpeg(number)) for number in (30, 7, 8, 39)] == [30, 7, 8, 39]
    assert film.mp4 is not None
    assert b"".join(film.mp4.read(0, film.mp4.size)) == source.read_bytes()
    assert not any("clip.mp4" in sentence for sentence in opened.differences)
    opened.close()

    moved = source.rename(tmp_path / "moved.mp4")
    assert any("clip.mp4 cannot be read" in sentence for sentence in ViewedSession.open(bundle).notices)
    moved.write_bytes(moved.read_bytes() + b"\0")
    opened = ViewedSession.open(bundle, moved)
    assert any("not the recording that was measured" in sentence for sentence in opened.differences)
    opened.close()


def test_a_recording_in_a_codec_that_browsers_do_not_play_is_shown_picture_by_picture(tmp_path: Path) -> None:
    recorder = VideoRecorder(tmp_path / "video.mp4", encoder=Encoder("mpeg4", {"b": "8000000"}, ticks=30_000))
    for number in range(40):
        recorder.write(picture(number), time_of(number))
    recorder.close()
    index = read_index(tmp_path / "video.mp4")
    assert (index.codec, index.plays_in_browsers) == ("mpeg4", False)
    pictures = ExactPictures(index)
    assert [number_of(pictures.jpeg(number)) for number in (37, 2, 3, 20)] == [37, 2, 3, 20]
    pictures.close()
