"""Files that a user names for results: a result replaces an earlier one of its kind, and nothing else.

A slip of the hand (`--summary clip.mp4`) must not cost a patient's film, settings or a document.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from realtime.config import Config
from realtime.errors import UserInputError
from realtime.files import kind_of, open_regular, reason
from realtime.media.source_spec import SourceKind, parse_source
from realtime.session.folder import FRAMES, SESSION, VIDEO

_LARGEST = 256 * 2**20
_HEAD = 4096


def json_with(*keys: str) -> Callable[[bytes], bool]:
    """Make the test whether a file holds a JSON object with all these keys."""

    def holds(content: bytes) -> bool:
        try:
            found = json.loads(content)
        except (ValueError, RecursionError):
            return False
        return isinstance(found, dict) and set(keys) <= set(found)

    return holds


def begins_with(mark: bytes, *, within: int = 0) -> Callable[[bytes], bool]:
    """Make the test whether a file is of a kind.

    Args:
        mark: what such a file begins with.
        within: how many of its first bytes may hold the mark; 0: it stands at the very beginning.
    """
    return lambda content: mark in content[:within] if within else content.startswith(mark)


SUMMARY = json_with("frames", "failures")
TRACE = json_with("traceEvents")
REPORT = begins_with(
    b'<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; style-src', within=_HEAD
)
PARQUET = begins_with(b"PAR1")
AGREEMENT = json_with("figures", "published")


_OF_A_SESSION = frozenset(
    {
        *(SESSION, "manifest.json", FRAMES, "markers.csv", "decisions.jsonl", "raw.mkv", VIDEO),
        *("data_dictionary.json", "calibration.json", "frames.parquet", "examination.json"),
    }
)
_OF_A_MODEL_FAMILY = "openface"


def check_run_outputs(config: Config) -> None:
    """Refuse `--summary` and `--trace` where they would cost something else, before anything is opened.

    Raises:
        UserInputError: one names an input, a file of the session, the other's file, or a file that holds something else.
    """
    inputs = [] if parse_source(config.source).kind is not SourceKind.FILE else [Path(config.source).expanduser()]
    named = [("--summary", config.summary, SUMMARY), ("--trace", config.trace, TRACE)]
    for option, path, is_earlier in named:
        if path is None:
            continue
        check_output(path, option, is_earlier, inputs)
        if config.session is not None and path.absolute().parent.resolve() == config.session.absolute().resolve():
            name = path.name.lower()  # some systems' files have no capitals
            if name in _OF_A_SESSION or name.startswith(_OF_A_MODEL_FAMILY):
                raise UserInputError(f"{option} {path}: the session has a file of this name; choose another one.")
    if config.summary is not None and config.trace is not None and _same(config.summary, config.trace):
        raise UserInputError(f"--summary and --trace name the same file ({config.trace}); choose another name for one.")


def _same(one: Path, other: Path) -> bool:
    if one.absolute().resolve() == other.absolute().resolve():
        return one.is_file() or not one.exists()  # a device or pipe takes both
    return False


def check_output(path: Path, option: str, is_earlier: Callable[[bytes], bool], inputs: Sequence[Path] = ()) -> None:
    """Refuse a file for results that is something else already.

    Args:
        path: as the user named it. A file that is not there, is empty, or is a device or pipe, is right.
        option: how the sentence calls it.
        is_earlier: tells from a file's content whether it is an earlier result of this kind.
        inputs: what is read at the same time, which must not be `path`, whatever it holds.

    Raises:
        UserInputError: `path` is a folder, an input, or holds something else.
    """
    try:
        status = path.stat()
        if any(path.samefile(other) for other in inputs if other.exists()):
            raise UserInputError(f"{option} {path}: this is read as well; choose another name.")
        if kind_of(status.st_mode) == "a folder":
            raise UserInputError(f"{option} {path}: this is a folder; choose a file's name.")
        if kind_of(status.st_mode) != "a file" or not status.st_size:
            return
        with open_regular(path, limit=_LARGEST) as file:
            earlier = is_earlier(file.read())
    except (FileNotFoundError, NotADirectoryError):
        return  # nothing to lose; that it cannot be written is told by whoever writes it
    except OSError as error:
        raise UserInputError(f"{option} {path}: this cannot be used ({reason(error)}).") from None
    if not earlier:
        raise UserInputError(
            f"{option} {path}: this holds something else, which is not overwritten; choose another name."
        )
