"""Annotations on disk: `SESSION-annotations.json` beside the session's folder, `SESSION-annotations-NAME.json` for a named coder.

They lie beside the folder, as scores do, so that the session's manifest stays true. A file is replaced as a whole: a reader,
a kill or a power cut meets the old content or the new one. Whoever writes says which state they have read, so that two
windows on one file do not undo each other's work.

{"format": 1, "time": "milliseconds from the session's first row", "coder": "Ada",
 "codes": [{"name": "smile", "meaning": "voluntary smile"}],
 "labels": [{"start": 1200, "end": 2400, "code": "smile", "comment": "", "face": 2}],
 "points": [{"at": 900, "text": "cue", "comment": ""}],
 "exclusions": [{"start": 0, "end": 500, "reason": "hand before the face"}]}

Format 2 has `face`, the `face_id` that a label is about; labels about nobody in particular have none. A file in which no label has
one is written as format 1, which earlier versions read.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from realtime.errors import DeviceError, UserInputError
from realtime.exchange.annotations import LONGEST_NAME, Annotations, Code, Exclusion, Label, Point, checked_text
from realtime.file_locks import one_at_a_time
from realtime.files import cache_folder, open_regular, reason, shortened, write_json

FORMAT = 2
_WITHOUT_FACES = 1
_STEM = "annotations"
_LARGEST = 64 * 2**20
_LONGEST_FILE_NAME = 120


class Stored(NamedTuple):
    """Annotations as they were read.

    Attributes:
        annotations: what the file holds.
        state: a checksum of the file; empty: there is no file yet.
    """

    annotations: Annotations
    state: str


def annotations_file(session: Path, coder: str = "") -> Path:
    """Where a coder's annotations of a session lie.

    Args:
        session: the session's folder.
        coder: the coder's name; empty: nobody's in particular.

    Raises:
        UserInputError: the name is too long or holds control characters.
    """
    session = session.resolve()
    written = quote(checked_text(coder, "A coder's name", LONGEST_NAME), safe=" ")
    if len(written) > _LONGEST_FILE_NAME:
        written = f"{written[:60]}-{hashlib.sha256(written.encode()).hexdigest()[:32]}"
    return session.with_name(f"{session.name}-{_STEM}{'-' if written else ''}{written}.json")


def annotation_files(session: Path) -> list[Path]:
    """Every coder's file of a session, the unnamed one first, then by name.

    Args:
        session: the session's folder.
    """
    session = session.resolve()
    own, start = f"{session.name}-{_STEM}.json", f"{session.name}-{_STEM}-"
    try:
        names = [path.name for path in session.parent.iterdir()]
    except OSError:
        return []
    found = [name for name in names if name == own or (name.startswith(start) and name.endswith(".json"))]
    return [session.with_name(name) for name in sorted(found, key=lambda name: (name != own, name.casefold(), name))]


def read_annotations(path: Path, coder: str = "") -> Stored:
    """Read one coder's file.

    Args:
        path: of the file.
        coder: who begins, where there is no file yet.

    Returns:
        The annotations and the file's state; no annotations and an empty state where there is no file.

    Raises:
        UserInputError: the file cannot be read, is damaged or of another format.
    """
    try:
        with open_regular(path, limit=_LARGEST) as file:
            content = file.read()
    except FileNotFoundError:
        return Stored(Annotations(coder), "")
    except OSError as error:
        raise UserInputError(f"{path} cannot be read ({reason(error)}).") from None
    try:
        found = json.loads(content.decode("utf-8"))
        if not isinstance(found, dict) or "format" not in found:
            raise ValueError("it holds no annotations")
    except (ValueError, RecursionError):
        raise UserInputError(f"{path} is damaged: it holds no annotations; move it away to begin anew.") from None
    if found["format"] not in (_WITHOUT_FACES, FORMAT):
        raise UserInputError(
            f"{path} is of format {str(found['format'])[:20]}; this program reads the formats {_WITHOUT_FACES} and {FORMAT}."
        )
    try:
        return Stored(annotations_of(found), _state(content))
    except UserInputError as error:
        raise UserInputError(f"{path} is damaged: {_lowered(error)}") from None


def write_annotations(path: Path, annotations: Annotations, *, replaces: str | None = None) -> str:
    """Replace one coder's file.

    Args:
        path: of the file, see `annotations_file`.
        annotations: everything that the file shall hold.
        replaces: the state that the annotations were made from, as `read_annotations` gave it, or this function; None: any.

    Returns:
        The new state.

    Raises:
        UserInputError: the file has changed since `replaces` was read.
        DeviceError: it cannot be written. What was there before stays.
    """
    with one_at_a_time(_lock_of(path)):
        if replaces is not None and _state_of(path) != replaces:
            raise UserInputError(
                f"{shortened(path)} was changed by another window or program meanwhile; read it again before you write."
            )
        write_json(path, as_json(annotations))
        return _state_of(path)


def as_json(annotations: Annotations) -> dict[str, Any]:
    """Give what the file holds.

    Args:
        annotations: of one coder.
    """
    return {
        "format": FORMAT if any(label.face for label in annotations.labels) else _WITHOUT_FACES,
        "time": "milliseconds from the session's first row",
        "coder": annotations.coder,
        "codes": [code._asdict() for code in annotations.codes],
        "labels": [_label_object(label) for label in annotations.labels],
        "points": [point._asdict() for point in annotations.points],
        "exclusions": [one._asdict() for one in annotations.exclusions],
    }


def annotations_of(content: Mapping[str, Any]) -> Annotations:
    """Make annotations of a JSON object as `as_json` gives it; parts that are missing are empty.

    Args:
        content: the object, from a file or a request.

    Raises:
        UserInputError: a part has another type, or is not as `Annotations` wants it.
    """
    return Annotations(
        _typed(content, "coder", str, ""),
        [Code(_typed(one, "name", str), _typed(one, "meaning", str, "")) for one in _objects(content, "codes")],
        [
            Label(
                _typed(one, "start", int),
                _typed(one, "end", int),
                _typed(one, "code", str),
                _typed(one, "comment", str, ""),
                _typed(one, "face", int, 0),
            )
            for one in _objects(content, "labels")
        ],
        [
            Point(_typed(one, "at", int), _typed(one, "text", str, ""), _typed(one, "comment", str, ""))
            for one in _objects(content, "points")
        ],
        [
            Exclusion(_typed(one, "start", int), _typed(one, "end", int), _typed(one, "reason", str, ""))
            for one in _objects(content, "exclusions")
        ],
    )


def _label_object(label: Label) -> dict[str, Any]:
    return {key: value for key, value in label._asdict().items() if key != "face" or value}


def _objects(content: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    found = content.get(key, [])
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise UserInputError(f"{key!r} should be a list of objects.")
    return found


def _typed(content: Mapping[str, Any], key: str, kind: type, default: Any = None) -> Any:
    found = content.get(key, default)
    if not isinstance(found, kind) or isinstance(found, bool):
        wanted = "a whole number" if kind is int else "a text"
        raise UserInputError(f"{key!r} should be {wanted}, not {str(found)[:40]!r}.")
    return found


def _lowered(error: UserInputError) -> str:
    sentence = str(error)
    return sentence[:1].lower() + sentence[1:]


def _state(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def _state_of(path: Path) -> str:
    try:
        with open_regular(path, limit=_LARGEST) as file:
            return _state(file.read())
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise DeviceError(f"{path} cannot be read ({reason(error)}).") from None


def _lock_of(path: Path) -> Path:
    digest = hashlib.sha256(str(path.resolve()).encode("utf-8", "backslashreplace")).hexdigest()[:32]
    return cache_folder() / "locks" / f"{digest}.lock"
