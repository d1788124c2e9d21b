"""Files and folders: where this user's data and caches lie, one atomic write for everybody, checksums, errors in words."""

import contextlib
import errno
import hashlib
import json
import os
import re
import shlex
import stat
import sys
from collections.abc import Callable, Iterator, Mapping
from io import BufferedReader
from pathlib import Path
from typing import IO, Any

import platformdirs

from realtime.errors import DeviceError
from realtime.privacy import umask

_NAME = "facemirror-live"
_LONGEST_NAME = 100
_PLAIN_WORD = re.compile(r"[\w.:\\/-]+")
_LONGEST_WORDS = 200


def data_folder() -> Path:
    """This user's folder for what must not be lost (stored calibrations)."""
    return _home_folder(lambda: platformdirs.user_data_dir(_NAME, appauthor=False, roaming=True))


def cache_folder() -> Path:
    """The folder for downloaded models and compiled sessions: FACEMIRROR_CACHE, else the platform's cache folder."""
    chosen = os.environ.get("FACEMIRROR_CACHE")
    if chosen:
        return Path(chosen)
    former = Path(os.path.expanduser(os.environ.get("XDG_CACHE_HOME") or "~/.cache")) / _NAME  # noqa: PTH111  never raises
    if sys.platform == "darwin" and former.is_dir():  # versions before 0.2 downloaded models to ~/.cache on macOS too
        return former
    return _home_folder(lambda: platformdirs.user_cache_dir(_NAME, appauthor=False))


def home_folder() -> Path:
    """The user's home; a place where nothing is found where there is none, as in some containers."""
    home = Path(os.path.expanduser("~"))  # noqa: PTH111  never raises
    return home if home.is_absolute() else Path(os.devnull)


def _home_folder(find: Callable[[], str]) -> Path:
    """A folder below the user's home.

    A user may have none (some containers). Then it is a place where nothing is found and nothing can be written, which is said
    where somebody tries; it is never a folder called "~" below the working folder.
    """
    with contextlib.suppress(RuntimeError):
        folder = Path(find())
        if folder.is_absolute():
            return folder
    return Path(os.devnull) / _NAME


def file_sha256(path: Path) -> str:
    """The checksum of a file, read in pieces.

    Args:
        path: an existing file. A named pipe or a device is refused: it may have no end.

    Returns:
        64 hexadecimal digits.

    Raises:
        OSError: it cannot be read.
    """
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def private_folder(path: Path) -> Path:
    """Make a folder, and the folders above it that are missing, for this user alone (0700; see `realtime.privacy.umask`).

    A folder that exists stays as it is.

    Returns:
        The path.

    Raises:
        OSError: it cannot be made, or is a file.
    """
    missing = []
    folder = path
    while not folder.exists() and folder != folder.parent:
        missing.append(folder)
        folder = folder.parent
    for folder in reversed(missing):
        folder.mkdir(0o777 & ~umask(), exist_ok=True)
    path.mkdir(exist_ok=True)  # says so where `path` is a file
    return path


def open_private(path: Path, mode: str = "wb", *, newline: str | None = None, buffering: int = -1) -> IO[Any]:
    """Open a file for writing that only this user may read (0600; see `realtime.privacy.umask`). Text is UTF-8.

    Args:
        path: the file. A symbolic link is refused, so that nothing is written through it.
        mode: as for `open`; "x" refuses a file that exists, but not a device such as /dev/null, which holds nothing.
        newline: as for `open`, for text.
        buffering: as for `open`.

    Raises:
        OSError: it cannot be opened.
    """
    encoding = None if "b" in mode else "utf-8"
    if "x" in mode and _is_device(path):
        mode = mode.replace("x", "w")
    return open(path, mode, buffering, encoding, newline=newline, opener=_private_opener)


def _takes_no_file_in_its_place(path: Path) -> bool:
    """Is it a device, a pipe or a socket, or one of the system's names for an open file?"""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    of_the_system = path.absolute().is_relative_to("/dev/fd") or path.absolute().is_relative_to("/proc")
    standard = str(path.absolute()) in ("/dev/stdout", "/dev/stderr")
    return standard or of_the_system or not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _is_device(path: Path) -> bool:
    try:
        return stat.S_ISCHR(path.lstat().st_mode)
    except OSError:
        return False


def _private_opener(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o666 & ~umask())


