"""`facemirror-live run`, `demo` and `examine`."""

import argparse
import contextlib
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from realtime.cli.settings import resolved
from realtime.cli.terminal import OWN_ERRORS, messages
from realtime.clinic.protocol import load_protocol
from realtime.clinic.store import read_examination
from realtime.config import Resolved
from realtime.errors import UserInputError
from realtime.face.kernel_cache import Preparation, begin
from realtime.files import shell_word
from realtime.session.folder import SESSIONS, create_session_folder

if TYPE_CHECKING:
    from realtime.app.pipeline import App

_RUNNING = "running; Ctrl-C ends."


def run(options: argparse.Namespace) -> int:
    """A camera, file or stream through the whole graph."""
    return execute(resolved(options), quiet=options.quiet)


def demo(options: argparse.Namespace) -> int:
    """The embedded clip; leaves a session behind, so that there is something to look at."""
    folder = options.session or create_session_folder(SESSIONS, datetime.now().astimezone())
    try:
        return execute(resolved(options, source="demo", session=folder), quiet=options.quiet)
    finally:
        if options.session is None:
            with contextlib.suppress(OSError):  # it goes only where nothing is in it
                folder.rmdir()


def examine(options: argparse.Namespace) -> int:
    """A run that leads a person through an examination: the bare mirror picture, a session folder of its own.

    Raises:
        UserInputError: the person has no name, or the protocol is unknown.
    """
    fixed = {"view": "raw", "selfie": True, "panel": "off", "cadence.whole_every": 1, "millimetres.scale": "iris"}
    fixed |= {"examination.guided": True, "models.mirror_average": "every", "models.crop_average": 3}
    # What is wrong with the words is said before a folder is made or a camera opened.
    wishes = resolved(options, **fixed).config
    load_protocol(wishes.examination.protocol)
    if wishes.person is None and not wishes.examination.resume:
        raise UserInputError("An examination needs the person's name: examine --person NAME.")
    folder = options.session or create_session_folder(SESSIONS, datetime.now().astimezone())
    code = execute(resolved(options, session=folder, **fixed), quiet=options.quiet)
    if not options.quiet:
        _say_what_counts(Path(folder))
    return code


def _say_what_counts(folder: Path) -> None:
    """How an examination ended, and how its sheet is made; nothing where none began."""
    try:
        made = read_examination(folder)
    except UserInputError:
        return
    counted = sum(one.outcome == "counted" for one in made.repetitions)
    ended = "finished" if made.finished else "broken off: `--resume` goes on with it"
    print(f"examination: {counted} of {len(made.repetitions)} tries count, {ended}")
    if counted:
        print(f"its sheet: facemirror-live report {shell_word(folder)}")


def execute(settings: Resolved, *, quiet: bool) -> int:
    """Run, with a status line while it runs and a table at its end.

    Args:
        settings: of the run.
        quiet: no status line and no table.
    """
    compilation = None if settings.config.rotate == "auto" else begin()
    try:
        return _execute(settings, compilation, quiet=quiet)
    finally:
        if compilation is not None:
            compilation.end()


def _execute(settings: Resolved, compilation: Preparation | None, *, quiet: bool) -> int:
    # Imported here: loading the rest takes half a second, in which at a first start the compiler is loaded, too.
    from realtime.app.run import Run

    shows_status = not quiet and sys.stderr.isatty()
    live = Run(
        settings,
        compilation=compilation,
        say=messages.say,
        watch=(lambda app: messages.status(_line(app))) if shows_status else lambda _app: None,
        started=(lambda _app: None) if quiet or shows_status else lambda _app: messages.say(_RUNNING),
    )
    try:
        code, summary = live.execute()
    finally:
        if shows_status:
            messages.status("")
    for sentence in summary["notices"]:
        messages.say(sentence)
    for node, failure in summary["failures"].items():
        if (sentence := _sentence(node, failure)) not in live.warnings:
            messages.say(sentence)
    messages.flush(1.0)
    if not quiet and summary["frames"]["captured"]:
        Console().print(table(summary))
    # A folder that the user did not name is told in any case.
    if summary.get("session") and (settings.config.session is None or (not quiet and summary["frames"]["captured"])):
        print(f"session: {summary['session']}")
    return code


def _sentence(node: str, failure: str) -> str:
    """A failure as the user should read it: our own sentences as they are, others with where they came from."""
    kind, _, sentence = failure.partition(": ")
    return sentence if kind in OWN_ERRORS else failure if node == "start" else f"{node}: {failure}"


def _line(app: "App") -> str:
    report = app.graph.snapshot(only=app.output)
    node = report.nodes[app.output]
    fps = report.paths[app.output].delivered / report.seconds if report.seconds > 0 else 0.0
    age = f"{node.age.p95:.0f}" if node.age.p95 is not None else "-"
    dropped = sum(report.paths[app.output].dropped.values())
    return f"{fps:.1f} fps   age p95 {age} ms   dropped {dropped}   faces {app.track.face_frames}   Ctrl-C ends"


def table(summary: dict[str, Any]) -> Table:
    """The figures of a run for people."""
    frames = summary["frames"]
    rows = Table(box=None, show_header=False)
    rows.add_column(style="bold")
    rows.add_column()

    def spread(figures: dict[str, float | None]) -> str:
        if figures["p50"] is None:
            return "-"
        return "  ".join(f"{name} {figures[name]:.1f}" for name in ("p50", "p95", "p99", "max")) + " ms"

    rows.add_row("frames", f"{frames['captured']} captured, {frames['delivered']} delivered")
    rows.add_row("rate", f"{summary['fps']:.1f} fps")
    rows.add_row("age", spread(summary["age_ms"]))
    rows.add_row("result age", spread(summary["result_age_ms"]))
    causes = [f"{count} {cause} ({edge})" for edge, by in frames["dropped"].items() for cause, count in by.items()]
    rows.add_row("dropped", ", ".join(causes) or "none")
    rows.add_row("detections", str(summary["detections"]))
    faces = summary["face_frames"]
    share = f", {100 * summary['tracked_frames'] / faces:.0f} % of them tracked" if faces else ""
    rows.add_row("face frames", f"{faces}{share}")
    rows.add_row("cost", f"{summary['cores_running']:.2f} cores, {summary['peak_rss_mb']:.0f} MB at most")
    return rows
