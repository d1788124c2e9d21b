"""The Action Unit network: a small perceptron that sees one side of the face at a time."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from realtime.measure.action_units import FEATURES, FULL


class ActionUnitNet(nn.Module):
    """(N, FEATURES) to (N, units): intensity 0..5 of the side that the features describe as the patient's left.

    mean, spread: (FEATURES,) by which features are made comparable; part of the network.
    """

    def __init__(self, units: int, hidden: tuple[int, ...] = (160, 80), dropout: float = 0.05) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(FEATURES))
        self.register_buffer("spread", torch.ones(FEATURES))
        widths = (FEATURES, *hidden)
        layers: list[nn.Module] = []
        for a, b in pairwise(widths):
            layers += [nn.Linear(a, b), nn.ReLU(), nn.Dropout(dropout)]
        self.layers = nn.Sequential(*layers, nn.Linear(widths[-1], units))

    def forward(self, features: Tensor) -> Tensor:
        """Not clipped: gradients live on beyond the ends of the scale."""
        return self.layers((features - self.mean) / self.spread)


def export(network: ActionUnitNet, file: Path) -> None:
    """Write ONNX (input "features" (2, FEATURES), output "intensity" (2, units), clipped to 0..5)."""
    linears = [layer for layer in network.layers if isinstance(layer, nn.Linear)]
    tensors, nodes, value = [], [], "features"
    for number, layer in enumerate(linears):
        weight, bias = layer.weight.detach().double(), layer.bias.detach().double()
        if number == 0:  # the normalisation is folded into the first layer
            weight = weight / network.spread.double()
            bias = bias - weight @ network.mean.double()
        tensors.append(numpy_helper.from_array(weight.numpy().astype(np.float32), f"w{number}"))
        tensors.append(numpy_helper.from_array(bias.numpy().astype(np.float32), f"b{number}"))
        nodes.append(helper.make_node("Gemm", [value, f"w{number}", f"b{number}"], [f"z{number}"], transB=1))
        value = f"z{number}"
        if number < len(linears) - 1:
            nodes.append(helper.make_node("Relu", [value], [f"a{number}"]))
            value = f"a{number}"
    tensors += [numpy_helper.from_array(np.float32(v), n) for n, v in (("low", 0.0), ("high", FULL))]
    nodes.append(helper.make_node("Clip", [value, "low", "high"], ["intensity"]))
    graph = helper.make_graph(
        nodes,
        "action_units",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, (2, FEATURES))],
        [helper.make_tensor_value_info("intensity", TensorProto.FLOAT, (2, linears[-1].out_features))],
        tensors,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], producer_name="facemirror-live")
    model.ir_version = 9
    onnx.checker.check_model(model)
    file.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(file))
