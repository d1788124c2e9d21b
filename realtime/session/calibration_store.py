"""Stored calibrations: one small file per person, by the name the user gave. Nothing biometric but the baseline."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from realtime.action_units.baseline import Baseline
from realtime.errors import DeviceError, UserInputError
from realtime.files import data_folder, open_regular, private_folder, reason, shell_word, write_json

FORMAT = 2
"""1 held the shape at rest alone, as a list under `neutral`; it is still read."""
_LONGEST_NAME = 80
_LONGEST_FILE_NAME = 230
_LARGEST = 2**20


@dataclass(frozen=True, slots=True)
class Person:
    """A stored calibration.

    Attributes:
        name: as the user gave it.
        neutral: the face at rest.
        calibrated: date and time, ISO 8601.
        frames: how many the baseline was made of.
    """

    name: str
    neutral: Baseline
    calibrated: str
    frames: int


class CalibrationStore:
    """The calibrations of one folder. Nothing is made on disk before the first is stored.

    Take a folder; None: `people` in the user's data folder.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or data_folder() / "people"

    def names(self) -> list[str]:
        """Give the names of the people with a readable calibration, in order."""
        return sorted((person.name for person in self.all()), key=str.casefold)

    def all(self) -> list[Person]:
        """Read every readable calibration, in the order of names."""
        found = []
        for path in self.folder.glob("person-*.json"):
            person = self._read(path)
            if person is not None:
                found.append(person)
        return sorted(found, key=lambda person: person.name.casefold())

    def find(self, name: str) -> Person | None:
        """Read a person's calibration.

        Returns:
            None where there is none yet.

        Raises:
            UserInputError: `name` is no name, or the file is damaged.
        """
        path = self._path(name)
        if not path.exists():
            return None
        person = self._read(path)
        if person is None:
            raise UserInputError(
                f"The stored calibration of {name} ({path}) is damaged; delete it with "
                f"`facemirror-live people --delete {shell_word(name)}`."
            )
        return person

    def store(self, name: str, neutral: Baseline, frames: int, when: datetime) -> Path:
        """Store a calibration in place of any earlier one of this person.

        Args:
            name: the person's.
            neutral: the face at rest.
            frames: how many it was made of.
            when: when it was made.

        Returns:
            The file.

        Raises:
            UserInputError: `name` is no name.
            DeviceError: the file cannot be written.
        """
        path = self._path(name)
        make_people_folder(self.folder)
        write_json(
            path,
            {
                "format": FORMAT,
                "name": checked_name(name),
                "calibrated": when.isoformat(timespec="seconds"),
                "frames": frames,
                "neutral": neutral.as_json(),
            },
        )
        return path

    def delete(self, name: str) -> None:
        """Delete a person's calibration.

        Raises:
            UserInputError: nothing is stored under the name.
            DeviceError: the file cannot be deleted.
        """
        path = self._path(name)
        try:
            path.unlink()
        except FileNotFoundError:
            raise UserInputError(f"No calibration is stored for {name} in {self.folder}.") from None
        except OSError as error:
            raise DeviceError(f"{path} cannot be deleted ({reason(error)}).") from None

    def _path(self, name: str) -> Path:
        return self.folder / f"person-{file_stem(name)}.json"

    @staticmethod
    def _read(path: Path) -> Person | None:
        try:
            with open_regular(path, limit=_LARGEST) as file:
                content = json.loads(file.read().decode("utf-8"))
            if content["format"] not in (1, FORMAT):
                return None
            found = content["neutral"]
            neutral = Baseline.from_json(
                found if content["format"] == FORMAT else {"shape": found, "look": None, "network": ""}
            )
            return Person(str(content["name"]), neutral, str(content["calibrated"]), int(content["frames"]))
        except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
            return None


def file_stem(name: str) -> str:
    """Give the name as a file's: one that becomes too long is kept by its checksum.

    Raises:
        UserInputError: `name` is no name.
    """
    written = quote(checked_name(name), safe=" ")
    if len(written) > _LONGEST_FILE_NAME:
        written = f"{written[:100]}-{hashlib.sha256(written.encode()).hexdigest()[:32]}"
    return written


def make_people_folder(folder: Path) -> None:
    """Make the folder of what is stored about people, private to the user.

    Raises:
        DeviceError: it cannot be made.
    """
    try:
        private_folder(folder)
    except OSError as error:
        raise DeviceError(f"{folder} cannot be made ({reason(error)}); choose another with --people-folder.") from None


def checked_name(name: str) -> str:
    """Give the name without blanks around it.

    Raises:
        UserInputError: it is empty, too long or not printable.
    """
    plain = name.strip()
    if not plain or len(plain) > _LONGEST_NAME or not plain.isprintable():
        raise UserInputError(f"A person's name is 1 to {_LONGEST_NAME} printable characters, not {name[:100]!r}.")
    return plain
