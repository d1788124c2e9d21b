"""`facemirror-live export` and `import`: a session's annotations and rows in the formats of other programs."""

import argparse
from collections.abc import Callable
from pathlib import Path

from realtime.app.output_files import PARQUET, check_output
from realtime.cli.session import beside, list_in_manifest
from realtime.cli.terminal import messages
from realtime.errors import DeviceError, UserInputError
from realtime.exchange import bids, bids_events, boris_project, boris_table, elan, openface_csv, own_markers
from realtime.exchange.annotations import Annotations
from realtime.exchange.notes import Imported, shifted
from realtime.exchange.store import annotation_files, annotations_file, read_annotations, write_annotations
from realtime.exchange.tables import header_of
from realtime.exchange.timeline import Timeline, timeline_of
from realtime.files import counted, reason, write_atomically
from realtime.session.folder import FRAMES
from realtime.session.manifest import read_json, session_of
from realtime.session.parquet import write_parquet
from realtime.table_text import WORKBOOK, WORKBOOKS

_NAMES = {
    "elan": "annotations.eaf",
    "boris": "annotations.boris",
    "boris-tsv": "events.tsv",
    "bids": "bids",
    "openface": "openface.csv",
}


def export(options: argparse.Namespace) -> int:
    """Write what was asked for, and say what it could not hold.

    Raises:
        UserInputError: the session has no rows, or the target exists.
        DeviceError: the target cannot be written.
    """
    session: Path = options.session
    described = session_of(session)
    if options.parquet or options.to == "parquet":
        return _export_parquet(session, options.out)
    target = options.out or beside(session, _NAMES[options.to])
    if options.to == "bids":
        times = timeline_of(session)
        recording = bids.Recording(
            session / FRAMES, described, times.start, times.film, times.film_start, _annotations(session, options.coder)
        )
        entities = bids.Entities(options.subject, options.task, options.bids_session)
        written, notes = bids.write_bids(recording, target, entities)
        print(*written, sep="\n")
        return _say([*times.notes, *notes])
    if target.exists():
        raise UserInputError(f"{target} exists already and is not overwritten; choose another name with --out.")
    if options.to == "openface":
        notes = openface_csv.export_csv(session, target, space=options.space_after_comma)
    else:
        notes = _export_annotations(options, target)
    print(target)
    list_in_manifest(session, target, "export")
    return _say(notes)


def _export_parquet(session: Path, out: Path | None) -> int:
    target = out or beside(session, "frames.parquet")
    check_output(target, "--out", PARQUET)
    print(write_parquet(session / FRAMES, target))
    list_in_manifest(session, target, "export")
    return 0


def _export_annotations(options: argparse.Namespace, target: Path) -> list[str]:
    session, kind = options.session, options.to
    found, times = _annotations(session, options.coder), timeline_of(session)
    film = None if options.from_first_row else times.film
    if film is not None:
        try:
            found = shifted(found, -times.film_offset)
        except UserInputError:
            raise UserInputError(
                f"Annotations lie before the start of {film.name}; with --from-first-row (also for import) times count from the "
                "session's first row, and no film is named."
            ) from None
    name = session.resolve().name
    if kind == "elan":
        made = elan.write_eaf(found, film=film)
    elif kind == "boris":
        made = boris_project.write_project(found, name, film=film)
    else:
        made = boris_table.write_events(found, name, film=film)
    try:
        with write_atomically(target) as file:
            file.write(made.content)
    except OSError as error:
        raise DeviceError(f"{target} cannot be written ({reason(error)}).") from None
    return [*(times.notes if film is not None else []), *made.notes]


def _annotations(session: Path, coder: str | None) -> Annotations:
    """One coder's annotations; without a name the only ones, or none where nobody has made any."""
    if coder is not None:
        stored = read_annotations(annotations_file(session, coder))
        if not stored.state:
            raise UserInputError(f"{coder!r} has made no annotations of {session}.")
        return stored.annotations
    files = annotation_files(session)
    if len(files) > 1:
        names = ", ".join(repr(read_annotations(path).annotations.coder) for path in files[:8])
        raise UserInputError(f"{session} has annotations of {names}; say whose with --coder NAME.")
    return read_annotations(files[0]).annotations if files else Annotations()


