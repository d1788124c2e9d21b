"""`python -m tools.profile.speed MODEL...`: how long each model takes, all in one interleaved run, and how near to the limit.

Models are ONNX files; a checkpoint (.pth, .pkl) runs in torch as it was trained. A plain big 8-bit and a plain big float32
convolution run in between: their multiplications per second are what this machine gives at that moment. Each runs once
untimed before each timed run, as in a live run it follows itself.
"""

import argparse
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from tools.command import guarded, require

if __name__ == "__main__":  # before the imports that need it
    guarded(lambda: require("onnx"))

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from realtime.errors import UserInputError
from tools import pictures
from tools.bench.timing import Timing, interleaved

CHANNELS, SIDE, KERNEL = 256, 64, 3
PLAIN_MACS = CHANNELS * CHANNELS * KERNEL * KERNEL * SIDE * SIDE
OPEN_SIZE = {1: 3, 2: 480, 3: 640}  # for dimensions a file leaves open


def plain_convolution(integer: bool, threads: int) -> Callable[[], object]:
    """One 3x3 convolution, 256 to 256 channels on 64x64: uint8 with int8 weights, or float32."""
    shape = [1, CHANNELS, SIDE, SIDE]
    generator = np.random.default_rng(0)
    if integer:
        weight = generator.integers(-127, 128, (CHANNELS, CHANNELS, KERNEL, KERNEL)).astype(np.int8)
        values = {
            "xs": np.float32(0.02), "xz": np.uint8(0), "w": weight, "ws": np.full(CHANNELS, 0.001, np.float32),
            "wz": np.zeros(CHANNELS, np.int8), "ys": np.float32(1.0), "yz": np.uint8(0),
        }  # fmt: skip
        node = helper.make_node("QLinearConv", ["x", "xs", "xz", "w", "ws", "wz", "ys", "yz"], ["y"], pads=[1] * 4)
        kind, x = TensorProto.UINT8, generator.integers(0, 255, shape).astype(np.uint8)
    else:
        values = {"w": generator.normal(size=(CHANNELS, CHANNELS, KERNEL, KERNEL)).astype(np.float32)}
        node = helper.make_node("Conv", ["x", "w"], ["y"], pads=[1] * 4)
        kind, x = TensorProto.FLOAT, generator.normal(size=shape).astype(np.float32)
    graph = helper.make_graph(
        [node],
        "plain",
        [helper.make_tensor_value_info("x", kind, shape)],
        [helper.make_tensor_value_info("y", kind, shape)],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in values.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, {"x": x})


def contestant(path: Path, threads: int, spin: bool) -> tuple[Callable[[], object], int]:
    """A call that runs the model once on noise, and the work of a run."""
    generator = np.random.default_rng(1)
    if path.suffix == ".onnx":
        from tools.analyze import onnx_model

        session = pictures.session(path, threads, spin=spin)
        entry = session.get_inputs()[0]
        shape = [size if isinstance(size, int) else OPEN_SIZE.get(i, 1) for i, size in enumerate(entry.shape)]
        x = generator.normal(size=shape).astype(np.float32)
        return lambda: session.run(None, {entry.name: x}), onnx_model.report(path).macs
    require("torch")
    import torch

    from tools import checkpoints
    from tools.analyze import torch_network
    from tools.networks import catalogue

    name = checkpoints.read(path).network
    if name is None:
        raise UserInputError(f"{path.name} belongs to none of the networks known here.")
    module, _ = catalogue.load(name, path)
    example = catalogue.example(catalogue.named(name))
    torch.set_num_threads(threads)

    def run() -> object:
        with torch.inference_mode():
            return module(example)

    return run, torch_network.of_checkpoint(path).macs


def processor_times(calls: Mapping[str, Callable[[], object]], *, rounds: int) -> dict[str, Timing]:
    """Milliseconds of processor time of the calling thread, in turns: what else the machine does is not in them."""
    samples: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        call()
    for _ in range(rounds):
        for name, call in calls.items():
            start = time.thread_time()
            call()
            samples[name].append((time.thread_time() - start) * 1e3)
    return {
        name: Timing(float(np.median(values)), float(np.percentile(values, 95)), min(values))
        for name, values in samples.items()
    }


def main(arguments: list[str] | None = None) -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="python -m tools.profile.speed", description=__doc__)
    parser.add_argument("models", nargs="+", type=Path)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument(
        "--processor", action="store_true", help="one thread, and its processor time: for a machine that is busy"
    )
    parser.add_argument(
        "--spin", action="store_true", help="let ONNX Runtime's threads wait busily within a run, as torch's do"
    )
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args(arguments)
    calls: dict[str, Callable[[], object]] = {}
    work: dict[str, int] = {}
    threads = 1 if options.processor else options.threads
    for path in options.models:
        calls[path.name], work[path.name] = contestant(path, threads, options.spin)
    for name, integer in (("plain 8-bit convolution", True), ("plain float32 convolution", False)):
        calls[name], work[name] = plain_convolution(integer, threads), PLAIN_MACS
    rounds = options.rounds
    times = processor_times(calls, rounds=rounds) if options.processor else interleaved(calls, rounds=rounds, settle=1)
    first = times[options.models[0].name]
    print(
        f"{'':<34}{'median ms':>10}{'best ms':>9}{'GMAC/s':>9}{'best':>7}   times as fast as the first (median, best)"
    )
    for name, timing in times.items():
        rate, top = (work[name] / ms / 1e6 for ms in (timing.median, timing.best))
        ratio = f"{first.median / timing.median:.2f}, {first.best / timing.best:.2f}"
        print(f"{name:<34}{timing.median:>10.2f}{timing.best:>9.2f}{rate:>9.1f}{top:>7.0f}   {ratio}")
    if options.json:
        values = {
            name: {"median_ms": t.median, "p95_ms": t.p95, "best_ms": t.best, "macs": work[name]}
            for name, t in times.items()
        }
        options.json.write_text(json.dumps(values, indent=2), encoding="utf-8")


if __name__ == "__main__":
    guarded(main)
