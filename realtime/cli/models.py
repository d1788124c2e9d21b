"""`facemirror-live models`."""

import argparse
import importlib
import importlib.util
import json
import sys
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import TaskID
from rich.table import Table

from realtime.errors import UserInputError
from realtime.models import Registry


def show(options: argparse.Namespace) -> int:
    """List, verify or show licences; exit code 3 when a file is not what the manifest says. Or pull others' models."""
    if options.action == "pull":
        return pull(options)
    registry = Registry(options.weights)
    checks = registry.verify()
    failed = [c for c in checks if c.problem]
    if options.json:
        rows = [
            {**c.spec.model_dump(include={"name", "role", "file", "sha256", "bytes", "licence", "source", "purpose"}),
             "problem": c.problem}
            for c in checks
        ]  # fmt: skip
        print(json.dumps({"folder": str(registry.manifest.folder), "models": rows}, indent=2))
        return 3 if failed else 0
    table = Table(box=None, header_style="bold")
    columns = {
        "list": ("model", "for", "size", "licence", "checksum"),
        "verify": ("model", "file", "checksum"),
        "licences": ("model", "licence", "source"),
    }[options.action]
    for column in columns:
        table.add_column(column, overflow="fold")
    for c in checks:
        spec, state = c.spec, c.problem or "right"
        table.add_row(
            *{
                "list": (spec.name, spec.role, f"{spec.bytes / 1e6:.2f} MB", spec.licence, state),
                "verify": (spec.name, spec.file, state),
                "licences": (spec.name, spec.licence, spec.source),
            }[options.action]
        )
    console = Console()
    console.print(table)
    console.print(escape(f"in {registry.manifest.folder}"), style="dim")
    return 3 if failed else 0


def pull(options: argparse.Namespace) -> int:
    """Fetch models that cannot ship with the program, after their licence was shown and accepted.

    Raises:
        UserInputError: the licence was not accepted.
    """
    if options.which not in _SETS:
        raise UserInputError(
            f"Say what to pull: {', '.join(_SETS)}; for example `facemirror-live models pull openface2`."
        )
    return _SETS[options.which](options)


def _accept(options: argparse.Namespace) -> Callable[[str], bool]:
    def ask(licence: str) -> bool:
        print(licence)
        if options.accept_licence:
            return True
        if not sys.stdin.isatty():
            raise UserInputError("The licence must be accepted: run this in a terminal, or add --accept-licence.")
        return input("Do you accept this licence? [yes/no] ").strip().lower() in ("yes", "y")

    return ask


def _pull_openface2(options: argparse.Namespace) -> int:
    from realtime.openface2.pull import install

    done = install(_accept(options), from_folder=options.folder)
    print(f"{len(done.files)} files are in {done.folder}; use them with `facemirror-live run --au openface2`.")
    return 0


def missing_tools() -> str | None:
    """One sentence that says what converting still needs, or None."""
    absent = [name for name in ("torch", "onnx") if importlib.util.find_spec(name) is None]
    if absent:
        return (
            f"The files are here, but converting them needs {' and '.join(absent)}: "
            '`pip install "facemirror-live[tools]"` and run the same command again.'
        )
    spec = importlib.util.find_spec("tools")
    if spec is None or importlib.util.find_spec("tools.export") is None:
        return (
            "The files are here, but converting them needs the folder tools/ of facemirror-live's source, which is not part "
            "of the installed package: run `python -m realtime models pull openface3` in a copy of the source."
        )
    return None


def _pull_openface3(options: argparse.Namespace) -> int:
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    from realtime.openface3.install import install

    def say(sentence: str) -> None:
        print(f"facemirror-live: {sentence}", file=sys.stderr, flush=True)

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    bars = Progress(*columns, console=Console(stderr=True))
    tasks: dict[str, TaskID] = {}

    def progress(name: str, have: int, total: int | None) -> None:
        bars.start()  # not before the licence was accepted: the question and the bars share the terminal
        if name not in tasks:
            tasks[name] = bars.add_task(name, total=total)
        bars.update(tasks[name], completed=have, total=total)

    def convert_all(checkpoints: dict[str, Path], out: Path) -> None:
        bars.stop()
        # The converter is a tool: the library below never imports tools/, the program hands it in.
        convert = importlib.import_module("tools.export.openface3").convert
        convert(checkpoints, out, say, options.precision, options.calibration)

    try:
        done = install(
            _accept(options), convert_all, from_folder=options.folder, progress=progress, needs=missing_tools
        )
    finally:
        bars.stop()
    print(f"{', '.join(done.models)} are in {done.folder}; use them with `facemirror-live run --models openface3`.")
    return 0


_SETS: dict[str, Callable[[argparse.Namespace], int]] = {
    "openface2": _pull_openface2,
    "openface3": _pull_openface3,
}
