"""coremltools without its chatter: on Linux it logs eight missing proxies at import and draws bars while it converts."""

import contextlib
import importlib
import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from realtime.errors import UserInputError
from tools.command import require


def coremltools() -> Any:
    """The package. Raises UserInputError when it is not installed."""
    require("coremltools")
    logger = logging.getLogger("coremltools")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return importlib.import_module("coremltools")
    finally:
        logger.setLevel(max(before, logging.ERROR))


@contextmanager
def converting() -> Iterator[None]:
    """While a model is traced and converted. Raises UserInputError for a NumPy with which tracing fails."""
    if tuple(int(part) for part in np.__version__.split(".")[:2]) >= (2, 4):
        raise UserInputError(
            f"coremltools cannot trace with NumPy {np.__version__}; install an older one: pip install 'numpy<2.4'"
        )
    with warnings.catch_warnings():
        # float32's largest number does not fit into 16 bits and becomes infinity, which is what an open bound means.
        warnings.simplefilter("ignore")
        with contextlib.redirect_stderr(io.StringIO()):  # the progress bars of its hundred passes
            yield
