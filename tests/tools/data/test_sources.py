"""The list of teachers and pictures: what it says of each file, and how a file is fetched and checked."""

import hashlib
import http.client
import urllib.request
from pathlib import Path

import pytest

from realtime.errors import ModelFileError
from tools.data import sources as module
from tools.data.sources import Source, check, fetch, problem, sources


class Reply:
    """An HTTP reply with this content."""

    status = 200

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.headers = http.client.HTTPMessage()
        self.headers["Content-Length"] = str(len(content))

    def read(self, amount: int, /) -> bytes:
        part, self._content = self._content[:amount], self._content[amount:]
        return part

    def close(self) -> None: ...


def listed(content: bytes) -> Source:
    return Source(
        "faces/set/a.jpg", len(content), hashlib.sha256(content).hexdigest(), "MIT", "https://example.org/x/b.jpg"
    )


def test_every_file_has_a_licence_and_an_origin_and_stands_once() -> None:
    every = list(sources())
    assert len({each.path for each in every}) == len(every) > 200
    for each in every:
        assert each.licence
        assert len(each.sha256) == 64
        assert (each.address or "").startswith("https://") or each.made_from
        assert ".." not in each.path


def test_a_file_is_fetched_under_its_own_name_and_checked(tmp_path: Path) -> None:
    asked: list[str] = []

    def opener(request: urllib.request.Request) -> Reply:
        asked.append(request.full_url)
        return Reply(b"picture")

    path = fetch(listed(b"picture"), tmp_path, opener)
    assert path == tmp_path / "faces" / "set" / "a.jpg"
    assert path.read_bytes() == b"picture"
    assert asked == ["https://example.org/x/b.jpg"]
    assert problem(listed(b"picture"), tmp_path) is None


def test_another_file_is_refused_and_not_left_behind(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="another checksum"):
        fetch(listed(b"picture"), tmp_path, lambda _request: Reply(b"pictorE"))
    assert problem(listed(b"picture"), tmp_path) == "missing"


@pytest.mark.parametrize(("content", "found"), [(b"pict", "truncated or another file"), (b"pictorE", "changed")])
def test_a_wrong_file_is_named(tmp_path: Path, content: bytes, found: str) -> None:
    path = tmp_path / "faces" / "set" / "a.jpg"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    assert problem(listed(b"picture"), tmp_path) == found


def test_what_cannot_be_fetched_is_counted_and_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Source("models/m.onnx", 1, "0" * 64, "MIT", None, "m.tflite by tf2onnx")
    monkeypatch.setattr(module, "sources", lambda: iter([made, listed(b"picture")]))
    said: list[str] = []
    assert check(tmp_path, fetching=True, say=said.append, opener=lambda _request: Reply(b"picture")) == 1
    assert said == ["models/m.onnx: missing; made from m.tflite by tf2onnx", "faces/set/a.jpg: fetched (MIT)"]
