"""The terminal's streams: a program whose output nobody reads runs and exits as with a reader; what could not be written is known."""

import contextlib
import errno
import logging
import os
import re
import sys
import threading
from collections import deque
from typing import Any, TextIO

from realtime.files import reason

_MOST_WAITING = 1000
_READER_GONE = (errno.EPIPE, errno.EINVAL)
"""The second is Windows's."""
_PREFIX = "facemirror-live: "
OWN_ERRORS = ("DeviceError", "UserInputError", "ModelFileError")
"""Errors whose text is a sentence for the user."""
_WHERE = re.compile(rf"\A(?:source|node) [^:\n]+: (?:{'|'.join(OWN_ERRORS)}): ")
_BACK = re.compile(r"\Asource [^:\n]+: back\Z")


class Messages:
    """Lines for stderr, written by a thread of their own: whoever says something never waits for the terminal.

    When more than a thousand lines wait, the oldest are left out. The thread is started with the first line.
    """

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=_MOST_WAITING)
        self._status: str | None = None
        self._shown = False
        self._busy = False
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def say(self, sentence: str) -> None:
        """Write a sentence on a line of its own; what is no text in it, such as a name that is no UTF-8, as escapes.

        So are control characters in a file's name, which would move the terminal's cursor or erase its lines.
        """
        text = sentence.encode("utf-8", "backslashreplace").decode("utf-8")
        text = "".join(one if one.isprintable() or one in "\n\t" else f"\\x{ord(one):02x}" for one in text)
        self._put(lambda: self._lines.append(f"{_PREFIX}{text}\n"))

    def status(self, line: str) -> None:
        """Show `line` as the terminal's last line, in the place of the one before; "" removes it."""

        def put() -> None:
            self._status = line

        self._put(put)

    def flush(self, seconds: float) -> bool:
        """Wait until all is written; False when it was not within so many seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: not (self._lines or self._busy or self._status is not None), seconds)

    def _put(self, change: Any) -> None:
        with self._changed:
            change()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="messages", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._lines or self._status is not None)
                text, status = "".join(self._lines), self._status
                self._lines.clear()
                self._status, self._busy = None, True
            with contextlib.suppress(OSError, ValueError):
                self._write(text, status)
            with self._changed:
                self._busy = False
                self._changed.notify_all()

    def _write(self, text: str, status: str | None) -> None:
        cleared = "\r\x1b[K" if self._shown else ""
        if status is not None:
            self._shown = status != ""
        sys.stderr.write(cleared + text + (status or ""))
        sys.stderr.flush()


messages = Messages()
"""The process's own."""


class MessageHandler(logging.Handler):
    """Hands log records to `messages`."""

    def emit(self, record: logging.LogRecord) -> None:
        """Say the record's text; a sentence of ours without the graph's name for where it came from."""
        text = _WHERE.sub("", self.format(record), count=1)
        messages.say(_BACK.sub("The source gives pictures again.", text, count=1))


class TolerantStream:
    """A text stream that goes on without a reader: after a failed write it writes to nowhere.

    Args:
        stream: what is written to.

    Attributes:
        failure: in a few words, why something could not be written; empty: all of it was, or its reader has gone away.
    """

    def __init__(self, stream: TextIO) -> None:
        self.failure = ""
        self._stream = stream

    def write(self, text: str) -> int:
        """Write, if that is possible."""
        try:
            return self._stream.write(text)
        except (OSError, ValueError) as error:
            self._give_up(error)
            return len(text)

    def writelines(self, lines: Any) -> None:
        """Write each."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Flush, if that is possible."""
        try:
            self._stream.flush()
        except (OSError, ValueError) as error:
            self._give_up(error)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def _give_up(self, error: Exception) -> None:
        if isinstance(error, OSError) and error.errno not in _READER_GONE:
            self.failure = reason(error)
        with contextlib.suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)


def prepare_streams() -> TolerantStream:
    """Make the process's standard streams ones that a program can rely on.

    A closed one is opened on nothing: otherwise the next file opened, such as a session's, would take its number, and with it
    all that is written there. What cannot be encoded, such as a file's name that is no UTF-8, is written as escapes.

    Returns:
        The standard output.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            with contextlib.suppress(OSError):
                os.open(os.devnull, os.O_RDWR)
    sys.stdout = output = _prepared(sys.stdout, 1)
    sys.stderr = _prepared(sys.stderr, 2)
    return output


def _prepared(stream: Any, number: int) -> TolerantStream:
    if stream is None:
        stream = open(number, "w", encoding="utf-8", closefd=False)  # noqa: SIM115  lives as long as the process
    with contextlib.suppress(AttributeError, OSError, ValueError):
        stream.reconfigure(errors="backslashreplace")
    return TolerantStream(stream)
