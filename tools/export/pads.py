"""Padding as part of the convolution: a Pad before a Conv costs a copy of the picture and leaves the blocked layout."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper


def fold_pads(path: Path) -> int:
    """Move constant zero padding of height and width into the convolution that follows, in place; gives how many were moved."""
    model = onnx.load(str(path))
    graph = model.graph
    values = _constants(graph)
    users: dict[str, int] = {}
    for name in [name for node in graph.node for name in node.input] + [output.name for output in graph.output]:
        users[name] = users.get(name, 0) + 1
    pads = {node.output[0]: node for node in graph.node if node.op_type == "Pad"}
    moved = 0
    for conv in [node for node in graph.node if node.op_type == "Conv"]:
        pad = pads.get(conv.input[0])
        if pad is None or users[pad.output[0]] != 1:
            continue
        extra = _of_picture(pad, values)
        if extra is None or _attribute(conv, "auto_pad") not in (None, b"NOTSET"):
            continue
        own = _attribute(conv, "pads") or [0, 0, 0, 0]
        kept = [attribute for attribute in conv.attribute if attribute.name != "pads"]
        del conv.attribute[:]
        conv.attribute.extend([*kept, helper.make_attribute("pads", [a + b for a, b in zip(own, extra, strict=True)])])
        conv.input[0] = pad.input[0]
        graph.node.remove(pad)
        moved += 1
    if moved:
        used = {name for node in graph.node for name in node.input}
        for constant in [entry for entry in graph.initializer if entry.name not in used]:
            graph.initializer.remove(constant)
        onnx.save(model, str(path))
    return moved


def _constants(graph: onnx.GraphProto) -> dict[str, NDArray[np.generic]]:
    found = {entry.name: numpy_helper.to_array(entry) for entry in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            found[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
    return found


def _attribute(node: onnx.NodeProto, name: str) -> Any:
    return next((helper.get_attribute_value(entry) for entry in node.attribute if entry.name == name), None)


def _of_picture(pad: onnx.NodeProto, values: dict[str, NDArray[np.generic]]) -> list[int] | None:
    """Top, left, bottom, right of a Pad with zeros that leaves batch and channels alone; None for any other."""
    if _attribute(pad, "mode") not in (None, b"constant") or len(pad.input) < 2 or pad.input[1] not in values:
        return None
    if len(pad.input) > 2 and pad.input[2]:
        filled = values.get(pad.input[2])
        if filled is None or (filled.size and float(filled.reshape(-1)[0]) != 0.0):
            return None
    if len(pad.input) > 3 and pad.input[3]:
        return None
    sides = [int(n) for n in values[pad.input[1]].reshape(-1).tolist()]
    if len(sides) != 8 or any(sides[:2]) or any(sides[4:6]) or min(sides) < 0:
        return None
    return [sides[2], sides[3], sides[6], sides[7]]