@contextlib.contextmanager
def write_atomically(path: Path) -> Iterator[IO[bytes]]:
    """Open a file beside `path` for writing, and put it in the place of `path` when the block ends without an error.

    A reader, a kill or a power cut meets the old content or the new one, never half of it. Only this user may read the
    file (see `open_private`). A device or a pipe (/dev/stdout, /dev/null) is written to, not replaced.

    Args:
        path: the file to replace; its folder exists.

    Raises:
        OSError: the file cannot be written, or nobody reads the pipe. What was there before stays.
    """
    if _takes_no_file_in_its_place(path):
        with os.fdopen(os.open(path, os.O_WRONLY | getattr(os, "O_NONBLOCK", 0) | os.O_APPEND), "wb") as file:
            os.set_blocking(file.fileno(), True)
            yield file
        return
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        scratch.unlink(missing_ok=True)  # left by a process of the same number that was killed
        with open_private(scratch, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            scratch.unlink(missing_ok=True)
        raise


class AppendedFile:
    """A new file of this user alone that grows line by line or record by record. One caller at a time.

    Args:
        path: of a file that does not exist.
        header: written first.

    Attributes:
        path: the file.

    Raises:
        DeviceError: it cannot be created.
    """

    def __init__(self, path: Path, header: bytes = b"") -> None:
        self.path = path
        try:
            self._file: IO[bytes] = open_private(path, "xb")
            self._file.write(header)
        except OSError as error:
            raise DeviceError(f"{path} cannot be written ({reason(error)}).") from None

    @property
    def closed(self) -> bool:
        """Whether nothing more can be written."""
        return self._file.closed

    def write(self, content: bytes, *, flush: bool = False) -> None:
        """Append something.

        Args:
            content: the line, with its end, or the record.
            flush: hand it to the system at once.

        Raises:
            DeviceError: the disk does not take it.
        """
        try:
            self._file.write(content)
            if flush:
                self._file.flush()
        except OSError as error:
            raise DeviceError(f"{self.path} cannot be written ({reason(error)}).") from None

    def flush(self) -> None:
        """Hand what was written to the system.

        Raises:
            DeviceError: the disk does not take it.
        """
        self.write(b"", flush=True)

    def close(self) -> None:
        """Close the file. Safe to call twice.

        Raises:
            DeviceError: the disk does not take what was still on the way.
        """
        try:
            self._file.close()
        except OSError as error:
            with contextlib.suppress(OSError):
                self._file.close()
            raise DeviceError(f"{self.path} cannot be written to its end ({reason(error)}).") from None


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Replace `path` with `content` as JSON, atomically.

    Args:
        path: of the file.
        content: plain values.

    Raises:
        DeviceError: the file cannot be written. What was there before stays.
    """
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    try:
        with write_atomically(path) as file:
            file.write(text.encode("utf-8", "backslashreplace"))  # a lone surrogate becomes its JSON escape
    except OSError as error:
        raise DeviceError(f"{path} cannot be written ({reason(error)}).") from None


def reason(error: Exception) -> str:
    """Tell what failed in a few words, on one line and without a full stop.

    Args:
        error: an OSError, or an error with `errno` and `strerror` like one, such as FFmpeg's.
    """
    if getattr(error, "errno", None) == errno.ENOSPC:
        return "the disk is full"
    return " ".join(str(getattr(error, "strerror", None) or error).split()).rstrip(".") or type(error).__name__


def described(error: OSError | MemoryError) -> str:
    """What the machine has refused, as a sentence: a file that it does not give, or memory."""
    if isinstance(error, MemoryError):
        return "There is not enough memory; close other programs, or choose a smaller picture."
    named = "A file" if error.filename is None else shortened(error.filename)
    return f"{named} cannot be used ({reason(error)})."


def one_line(text: object) -> str:
    """A user's words or a library's, for a sentence: on one line, and not longer than 200 characters."""
    line = " ".join(str(text).split()).rstrip(".")
    return line if len(line) <= _LONGEST_WORDS else f"{line[:_LONGEST_WORDS]}…"


def counted(number: int, one: str, many: str | None = None) -> str:
    """A number of things, for a sentence: 1 row, 1,234 rows.

    Args:
        number: how many.
        one: what one is called.
        many: what several are called; None: the same with an s.
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def shortened(name: object) -> str:
    """A file's name for a sentence: its first 100 characters."""
    text = os.fsdecode(name) if isinstance(name, str | bytes) else str(name)
    return text if len(text) <= _LONGEST_NAME else f"{text[:_LONGEST_NAME]}…"


def shell_word(word: object, *, windows: bool = sys.platform == "win32") -> str:
    """A word of a command line, as the system's shell takes it: Windows' knows no single quotes.

    Args:
        word: a name or a path.
        windows: the shell is that of Windows.
    """
    if not windows:
        return shlex.quote(str(word))
    return str(word) if _PLAIN_WORD.fullmatch(str(word)) else f'"{word}"'


def swap_folder(staged: Path, target: Path, old: Path) -> None:
    """Move `staged` to `target`.

    Args:
        staged: the finished folder.
        target: where it belongs.
        old: where a former `target` is moved to; it comes back if the move fails.

    Raises:
        OSError: the move failed.
    """
    if target.exists():
        target.rename(old)
    try:
        staged.rename(target)
    except OSError:
        if old.exists():
            old.rename(target)
        raise


def open_regular(path: Path, *, limit: int | None = None) -> BufferedReader:
    """Open a file for reading that may have been put there by anybody: a named pipe or a device is refused, not waited for.

    Args:
        path: the file; a link to a regular file is followed.
        limit: the most bytes that the file may have.

    Raises:
        OSError: it cannot be opened, is no regular file or is larger than `limit`; `reason` says which.
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, f"it is {kind_of(found.st_mode)}, not a file", str(path))
        if limit is not None and found.st_size > limit:
            raise OSError(errno.EFBIG, f"it is larger than {limit:,} bytes", str(path))
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def kind_of(mode: int) -> str:
    """What a file system entry is, for sentences.

    Args:
        mode: `st_mode` of `lstat`.
    """
    if stat.S_ISLNK(mode):
        return "a link"
    if stat.S_ISDIR(mode):
        return "a folder"
    if stat.S_ISFIFO(mode):
        return "a named pipe"
    if stat.S_ISSOCK(mode):
        return "a socket"
    return "a file" if stat.S_ISREG(mode) else "a device"
