"""A session that never hangs: every run has a bound, and the CPU stands by.

The accelerated session is created and used on a worker thread of its own. A session that does not come up, a run that exceeds
its bound, or a process that is lost is abandoned, logged once, and replaced by the CPU session that was loaded beforehand;
`end` then stops whatever still runs. Which provider gave a result is always known (`provider`).
"""

import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from realtime.models.manifest import ModelSpec
from realtime.models.onnx_session import ModelSession, SessionLostError

log = logging.getLogger(__name__)

Outputs = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class FallbackSettings:
    """When an accelerated session is given up.

    Attributes:
        start_up: seconds within which it must be up.
        run: seconds within which it must answer.
        bad_runs: results with NaN, or errors, in a row.
    """

    start_up: float = 30.0
    run: float = 1.0
    bad_runs: int = 3


@dataclass(slots=True)
class _Request:
    image: NDArray[np.float32]
    done: threading.Event
    result: Outputs | None = None
    error: BaseException | None = None


class FallbackSession:
    """An accelerated session with the CPU behind it; itself a `ModelSession`.

    Args:
        spec: the model's entry.
        create: opens the accelerated session; called on the worker thread, may block for ever or raise.
        fallback: the CPU session, already open and warm.
        settings: bounds.
        end: stops the accelerated session from outside, also one that hangs.

    Attributes:
        reason: why the accelerator was given up; None while it was not.
    """

    def __init__(
        self,
        spec: ModelSpec,
        create: Callable[[], ModelSession],
        fallback: ModelSession,
        settings: FallbackSettings | None = None,
        end: Callable[[], None] = lambda: None,
    ) -> None:
        self.spec = spec
        self.settings = settings or FallbackSettings()
        self.reason: str | None = None
        self._fallback = fallback
        self._create = create
        self._end = end
        self._requests: queue.SimpleQueue[_Request | None] = queue.SimpleQueue()
        self._ready = threading.Event()
        self._live: ModelSession | None = None
        self._failed: str | None = None
        self._bad = 0
        self._worker = threading.Thread(target=self._serve, name=f"{spec.name}-accelerator", daemon=True)
        self._worker.start()

    @property
    def provider(self) -> str:
        """The provider that answers now."""
        return self._live.provider if self._live is not None and self.reason is None else self._fallback.provider

    def wait_until_up(self, seconds: float | None = None) -> bool:
        """Wait for the accelerated session; past the bound the CPU answers for good.

        Args:
            seconds: the bound, if not the settings' own.

        Returns:
            Whether the accelerated session answers.
        """
        bound = self.settings.start_up if seconds is None else seconds
        if not self._ready.wait(bound):
            self._abandon(f"did not come up within {bound:g} s")
        elif self._failed is not None:
            self._abandon(self._failed)
        return self.reason is None

    def run(self, image: NDArray[np.float32]) -> Outputs:
        """Run the network, within the run bound plus one CPU run. Until the accelerator is up, the CPU answers.

        Args:
            image: (1, 3, H, W) float32.

        Returns:
            Arrays by output, named as in `ModelSpec.outputs`.
        """
        if self.reason is not None or not self._ready.is_set():
            return self._fallback.run(image)
        if self._failed is not None:
            self._abandon(self._failed)
            return self._fallback.run(image)
        # The caller may reuse its buffer as soon as this returns, while an abandoned run still reads it.
        request = _Request(image.copy(), threading.Event())
        self._requests.put(request)
        if not request.done.wait(self.settings.run):
            self._abandon(f"a run took longer than {self.settings.run:g} s")
            return self._fallback.run(image)
        if request.result is not None and all(np.isfinite(v).all() for v in request.result.values()):
            self._bad = 0
            return request.result
        if isinstance(request.error, SessionLostError):
            self._abandon(f"was lost: {request.error}")
            return self._fallback.run(image)
        self._bad += 1
        what = (
            f"a run failed ({request.error})" if request.error is not None else "a run gave values that are no numbers"
        )
        if self._bad >= self.settings.bad_runs:
            self._abandon(f"{what}, {self._bad} times in a row")
        return self._fallback.run(image)

    def close(self) -> None:
        """Let the worker end; never waits for it."""
        self._requests.put(None)

    def _abandon(self, reason: str) -> None:
        if self.reason is None:
            self.reason = reason
            log.warning("%s: the accelerated session %s; the CPU takes over", self.spec.name, reason)
            self.close()
            self._end()

    def _serve(self) -> None:
        try:
            self._live = self._create()
        except BaseException as error:  # noqa: BLE001  whatever a provider throws, the CPU takes over
            self._failed = f"could not be created ({error})"
        self._ready.set()
        while self._live is not None and (request := self._requests.get()) is not None:
            try:
                request.result = self._live.run(request.image)
            except BaseException as error:  # noqa: BLE001
                request.error = error
            request.done.set()
        self._end()
