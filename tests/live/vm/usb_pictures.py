"""What the camera of `usb_camera` sees: the demo's person, coded outside: inside there is one core, which the program needs."""

from pathlib import Path

from tests.live.vm.usb_descriptors import Size

NUMBER = 8
"""Pictures of each size, shown over and over."""


class StoredPictures:
    """The coded pictures that `feeds.write_usb_pictures` left.

    Args:
        folder: of the files.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[Path, bytes] = {}

    def __call__(self, size: Size, number: int) -> bytes:
        """The coded picture."""
        path = picture_file(self._folder, size, number % NUMBER)
        if path not in self._read:
            self._read[path] = path.read_bytes()
        return self._read[path]


def picture_file(folder: Path, size: Size, number: int) -> Path:
    """Where a picture of this size lies.

    Args:
        folder: of all.
        size: of the picture.
        number: from 0 to `NUMBER`.
    """
    return folder / f"{size.format}_{size.width}x{size.height}_{number}"
