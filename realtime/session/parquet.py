"""frames.parquet: the same columns as frames.csv, with types, and the data dictionary in its metadata."""

import json
from pathlib import Path
from typing import Any

from realtime.errors import DeviceError, UserInputError
from realtime.files import open_regular, reason, write_atomically
from realtime.session.hidden_column import HIDDEN
from realtime.session.length_columns import columns_of_file
from realtime.session.schema import data_dictionary

NAME = "frames.parquet"
_INTEGERS = {"sequence", "face_id"}
_TEXTS = {"status", "cause", "found_by", "neutral", "rest", "person", "mm_source", "mm_state", "mm_withheld", HIDDEN}
_EXACT = {"capture_time"}


def write_parquet(csv: Path, target: Path | None = None) -> Path:
    """Write the rows once more, as Parquet. Empty cells become nulls, except in texts.

    Args:
        csv: a session's frames.csv.
        target: the file to write, replaced as a whole; None: frames.parquet beside `csv`.

    Returns:
        The file that was written.

    Raises:
        UserInputError: the CSV cannot be read.
        DeviceError: pyarrow is missing, or the file cannot be written.
    """
    try:
        import pyarrow as pa
        from pyarrow import csv as pa_csv
        from pyarrow import parquet as pa_parquet
    except ImportError:
        raise DeviceError('Parquet needs pyarrow: pip install "facemirror-live[parquet]".') from None
    target = target or csv.with_name(NAME)
    meanings = data_dictionary(several=True, millimetres=columns_of_file(csv))
    types: dict[str, Any] = {name: _type(pa, name) for name in meanings}
    try:
        with open_regular(csv) as file:
            table = pa_csv.read_csv(
                file,
                parse_options=pa_csv.ParseOptions(newlines_in_values=True),
                convert_options=pa_csv.ConvertOptions(column_types=types, null_values=[""], strings_can_be_null=False),
            )
            names = table.column_names
    except FileNotFoundError:
        raise UserInputError(f"{csv.parent} holds no {csv.name}.") from None
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:  # the last: a column's name is no UTF-8
        raise UserInputError(f"{csv} cannot be read: {str(error).splitlines()[0]}.") from None
    meanings = {name: meaning for name, meaning in meanings.items() if name in names}
    table = table.replace_schema_metadata({"data_dictionary": json.dumps(meanings)})
    try:
        with write_atomically(target) as file:
            pa_parquet.write_table(table, file, compression="zstd")
    except (pa.ArrowException, OSError) as error:
        fault = reason(error).splitlines()[0]
        raise DeviceError(f"{target} cannot be written ({fault}).") from None
    return target


def _type(pa: Any, name: str) -> Any:
    if name in _INTEGERS:
        return pa.int64()
    if name in _TEXTS:
        return pa.string()
    return pa.float64() if name in _EXACT else pa.float32()
