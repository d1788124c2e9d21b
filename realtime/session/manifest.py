"""manifest.json: every file of a finished session with its size and checksum. Its presence says that the session ended in order.

What a command of this program added later (`reprocess`) stands apart, under `added`: the session's own files keep their entries.
"""

import json
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError

from realtime.errors import DeviceError, UserInputError
from realtime.files import file_sha256, kind_of, open_regular, reason, write_json
from realtime.session.folder import OF_THE_SYSTEM, SESSION

NAME = "manifest.json"
FORMAT = 1
_LARGEST_JSON = 64 * 2**20


class Listed(NamedTuple):
    """One file of a session.

    Attributes:
        size: bytes.
        sha256: in hexadecimal.
    """

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a session left behind.

    Args:
        files: by path below the folder.
        incomplete: by path below the folder, one sentence for each file that could not be written to its end.
        added: by path below the folder, what a command added after the session's end.
    """

    files: Mapping[str, Listed]
    incomplete: Mapping[str, str] = field(default_factory=dict)
    added: Mapping[str, Listed] = field(default_factory=dict)


class Entry(NamedTuple):
    """Something in a session's folder that is no plain folder.

    Attributes:
        name: its path below the folder, with escapes for what is no UTF-8 and for characters that are not printed.
        path: of it.
        kind: None for a file or a link to one, else what it is, for sentences.
    """

    name: str
    path: Path
    kind: str | None


def entries_of(folder: Path) -> list[Entry]:
    """Everything below the folder, in a fixed order, without the manifest and without what file managers leave there.

    Links to folders are entries and are not followed.
    """
    return sorted(entry for entry in _walk(folder) if entry.path != folder / NAME)


def _walk(folder: Path) -> Iterator[Entry]:
    for place, folders, files in os.walk(folder):
        for found in [*files, *(name for name in folders if (Path(place) / name).is_symlink())]:
            path = Path(place) / found
            if found not in OF_THE_SYSTEM:
                name = os.fsencode(path.relative_to(folder).as_posix()).decode("utf-8", "backslashreplace")
                yield Entry(printable(name), path, _kind(path))


def _kind(path: Path) -> str | None:
    """None: a file, or a link to one."""
    try:
        own = path.lstat().st_mode
    except OSError as error:
        return f"something that cannot be looked up ({reason(error)})"
    try:
        target = path.stat().st_mode
    except OSError:
        return "a link that leads nowhere"
    if stat.S_ISREG(target):
        return None
    return f"a link to {kind_of(target)}" if stat.S_ISLNK(own) else kind_of(own)


def write_manifest(folder: Path, incomplete: Mapping[str, str] | None = None) -> Path:
    """List what is there now; the last thing a session does.

    Args:
        folder: the session's folder.
        incomplete: see `Manifest`.

    Returns:
        The manifest's path.

    Raises:
        DeviceError: a file cannot be read, or the manifest cannot be written.
    """
    try:
        files = {entry.name: _described(entry.path) for entry in entries_of(folder) if entry.kind is None}
    except OSError as error:
        raise DeviceError(f"{error.filename} cannot be read ({reason(error)}), so {NAME} was not written.") from None
    marked = {"incomplete": dict(incomplete)} if incomplete else {}
    write_json(folder / NAME, {"format": FORMAT, "files": files, **marked})
    return folder / NAME


def _described(path: Path) -> dict[str, Any]:
    return {"bytes": path.stat().st_size, "sha256": file_sha256(path)}


def add_to_manifest(folder: Path, paths: Iterable[Path], by: str) -> None:
    """List files that a command added to a finished session; those of the session itself keep their entries.

    Args:
        folder: the session's folder. Without a manifest (the session was killed) nothing happens.
        paths: files in it.
        by: the command's name.

    Raises:
        UserInputError: the manifest is damaged.
        DeviceError: a file cannot be read, or the manifest cannot be written; the former one stays.
    """
    manifest = read_manifest(folder)
    if manifest is None:
        return
    content = dict(read_json(folder / NAME))
    try:
        new = {path.relative_to(folder).as_posix(): {**_described(path), "by": by} for path in paths}
    except OSError as error:
        raise DeviceError(f"{error.filename} cannot be read ({reason(error)}), so {NAME} does not list it.") from None
    own = {name: entry for name, entry in new.items() if name not in manifest.files}
    write_json(folder / NAME, {**content, "added": {**content.get("added", {}), **own}})


def read_manifest(folder: Path) -> Manifest | None:
    """Read a session's manifest.

    Args:
        folder: of the session.

    Returns:
        None where there is none.

    Raises:
        UserInputError: it cannot be read, is damaged or of another format.
    """
    path = folder / NAME
    if not _is_there(path):
        return None
    content = read_json(path)
    check_format(path, content, FORMAT)
    try:
        files, added = _listed(content["files"]), _listed(content.get("added", {}))
        incomplete = {
            printable(name): printable(str(sentence)) for name, sentence in content.get("incomplete", {}).items()
        }
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        raise UserInputError(f"{path} is damaged: it should list every file with bytes and sha256.") from None
    return Manifest(files, incomplete, added)


def _is_there(path: Path) -> bool:
    """Whether something has this name, a dangling link included. Raises UserInputError where this user may not know."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:  # another user's folder, most often
        raise UserInputError(f"{path.parent} cannot be read ({reason(error)}).") from None
    return True


