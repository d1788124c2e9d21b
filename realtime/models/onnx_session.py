"""One network, ready to run.

A session is created and used on one thread. ONNX Runtime's CoreML provider was seen to hang when the two differ, and it costs
nothing to keep to that everywhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from realtime.errors import ModelFileError
from realtime.models.manifest import ModelSpec

# The variable that realtime/privacy.py sets is too late where another program loaded ONNX Runtime before us.
ort.disable_telemetry_events()

CPU = "CPUExecutionProvider"


class SessionLostError(Exception):
    """The process that held a session is gone: no further run can succeed."""


class ModelSession(Protocol):
    """What nodes need of a network."""

    spec: ModelSpec

    @property
    def provider(self) -> str:
        """ONNX Runtime's name of the execution provider that answers."""
        ...

    def run(self, image: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
        """Run the network.

        Args:
            image: (1, 3, H, W) float32, as the manifest's input says.

        Returns:
            Arrays by output, named as in `ModelSpec.outputs`.
        """
        ...


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """How sessions are opened.

    Attributes:
        threads: of one operator.
        spinning: threads wait busily (saves 1 ms, costs a core).
        providers: execution providers in order of preference.
    """

    threads: int = 1
    spinning: bool = False
    providers: tuple[str, ...] = (CPU,)


def open_onnx(
    path: Path,
    name: str,
    *,
    threads: int = 1,
    spinning: bool = False,
    providers: Sequence[str | tuple[str, dict[str, str]]] = (CPU,),
) -> ort.InferenceSession:
    """Open an ONNX file with the program's session options. The only place where a network is loaded.

    Args:
        path: the file.
        name: how an error calls it.
        threads: of one operator.
        spinning: see `SessionSettings`.
        providers: execution providers in order of preference, each with its options.

    Raises:
        ModelFileError: ONNX Runtime cannot open it.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    if not spinning:
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return ort.InferenceSession(str(path), options, providers=list(providers))
    except Exception as error:  # noqa: BLE001  ONNX Runtime raises a dozen kinds of its own
        reason = " ".join(str(error).split())[:300]
        raise ModelFileError(f"{name} cannot be opened by ONNX Runtime: {reason}") from None


class OnnxSession:
    """An ONNX Runtime session that fits its manifest entry.

    Args:
        spec: the entry.
        path: the file.
        settings: how sessions are opened.
        provider: ONNX Runtime's name of the execution provider.
        provider_options: its options.
        threads: of one operator, if not the settings' own.

    Raises:
        ModelFileError: the file cannot be opened, or has other inputs and outputs than the manifest says.
    """

    def __init__(
        self,
        spec: ModelSpec,
        path: Path,
        settings: SessionSettings,
        *,
        provider: str = CPU,
        provider_options: Mapping[str, str] | None = None,
        threads: int | None = None,
    ) -> None:
        self.spec = spec
        self.provider: str = provider
        self._session = open_onnx(
            path,
            f"Model {spec.name} ({path})",
            threads=settings.threads if threads is None else threads,
            spinning=settings.spinning,
            providers=[(provider, dict(provider_options or {}))],
        )
        self._input = spec.input.name
        self._outputs = list(spec.outputs)
        self._names = [spec.outputs[output] for output in self._outputs]
        self._check_signature(path)

    def _check_signature(self, path: Path) -> None:
        inputs = {i.name: i.shape for i in self._session.get_inputs()}
        outputs = [o.name for o in self._session.get_outputs()]
        if self._input not in inputs:
            raise ModelFileError(
                f"Model {self.spec.name} ({path}) has no input {self._input!r} (it has {', '.join(inputs)}): another network?"
            )
        missing = [name for name in self._names if name not in outputs]
        if missing:
            raise ModelFileError(
                f"Model {self.spec.name} ({path}) has no output {', '.join(missing)} (it has {', '.join(outputs)}): another network?"
            )
        wanted = [1, 3, self.spec.input.height, self.spec.input.width]
        if self.spec.input.order != "none" and not _fits(inputs[self._input], wanted):
            raise ModelFileError(
                f"Model {self.spec.name} ({path}) takes {inputs[self._input]}, the manifest says {wanted}: another network?"
            )

    def warm_up(self, shape: Sequence[int] | None = None, runs: int = 2) -> None:
        """Run on zeros so that the first live frame pays for nothing.

        Args:
            shape: of the input; needed where the manifest leaves it open.
            runs: how often.

        Raises:
            ModelFileError: the network cannot be run.
        """
        height, width = self.spec.input.height, self.spec.input.width
        if shape is None:
            if height is None or width is None:
                raise ValueError(f"{self.spec.name} takes any size: say which one to warm up")
            shape = (1, 3, height, width)
        zeros = np.zeros(tuple(shape), np.float32)
        try:
            for _ in range(runs):
                self.run(zeros)
        except Exception as error:  # noqa: BLE001  ONNX Runtime raises a dozen kinds of its own
            reason = " ".join(str(error).split())[:300]
            raise ModelFileError(f"Model {self.spec.name} cannot be run by ONNX Runtime: {reason}") from None

    def run(self, image: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
        """Run the network; see `ModelSession.run`.

        Args:
            image: the input, batch first.
        """
        return dict(zip(self._outputs, self._session.run(self._names, {self._input: image}), strict=True))


def _fits(actual: Sequence[int | str | None], wanted: Sequence[int | None]) -> bool:
    """Do fixed sizes agree? A symbol or an open size fits anything."""
    return len(actual) == len(wanted) and all(
        not isinstance(a, int) or w is None or a == w for a, w in zip(actual, wanted, strict=True)
    )
