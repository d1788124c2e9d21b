"""A plug-in source: the pictures of a folder, in the order of their names, as a recording of 25 frames per second.

A distribution of your own names it in its pyproject.toml:

    [project.entry-points."realtime.sources"]
    pictures = "plugin_source:PictureFolder"

and `facemirror-live run --source plugin:pictures:FOLDER` reads from it.
"""

from pathlib import Path

import cv2

from realtime.errors import UserInputError
from realtime.types import U8


class PictureFolder:
    """Gives one picture after the other; all methods run on a thread of their own."""

    live = False
    fps = 25.0

    def __init__(self, words: str) -> None:
        self._folder = Path(words)
        self._files: list[Path] = []
        self._count = 0

    def open(self) -> None:
        """Find the files; with none the user reads this sentence."""
        self._files = sorted(path for path in self._folder.glob("*") if path.suffix in (".jpg", ".png"))
        if not self._files:
            raise UserInputError(f"{self._folder} holds no .jpg or .png picture.")

    def read(self) -> tuple[U8, float] | None:
        """The next picture and its time in seconds; None after the last."""
        if self._count == len(self._files):
            return None
        path = self._files[self._count]
        image = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if image is None:
            raise OSError(f"{path} is no picture")
        self._count += 1
        return image, (self._count - 1) / self.fps
