"""Reports on torch networks: the modules that are there, and, from one run, what is really called."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode, resolve_name
from torch.utils.flop_counter import FlopCounterMode

from realtime.errors import ModelFileError
from tools import checkpoints
from tools.analyze.neural_engine import Operation
from tools.analyze.report import Parameters, Report, shape_words
from tools.networks import catalogue, star

# torch function -> kind of operation in a report
KINDS = {
    "conv2d": "Conv",
    "batch_norm": "BatchNorm",
    "relu": "ReLU",
    "relu_": "ReLU",
    "leaky_relu": "LeakyReLU",
    "leaky_relu_": "LeakyReLU",
    "silu": "SiLU",
    "gelu": "GELU",
    "linear": "Linear",
    "layer_norm": "LayerNorm",
    "instance_norm": "InstanceNorm",
    "group_norm": "GroupNorm",
    "max_pool2d": "MaxPool",
    "boolean_dispatch": "MaxPool",
    "interpolate": "Resize",
    "sigmoid": "Sigmoid",
    "softmax": "Softmax",
    "matmul": "MatMul",
    "__matmul__": "MatMul",
    "cat": "Concat",
    "stack": "Concat",
    "topk": "TopK",
    "mean": "ReduceMean",
    "sum": "ReduceSum",
    "clamp": "Clip",
    "rsqrt": "Rsqrt",
    "normalize": "L2Normalize",
    "pad": "Pad",
    "add": "Add",
    "__add__": "Add",
    "__radd__": "Add",
    "mul": "Mul",
    "__mul__": "Mul",
    "__rmul__": "Mul",
    "div": "Div",
    "__truediv__": "Div",
    "gt": "Greater",
    "ge": "Greater",
    "__gt__": "Greater",
    "__ge__": "Greater",
    "to": "Cast",
    "expand": "Expand",
}
SILENT = {
    "__get__",
    "size",
    "dim",
    "__getitem__",
    "reshape",
    "view",
    "permute",
    "transpose",
    "flatten",
    "is_floating_point",
}
# Kinds that a list of modules would show as a module's class; met without one, they are invisible to such a list.
MODULE_OF = {
    "InstanceNorm": nn.InstanceNorm2d,
    "LayerNorm": nn.LayerNorm,
    "GroupNorm": nn.GroupNorm,
    "BatchNorm": nn.modules.batchnorm._BatchNorm,
    "Conv": nn.Conv2d,
    "ReLU": nn.ReLU,
    "Sigmoid": nn.Sigmoid,
    "SiLU": nn.SiLU,
    "GELU": nn.GELU,
    "Linear": nn.Linear,
    "Softmax": nn.Softmax,
}


class _Calls(TorchFunctionMode):
    """Every call of a torch function during one run, outermost calls only."""

    def __init__(self, current: list[nn.Module]) -> None:
        super().__init__()
        self.operations: list[Operation] = []
        self.without_module: Counter[str] = Counter()
        self._current = current

    def __torch_function__(self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = getattr(func, "__name__", resolve_name(func) or "?")
        kind = KINDS.get(name, name)
        if name not in SILENT:
            if kind == "Resize":
                kind = _resize_kind(kwargs or {})
            self.operations.append(Operation(kind, name))
            module = MODULE_OF.get(kind)
            if module is not None and not isinstance(self._current[-1] if self._current else None, module):
                self.without_module[kind] += 1
        with torch._C.DisableTorchFunction():
            return func(*args, **(kwargs or {}))


def _resize_kind(arguments: dict[str, Any]) -> str:
    mode = arguments.get("mode", "nearest")
    return {"nearest": "Resize-nearest", "bilinear": "Resize-linear"}.get(mode, "Resize-other")


def report(module: nn.Module, example: Tensor, subject: str, *, bytes_on_disk: int | None = None) -> Report:
    """Modules, parameters (live: their module is called in a run), and the calls of one run with its MACs."""
    called: set[nn.Module] = set()
    current: list[nn.Module] = []

    def enter(part: nn.Module, _: object) -> None:
        called.add(part)
        current.append(part)

    def leave(*_: object) -> None:
        current.pop()

    parts = list(module.modules())
    handles = [part.register_forward_pre_hook(enter) for part in parts]
    handles += [part.register_forward_hook(leave) for part in parts]
    calls, flops = _Calls(current), FlopCounterMode(display=False)
    try:
        with torch.no_grad(), flops, calls:
            module(example)
    finally:
        for handle in handles:
            handle.remove()
    total = sum(p.numel() for p in module.parameters())
    unused = sum(p.numel() for part in module.modules() if part not in called for p in part.parameters(recurse=False))
    classes = Counter(type(part).__name__ for part in module.modules() if part is not module)
    return Report(
        subject=subject,
        kind="torch",
        parameters=Parameters(total, unused),
        operations=tuple(calls.operations),
        macs=flops.get_total_flops() // 2,
        bytes_on_disk=bytes_on_disk,
        modules=dict(classes.most_common()),
        functions=dict(calls.without_module),
        types={"float32": total},
        inputs={"image": shape_words(list(example.shape))},
        notes=tuple(_notes(module, classes, calls.without_module, unused)),
    )


def _notes(module: nn.Module, classes: Counter[str], hidden: Counter[str], unused: int) -> list[str]:
    notes = []
    named = sum(count for name, count in classes.items() if "Conv" in name)
    real = sum(isinstance(part, nn.Conv2d) for part in module.modules())
    if named != real:
        parts = " + ".join(f"{count} {name}" for name, count in classes.items() if "Conv" in name)
        notes.append(
            f"{named} modules have a class name with 'Conv' in it ({parts}), but {real} are convolutions: a count by name "
            "counts a wrapper and the convolution in it twice"
        )
    absent = [name for name in ("LayerNorm", "GELU", "SiLU", "Linear") if not classes[name]]
    if absent:
        notes.append(f"no module of the classes {', '.join(absent)}")
    if hidden["InstanceNorm"]:
        notes.append(
            f"{hidden['InstanceNorm']} instance normalisations are function calls in the heat-map activation, without a module: "
            "a report that lists modules misses them"
        )
    if unused:
        notes.append(f"{unused:,} parameters belong to modules that a run never calls (for STAR: skip convolutions)")
    return notes


def of_name(name: str) -> Report:
    """The architecture of a network of the catalogue, weights as torch draws them."""
    network = catalogue.named(name)
    torch.manual_seed(0)
    return report(network.build(None).eval(), catalogue.example(network), network.title)


def of_checkpoint(path: Path) -> Report:
    """The network a checkpoint belongs to. Raises ModelFileError when that is none of the catalogue's."""
    read = checkpoints.read(path)
    if read.network is None:
        raise ModelFileError(
            f"{path.name} belongs to none of the networks known here ({', '.join(catalogue.NETWORKS)})."
        )
    network = catalogue.named(read.network)
    module, _ = catalogue.load(network.name, path)
    title = network.title
    if isinstance(module, star.StackedHourglass):
        title += f", {module.e2h_transform.weight.shape[0]} points, {module.stacks} stacks"
    return report(module, catalogue.example(network), f"{path.name}: {title}", bytes_on_disk=path.stat().st_size)
