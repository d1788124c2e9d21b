"""Licence, download, resume, checksum, folder: all or nothing. The server is a stand-in; no test reaches the network."""

import hashlib
import http.client
import io
import urllib.error
import urllib.request
from collections.abc import Callable
from email.message import Message
from pathlib import Path

import pytest

from realtime.cli import main
from realtime.errors import DeviceError, ModelFileError, UserInputError
from realtime.openface3 import download
from realtime.openface3.download import NOTICE, OFFICIAL, Official
from realtime.openface3.install import Installed, install
from tests.models.tiny_onnx import one_operator, write

CONTENT = {"a.pth": bytes(range(256)) * 4000, "b.pkl": b"landmarks" * 1000}
FILES = (
    Official("retinaface", "a.pth", hashlib.sha256(CONTENT["a.pth"]).hexdigest(), len(CONTENT["a.pth"]), "MIT"),
    Official("star", "b.pkl", hashlib.sha256(CONTENT["b.pkl"]).hexdigest(), None, "academic"),
)


class Reply:
    def __init__(self, body: bytes, status: int, length: int | None) -> None:
        self.status, self._body = status, io.BytesIO(body)
        self.headers = http.client.HTTPMessage()
        if length is not None:
            self.headers["Content-Length"] = str(length)

    def read(self, amount: int, /) -> bytes:
        return self._body.read(amount)

    def close(self) -> None:
        self._body.close()


class Server:
    """Serves CONTENT with ranges. breaks_at: how many bytes of a file come before the connection ends, once."""

    def __init__(self, breaks_at: dict[str, int] | None = None, *, ranges: bool = True) -> None:
        self.asked: list[tuple[str, str | None]] = []
        self.content = dict(CONTENT)
        self._breaks_at = dict(breaks_at or {})
        self._ranges = ranges

    def __call__(self, request: urllib.request.Request) -> Reply:
        name, span = request.full_url.rsplit("/", 1)[1], request.get_header("Range")
        self.asked.append((name, span))
        body, start = self.content[name], 0
        if span is not None and self._ranges:
            start = int(span.removeprefix("bytes=").rstrip("-"))
            if start >= len(body):
                raise urllib.error.HTTPError(request.full_url, 416, "range", Message(), None)
        rest = body[start:]
        sent = rest[: self._breaks_at.pop(name)] if name in self._breaks_at else rest
        return Reply(sent, 206 if start else 200, len(rest))


def converted(checkpoints: dict[str, Path], out: Path) -> None:
    """What stands in for the conversion: checks what it is given and leaves one model behind."""
    for each in FILES:
        assert checkpoints[each.network].read_bytes() == CONTENT[each.name]
    write(out, one_operator("Neg", (1, 3, 4, 4)))


@pytest.fixture
def pull(tmp_path: Path) -> Callable[..., Installed]:
    def run(**changes: object) -> Installed:
        words = {
            "to": tmp_path / "to",
            "keep": tmp_path / "keep",
            "official": FILES,
            "opener": Server(),
            "needs": lambda: None,
        }
        accept = changes.pop("accept", lambda _text: True)
        return install(accept, changes.pop("convert", converted), **(words | changes))  # type: ignore[arg-type]

    return run


def nothing_installed(tmp_path: Path) -> bool:
    return not (tmp_path / "to").exists() and not list(tmp_path.glob(".openface3-*"))


def test_everything_is_fetched_once_and_registered(pull: Callable[..., Installed], tmp_path: Path) -> None:
    server, seen = Server(), []
    done = pull(opener=server, progress=lambda *news: seen.append(news))
    assert done.models == ("tiny",)
    assert (done.folder / "manifest.toml").is_file()
    assert [name for name, _ in server.asked] == ["a.pth", "b.pkl"]
    size = len(CONTENT["a.pth"])
    mine = [(have, total) for name, have, total in seen if name == "a.pth"]
    assert mine[0] == (0, size)
    assert mine[-1] == (size, size)
    assert len(mine) > 3, "a bar that moves"
    again = Server()
    pull(opener=again)
    assert again.asked == []


def test_a_refused_licence_fetches_and_installs_nothing(pull: Callable[..., Installed], tmp_path: Path) -> None:
    server, shown = Server(), []
    with pytest.raises(UserInputError, match="was not accepted; nothing was installed"):
        pull(opener=server, accept=lambda text: bool(shown.append(text)))
    assert shown == [NOTICE]
    assert "NON-COMMERCIAL" in NOTICE
    assert "MIT" in NOTICE
    assert server.asked == []
    assert list(tmp_path.iterdir()) == []


def test_a_download_that_breaks_off_goes_on_where_it_was(pull: Callable[..., Installed], tmp_path: Path) -> None:
    server = Server({"a.pth": 300_000})
    with pytest.raises(
        DeviceError, match=r"a\.pth broke off after 300,000 of 1,024,000 bytes .*run the same command again"
    ):
        pull(opener=server)
    assert nothing_installed(tmp_path)
    pull(opener=server)
    assert server.asked[:2] == [("a.pth", None), ("a.pth", "bytes=300000-")]
    assert (tmp_path / "keep" / "a.pth").read_bytes() == CONTENT["a.pth"]


