"""`facemirror-live models pull openface2`: put OpenFace's files where the program finds them, with its licence shown first.

From a folder (an OpenFace 2.2 installation or a copy of its source) or from OpenFace's own repository. Everything is
read and checked before it replaces what was installed; a failed or refused installation changes nothing.
"""

import json
import shutil
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from realtime.errors import DeviceError, ModelFileError, UserInputError
from realtime.files import cache_folder, file_sha256, reason, swap_folder
from realtime.openface2.assets import (
    INTENSITY_AUS,
    OCCURRENCE_AUS,
    SHAPE_MODEL,
    STATIC_AUS,
    STATIC_OCCURRENCE_AUS,
    TRIANGULATION,
    find_files,
    load,
)

BASE = "https://raw.githubusercontent.com/TadasBaltrusaitis/OpenFace/OpenFace_2.2.0/"
MODELS = "lib/local/FaceAnalyser/AU_predictors/"
SHAPES = "lib/local/LandmarkDetector/model/"
LICENCES = ("OpenFace-license.txt", "Copyright.txt")
KNOWN_SHA256 = {
    "AU_12_static_intensity_comb.dat": "fd895c3272abb0a3c612d0e9d002cf2fb86b93c79b477126a1ae10f310e6a928",
}
NOTICE = (
    "OpenFace 2.2 (Carnegie Mellon University and University of Cambridge) is licensed for ACADEMIC OR NON-PROFIT "
    "NON-COMMERCIAL RESEARCH USE ONLY. Its Action Unit models may not be used commercially without a licence from its "
    "owners, and work that uses them must cite it (Baltrusaitis et al., OpenFace 2.0, FG 2018; Baltrusaitis et al., "
    "Cross-dataset learning and person-specific normalisation, FERA 2015)."
)
ATTEMPT_SECONDS = 30

Fetch = Callable[[str], bytes | None]
"""Contents of a URL; None where there is nothing at that address. Raises DeviceError when it cannot be reached."""


@dataclass(frozen=True, slots=True)
class Installed:
    """What was installed.

    Attributes:
        folder: what to pass to `assets.load`.
        files: names and SHA-256.
        occurrences: the 18 classifiers are there.
    """

    folder: Path
    files: dict[str, str]
    occurrences: bool


def default_folder() -> Path:
    """Where the files are installed when nothing else is said."""
    return cache_folder() / "openface2"


def install(
    accept: Callable[[str], bool],
    *,
    from_folder: Path | None = None,
    to: Path | None = None,
    fetch: Fetch | None = None,
) -> Installed:
    """Install the models after the licence is accepted.

    Args:
        accept: called with the licence text; False refuses.
        from_folder: an OpenFace installation; None downloads.
        to: target folder, replaced as a whole; None: the default one.
        fetch: gives the contents of an address; None: `fetch_url`.

    Returns:
        What was installed.

    Raises:
        UserInputError: the licence was refused, or the folder is not complete.
        ModelFileError: a file is not what it should be.
        DeviceError: there is no network, or the disk is full.
    """
    target = to or default_folder()
    if from_folder is not None:
        find_files(from_folder)
    if not accept(licence_text(from_folder)):
        raise UserInputError("the licence of OpenFace's models was not accepted; nothing was installed")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".openface2-") as scratch:
            staged = Path(scratch) / "new"
            staged.mkdir()
            if from_folder is not None:
                _copy(from_folder, staged)
            else:
                _download(fetch or fetch_url, staged)
            occurrences = load(staged).occurrence is not None
            files = {path.name: file_sha256(path) for path in sorted(staged.iterdir())}
            (staged / "installed.json").write_text(json.dumps({"files": files}, indent=2) + "\n", encoding="utf-8")
            swap_folder(staged, target, Path(scratch) / "old")
    except OSError as error:
        raise DeviceError(f"OpenFace's models cannot be installed into {target} ({reason(error)}).") from None
    return Installed(target, files, occurrences)


def licence_text(folder: Path | None) -> str:
    """The notice, followed by the installation's own licence file where it has one."""
    if folder is not None:
        for name in LICENCES:
            for place in (folder, *folder.parents[:4]):
                if (place / name).is_file():
                    return f"{NOTICE}\n\n{(place / name).read_text(encoding='latin-1')}"
    return f"{NOTICE}\nThe full text: {BASE}{LICENCES[0]}"


def fetch_url(url: str) -> bytes | None:
    """Contents of an https address.

    Raises:
        DeviceError: it cannot be fetched.
    """
    try:
        with urllib.request.urlopen(url, timeout=ATTEMPT_SECONDS) as reply:  # noqa: S310 - BASE is https
            out: bytes = reply.read()
            return out
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return None
        raise DeviceError(f"{url} answered {error.code}; try again later, or use --from FOLDER") from error
    except OSError as error:
        raise DeviceError(f"cannot reach {url} ({error}); check the network, or use --from FOLDER") from error


def _copy(source: Path, staged: Path) -> None:
    for path in find_files(source).all():
        shutil.copyfile(path, staged / path.name)


def _download(fetch: Fetch, staged: Path) -> None:
    _fetch_one(fetch, [MODELS + SHAPE_MODEL, f"{SHAPES}pdms/{SHAPE_MODEL}"], staged)
    _fetch_one(fetch, [MODELS + TRIANGULATION, SHAPES + TRIANGULATION], staged)
    for au in INTENSITY_AUS:
        stem = f"AU_{au}_{'static' if au in STATIC_AUS else 'dynamic'}_intensity"
        _fetch_one(fetch, [f"{MODELS}svr_combined/{stem}_comb.dat", f"{MODELS}svr_combined/{stem}.dat"], staged)
    for au in OCCURRENCE_AUS:
        kind = "static" if au in STATIC_OCCURRENCE_AUS else "dynamic"
        _fetch_one(fetch, [f"{MODELS}svm_combined/AU_{au}_{kind}.dat"], staged)


def _fetch_one(fetch: Fetch, candidates: list[str], staged: Path) -> None:
    for candidate in candidates:
        content = fetch(BASE + candidate)
        if content is None:
            continue
        path = staged / Path(candidate).name
        path.write_bytes(content)
        expected = KNOWN_SHA256.get(path.name)
        if expected is not None and file_sha256(path) != expected:
            raise ModelFileError(f"{path.name} was downloaded with another checksum than OpenFace 2.2's; not installed")
        return
    raise DeviceError(f"OpenFace's repository has no {candidates[0]}; use --from FOLDER with an OpenFace installation")
