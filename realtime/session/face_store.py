"""Stored faces: one small private file per person, beside the calibrations; written only where the user asked for it.

What is in it is biometric data: numbers by which a face is known again (see `realtime.face.face_embedding`).
"""

import base64
import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from realtime.errors import DeviceError, UserInputError
from realtime.face.face_embedding import SIZE
from realtime.files import data_folder, open_regular, reason, shell_word, write_json
from realtime.session.calibration_store import checked_name, file_stem, make_people_folder
from realtime.types import F32

FORMAT = 1
_LARGEST = 2**16


@dataclass(frozen=True, slots=True)
class KnownFace:
    """A stored face.

    Attributes:
        name: the person's, as the user gave it.
        embedding: (1152,) of unit length.
        stored: date and time, ISO 8601.
        looks: how many frames it was made of.
    """

    name: str
    embedding: F32
    stored: str
    looks: int

    @property
    def sha256(self) -> str:
        """Of the embedding."""
        return hashlib.sha256(self.embedding.tobytes()).hexdigest()


class FaceStore:
    """The faces of one folder. Nothing is made on disk before the first is stored.

    Take a folder; None: `people` in the user's data folder.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or data_folder() / "people"

    def path(self, name: str) -> Path:
        """The file of a person. Raises UserInputError: `name` is no name."""
        return self.folder / f"face-{file_stem(name)}.json"

    def names(self) -> list[str]:
        """The names of the people whose face is stored and readable."""
        found = [self._read(path) for path in self.folder.glob("face-*.json")]
        return sorted((face.name for face in found if face is not None), key=str.casefold)

    def find(self, name: str) -> KnownFace:
        """Read a person's face.

        Raises:
            UserInputError: `name` is no name, nothing is stored, or the file is damaged.
        """
        path = self.path(name)
        if not path.exists():
            raise UserInputError(
                f"What {checked_name(name)}'s face looks like is not stored in {self.folder}, so --patient person cannot know it; "
                "store it in a session with --person NAME --store-face."
            )
        face = self._read(path)
        if face is None:
            raise UserInputError(
                f"The stored face of {name} ({path}) is damaged; delete it with "
                f"`facemirror-live people --forget-face {shell_word(name)}`."
            )
        return face

    def store(self, name: str, embedding: F32, looks: int, when: datetime) -> Path:
        """Store a face in place of any earlier one of this person.

        Args:
            name: the person's.
            embedding: (1152,) of unit length.
            looks: how many frames it was made of.
            when: when it was made.

        Returns:
            The file, private to the user.

        Raises:
            UserInputError: `name` is no name.
            DeviceError: the file cannot be written.
        """
        path = self.path(name)
        make_people_folder(self.folder)
        packed = base64.b64encode(np.asarray(embedding, "<f4").tobytes()).decode("ascii")
        write_json(
            path,
            {
                "format": FORMAT,
                "name": checked_name(name),
                "stored": when.isoformat(timespec="seconds"),
                "looks": looks,
                "embedding": packed,
            },
        )
        path.chmod(0o600)  # whatever FACEMIRROR_UMASK says of session files
        return path

    def delete(self, name: str) -> bool:
        """Delete a person's face. Gives False where none was stored.

        Raises:
            UserInputError: `name` is no name.
            DeviceError: the file cannot be deleted.
        """
        path = self.path(name)
        try:
            path.unlink()
        except FileNotFoundError:
            return False
        except OSError as error:
            raise DeviceError(f"{path} cannot be deleted ({reason(error)}).") from None
        return True

    @staticmethod
    def _read(path: Path) -> KnownFace | None:
        try:
            with open_regular(path, limit=_LARGEST) as file:
                content = json.loads(file.read().decode("utf-8"))
            if content["format"] != FORMAT:
                return None
            values = np.frombuffer(base64.b64decode(content["embedding"], validate=True), "<f4").astype(np.float32)
            length = float(np.sqrt(values @ values)) if values.shape == (SIZE,) else 0.0
            if not abs(length - 1) < 1e-3:
                return None
            return KnownFace(str(content["name"]), values, str(content["stored"]), int(content["looks"]))
        except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
            return None
