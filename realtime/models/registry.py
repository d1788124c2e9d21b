"""Finds the weights folder, checks files by checksum before they are opened, and opens sessions."""

from dataclasses import dataclass
from pathlib import Path

from realtime.errors import ModelFileError
from realtime.files import file_sha256
from realtime.models.manifest import Manifest, ModelSpec, load_manifest
from realtime.models.onnx_session import OnnxSession, SessionSettings


def weights_folder(chosen: Path | None = None) -> Path:
    """The folder with manifest.toml: the user's, the installed program's, or the repository's.

    Args:
        chosen: the user's, or None.
    """
    if chosen is not None:
        return chosen
    package = Path(__file__).resolve().parents[1]
    installed = package / "_weights"
    return installed if installed.is_dir() else package.parent / "weights"


@dataclass(frozen=True, slots=True)
class Check:
    """What `verify` found for one model; `problem` is None when all is well.

    Attributes:
        spec: of the model.
        problem: what is wrong; None: nothing.
    """

    spec: ModelSpec
    problem: str | None


class Registry:
    """The models of one weights folder.

    Args:
        folder: with manifest.toml; None: where `weights_folder` finds it.
        settings: of the sessions.
    """

    def __init__(self, folder: Path | None = None, settings: SessionSettings | None = None) -> None:
        self.manifest: Manifest = load_manifest(weights_folder(folder))
        self.settings = settings or SessionSettings()

    def path(self, spec: ModelSpec) -> Path:
        """Where the file of a model should lie.

        Args:
            spec: of the model.
        """
        return self.manifest.folder / spec.file

    def check(self, spec: ModelSpec) -> Check:
        """Is the file there, whole and the one the manifest means?

        Args:
            spec: of the model.
        """
        path = self.path(spec)
        if not path.is_file():
            return Check(spec, f"the file {path} is missing")
        size = path.stat().st_size
        if size != spec.bytes:
            return Check(spec, f"{path} has {size} bytes instead of {spec.bytes}; it is truncated or another file")
        if file_sha256(path) != spec.sha256:
            return Check(spec, f"{path} does not have the manifest's checksum; it is damaged or another file")
        return Check(spec, None)

    def verify(self) -> list[Check]:
        """Check every model that should be here."""
        return [self.check(spec) for spec in self.manifest.models.values()]

    def checked_path(self, spec: ModelSpec) -> Path:
        """The file of a model, after its checksum was found right.

        Args:
            spec: of the model.

        Raises:
            ModelFileError: missing or damaged.
        """
        problem = self.check(spec).problem
        if problem:
            raise ModelFileError(
                f"Model {spec.name}: {problem}. Reinstall the program or choose another folder of weights."
            )
        return self.path(spec)

    def open(self, spec: ModelSpec, threads: int | None = None) -> OnnxSession:
        """A session on the CPU, on the calling thread, checked against the manifest and warmed up.

        Args:
            spec: of the model.
            threads: of the session; None: as the settings say.

        Raises:
            ModelFileError: missing, damaged, not ONNX, or with other inputs and outputs than the manifest says.
        """
        return OnnxSession(spec, self.checked_path(spec), self.settings, threads=threads)
