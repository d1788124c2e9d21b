"""The PFLD-68 network as the source of the 68 points."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from realtime.errors import ModelFileError
from realtime.models.onnx_session import open_onnx
from realtime.openface2.points68 import PFLD68_SIZE, Pfld68
from realtime.types import F32


def open_pfld68(path: Path) -> Pfld68:
    """Open the network on the CPU, with one thread. Use it on the thread that opened it.

    Args:
        path: the ONNX file.

    Raises:
        ModelFileError: the file cannot be opened, or is not a network from (1, 3, 112, 112) to 136 values.
    """
    session = open_onnx(path, str(path))
    (picture, *others) = session.get_inputs()
    answers = [output.name for output in session.get_outputs() if output.shape and output.shape[-1] == 136]
    if others or list(picture.shape[1:]) != [3, PFLD68_SIZE, PFLD68_SIZE] or len(answers) != 1:
        raise ModelFileError(
            f"{path.name} is no 68-point PFLD: it takes {picture.shape} and gives {len(answers)} x 136"
        )

    def run(blob: F32) -> NDArray[np.floating]:
        out: NDArray[np.floating] = session.run(answers, {picture.name: blob})[0]
        return out

    return Pfld68(run)
