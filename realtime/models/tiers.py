"""Several networks of one role, best first, all open and warm: going from one to another costs no frame."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from realtime.models.manifest import ModelSpec
from realtime.models.onnx_session import ModelSession


class ModelLadder:
    """A `ModelSession` that answers with its best tier, or with its lightest while `lighter` says so.

    Args:
        sessions: best first, at least one; all take the same input and give the same outputs.
        lighter: asked before every answer.
    """

    def __init__(self, sessions: Sequence[ModelSession], lighter: Callable[[], bool] = lambda: False) -> None:
        if not sessions:
            raise ValueError("a network needs at least one tier")
        self._sessions = tuple(sessions)
        self.spec: ModelSpec = self._sessions[0].spec
        self._lighter = lighter
        self._lightest_only = False
        self.runs = [0] * len(self._sessions)

    @property
    def provider(self) -> str:
        """The provider of the tier that would answer now."""
        return self._sessions[self._tier()].provider

    def __len__(self) -> int:
        return len(self._sessions)

    def use_lightest_only(self, on: bool) -> None:
        """Answer with the lightest tier whatever `lighter` says, or go by `lighter` again. From any thread.

        Args:
            on: whether the lightest answers.
        """
        self._lightest_only = on

    def run(self, image: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
        """Run the network of the tier that is in force now; see `ModelSession.run`.

        Args:
            image: the input, batch first.
        """
        tier = self._tier()
        self.runs[tier] += 1
        return self._sessions[tier].run(image)

    def _tier(self) -> int:
        return -1 % len(self._sessions) if self._lightest_only or self._lighter() else 0
