"""A session's folder and its session.json."""

import contextlib
from datetime import datetime
from pathlib import Path

from realtime.errors import DeviceError, UserInputError
from realtime.files import reason


def create_session_folder(root: Path, when: datetime) -> Path:
    """Make a new folder below `root`, named by the local date and time; a second one in the same second gets `-2`.

    Raises DeviceError when it cannot be made. An existing folder is never used or changed.
    """
    name = f"{when:%Y-%m-%d_%H-%M-%S}"
    try:
        root.mkdir(parents=True, exist_ok=True)
        for attempt in range(1, 1000):
            folder = root / (name if attempt == 1 else f"{name}-{attempt}")
            with contextlib.suppress(FileExistsError):
                folder.mkdir()
                return folder
    except OSError as error:
        raise DeviceError(
            f"The session folder cannot be made in {root} ({reason(error)}); choose another with --session."
        ) from None
    raise DeviceError(f"The session folder cannot be made in {root}: {name} is taken a thousand times.")


def use_session_folder(folder: Path) -> Path:
    """Make `folder`, or take it as it is when it holds no session yet.

    Raises UserInputError when it holds one already (nothing is ever overwritten), DeviceError when it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        taken = [name for name in ("session.json", "frames.csv", "video.mp4") if (folder / name).exists()]
    except (FileExistsError, NotADirectoryError):
        raise UserInputError(f"--session {folder} is a file, not a folder.") from None
    except OSError as error:
        raise DeviceError(f"The session folder {folder} cannot be made ({reason(error)}); choose another.") from None
    if taken:
        raise UserInputError(f"{folder} holds a session already ({', '.join(taken)}); choose another folder.")
    return folder


def create_beside(session: Path, word: str) -> Path:
    """Make a new folder NAME-word beside a session's folder NAME, so that its manifest stays true. Raises DeviceError."""
    base = session.resolve()
    for attempt in range(1, 1000):
        folder = base.with_name(f"{base.name}-{word}" if attempt == 1 else f"{base.name}-{word}-{attempt}")
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        except OSError as error:
            raise DeviceError(f"{folder} cannot be made ({reason(error)}); choose another with --out.") from None
        return folder
    raise DeviceError(f"There are a thousand folders {base.name}-{word} already; choose another with --out.")
