"""A session's folder: named, made, and claimed by exactly one run."""

import contextlib
import json
import stat
from datetime import UTC, datetime
from pathlib import Path

from realtime.errors import DeviceError, UserInputError
from realtime.files import open_private, private_folder, reason
from realtime.privacy import umask

SESSIONS = Path("sessions")
"""Where sessions go that were asked for without a folder's name."""
SESSION, FRAMES, VIDEO = "session.json", "frames.csv", "video.mp4"
"""Names of files in it: what the run was, one row for each frame, and what was shown."""
OF_THE_SYSTEM = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
"""Files that file managers leave in any folder they show."""


def create_session_folder(root: Path, when: datetime) -> Path:
    """Make a new folder, named by the local date and time; a second one in the same second gets `-2`.

    Args:
        root: the folder to make it in; made where it is missing.
        when: the local date and time.

    Returns:
        The folder, readable by this user only. A run still has to claim it.

    Raises:
        DeviceError: it cannot be made. An existing folder is never used or changed.
    """
    name = f"{when:%Y-%m-%d_%H-%M-%S}"
    try:
        private_folder(root)
        for attempt in range(1, 1000):
            folder = root / (name if attempt == 1 else f"{name}-{attempt}")
            with contextlib.suppress(FileExistsError):
                folder.mkdir(0o777 & ~umask())
                return folder
    except OSError as error:
        raise DeviceError(
            f"The session folder cannot be made in {root} ({reason(error)}); choose another with --session."
        ) from None
    raise DeviceError(f"The session folder cannot be made in {root}: {name} is taken a thousand times.")


def use_session_folder(folder: Path) -> Path:
    """Claim a folder for one session: of several starts on the same folder exactly one succeeds.

    The claim is session.json, made in one step that fails where anything has that name. The folder must hold nothing else,
    so that nothing is overwritten, written through a link, or listed in the manifest as if the session had made it.

    Args:
        folder: made, readable by this user only, where it is missing; one that exists keeps its access rights.

    Returns:
        `folder`.

    Raises:
        UserInputError: the folder holds something, or is no folder.
        DeviceError: it cannot be made or written to.
    """
    claim = folder / SESSION
    try:
        private_folder(folder)
        _refuse_content(folder, set())
        with open_private(claim, "x") as file:
            json.dump({"format": 1, "written": datetime.now(UTC).isoformat(timespec="seconds")}, file)
    except FileExistsError:
        if not folder.is_dir():
            raise UserInputError(_no_folder(folder)) from None
        raise UserInputError(_taken(folder, [SESSION])) from None
    except NotADirectoryError:
        raise UserInputError(_no_folder(folder)) from None
    except OSError as error:
        raise DeviceError(f"The session folder {folder} cannot be made ({reason(error)}); choose another.") from None
    try:
        _refuse_content(folder, {SESSION})
    except (OSError, UserInputError):
        claim.unlink()
        raise
    return folder


def release_session_folder(folder: Path, *, made: bool) -> None:
    """Give a claimed folder back, for a run that ends before its first picture: the same words may be used again.

    The files with a session's first lines are deleted. What else is there stays, and what cannot be deleted is left.

    Args:
        folder: claimed by this run (see `use_session_folder`), which has captured nothing.
        made: the folder was made for this run; it goes where it is empty.
    """
    with contextlib.suppress(OSError):
        for path in folder.iterdir():
            if path.name not in OF_THE_SYSTEM and stat.S_ISREG(path.lstat().st_mode):
                path.unlink()
        if made:
            folder.rmdir()


def _refuse_content(folder: Path, own: set[str]) -> None:
    if not folder.is_dir():
        raise NotADirectoryError(folder)
    found = sorted({path.name for path in folder.iterdir()} - own - OF_THE_SYSTEM)
    if found:
        raise UserInputError(_taken(folder, found))


def _taken(folder: Path, found: list[str]) -> str:
    shown = ", ".join(found[:3]) + (" …" if len(found) > 3 else "")
    if SESSION in found:
        return f"{folder} holds a session already ({shown}); choose another folder."
    return f"{folder} is not empty ({shown}); a session needs a new or an empty folder."


def _no_folder(folder: Path) -> str:
    try:
        link = stat.S_ISLNK(folder.lstat().st_mode)
    except OSError:
        link = False
    return f"--session {folder} is {'a link to something that is no folder' if link else 'a file, not a folder'}."


def create_beside(session: Path, suffix: str) -> Path:
    """Make a new folder NAME-suffix beside a session's folder NAME, so that its manifest stays true.

    Args:
        session: the session's folder.
        suffix: what the new folder is for, such as "replay".

    Raises:
        DeviceError: it cannot be made.
    """
    base = session.resolve()
    for attempt in range(1, 1000):
        folder = base.with_name(f"{base.name}-{suffix}" if attempt == 1 else f"{base.name}-{suffix}-{attempt}")
        try:
            folder.mkdir(0o777 & ~umask())
        except FileExistsError:
            continue
        except OSError as error:
            raise DeviceError(f"{folder} cannot be made ({reason(error)}); choose another with --out.") from None
        return folder
    raise DeviceError(f"There are a thousand folders {base.name}-{suffix} already; choose another with --out.")
