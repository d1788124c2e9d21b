"""The tables over all recordings: one row a recording, and one row a frame with the Action Units of every recording."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from realtime.batch.inputs import Input
from realtime.batch.ledger import Ledger
from realtime.batch.plan import Plan
from realtime.errors import DeviceError
from realtime.files import reason, write_atomically
from realtime.session.folder import FRAMES
from realtime.session.schema import AUS, column_names
from realtime.spreadsheet import guarded

RECORDINGS = "recordings.csv"
COMBINED = "combined.csv"
_SIDES = ("left", "right")
_POINTS = tuple(f"wflw_{axis}_" for axis in "xy")


def columns_of(inputs: Iterable[Input]) -> list[str]:
    """The columns that the lists gave, in the order in which they appear first."""
    found: dict[str, None] = {}
    for one in inputs:
        found |= dict.fromkeys(one.columns)
    return list(found)


def carried_names(columns: Sequence[str], taken: Iterable[str]) -> list[str]:
    """Names for the carried columns that none of ours has.

    Args:
        columns: that are carried.
        taken: names of ours.
    """
    ours = set(taken)
    return [f"input_{name}" if name in ours else name for name in columns]


def done_of(ledger: Ledger, plan: Plan) -> list[tuple[Input, Mapping[str, Any]]]:
    """(recording, its figures) of what is done and unchanged, by name.

    Args:
        ledger: of the batch.
        plan: of the batch.
    """
    states = ledger.states()
    kept = (one for one in plan.inputs if states.get(one.name) == "done" and one.name not in plan.changed)
    return [(one, ledger.results.figures(one.name)) for one in kept]


def recordings_columns() -> list[str]:
    """Our columns of recordings.csv."""
    values = [f"AU{au:02d}_{side}_{what}" for au in AUS for side in _SIDES for what in ("mean", "peak")]
    return ["recording", "file", "outcome", "remark", "frames", "face_frames", "seconds", "fps", "rest", *values]


def write_tables(ledger: Ledger, plan: Plan, *, parquet: bool = False) -> list[Path]:
    """Write recordings.csv and combined.csv, and where asked for combined.parquet.

    Args:
        ledger: of the batch.
        plan: of the batch.
        parquet: also as Parquet.

    Returns:
        The files.

    Raises:
        DeviceError: one cannot be written; what was there before stays.
    """
    done = done_of(ledger, plan)
    columns = columns_of(plan.inputs)
    recordings, combined = ledger.out / RECORDINGS, ledger.out / COMBINED
    _write(recordings, _recordings(ledger, plan, columns, {one.name: figures for one, figures in done}))
    _write(combined, _combined(ledger, [one for one, _ in done], columns))
    if not parquet or not done:
        return [recordings, combined]
    return [recordings, combined, _parquet(ledger, [one for one, _ in done], columns)]


def _recordings(
    ledger: Ledger, plan: Plan, columns: Sequence[str], figures: Mapping[str, Mapping[str, Any]]
) -> Iterator[list[str]]:
    ours = recordings_columns()
    yield [*ours[:4], *map(guarded, carried_names(columns, ours)), *ours[4:]]
    states = ledger.states()
    for one in plan.inputs:
        found = figures.get(one.name, {})
        state = "changed" if one.name in plan.changed else states.get(one.name, "waiting")
        failure = ledger.results.failure(one.name) if state == "failed" else None
        remark = plan.changed.get(one.name) or (failure[0] if failure else " ".join(found.get("notices", [])))
        values = {**found, **found.get("action_units", {})}
        carried = [guarded(one.columns.get(name, "")) for name in columns]
        head = [guarded(one.name), guarded(str(one.path)), state, guarded(remark)]
        yield [*head, *carried, *("" if values.get(n) is None else str(values[n]) for n in ours[4:])]


def combined_columns(ledger: Ledger) -> list[str]:
    """The columns of frames.csv that are in the combined table: all but the landmarks, which stay in the bundles.

    Args:
        ledger: of the batch.
    """
    _, config, _ = ledger.head()
    return [name for name in column_names(several=config.people > 1) if not name.startswith(_POINTS)]


def _combined(ledger: Ledger, done: Sequence[Input], columns: Sequence[str]) -> Iterator[list[str]]:
    ours = ["recording", *combined_columns(ledger)]
    yield ["recording", *map(guarded, carried_names(columns, ours)), *ours[1:]]
    for one in done:
        lead = [guarded(one.name), *(guarded(one.columns.get(name, "")) for name in columns)]
        for row in _rows_of(ledger.recordings / one.name / FRAMES, ours[1:]):
            yield [*lead, *row]


def _rows_of(path: Path, columns: Sequence[str]) -> Iterator[list[str]]:
    """These columns of a bundle's rows.

    Raises:
        DeviceError: the file is damaged or gone.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = csv.reader(file)
            header = next(rows, [])
            kept = [header.index(name) for name in columns]
            for row in rows:
                yield [row[index] for index in kept]
    except (OSError, ValueError, IndexError, csv.Error) as error:
        why = f" ({reason(error)})" if isinstance(error, OSError) else ""
        raise DeviceError(
            f"{path} is damaged or gone{why}; delete its folder, and batch measures the recording again."
        ) from None


def _parquet(ledger: Ledger, done: Sequence[Input], columns: Sequence[str]) -> Path:
    """combined.parquet: the bundles' own Parquet files one after the other, with the same columns as combined.csv."""
    try:
        import pyarrow as pa
        from pyarrow import parquet as pa_parquet
    except ImportError:
        raise DeviceError('Parquet needs pyarrow: pip install "facemirror-live[parquet]".') from None
    target = ledger.out / "combined.parquet"
    ours = combined_columns(ledger)
    names = ["recording", *carried_names(columns, ["recording", *ours])]
    try:
        with write_atomically(target) as file:
            writer = None
            for one in done:
                table = pa_parquet.read_table(ledger.recordings / one.name / "frames.parquet", columns=ours)
                for place, text in enumerate([one.name, *(one.columns.get(name, "") for name in columns)]):
                    cells = pa.array([text] * len(table), pa.string())
                    table = table.add_column(place, names[place], cells)
                table = table.replace_schema_metadata(None)
                if writer is None:
                    writer = pa_parquet.ParquetWriter(file, table.schema, compression="zstd")
                writer.write_table(table)
            if writer is not None:
                writer.close()
    except (pa.ArrowException, OSError) as error:
        raise DeviceError(f"{target} cannot be written ({reason(error).splitlines()[0]}).") from None
    return target


def _write(path: Path, rows: Iterable[Sequence[str]]) -> None:
    try:
        with write_atomically(path) as file:
            text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=False)
            csv.writer(text, lineterminator="\n").writerows(rows)
            text.flush()
            text.detach()
    except OSError as error:
        raise DeviceError(f"{path} cannot be written ({reason(error)}).") from None
