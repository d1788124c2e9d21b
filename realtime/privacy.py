"""What keeps a process of ours private: no telemetry from libraries, and files that only this user can read.

`realtime/__init__.py` calls `disable_telemetry` before any other module of the program is loaded, so that ONNX Runtime finds
the variable when it is imported; child processes inherit it. The entry of the command line calls `restrict_new_files`, which
holds for every file of the process, also for those that FFmpeg or a database library opens without asking us. Code that is
used as a library never changes the process's mask; it makes its files with `realtime.files.open_private` and `private_folder`.
"""

import os

UMASK_VARIABLE = "FACEMIRROR_UMASK"
_ONLY_THIS_USER = 0o077


def disable_telemetry() -> None:
    """Tell ONNX Runtime to collect and send nothing, unless the user has set its variable.

    From version 1.32 on, ONNX Runtime keeps a device id, process path, model names and error texts in
    `~/.cache/Microsoft/DeveloperTools/.onnxruntime/onnxruntime.db` and sends them to mobile.events.data.microsoft.com.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")


def umask() -> int:
    """The permission bits that new files do not get: 0o077, or the octal number in FACEMIRROR_UMASK.

    A variable that is no octal number up to 777 counts as unset: the strict value is the safe one.
    """
    try:
        chosen = int(os.environ.get(UMASK_VARIABLE, ""), 8)
    except ValueError:
        return _ONLY_THIS_USER
    return chosen if 0 <= chosen <= 0o777 else _ONLY_THIS_USER


def restrict_new_files() -> None:
    """Set this process's umask (see `umask`); child processes inherit it."""
    os.umask(umask())
