"""Recordings below a folder: links are followed, what cannot be looked at is said, results of a batch are no recordings."""

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from realtime.batch.ledger_files import HEAD
from realtime.files import reason

VIDEOS = frozenset(
    {
        ".3g2",
        ".3gp",
        ".asf",
        ".avi",
        ".dv",
        ".flv",
        ".gif",
        ".m2ts",
        ".m4v",
        ".mkv",
        ".mov",
        ".mp4",
        ".mpeg",
        ".mpg",
        ".mts",
        ".mxf",
        ".ogv",
        ".ts",
        ".vob",
        ".webm",
        ".wmv",
    }
)
"""What is taken from a folder; a file that is named itself may have any name."""


def recordings_below(folder: Path, problems: list[str]) -> list[Path]:
    """Search a folder with everything below it.

    Hidden files and folders (data managers keep the same files in them once more) and the results of a batch are left out. A link whose
    target is gone, or a file that may not be looked at, is taken, so that it is named with the others that cannot be measured.

    Args:
        folder: absolute.
        problems: gets a sentence for each folder that could not be looked into.

    Returns:
        By path.
    """

    def failed(error: OSError) -> None:
        problems.append(f"{error.filename}: this folder could not be searched ({reason(error)}).")

    return sorted(path for inside in _folders(folder, failed) for path in inside)


def _folders(top: Path, failed: Callable[[OSError], None]) -> Iterator[list[Path]]:
    """The recordings of each folder. Every folder is looked into once; the way without links comes first, since it gives the names."""
    above, seen, starts = os.path.realpath(top), set[str](), [top]
    for start in starts:  # grows while links to folders are found
        for at, folders, files in os.walk(start, onerror=failed):
            place = os.path.realpath(at)
            folders[:] = [] if place in seen else sorted(one for one in folders if _is_searched(Path(at, one)))
            if place not in seen:
                seen.add(place)
                links = (path for path in (Path(at, one) for one in folders) if path.is_symlink())
                starts += [link for link in links if not Path(above).is_relative_to(os.path.realpath(link))]
                yield [path for path in (Path(at, one) for one in files) if _is_recording(path)]


def _is_searched(folder: Path) -> bool:
    # `Path.is_file` raises below a folder that may not be entered; such a folder is to be searched, and named.
    return not folder.name.startswith(".") and not os.path.isfile(folder / "ledger" / HEAD)  # noqa: PTH113


def _is_recording(path: Path) -> bool:
    if path.suffix.lower() not in VIDEOS or path.name.startswith("."):
        return False
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except OSError:  # a link without a target, or a file that may not be looked at: named with what cannot be measured
        return True
