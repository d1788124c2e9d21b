"""One file from the network or from a folder: complete and with the right checksum, or not there at all.

A download that breaks off leaves `NAME.part` behind and is taken up from there; `NAME` appears only after its checksum was
found right. Proxies are those of the environment (https_proxy and its kin), as urllib reads them.
"""

import hashlib
import http.client
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from realtime.errors import DeviceError, ModelFileError, UserInputError
from realtime.files import cache_folder, file_sha256

BASE = "https://huggingface.co/nutPace/openface_weights/resolve/main/"
NOTICE = (
    "OpenFace 3.0 (Carnegie Mellon University) is licensed for ACADEMIC OR NON-PROFIT NON-COMMERCIAL RESEARCH USE ONLY. "
    "That holds for Landmark_98.pkl (STAR, 98 landmarks) and MTL_backbone.pth (Action Units, emotion, gaze): they may not "
    "be used commercially without a licence from their owners, and work that uses them must cite it (Hu et al., "
    "OpenFace 3.0, FG 2025; Zhou et al., STAR loss, CVPR 2023). Alignment_RetinaFace.pth (Pytorch_Retinaface) is under the "
    "MIT licence. The full texts: https://github.com/CMU-MultiComp-Lab/OpenFace-3.0"
)
ACADEMIC = "OpenFace 3.0: academic and non-commercial research only"


@dataclass(frozen=True, slots=True)
class Official:
    """One published checkpoint.

    Attributes:
        network: its word in tools.networks.
        name: of the file.
        sha256: in hexadecimal.
        bytes: None where upstream's size is not recorded.
        licence: of the file.
    """

    network: str
    name: str
    sha256: str
    bytes: int | None
    licence: str


OFFICIAL = (
    Official(
        "retinaface",
        "Alignment_RetinaFace.pth",
        "2979b33ffafda5d74b6948cd7a5b9a7a62f62b949cef24e95fd15d2883a65220",
        1_789_735,
        "MIT",
    ),
    Official(
        "star",
        "Landmark_98.pkl",
        "b49eb62de453fbc3ef278c52b8f85630b536d0a43b82a92d6ff7a11485f12c2a",
        None,
        ACADEMIC,
    ),
    Official(
        "multitask",
        "MTL_backbone.pth",
        "72f45843c7a3ed9500835c507467f32e864a23971160f733aeb23797a05a5bcd",
        101_710_914,
        ACADEMIC,
    ),
)


def default_folder() -> Path:
    """Where the converted networks are installed when nothing else is said."""
    return cache_folder() / "openface3"


def checkpoints_folder() -> Path:
    """Where the published files are kept, so that converting them again needs no network."""
    return cache_folder() / "openface3-checkpoints"


ATTEMPT_SECONDS = 30
BLOCK = 1 << 18

Progress = Callable[[str, int, int | None], None]
"""Called with a file's name, the bytes of it that are there, and how many it has (None: unknown)."""


class Reply(Protocol):
    """What is needed of an HTTP reply."""

    status: int
    headers: http.client.HTTPMessage

    def read(self, amount: int, /) -> bytes: ...

    def close(self) -> None: ...


Open = Callable[[urllib.request.Request], Reply]


def open_url(request: urllib.request.Request) -> Reply:
    """Over the network, through the environment's proxy.

    Args:
        request: what is asked for.
    """
    reply: Reply = urllib.request.urlopen(request, timeout=ATTEMPT_SECONDS)  # noqa: S310 - files.BASE is https
    return reply


