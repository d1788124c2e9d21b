"""The column of frames.csv that says on which parts of the face nothing is measured."""

from collections.abc import Sequence
from pathlib import Path

from realtime.session.cells import header_of
from realtime.types import FaceObservation, FacePart

HIDDEN = "hidden"
NOTHING = "none"
"""The cell where every part is seen."""
MEANING = {
    HIDDEN: "parts of the face that something or the picture's edge covers, or that are too small or blurred: left_brow right_brow "
    "left_eye right_eye mouth, with a space between them; none: all are seen; empty where no face was measured, or the landmark network "
    "does not tell. Points of a hidden part are the network's guess, its Action Units and lengths are empty",
}
_PARTS: dict[str, FacePart] = {
    "left_brow": "left brow",
    "right_brow": "right brow",
    "left_eye": "left eye",
    "right_eye": "right eye",
    "mouth": "mouth",
}
_WORDS = {part: word for word, part in _PARTS.items()}


def hidden_cell(face: FaceObservation) -> str:
    """The cell of a face.

    Args:
        face: that was measured.
    """
    return "" if face.told_hidden is None else words_of(face.told_hidden)


def words_of(hidden: Sequence[FacePart]) -> str:
    """The cell for these parts, every part having been judged.

    Args:
        hidden: parts of the face.
    """
    return " ".join(_WORDS[part] for part in hidden) or NOTHING


def hidden_in(cell: str) -> tuple[FacePart, ...]:
    """The parts that a cell names; words that are none of ours, of a later version perhaps, are left out.

    Args:
        cell: of the column.
    """
    return tuple(_PARTS[word] for word in cell.split() if word in _PARTS)


def tells_hidden(csv: Path) -> bool:
    """Whether a file of rows has the column; those of earlier versions do not.

    Args:
        csv: the file.
    """
    return HIDDEN in header_of(csv).split(",")
