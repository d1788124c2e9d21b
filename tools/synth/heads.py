"""Photographic heads as `tools.synth.textures` wrote them: the bank."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from realtime.errors import UserInputError
from tools.synth.attachments import Attachments
from tools.synth.photographs import unpack_jpeg

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
U8 = NDArray[np.uint8]
Bools = NDArray[np.bool_]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Head:
    """One bank entry, as tools.synth.textures wrote it. name: the entry's file stem; source: the photograph's."""

    name: str
    source: str
    held_out: bool
    texture: U8
    photo: U8
    identity: F32
    expression: F32
    matrix: F64
    brows: Attachments
    iris: F32
    brightness: float
    relief: F32
    relief_vertex: NDArray[np.int32]
    relief_follow: F32


@lru_cache(maxsize=256)
def load_head(file: Path) -> Head:
    """A bank entry (cached)."""
    with np.load(file) as data:
        return head_from(file.stem, data)


def head_from(name: str, data: Mapping[str, Any]) -> Head:
    """A head from a bank entry's arrays."""
    return Head(
        name=name,
        source=str(data["source"]),
        held_out=bool(data["held_out"]),
        texture=unpack_jpeg(data["texture"]),
        photo=unpack_jpeg(data["photo"]),
        identity=data["identity"],
        expression=data["expression"],
        matrix=data["matrix"],
        brows=Attachments(data["brow_index"], data["brow_weight"]),
        iris=data["iris"],
        brightness=float(data["brightness"]),
        relief=data["relief"],
        relief_vertex=data["relief_vertex"],
        relief_follow=data["relief_follow"],
    )


def bank_files(folder: Path, held_out: bool) -> list[Path]:
    """The bank's training or held-out heads, in order of name."""
    files = sorted(p for p in folder.glob("head_*.npz") if ".part" not in p.name)
    if not files:
        raise UserInputError(
            f"No heads in {folder}; make them with `python -m tools.synth.textures --faces FACES --out {folder}`."
        )
    chosen = []
    for file in files:
        with np.load(file) as data:
            if bool(data["held_out"]) == held_out:
                chosen.append(file)
    return chosen


def remembered(store: dict[str, T], head: Head, make: Callable[[], T]) -> T:
    """What was made for the head of this name before, or is made now; thousands of heads are not kept for ever."""
    if head.name not in store:
        if len(store) > 3000:
            store.clear()
        store[head.name] = make()
    return store[head.name]
