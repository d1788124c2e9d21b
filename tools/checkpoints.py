"""Checkpoints read safely: only numbers come out of the file, and it is known which network they belong to."""

import pickle
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from realtime.errors import ModelFileError
from realtime.files import file_sha256

WRAPPERS = ("net", "state_dict", "model")

# One key that only this network's checkpoints have.
SIGNATURES = {
    "star": "out_heatmaps.0.conv.weight",
    "multitask": "au_regressor.gnn.U.weight",
    "retinaface": "BboxHead.0.conv1x1.weight",
}


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A state dictionary without wrappers and prefixes. network: star, multitask, retinaface, or None when unknown."""

    path: Path
    state: dict[str, Tensor]
    sha256: str
    network: str | None


def read(path: Path, *, expect_sha256: str | None = None) -> Checkpoint:
    """Read a torch checkpoint without running code from it.

    Raises ModelFileError with one sentence: missing, another checksum than `expect_sha256`, truncated or no checkpoint at
    all, or a pickle that would run code.
    """
    if not path.is_file():
        raise ModelFileError(f"{path} is not a file; name the checkpoint to read.")
    digest = file_sha256(path)
    if expect_sha256 is not None and digest != expect_sha256.lower():
        raise ModelFileError(
            f"{path.name} has the checksum {digest[:12]}..., but {expect_sha256[:12].lower()}... was expected; "
            "fetch the file again."
        )
    content = _load(path)
    state = _state(content)
    if state is None:
        raise ModelFileError(
            f"{path.name} holds no network weights; a state dictionary, or one under 'net', was expected."
        )
    network = next((name for name, key in SIGNATURES.items() if key in state), None)
    return Checkpoint(path, state, digest, network)


def _load(path: Path) -> object:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about old pickle protocols; what comes of it is said below
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if "unsupported" in str(error).lower() or "weights_only" in str(error) or "Weights only" in str(error):
            raise ModelFileError(
                f"{path.name} would run code when loaded as a pickle, so it is refused; a checkpoint should hold only numbers."
            ) from None
        raise ModelFileError(f"{path.name} is truncated or not a torch checkpoint.") from None
    except (RuntimeError, EOFError, OSError, ValueError, KeyError, IndexError, AttributeError, TypeError):
        # What torch raises for broken files depends on where in them the damage lies.
        raise ModelFileError(f"{path.name} is truncated or not a torch checkpoint.") from None


def _state(content: object) -> dict[str, Tensor] | None:
    if not isinstance(content, Mapping):
        return None
    inside = next((content[w] for w in WRAPPERS if isinstance(content.get(w), Mapping)), content)
    tensors = {str(key): value for key, value in inside.items() if isinstance(value, Tensor)}
    if not tensors:
        return None
    return {key.removeprefix("module."): value for key, value in tensors.items()}
