"""manifest.json: every file of a finished session with its size and checksum. Its presence says that the session ended in order."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from realtime.errors import DeviceError, UserInputError
from realtime.files import file_sha256, reason, write_json

NAME = "manifest.json"
FORMAT = 1


class Listed(NamedTuple):
    """One file: its size in bytes and its SHA-256 in hexadecimal."""

    size: int
    sha256: str


def files_of(folder: Path) -> list[Path]:
    """Every file below the folder but the manifest, in a fixed order. Links are files like others."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and path != folder / NAME)


def write_manifest(folder: Path) -> Path:
    """List what is there now; the last thing a session does. Raises DeviceError when it cannot."""
    try:
        files = {
            path.relative_to(folder).as_posix(): {"bytes": path.stat().st_size, "sha256": file_sha256(path)}
            for path in files_of(folder)
        }
    except OSError as error:
        raise DeviceError(f"{error.filename} cannot be read ({reason(error)}), so {NAME} was not written.") from None
    write_json(folder / NAME, {"format": FORMAT, "files": files})
    return folder / NAME


def read_manifest(folder: Path) -> dict[str, Listed] | None:
    """The list by path below the folder; None where there is none. Raises UserInputError when it cannot be read."""
    path = folder / NAME
    if not path.exists():
        return None
    content = read_json(path)
    check_format(path, content, FORMAT)
    try:
        return {name: Listed(int(entry["bytes"]), str(entry["sha256"])) for name, entry in content["files"].items()}
    except (KeyError, TypeError, ValueError, AttributeError):
        raise UserInputError(f"{path} is damaged: it should list every file with bytes and sha256.") from None


def read_json(path: Path) -> Mapping[str, Any]:
    """A JSON object. Raises UserInputError with what is wrong."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserInputError(f"{path} cannot be read ({reason(error)}).") from None
    except ValueError:
        raise UserInputError(f"{path} is damaged: it holds no JSON.") from None
    if not isinstance(content, dict):
        raise UserInputError(f"{path} is damaged: it holds no JSON object.")
    return content


def check_format(path: Path, content: Mapping[str, Any], wanted: int) -> None:
    """Raises UserInputError when the file is of another version of the format."""
    found = content.get("format")
    if found != wanted:
        raise UserInputError(f"{path} is of format {found!r}; this program reads format {wanted}.")


def session_of(folder: Path) -> Mapping[str, Any]:
    """The content of session.json. Raises UserInputError when the folder holds no session of this format."""
    if not folder.is_dir():
        raise UserInputError(f"{folder} is not a folder.")
    path = folder / "session.json"
    if not path.exists():
        raise UserInputError(f"{folder} holds no session: there is no session.json.")
    content = read_json(path)
    check_format(path, content, 1)
    return content
