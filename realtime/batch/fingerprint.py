"""What the numbers depend on besides the recording: program, models and settings, as checksums that can be compared."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from realtime import __version__
from realtime.batch.options import Options
from realtime.config import Config
from realtime.files import file_sha256
from realtime.models import ModelSpec

_PACKAGES = ("av", "onnxruntime", "numpy", "opencv-python", "numba")
_SETTINGS = (
    "rotate",
    "people",
    "patient_rule",
    "identity",
    "models",
    "detector",
    "cadence",
    "tracker",
    "patient",
    "smoothing",
    "flow",
)


def digest(content: Any) -> str:
    """SHA-256 of plain values, whatever order a dictionary has."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@cache
def program() -> Mapping[str, str]:
    """Versions, and a checksum of the program's own source."""
    root = Path(__file__).resolve().parents[1]
    source = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        source.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return {
        "facemirror-live": __version__,
        "source": source.hexdigest()[:16],
        **{name: version(name) for name in _PACKAGES},
    }


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What results depend on.

    Attributes:
        program: versions by package.
        models: checksums by model.
        settings: values by dotted name.
    """

    program: Mapping[str, str]
    models: Mapping[str, str]
    settings: Mapping[str, Any]

    @classmethod
    def of(cls, config: Config, options: Options, models: list[ModelSpec]) -> "Fingerprint":
        """Of this process.

        Args:
            config: the settings of the face path.
            options: what a bundle holds.
            models: those that are used.
        """
        values = config.model_dump(mode="json", include=set(_SETTINGS))
        settings = {**_flat(values), **{f"batch.{name}": value for name, value in options.measured().items()}}
        checksums = {spec.name: spec.sha256 for spec in models}
        if options.openface2 is not None:
            checksums |= {f"openface2/{name}": sha for name, sha in _folder_checksums(options.openface2).items()}
        return cls(dict(program()), checksums, settings)

    @property
    def hash(self) -> str:
        """One checksum of everything."""
        return digest(asdict(self))

    def as_json(self) -> dict[str, Any]:
        """For the ledger."""
        return {"hash": self.hash, **asdict(self)}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Fingerprint":
        """Raises KeyError, TypeError: `content` is none."""
        return cls(dict(content["program"]), dict(content["models"]), dict(content["settings"]))

    def differences(self, other: "Fingerprint") -> str:
        """What is another than in `other`, for a sentence; empty where nothing is."""
        words = []
        for what in ("program", "models", "settings"):
            mine, theirs = getattr(self, what), getattr(other, what)
            changed = sorted(key for key in {*mine, *theirs} if mine.get(key) != theirs.get(key))
            if changed:
                shown = ", ".join(f"{key} {_short(theirs.get(key))} -> {_short(mine.get(key))}" for key in changed[:3])
                words.append(f"{what} ({shown}{', …' if len(changed) > 3 else ''})")
        return ", ".join(words)


def _short(value: Any) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= 16 else f"{text[:10]}…"


def _flat(values: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in values.items():
        found |= _flat(value, f"{before}{name}.") if isinstance(value, dict) else {before + name: value}
    return found


def _folder_checksums(folder: Path) -> dict[str, str]:
    """Of every model file, so that another OpenFace installation is seen."""
    return {
        path.relative_to(folder).as_posix(): file_sha256(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix in (".dat", ".txt", ".toml", ".json", ".npz")
    }