def _listed(entries: Mapping[str, Any]) -> dict[str, Listed]:
    return {printable(name): Listed(int(entry["bytes"]), str(entry["sha256"])) for name, entry in entries.items()}


def read_json(path: Path) -> Mapping[str, Any]:
    """Read a JSON object.

    Args:
        path: of the file.

    Raises:
        UserInputError: there is none; the sentence says what is wrong.
    """
    try:
        with open_regular(path, limit=_LARGEST_JSON) as file:
            content = json.loads(file.read().decode("utf-8"))
    except OSError as error:
        raise UserInputError(f"{path} cannot be read ({reason(error)}).") from None
    except RecursionError:
        raise UserInputError(f"{path} is damaged: it is nested too deep.") from None
    except ValueError:
        raise UserInputError(f"{path} is damaged: it holds no JSON.") from None
    if not isinstance(content, dict):
        raise UserInputError(f"{path} is damaged: it holds no JSON object.")
    return content


def printable(text: str) -> str:
    """Give the text with escapes for what no UTF-8 file takes, and for what moves a terminal's cursor or erases its lines."""
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def check_format(path: Path, content: Mapping[str, Any], wanted: int) -> None:
    """Refuse another version of a format.

    Args:
        path: of the file, for the sentence.
        content: of the file.
        wanted: the format.

    Raises:
        UserInputError: `content` is of another format than `wanted`.
    """
    found = content.get("format")
    if found != wanted:
        shown = repr(found)
        shown = shown if len(shown) <= 40 else f"{shown[:40]}…"
        raise UserInputError(f"{path} is of format {shown}; this program reads format {wanted}.")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True, allow_inf_nan=False)


class _Change(_Strict):
    value: str
    capture_time: float


class _Choice(_Strict):
    value: str
    changes: list[_Change]


class _Model(_Strict):
    name: str
    sha256: str


class _Setting(_Strict):
    value: Any = None


class _Summary(_Strict):
    ended: str = ""


class _Recording(_Strict):
    sha256: str = ""
    width: int | None = None
    height: int | None = None


class _Batch(_Strict):
    input: _Recording = _Recording()


class _Session(_Strict):
    """What this program reads of session.json; everything else in it is for people and other programs."""

    written: str = ""
    affected_side: _Choice | None = None
    models: list[_Model] = []
    configuration: dict[str, _Setting] = {}
    summary: _Summary | None = None
    batch: _Batch = _Batch()


def session_of(folder: Path) -> Mapping[str, Any]:
    """Read session.json.

    Returns:
        Its content, of which the parts that this program uses have the types that they should have.

    Raises:
        UserInputError: the folder holds no session of this format, or session.json is damaged.
    """
    if not folder.is_dir():
        raise UserInputError(f"{folder} is not a folder.")
    path = folder / SESSION
    if not _is_there(path):
        raise UserInputError(f"{folder} holds no session: there is no {SESSION}.")
    content = read_json(path)
    check_format(path, content, 1)
    try:
        _Session.model_validate(dict(content))
    except ValidationError as error:
        first = error.errors()[0]
        place = printable(".".join(str(part) for part in first["loc"][:3]))[:80]
        raise UserInputError(f"{path} is damaged: {place}: {first['msg']}.") from None
    return content
