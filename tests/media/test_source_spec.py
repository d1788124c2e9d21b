from pathlib import Path

import pytest

from realtime.errors import UserInputError
from realtime.media.source_spec import SourceKind, parse_source


@pytest.mark.parametrize(
    ("text", "kind", "target", "index"),
    [
        ("camera", SourceKind.CAMERA, "", 0),
        ("camera:0", SourceKind.CAMERA, "0", 0),
        ("camera:12", SourceKind.CAMERA, "12", 12),
        ("camera:HD Pro Webcam: C920", SourceKind.CAMERA, "HD Pro Webcam: C920", None),
        ("rtsp://10.0.0.2:554/live", SourceKind.STREAM, "rtsp://10.0.0.2:554/live", None),
        ("HTTPS://example.org/a.mp4", SourceKind.STREAM, "HTTPS://example.org/a.mp4", None),
        ("udp://127.0.0.1:5000", SourceKind.STREAM, "udp://127.0.0.1:5000", None),
        ("tcp://127.0.0.1:5000", SourceKind.STREAM, "tcp://127.0.0.1:5000", None),
        ("rtmp://host/app", SourceKind.STREAM, "rtmp://host/app", None),
        ("lavfi:testsrc2=size=64x48:rate=5", SourceKind.LAVFI, "testsrc2=size=64x48:rate=5", None),
        (" demo ", SourceKind.DEMO, "", None),
    ],
)
def test_words(text: str, kind: SourceKind, target: str, index: int | None) -> None:
    spec = parse_source(text)
    assert (spec.kind, spec.target, spec.camera_index) == (kind, target, index)
    assert str(spec) == text.strip()


def test_a_path_and_a_file_url_mean_the_same(tmp_path: Path) -> None:
    clip = tmp_path / "take: 1.mp4"
    clip.write_bytes(b"x")
    assert parse_source(str(clip)) == parse_source(f"file://{clip}")
    assert parse_source(str(clip)).kind is SourceKind.FILE


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        ("lavfi:", "filter graph"),
        ("gopher://x/y", "unknown kind of URL"),
        ("no/such/file.mp4", "no such file"),
        (".", "folder, not a video file; numbered pictures in it are lavfi:movie="),
    ],
)
def test_wrong_words_are_told_in_one_sentence(text: str, says: str) -> None:
    with pytest.raises(UserInputError, match=says) as caught:
        parse_source(text)
    assert "\n" not in str(caught.value)
