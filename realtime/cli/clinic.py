"""Scores of an examination, what a clinician overrules, and the course of one person."""

import argparse
import json
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from realtime.app.examinations import examinations_in, of_person, open_examination
from realtime.app.output_files import REPORT, begins_with, check_output
from realtime.clinic import Scores, score_examination
from realtime.clinic.course import course, course_csv, course_page
from realtime.clinic.course_remarks import course_remarks
from realtime.clinic.items import Item, check_overruled
from realtime.clinic.score_file import as_json, score_file, write_scores
from realtime.clinic.sheet import shown
from realtime.clinic.sheet_rows import measures
from realtime.clinic.side_check import mixed_up_sides
from realtime.errors import DeviceError, UserInputError
from realtime.files import reason, write_atomically
from realtime.session.manifest import session_of


def score(options: argparse.Namespace) -> int:
    """Print the scores; with --overrule or --withdraw, keep the clinician's values beside the estimates.

    Raises:
        UserInputError: the folder holds no examination, or a value cannot be understood.
    """
    session_of(options.session)
    examination = open_examination(options.session)
    items = list(score_examination(examination).items())
    overruled = dict(examination.overruled)
    for word in options.overrule:
        name, value = _parsed(word)
        check_overruled(items, name, value)
        overruled[name] = value
    for name in options.withdraw:
        if name not in overruled:
            raise UserInputError(
                f"Nothing is overruled in {name!r}; overruled are {', '.join(overruled) or 'no items'}."
            )
        del overruled[name]
    examination = replace(examination, overruled=overruled)
    found, rows = score_examination(examination), measures(examination)
    target = score_file(options.session)
    if options.overrule or options.withdraw:
        write_scores(target, examination, found, rows)
    if options.json:
        print(json.dumps(as_json(examination, found, rows), indent=2, ensure_ascii=False))
        return 0
    _print(found)
    if asked := mixed_up_sides(examination, rows):
        print(asked)
    if options.overrule or options.withdraw:
        print(f"estimates and the clinician's values: {target}")
    return 0


def _parsed(word: str) -> tuple[str, float]:
    name, equals, value = word.partition("=")
    try:
        if equals:
            return name.strip(), float(value)
    except ValueError:
        pass
    raise UserInputError(f"--overrule takes ITEM=VALUE, such as sunnybrook.rest.cheek=1, not {word!r}.")


def _print(found: Scores) -> None:
    console = Console()
    for scale in found.scales:
        kind = "an estimate of a clinician's judgement" if scale.estimate else "by the published formula"
        items = (*scale.items, *scale.totals)
        # The words need the width: a column stands only where it holds something.
        given = any(one.overruled is not None for one in items)
        columns = [Column("item", no_wrap=True), Column("value ± SDC95", no_wrap=True)]
        columns += [Column("clinician", no_wrap=True)] if given else []
        table = Table(*columns, "", box=None, header_style="bold")
        for item in items:
            table.add_row(*_cells(item, given=given))
        console.print(f"[bold]{escape(scale.title)}[/bold], {kind}")
        console.print(table)
        for remark in scale.remarks:
            console.print(escape(remark), style="dim")
        console.print()


def _cells(item: Item, *, given: bool) -> list[str]:
    spread = item.spread
    noise = f" ± {spread.sdc_of_mean:.1f}" if spread is not None and spread.count > 1 else ""
    estimate = shown(replace(item, overruled=None)) + (noise if item.value is not None else "")
    # A total that only the clinician's values complete has its noise beside it.
    clinician = "" if item.overruled is None else f"{item.overruled:g}" + (noise if item.value is None else "")
    words = escape(item.reason if item.used is None else item.term)
    return [escape(item.name), estimate, *([clinician] if given else []), words]


def progress(options: argparse.Namespace) -> int:
    """Draw one person's course over the sessions of a folder.

    Raises:
        UserInputError: there is nothing to draw.
    """
    kept, troubles = examinations_in(options.sessions)
    for trouble in troubles:
        print(trouble)
    found = of_person(kept, options.person)
    page = options.out or options.sessions / f"{_file_name(options.person)}-progress.html"
    visits = [(one.session.resolve().name, one.examination) for one in found]
    series = course(visits)
    table = page.with_suffix(".csv")
    if table == page:
        raise UserInputError("--out names the page, such as ada.html; the table goes beside it with the ending .csv.")
    rows = course_csv(series)
    check_output(page, "--out", REPORT)
    check_output(table, "--out", begins_with(rows.partition("\n")[0].encode()))
    _write(page, course_page(options.person, series, course_remarks(visits)))
    _write(table, rows)
    print(page)
    print(table)
    return 0


def _file_name(person: str) -> str:
    return "".join(letter if letter.isalnum() or letter in " ._-" else "_" for letter in person).strip(" .") or "person"


def _write(path: Path, text: str) -> None:
    try:
        with write_atomically(path) as file:
            file.write(text.encode("utf-8", "replace"))
    except OSError as error:
        raise DeviceError(f"{path} cannot be written ({reason(error)}).") from None
