"""What every run of the program imports; loaded once by the process from which they are forked."""

import cv2  # noqa: F401

import realtime.app.pipeline
import realtime.app.run
import realtime.cli.live
import realtime.cli.machine
import realtime.cli.parser  # noqa: F401
from realtime.face import kernel_cache
from realtime.face.geometry import fit_similarity
from realtime.jit import cache_path


def _know_kernels() -> None:
    """Note that the kernels, compiled outside for any processor, are right for this one.

    Otherwise each first run starts children that look, and a child's imports take minutes here.
    """
    folder = cache_path(fit_similarity)
    assert folder is not None
    for note in (kernel_cache.NOTE, kernel_cache.MIRROR_NOTE):
        kernel_cache.write_note(folder, note, kernel_cache.fingerprint())


_know_kernels()
