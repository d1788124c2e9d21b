"""OpenFace 3.0's networks on a user's machine: fetched with their licence, converted, and found by `run --models openface3`."""

from realtime.models.openface3.files import default_folder
from realtime.models.openface3.pull import Installed, install

__all__ = ["Installed", "default_folder", "install"]