def download(official: Official, base: str, folder: Path, progress: Progress, opener: Open = open_url) -> Path:
    """Download a published file, unless it is there already; one that broke off is continued.

    Args:
        official: the file.
        base: the address before its name.
        folder: where it goes.
        progress: called after every block.
        opener: opens an address.

    Returns:
        The file.

    Raises:
        DeviceError: the address cannot be reached, or the download broke off.
        ModelFileError: the file is another one than published.
    """
    target, part = folder / official.name, folder / f"{official.name}.part"
    if target.is_file() and file_sha256(target) == official.sha256:
        return target
    _fetch(base + official.name, part, official, progress, opener)
    if file_sha256(part) != official.sha256:
        part.unlink()
        raise ModelFileError(
            f"{official.name} came with another checksum than the published file's; it was thrown away, nothing was installed."
        )
    part.replace(target)
    return target


def _fetch(url: str, part: Path, official: Official, progress: Progress, opener: Open) -> None:
    have = part.stat().st_size if part.is_file() else 0
    if official.bytes is not None and have > official.bytes:
        part.unlink()
        have = 0
    if have and _digest_is(part, official.sha256):
        return
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})  # noqa: S310
    try:
        reply = opener(request)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416 and have:  # there is nothing after what we have, and what we have is not the file
            part.unlink()
            _fetch(url, part, official, progress, opener)
            return
        raise DeviceError(f"{url} answered {error.code}; try again later, or use --from FOLDER.") from None
    except (OSError, http.client.HTTPException) as error:
        raise DeviceError(f"{url} cannot be reached ({error}); check the network, or use --from FOLDER.") from None
    resumed = reply.status == 206
    total = _total(reply, have if resumed else 0, official)
    have = have if resumed else 0
    try:
        with part.open("ab" if resumed else "wb") as file:
            progress(official.name, have, total)
            while block := reply.read(BLOCK):
                file.write(block)
                have += len(block)
                progress(official.name, have, total)
    except (TimeoutError, ConnectionError, http.client.HTTPException, urllib.error.URLError) as error:
        raise _broken(official, have, total, str(error) or type(error).__name__) from None
    finally:
        reply.close()
    if total is not None and have < total:
        raise _broken(official, have, total, "the connection ended")


def _broken(official: Official, have: int, total: int | None, why: str) -> DeviceError:
    of = f" of {total:,}" if total is not None else ""
    return DeviceError(
        f"{official.name} broke off after {have:,}{of} bytes ({why}); run the same command again to go on from there."
    )


def _total(reply: Reply, before: int, official: Official) -> int | None:
    length = reply.headers.get("Content-Length")
    return before + int(length) if length is not None and length.isdigit() else official.bytes


def _digest_is(path: Path, sha256: str) -> bool:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == sha256


def find(folder: Path, files: tuple[Official, ...]) -> dict[str, Path]:
    """Where each published file lies in a folder or below, by name.

    Args:
        folder: to search.
        files: that are wanted.

    Raises:
        UserInputError: there is no such folder, or a file is missing.
        ModelFileError: one is truncated or another file.
    """
    if not folder.is_dir():
        raise UserInputError(f"{folder} is not a folder; give the one that holds {', '.join(f.name for f in files)}.")
    found: dict[str, Path] = {}
    for official in files:
        places = sorted(folder.rglob(official.name), key=lambda path: len(path.parts))
        if not places:
            raise UserInputError(f"{folder} holds no {official.name}; it is needed together with the other files.")
        path, size = places[0], places[0].stat().st_size
        if official.bytes is not None and size != official.bytes:
            raise ModelFileError(
                f"{path} has {size:,} bytes instead of {official.bytes:,}; it is truncated or another file, "
                "nothing was installed."
            )
        if not _digest_is(path, official.sha256):
            raise ModelFileError(
                f"{path} does not have the published file's checksum; it is truncated or another file, nothing was installed."
            )
        found[official.name] = path
    return found


def copy(found: dict[str, Path], folder: Path) -> None:
    """Copy the found files into `folder`; each appears when it is complete.

    Args:
        found: the files, by name.
        folder: where they go.
    """
    for name, path in found.items():
        target = folder / name
        if target.exists() and target.samefile(path):
            continue
        part = folder / f"{name}.part"
        shutil.copyfile(path, part)
        part.replace(target)
