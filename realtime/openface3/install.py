"""`facemirror-live models pull openface3`: licence first, then the files, then their conversion; all or nothing.

The published files are kept apart from the installed networks, so that a conversion that could not be done (torch is not
installed) is done by the next call without fetching anything again.
"""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from realtime.errors import DeviceError, UserInputError
from realtime.files import reason, swap_folder
from realtime.models.manifest import load_manifest
from realtime.openface3 import download
from realtime.openface3.download import Official

Convert = Callable[[dict[str, Path], Path], None]
"""Writes networks and manifest.toml into the folder; checkpoints come by network."""


@dataclass(frozen=True, slots=True)
class Installed:
    """What was installed.

    Attributes:
        folder: for `--weights`, where `run --models openface3` looks by itself.
        models: their names, in the manifest's order.
    """

    folder: Path
    models: tuple[str, ...]


def install(
    accept: Callable[[str], bool],
    convert: Convert,
    *,
    from_folder: Path | None = None,
    to: Path | None = None,
    keep: Path | None = None,
    progress: download.Progress = lambda _name, _have, _total: None,
    opener: download.Open = download.open_url,
    official: tuple[Official, ...] = download.OFFICIAL,
    needs: Callable[[], str | None] = lambda: None,
) -> Installed:
    """Install the networks after the licence is accepted.

    Args:
        accept: called with the licence text; False refuses.
        convert: writes networks and manifest.
        from_folder: where the published files are; None downloads them.
        to: target folder, replaced as a whole; None: the default one.
        keep: where the published files are kept; None: the default folder.
        progress: called with a file's name, the bytes that are there, and the size.
        opener: opens an address.
        official: the published files.
        needs: what converting still lacks, as a sentence; None: nothing.

    Returns:
        What was installed.

    Raises:
        UserInputError: the licence was refused, the folder is incomplete, or converting is not possible here.
        ModelFileError: a file is another one than published, or cannot be converted.
        DeviceError: there is no network, a download broke off, or the disk is full.
    """
    target, kept = to or download.default_folder(), keep or download.checkpoints_folder()
    found = download.find(from_folder, official) if from_folder is not None else None
    if not accept(download.NOTICE):
        raise UserInputError("The licence of OpenFace 3.0 was not accepted; nothing was installed.")
    try:
        kept.mkdir(parents=True, exist_ok=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        if found is not None:
            download.copy(found, kept)
        else:
            for each in official:
                download.download(each, download.BASE, kept, progress, opener)
        lacking = needs()
        if lacking is not None:
            raise UserInputError(lacking)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".openface3-") as scratch:
            staged = Path(scratch) / "new"
            staged.mkdir()
            convert({each.network: kept / each.name for each in official}, staged)
            models = tuple(load_manifest(staged).models)
            swap_folder(staged, target, Path(scratch) / "old")
    except OSError as error:
        raise DeviceError(f"OpenFace 3.0 cannot be installed into {target} ({reason(error)}).") from None
    return Installed(target, models)
