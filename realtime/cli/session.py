"""`facemirror-live verify`, `replay`, `report` and `people`: what a session left behind."""

import argparse
import contextlib
import json
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from realtime.app.output_files import REPORT, check_output
from realtime.errors import FacemirrorError, UserInputError
from realtime.session.calibration_store import CalibrationStore
from realtime.session.face_store import FaceStore
from realtime.session.folder import create_beside
from realtime.session.manifest import add_to_manifest, session_of
from realtime.session.verify import verify as verify_session

_WRONG = 3


def verify(options: argparse.Namespace) -> int:
    """0: everything is as the session left it. 3: something is changed, missing, cut short or extra, or it was not finished."""
    verdict = verify_session(options.session)
    if options.json:
        problems = [problem._asdict() for problem in verdict.problems]
        found = {"right": verdict.right, "finished": verdict.finished, "problems": problems, "files": verdict.contents}
        print(json.dumps(found, indent=2))
        return 0 if verdict.right else _WRONG
    for name, sentence in sorted(verdict.contents.items()):
        print(f"  {name}: {sentence}")
    for problem in verdict.problems:
        print(f"  {problem.fault.upper()} {problem.file} {problem.sentence}")
    if not verdict.finished:
        print(f"{options.session} was not finished: it has no manifest. What is listed above can be read.")
    elif verdict.problems:
        count = len(verdict.problems)
        print(f"{options.session} is not as the session left it: {count} {'file' if count == 1 else 'files'}.")
    else:
        print(f"{options.session} is as the session left it: {len(verdict.contents)} files.")
    return 0 if verdict.right else _WRONG


def replay(options: argparse.Namespace) -> int:
    """0: the same rows, byte for byte. 3: others."""
    from realtime.app.replay import replay_session

    session_of(options.session)
    out = options.out or create_beside(options.session, "replay")
    try:
        result = replay_session(options.session, out, weights=options.weights)
    except FacemirrorError:
        if options.out is None:
            with contextlib.suppress(OSError):  # what was written already stays
                out.rmdir()
        raise
    print(result.sentence)
    print(f"rows: {out / 'frames.csv'}")
    return 0 if result.same else _WRONG


def report(options: argparse.Namespace) -> int:
    """Write the page, and an examination's sheet where the session holds one."""
    from realtime.app.examinations import has_examination
    from realtime.session.report import write_report

    session_of(options.session)
    page = options.out or beside(options.session, "report.html")
    check_output(page, "--out", REPORT)
    print(write_report(options.session, page))
    list_in_manifest(options.session, page, "report")
    if has_examination(options.session):
        from realtime.app.examination_sheet import sheet_beside, write_sheet

        target = sheet_beside(options.session, options.out)
        check_output(target, "--out", REPORT)
        only = options.landmarks_only
        print(write_sheet(options.session, target, landmarks_only=only, weights=options.weights))
        list_in_manifest(options.session, target, "report")
    return 0


def people(options: argparse.Namespace) -> int:
    """List what is stored of people, or delete some of it.

    Raises:
        UserInputError: nothing is stored of who is to be forgotten.
    """
    store, faces = CalibrationStore(options.people), FaceStore(options.people)
    if options.forget_face is not None:
        if not faces.delete(options.forget_face):
            raise UserInputError(f"No face is stored for {options.forget_face} in {faces.folder}.")
        print(f"What {options.forget_face}'s face looks like is deleted; a calibration stays.")
        return 0
    if options.delete is not None:
        return _delete_person(store, faces, options.delete)
    found, known = store.all(), faces.names()
    alone = [name for name in known if name not in {person.name for person in found}]
    if options.json:
        rows: list[dict[str, object]] = [
            {"name": p.name, "calibrated": p.calibrated, "frames": p.frames, "face": p.name in known} for p in found
        ]
        rows += [{"name": name, "calibrated": None, "frames": 0, "face": True} for name in alone]
        print(json.dumps({"folder": str(store.folder), "people": rows}, indent=2))
        return 0
    if not found and not alone:
        print(f"No calibration is stored in {store.folder}.")
        return 0
    table = Table("person", "calibrated", "frames", "face", box=None, header_style="bold")
    for person in found:
        face = "stored" if person.name in known else ""
        table.add_row(escape(person.name), person.calibrated, str(person.frames), face)
    for name in alone:
        table.add_row(escape(name), "", "", "stored")
    console = Console()
    console.print(table)
    console.print(escape(f"in {store.folder}"), style="dim")
    return 0


def _delete_person(store: CalibrationStore, faces: FaceStore, name: str) -> int:
    """Everything that is stored of a person. Raises UserInputError: nothing is."""
    had_face = faces.delete(name)
    try:
        store.delete(name)
    except UserInputError:
        if not had_face:
            raise
        print(f"What {name}'s face looks like is deleted; no calibration was stored.")
        return 0
    print(f"The calibration of {name} is deleted{', and what the face looks like' if had_face else ''}.")
    return 0


def list_in_manifest(session: Path, target: Path, by: str) -> None:
    """List a result in the manifest where the user wanted it in the session's folder.

    Args:
        session: the session's folder.
        target: the result.
        by: the command's name.
    """
    inside, folder = target.resolve(), session.resolve()
    if inside.is_relative_to(folder) and inside.is_file():
        add_to_manifest(folder, [inside], by)


def beside(session: Path, name: str) -> Path:
    """A file's path beside the session's folder, so that its manifest stays true.

    Args:
        session: the session's folder.
        name: what stands behind the folder's name.
    """
    return session.resolve().with_name(f"{session.resolve().name}-{name}")
