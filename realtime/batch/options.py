"""What a batch writes for each recording besides its rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Options:
    """What is made beside the rows.

    Attributes:
        overlay: also video.mp4, the recording with what was measured drawn on it.
        parquet: rows and the combined table also as Parquet.
        openface2: folder with OpenFace 2.2's models; also its Action Units, after its full offline pass. None: not.
    """

    overlay: bool = False
    parquet: bool = False
    openface2: Path | None = None

    def measured(self) -> dict[str, Any]:
        """What changes a bundle's content, for its fingerprint."""
        return {"overlay": self.overlay, "parquet": self.parquet, "openface2": self.openface2 is not None}

    def as_json(self) -> dict[str, Any]:
        """For the ledger; `from_json` reads it."""
        folder = None if self.openface2 is None else str(self.openface2)
        return {"overlay": self.overlay, "parquet": self.parquet, "openface2": folder}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Options":
        """Raises KeyError: `content` is none."""
        folder = content["openface2"]
        return cls(bool(content["overlay"]), bool(content["parquet"]), None if folder is None else Path(folder))