def test_a_server_without_ranges_begins_anew(pull: Callable[..., Installed], tmp_path: Path) -> None:
    server = Server({"a.pth": 1000}, ranges=False)
    with pytest.raises(DeviceError):
        pull(opener=server)
    server._ranges = False
    whole = server.__call__

    def plain(request: urllib.request.Request) -> Reply:
        reply = whole(request)
        reply.status = 200
        return reply

    pull(opener=plain)
    assert (tmp_path / "keep" / "a.pth").read_bytes() == CONTENT["a.pth"]


def test_leftovers_that_are_no_beginning_of_the_file_are_thrown_away(
    pull: Callable[..., Installed], tmp_path: Path
) -> None:
    (tmp_path / "keep").mkdir()
    (tmp_path / "keep" / "b.pkl.part").write_bytes(b"x" * len(CONTENT["b.pkl"]))
    pull()
    assert (tmp_path / "keep" / "b.pkl").read_bytes() == CONTENT["b.pkl"]


def test_another_file_under_the_right_name_is_refused(pull: Callable[..., Installed], tmp_path: Path) -> None:
    server = Server()
    server.content["b.pkl"] = b"something else" * 50
    with pytest.raises(ModelFileError, match=r"b\.pkl came with another checksum .*nothing was installed"):
        pull(opener=server)
    assert nothing_installed(tmp_path)
    assert not list((tmp_path / "keep").glob("b.pkl*"))


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (urllib.error.URLError("no route to host"), "cannot be reached .*no route to host.*--from FOLDER"),
        (urllib.error.HTTPError("https://x/a.pth", 503, "busy", Message(), None), "answered 503"),
        (TimeoutError("timed out"), "cannot be reached"),
    ],
)
def test_no_network_is_one_sentence(
    pull: Callable[..., Installed], tmp_path: Path, error: Exception, sentence: str
) -> None:
    def refuse(request: urllib.request.Request) -> Reply:
        raise error

    with pytest.raises(DeviceError, match=sentence):
        pull(opener=refuse)
    assert nothing_installed(tmp_path)


def test_a_failed_conversion_leaves_the_former_installation(pull: Callable[..., Installed], tmp_path: Path) -> None:
    pull()
    before = (tmp_path / "to" / "manifest.toml").read_bytes()

    def fails(checkpoints: dict[str, Path], out: Path) -> None:
        (out / "half.onnx").write_bytes(b"half")
        raise ModelFileError("the exported network is not the one in torch")

    with pytest.raises(ModelFileError, match="not the one in torch"):
        pull(convert=fails)
    assert (tmp_path / "to" / "manifest.toml").read_bytes() == before
    assert not list(tmp_path.glob(".openface3-*"))


def test_without_torch_the_files_are_kept_for_the_next_call(pull: Callable[..., Installed], tmp_path: Path) -> None:
    with pytest.raises(UserInputError, match="needs torch"):
        pull(needs=lambda: "converting needs torch")
    assert nothing_installed(tmp_path)
    server = Server()
    assert pull(opener=server).models == ("tiny",)
    assert server.asked == []


def folder_of(tmp_path: Path, **changes: bytes) -> Path:
    folder = tmp_path / "stick" / "weights"
    folder.mkdir(parents=True)
    for name, content in CONTENT.items():
        (folder / name).write_bytes(changes.get(name.split(".")[0], content))
    return folder.parent


def test_a_folder_serves_a_machine_without_internet(pull: Callable[..., Installed], tmp_path: Path) -> None:
    server = Server()
    assert pull(from_folder=folder_of(tmp_path), opener=server).models == ("tiny",)
    assert server.asked == []


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"a": CONTENT["a.pth"][:-7]}, "a.pth has 1,023,993 bytes instead of 1,024,000; it is truncated"),
        ({"b": CONTENT["b.pkl"][:-7]}, "b.pkl does not have the published file's checksum"),
    ],
)
def test_a_damaged_file_in_the_folder_is_refused(
    pull: Callable[..., Installed], tmp_path: Path, changes: dict[str, bytes], sentence: str
) -> None:
    with pytest.raises(ModelFileError, match=sentence):
        pull(from_folder=folder_of(tmp_path, **changes))
    assert nothing_installed(tmp_path)


def test_an_incomplete_or_missing_folder_is_named(pull: Callable[..., Installed], tmp_path: Path) -> None:
    stick = folder_of(tmp_path)
    (stick / "weights" / "b.pkl").unlink()
    with pytest.raises(UserInputError, match=r"holds no b\.pkl"):
        pull(from_folder=stick)
    with pytest.raises(UserInputError, match="is not a folder"):
        pull(from_folder=tmp_path / "nowhere")


def test_the_published_checksums_are_those_written_down() -> None:
    assert {each.name: each.sha256[:8] for each in OFFICIAL} == {
        "Alignment_RetinaFace.pth": "2979b33f",
        "Landmark_98.pkl": "b49eb62d",
        "MTL_backbone.pth": "72f45843",
    }


def test_the_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing listens at the proxy's port: a request that went elsewhere would fail otherwise."""
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with pytest.raises(urllib.error.URLError, match="refused"):
        download.open_url(urllib.request.Request("https://weights.invalid/a.pth"))


def test_the_command_says_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FACEMIRROR_CACHE", str(tmp_path / "cache"))
    assert main(["models", "pull", "openface3", "--from", str(tmp_path), "--accept-licence"]) == 2
    assert "holds no Alignment_RetinaFace.pth" in capsys.readouterr().err
    assert main(["run", "--models", "openface3", "--source", "demo", "--headless", "--quiet"]) == 3
    assert "models pull openface3" in capsys.readouterr().err
