"""What is known of Apple's Neural Engine's likes and dislikes, as data, and an estimate of what it would take.

From Apple's "Deploying Transformers on the Apple Neural Engine" (2022), coremltools' guide, and the original program's
measurements (STAR 82.6 % of 855 operations in 18 partitions before the rewrite). Only `MLComputePlan` on a Mac knows the
truth; `tools.coreml` asks it there.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Operation:
    """One step of a program. kind: a name of the table below where it has one, else the format's own name."""

    kind: str
    name: str
    macs: int = 0


@dataclass(frozen=True, slots=True)
class Concern:
    """One thing a Neural Engine dislikes. stays: it is believed to run there all the same, only slower."""

    kind: str
    count: int
    why: str
    stays: bool


@dataclass(frozen=True, slots=True)
class Placement:
    """An estimate from the tables of this file."""

    operations: int
    on_engine: int
    partitions: int
    share: float
    basis: str = "an estimate from the types of the operations; the true placement is known on a Mac only"


# kind -> (why, whether it stays on the engine)
DISLIKED: dict[str, tuple[str, bool]] = {
    "LayerNorm": (
        "normalises over the last axis; the engine wants channels on the second, and cuts the program here",
        False,
    ),
    "InstanceNorm": (
        "takes mean and variance of each map at run time, in 16 bits; often sent to the CPU or GPU",
        False,
    ),
    "GroupNorm": ("takes statistics at run time over groups of channels; becomes many small operations", False),
    "GELU": ("needs the error function, which is approximated or computed elsewhere", False),
    "SiLU": ("a sigmoid and a product over the same map; not fused into the convolution before it as ReLU is", True),
    "Linear": ("the engine multiplies as convolutions; a 1x1 convolution on (N, C, 1, S) maps better", True),
    "MatMul": ("a product of two tensors; maps well only in the shape of a 1x1 convolution", True),
    "TopK": ("sorts; runs on the CPU", False),
    "Where": ("chooses value by value; splits the program on older systems", True),
    "Greater": ("yields truth values, which the engine does not keep", False),
    "Cast": ("changes the number type; 32-bit and integer values leave the engine", False),
    "Gather": ("reads by index; runs on the CPU unless the indices are constant", False),
    "Shape": ("a shape known only at run time; the rest of the program waits on the CPU for it", False),
    "Range": ("a shape known only at run time", False),
    "NonZero": ("a result of unknown size; runs on the CPU", False),
    "Resize-linear": ("interpolation that must match the engine's own sampling grid, or it runs elsewhere", True),
    "Resize-other": ("a resize mode the engine does not have (cubic, or an unusual grid)", False),
    "Softmax": ("exponentials in 16 bits; over a long axis it leaves the engine", True),
    "ReduceMean": ("a reduction over whole maps; cheap, but ends a fused run", True),
    "ReduceSum": ("a sum over whole maps in 16 bits loses digits; ends a fused run", True),
    "LeakyReLU": ("fused on recent engines only", True),
    "PReLU": ("a slope per channel; not fused into the convolution", True),
    "Sqrt": ("an elementwise root in 16 bits", True),
    "Rsqrt": ("an elementwise root in 16 bits", True),
    "BatchNorm1d": ("normalises rows, not maps", True),
    "Quantize": ("8-bit steps of another runtime; Core ML wants its own compression", False),
    "Dequantize": ("8-bit steps of another runtime; Core ML wants its own compression", False),
}

DYNAMIC = "an open dimension: the engine compiles for fixed shapes, and the program runs on the CPU or GPU"


def concerns(operations: Sequence[Operation], inputs: Mapping[str, str]) -> list[Concern]:
    """Disliked operations by frequency, and open input shapes."""
    counts = Counter(operation.kind for operation in operations if operation.kind in DISLIKED)
    found = [Concern(kind, count, *DISLIKED[kind]) for kind, count in counts.most_common()]
    open_inputs = sum(1 for shape in inputs.values() if "?" in shape)
    if open_inputs:
        found.insert(0, Concern("dynamic shape", open_inputs, DYNAMIC, stays=False))
    return found


def estimate(operations: Sequence[Operation]) -> Placement:
    """Runs of operations, in program order, that are believed to stay on the engine."""
    stays = [operation.kind not in DISLIKED or DISLIKED[operation.kind][1] for operation in operations]
    partitions = sum(1 for i, now in enumerate(stays) if now and (i == 0 or not stays[i - 1]))
    count = sum(stays)
    return Placement(len(stays), count, partitions, count / len(stays) if stays else 0.0)
