"""`facemirror-live cameras` and `facemirror-live doctor`: what this machine has."""

import argparse
import json
import platform
import sys
import time
from importlib.metadata import PackageNotFoundError, packages_distributions, version

import onnxruntime as ort
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from realtime.analyze.models import anchor_problem
from realtime.errors import FacemirrorError
from realtime.graph import StopToken
from realtime.media.cameras import camera_modes, list_cameras
from realtime.media.probes import Probe, all_probes
from realtime.media.source_spec import parse_source
from realtime.media.video_source import VideoSource
from realtime.models import Registry

_EXTRAS = {
    "pyvirtualcam": "virtual camera output",
    "pylsl": "Lab Streaming Layer output",
    "pythonosc": "OSC output",
    "pyarrow": "Parquet files",
}
_DISTRIBUTIONS = {"pythonosc": "python-osc"}


def cameras(options: argparse.Namespace) -> int:
    """Names and modes; having none is no error."""
    found = [(camera, camera_modes(camera)) for camera in list_cameras()]
    if options.json:
        rows = [
            {"index": c.index, "name": c.name, "address": c.address, "modes": [str(m) for m in modes]}
            for c, modes in found
        ]
        print(json.dumps(rows, indent=2))
        return 0
    if not found:
        print(
            "No camera was found. `facemirror-live doctor` says how to get one; --source takes a file, a URL or demo."
        )
        return 0
    for camera, modes in found:
        print(f"camera:{camera.index}  {camera.name}  ({camera.address})")
        for mode in modes:
            print(f"    {mode}")
    return 0


def doctor(options: argparse.Namespace) -> int:
    """What works, what is missing and how to get it. 0 also where something optional is missing; 3 without sound models."""
    if options.av_sync:
        return _av_sync(options)
    probes = {"python": _python(), "package": _package(), "compiled code": _compiled_code()}
    probes |= {"models": _models(options), "execution providers": _providers(), **all_probes()}
    probes.update({name: _extra(name) for name in _EXTRAS if name != "pyvirtualcam"})
    if options.json:
        print(json.dumps({name: probe._asdict() for name, probe in probes.items()}, indent=2))
    else:
        table = Table(box=None, show_header=False)
        table.add_column()
        table.add_column(style="bold")
        table.add_column(overflow="fold")
        for name, probe in probes.items():
            mark = "[green]works[/]" if probe.ok else "[yellow]missing[/]"
            table.add_row(mark, name.replace("_", " "), escape(f"{probe.sentence} {probe.how}".strip()))
        Console().print(table)
    return 0 if probes["models"].ok else 3


def _av_sync(options: argparse.Namespace) -> int:
    """Flashes and beeps; 3 where it cannot be measured, with the reason."""
    from realtime.app.av_sync import measure

    try:
        found = measure(weights=options.weights)
    except FacemirrorError as error:
        if options.json:
            print(json.dumps({"offset_ms": None, "reason": str(error)}, indent=2))
        else:
            print(f"Sound against picture cannot be measured here: {error}")
        return error.exit_code
    if options.json:
        print(json.dumps(found, indent=2))
    else:
        print(
            f"Sound is {abs(found['offset_ms']):.1f} ms {'later' if found['offset_ms'] > 0 else 'earlier'} than the picture "
            f"({found['beeps']} beeps, {found['spread_ms']:.1f} ms apart at most)."
        )
    return 0


def _python() -> Probe:
    sentence = f"Python {platform.python_version()} on {platform.platform()}."
    return Probe(
        sys.version_info >= (3, 11), sentence, "" if sys.version_info >= (3, 11) else "Python 3.11 or later is needed."
    )


def _package() -> Probe:
    """PyPI's `realtime` (Supabase's client) installs the same import package: whoever has both has overwritten one."""
    others = sorted(set(packages_distributions().get("realtime", [])) - {"facemirror-live"})
    if others:
        named = " and ".join(others)
        sentence = f"{named} is installed in this environment and has files of the same package, `realtime`."
        return Probe(False, sentence, "Install facemirror-live in an environment of its own (venv or pipx).")
    return Probe(True, "No other project shares the import package `realtime`.")


def _compiled_code() -> Probe:
    from realtime.face.kernel_cache import cache_state

    state = cache_state()
    return Probe(not state.advice, state.sentence, state.advice)


def _models(options: argparse.Namespace) -> Probe:
    try:
        registry = Registry(options.weights)
    except FacemirrorError as error:
        return Probe(False, str(error), "Reinstall the program or give another --weights folder.")
    problems = [f"{check.spec.name}: {check.problem}" for check in registry.verify() if check.problem]
    if problems:
        return Probe(False, "; ".join(problems) + ".", "Reinstall the program or give another --weights folder.")
    try:
        problems = _anchor_problems(registry)
    except FacemirrorError as error:
        problems = [str(error).removesuffix(".")]
    if problems:
        return Probe(False, "; ".join(problems) + ".", "Give the entry the file's own `min_sizes`, or another file.")
    names = ", ".join(registry.manifest.models)
    return Probe(True, f"All checksums are right ({names}), and the detector fits its anchors.")


def _anchor_problems(registry: Registry) -> list[str]:
    """What is wrong with the detectors' anchors, tried on the demo clip's first picture."""
    source = VideoSource(parse_source("demo"), time.monotonic, speed="max")
    source.open()
    try:
        frame = source.read(StopToken())
    finally:
        source.close()
    assert frame is not None
    detectors = registry.manifest.tiers("detector")
    found = [anchor_problem(registry.open(spec), frame.image) for spec in detectors]
    return [problem for problem in found if problem is not None]


def _providers() -> Probe:
    names = [name.removesuffix("ExecutionProvider") for name in ort.get_available_providers()]
    return Probe(True, f"ONNX Runtime {ort.__version__} offers {', '.join(names)}.")


def _extra(module: str) -> Probe:
    what = _EXTRAS[module]
    extra = {"pylsl": "lsl", "pythonosc": "osc", "pyarrow": "parquet"}[module]
    name = _DISTRIBUTIONS.get(module, module)
    try:
        return Probe(True, f"{name} {version(name)}: {what}.")
    except PackageNotFoundError:
        return Probe(False, f"{name} is not installed: no {what}.", f'pip install "facemirror-live[{extra}]"')
