"""The sessions that the viewer's pages may ask for, by number: no address names a file."""

import contextlib
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from realtime.errors import FacemirrorError, UserInputError
from realtime.session.folder import SESSION
from realtime.session.manifest import printable
from realtime.viewer.viewed_session import ViewedSession


def sessions_beside(folder: Path) -> list[Path]:
    """The other sessions in the folder that holds a session, by name.

    Args:
        folder: of the session.
    """
    own = folder.resolve()
    try:
        found = [one for one in own.parent.iterdir() if one != own and (one / SESSION).is_file()]
    except OSError:
        return []
    return sorted(found)


class Shelf:
    """The sessions that pages may ask for, by number; each is opened when it is first asked for.

    Args:
        folders: of sessions.
        look: finds sessions that came later; those that it does not find any more keep their numbers.
        videos: by a session's number, the recording that was measured, where it lies elsewhere.
        most: how many are held open; the one that was asked for longest ago is let go.
    """

    def __init__(
        self,
        folders: Sequence[Path],
        look: Callable[[], Sequence[Path]] = tuple,
        *,
        videos: Sequence[Path] = (),
        most: int = 4,
    ) -> None:
        self.folders = list(folders)
        self._videos = dict(enumerate(videos))
        self._look = look
        self._most = most
        self._open: dict[int, ViewedSession] = {}
        self._lock = threading.Lock()

    def names(self) -> list[str]:
        """The folders' names, by number."""
        with self._lock:
            self.folders += [folder for folder in self._look() if folder not in self.folders]
        return [printable(folder.resolve().name) for folder in self.folders]

    def session(self, number: int) -> ViewedSession:
        """One session, from any thread.

        Args:
            number: its place among `folders`.

        Raises:
            UserInputError: there is no such session, or it cannot be opened.
        """
        if not 0 <= number < len(self.folders):
            raise UserInputError("There is no such session on this page.")
        with self._lock:
            found = self._open.pop(number, None) or ViewedSession.open(self.folders[number], self._videos.get(number))
            self._open[number] = found  # the newest stands last
            if len(self._open) > self._most:
                del self._open[next(iter(self._open))]  # not closed: another thread may still read it
            return found

    def attempt(self, number: int) -> None:
        """Open a session ahead of the first request; what is wrong with it is told to whoever asks for it.

        Args:
            number: its place among `folders`.
        """
        with contextlib.suppress(FacemirrorError, OSError):
            self.session(number)

    def close(self) -> None:
        """Let go of every file. Safe to call twice."""
        with self._lock:
            for one in self._open.values():
                one.close()
            self._open.clear()