def read(options: argparse.Namespace) -> int:
    """Take another program's file, and say what had to be changed.

    Raises:
        UserInputError: there is no such file, it is damaged or of another kind, or this coder's annotations exist.
    """
    session, path = options.session, options.file
    session_of(session)
    times = timeline_of(session)
    if not path.exists():
        raise UserInputError(f"There is no file {path}.")
    reader, counts_from_film = _reader(path, options.observation)
    if reader is None:
        target = beside(session, "openface-rows.csv")
        if target.exists() and not options.replace:
            raise UserInputError(f"{target} exists already; say --replace, or move it away.")
        count = openface_csv.import_csv(path, session / FRAMES, times, target)
        print(f"{target}: {counted(count, 'row')}")
        return _say(times.notes)
    imported = reader(path)
    found = shifted(imported.annotations, times.film_offset if counts_from_film and not options.from_first_row else 0)
    coder = found.coder if options.coder is None else options.coder
    target = annotations_file(session, coder)
    stored = read_annotations(target, coder)
    if stored.state and not options.replace:
        raise UserInputError(f"{target} exists already; say --replace, or give these another --coder NAME.")
    found = Annotations(coder, found.codes, found.labels, found.points, found.exclusions)
    write_annotations(target, found, replaces=stored.state)
    parts = (
        (found.labels, "label"),
        (found.points, "marker"),
        (found.exclusions, "exclude range"),
        (found.codes, "code"),
    )
    print(f"{target}: {', '.join(counted(len(part), name) for part, name in parts)}")
    return _say([*imported.notes, *_beyond(found, times)])


def _reader(path: Path, observation: str | None) -> tuple[Callable[[Path], Imported] | None, bool]:
    """The reader of a file, None for rows; and whether its times count from the film's start."""
    suffix = path.suffix.lower()
    if suffix == ".eaf":
        return elan.read_eaf, True
    if suffix in (".boris", ".json"):
        return lambda file: boris_project.read_project(file, observation), True
    if suffix in (".tsv", ".csv", ".txt"):
        columns = set(header_of(path))
        if columns >= {"capture_time", "text", "source"}:
            return own_markers.read, False
        if "onset" in columns:
            return bids_events.read_events, False
        if "Behavior" in columns:
            return lambda file: boris_table.read_events(file, observation), True
        if columns >= {"frame", "timestamp"}:
            return None, True
    if suffix in WORKBOOKS:
        raise UserInputError(f"{path} cannot be read: {WORKBOOK}.")
    raise UserInputError(f"{path} is none of .eaf, .boris, events of BORIS or BIDS (.tsv), and OpenFace's .csv.")


def annotations_in(path: Path) -> Annotations | None:
    """The annotations of a file of this program or another's; None: it holds no annotations.

    Args:
        path: file or folder.

    Raises:
        UserInputError: it is damaged.
    """
    if path.is_dir():
        return None
    if path.suffix.lower() == ".json" and "observations" not in read_json(path):
        return read_annotations(path).annotations
    reader, _ = _reader(path, None) if path.suffix.lower() != ".csv" else (None, True)
    return None if reader is None else reader(path).annotations


def _beyond(found: Annotations, times: Timeline) -> list[str]:
    if times.film is None:
        return []
    end = times.film_offset + 1000 * times.film.seconds
    late = sum(label.end > end + 1000 for label in found.labels) + sum(point.at > end + 1000 for point in found.points)
    lie = counted(late, "annotation lies", "annotations lie")
    return [f"{lie} beyond the film's end: is this file of another session?"] if late else []


def _say(notes: list[str]) -> int:
    for note in notes:
        messages.say(note)
    return 0
