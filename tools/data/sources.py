"""Teachers and picture collections: `python -m tools.data.sources FOLDER [--fetch]` checks them, or fetches what is missing.

`sources.toml` lists every file with its size, SHA-256, licence and address. Files without an address are made from others;
`made_from` says how, and they are only checked.
"""

import argparse
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from realtime.errors import DeviceError, FacemirrorError, UserInputError
from realtime.files import file_sha256
from realtime.openface3.download import Official, Open, download, open_url
from tools.command import guarded

LIST = Path(__file__).with_name("sources.toml")


@dataclass(frozen=True, slots=True)
class Source:
    """One file.

    Attributes:
        path: below the folder of the material, with forward slashes.
        bytes: its size.
        sha256: its checksum, hexadecimal.
        licence: as its origin states it.
        address: where it can be downloaded, or None.
        made_from: how it is made where it cannot be downloaded.
    """

    path: str
    bytes: int
    sha256: str
    licence: str
    address: str | None = None
    made_from: str = ""


def sources(listed: Path = LIST) -> Iterator[Source]:
    """Every file of the list, collection by collection."""
    for collection in tomllib.loads(listed.read_text("utf-8"))["collection"]:
        for file in collection["files"]:
            given = {**file, "path": f"{collection['folder']}/{file['path']}", "licence": collection["licence"]}
            yield Source(**given)


def problem(source: Source, folder: Path) -> str | None:
    """What is wrong with a file.

    Args:
        source: the file.
        folder: the material's folder.

    Returns:
        "missing", "truncated or another file", "changed", or None where it is as listed.
    """
    path = folder / source.path
    if not path.is_file():
        return "missing"
    if path.stat().st_size != source.bytes:
        return "truncated or another file"
    return None if file_sha256(path) == source.sha256 else "changed"


def fetch(source: Source, folder: Path, opener: Open = open_url) -> Path:
    """Download one file and check it.

    Args:
        source: the file; it has an address.
        folder: the material's folder.
        opener: what opens a request.

    Returns:
        The file's path.

    Raises:
        DeviceError: not reached, or broken off.
        ModelFileError: the address gave another file than the listed one.
    """
    assert source.address is not None
    path = folder / source.path
    path.parent.mkdir(parents=True, exist_ok=True)
    base = source.address.rpartition("/")[0] + "/"
    name = source.address.rpartition("/")[2]
    found = download(
        Official("", name, source.sha256, source.bytes, source.licence), base, path.parent, lambda *_: None, opener
    )
    return found if found == path else found.replace(path)


def check(folder: Path, *, fetching: bool, say: Callable[[str], None] = print, opener: Open = open_url) -> int:
    """Check every file, and fetch those that are not as listed.

    Returns:
        How many are still not as listed.
    """
    left = 0
    for source in sources():
        found = problem(source, folder)
        if found is not None and fetching and source.address:
            try:
                fetch(source, folder, opener)
                found = None
                say(f"{source.path}: fetched ({source.licence})")
            except FacemirrorError as error:
                found = str(error)
        if found is not None:
            left += 1
            say(f"{source.path}: {found}" + (f"; made from {source.made_from}" if source.made_from else ""))
    return left


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="the material's folder (what FACEMIRROR_SHARED names)")
    parser.add_argument(
        "--fetch", action="store_true", help="download what is missing; mind the licences in sources.toml"
    )
    arguments = parser.parse_args()
    if not arguments.folder.is_dir():
        raise UserInputError(f"{arguments.folder} is not a folder; make it, or name the one that holds the material.")
    left = check(arguments.folder, fetching=arguments.fetch)
    if left:
        raise DeviceError(f"{left} files are not as tools/data/sources.toml lists them.")
    print("every file is as listed")


if __name__ == "__main__":
    guarded(main)
