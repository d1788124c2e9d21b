"""The PFLD-68 network as the source of the 68 points, as the original program used it."""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from realtime.errors import ModelFileError
from realtime.openface2.points68 import PFLD68_SIZE, Pfld68
from realtime.types import F32


def open_pfld68(path: Path) -> Pfld68:
    """A one-thread CPU session on the ONNX file. Use it on the thread that opened it.

    Raises ModelFileError when the file cannot be opened or is not a network from (1, 3, 112, 112) to 136 values.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        session: Any = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # noqa: BLE001 - ONNX Runtime raises a dozen kinds of its own
        reason = " ".join(str(error).split())[:300]
        raise ModelFileError(f"{path} cannot be opened by ONNX Runtime: {reason}") from None
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
