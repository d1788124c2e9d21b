"""Writes the smallest ONNX files by hand, so that these tests need no `onnx` package (protobuf wire format)."""

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from realtime.models import ModelInput, ModelSpec


def _varint(n: int) -> bytes:
    out = bytearray()
    while n > 0x7F:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)


def _field(number: int, value: int | str | bytes) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    raw = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(raw)) + raw


def _tensor(name: str, shape: tuple[int, ...]) -> bytes:
    dims = b"".join(_field(1, _field(1, d)) for d in shape)
    return _field(1, name) + _field(2, _field(1, _field(1, 1) + _field(2, dims)))


def one_operator(operator: str, shape: tuple[int, ...], inputs: str = "image", outputs: str = "out") -> bytes:
    """A model of a single operator with one input and one output of the same shape."""
    node = _field(1, inputs) + _field(2, outputs) + _field(4, operator)
    graph = (
        _field(1, node) + _field(2, "tiny") + _field(11, _tensor(inputs, shape)) + _field(12, _tensor(outputs, shape))
    )
    return _field(1, 8) + _field(7, graph) + _field(8, _field(1, "") + _field(2, 13))


def from_mean_colour(
    side: int, outputs: dict[str, tuple[NDArray[np.float32], NDArray[np.float32]]], inputs: str = "image"
) -> bytes:
    """A network on (1, 3, side, side) whose output NAME is mean colour (1, 3) @ weight (3, n) + bias (1, n)."""

    def node(operator: str, takes: list[str], gives: str) -> bytes:
        return _field(1, b"".join(_field(1, name) for name in takes) + _field(2, gives) + _field(4, operator))

    def initial(name: str, values: NDArray[np.float32]) -> bytes:
        dims = b"".join(_field(1, size) for size in values.shape)
        return _field(5, dims + _field(2, 1) + _field(8, name) + _field(9, values.astype("<f4").tobytes()))

    graph = node("GlobalAveragePool", [inputs], "pooled") + node("Flatten", ["pooled"], "colour")
    described = b""
    for name, (weight, bias) in outputs.items():
        graph += node("MatMul", ["colour", f"{name}_w"], f"{name}_p") + node("Add", [f"{name}_p", f"{name}_b"], name)
        graph += initial(f"{name}_w", weight) + initial(f"{name}_b", bias)
        described += _field(12, _tensor(name, bias.shape))
    graph += _field(2, "tiny") + _field(11, _tensor(inputs, (1, 3, side, side))) + described
    return _field(1, 8) + _field(7, graph) + _field(8, _field(1, "") + _field(2, 13))


def write(folder: Path, content: bytes, name: str = "tiny", **changes: object) -> ModelSpec:
    """Put a model and its manifest into `folder`; the spec as the manifest says it."""
    (folder / f"{name}.onnx").write_bytes(content)
    spec = ModelSpec(
        name=name,
        role="landmarks",
        file=f"{name}.onnx",
        sha256=hashlib.sha256(content).hexdigest(),
        bytes=len(content),
        licence="MIT",
        source="made here",
        purpose="tests",
        input=ModelInput(name="image", height=4, width=4),
        outputs={"points": "out"},
    ).model_copy(update=changes)
    lines = ["[[model]]"]
    for key in ("name", "role", "file", "sha256", "licence", "source", "purpose"):
        lines.append(f'{key} = "{getattr(spec, key)}"')
    lines += [f"bytes = {spec.bytes}", f"tier = {spec.tier}"]
    lines.append(f'input = {{ name = "{spec.input.name}", height = {spec.input.height}, width = {spec.input.width} }}')
    lines.append("outputs = { " + ", ".join(f'{k} = "{v}"' for k, v in spec.outputs.items()) + " }")
    with (folder / "manifest.toml").open("a", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    return spec
