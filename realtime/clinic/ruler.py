"""A known length in the picture, as the user gives it."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ruler:
    """A known length in the picture, held beside the face.

    Attributes:
        mm: its length.
        start, end: pixels of the picture, x and y.
    """

    mm: float
    start: tuple[float, float]
    end: tuple[float, float]

    @classmethod
    def parse(cls, text: str) -> "Ruler":
        """Read MM:X1,Y1,X2,Y2, as the command line says it.

        Raises:
            ValueError: it is something else; the text says what a ruler looks like.
        """
        length, _, ends = text.partition(":")
        try:
            mm, (x1, y1, x2, y2) = float(length), (float(part) for part in ends.split(","))
        except ValueError:
            raise ValueError(f"a ruler reads MM:X1,Y1,X2,Y2, such as 50:412,300,655,310, not {text[:60]!r}") from None
        ruler = cls(mm, (x1, y1), (x2, y2))
        if not (0 < mm < 1e4 and 1 < ruler.pixels < 1e5):
            raise ValueError("a ruler has a length of more than 0 mm, and two ends that lie apart in the picture")
        return ruler

    @property
    def pixels(self) -> float:
        """Its length in the picture."""
        return math.dist(self.start, self.end)

    @property
    def mm_per_pixel(self) -> float:
        """What it says of the picture."""
        return self.mm / self.pixels
