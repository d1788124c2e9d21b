"""The loop over the bytes of a CSV file that `columns` needs, compiled."""

import numpy as np
from numpy.typing import NDArray

from realtime.jit import njit
from realtime.types import F32, F64

SKIP = -1
"""Kind of a column that is not wanted. A kind >= 0 is the number's place among `numbers`; -2 - k is text k."""

_QUOTE, _COMMA, _LINE, _RETURN, _POINT, _MINUS, _ZERO, _NINE = 34, 44, 10, 13, 46, 45, 48, 57
_DIGITS = 15  # so many make an integer that a double holds exactly


@njit(nogil=True)
def read_cells(
    content: NDArray[np.uint8],
    begin: int,
    kinds: NDArray[np.int32],
    moments: F64,
    numbers: F32,
    texts: NDArray[np.int64],
    starts: NDArray[np.int64],
    moment: int,
) -> tuple[int, int, int]:
    """Read whole rows from `begin` on, until the content or the room in `starts` ends.

    Args:
        content: bytes of the file.
        begin: where a row begins.
        kinds: what becomes of each column; see SKIP.
        moments: (N,) gets the column whose kind is `moment`, in double precision.
        numbers: (N, K) gets the other numbers; NaN: the cell is empty or holds no number.
        texts: (N, T, 2) gets where each text begins and ends, without its quotes.
        starts: (N,) gets where each row begins.
        moment: the kind of the column with the row's time.

    Returns:
        How many rows were read, where the next one begins, and how many of the rows had another number of cells.
    """
    at, row, odd = begin, 0, 0
    end, columns = len(content), len(kinds)
    while at < end and row < len(starts):
        starts[row] = at
        column = 0
        numbers[row, :] = np.nan
        texts[row, :, :] = 0
        moments[row] = np.nan
        whole = False
        while at < end:
            kind = kinds[column] if column < columns else SKIP
            first = at
            if content[at] == _QUOTE:
                at += 1
                first = at
                while at < end:
                    if content[at] == _QUOTE:
                        if at + 1 < end and content[at + 1] == _QUOTE:
                            at += 1
                        else:
                            break
                    at += 1
                last = at
                at += 1
            else:
                while at < end and content[at] != _COMMA and content[at] != _LINE:
                    at += 1
                last = at
                if last > first and content[last - 1] == _RETURN:
                    last -= 1
            if kind >= 0:
                mantissa, decimals, digits, fine = 0, 0, 0, last > first
                negative = last > first and content[first] == _MINUS
                behind = False
                for place in range(first + 1 if negative else first, last):
                    sign = content[place]
                    if _ZERO <= sign <= _NINE and digits < _DIGITS:
                        mantissa = 10 * mantissa + (sign - _ZERO)
                        digits += mantissa > 0
                        decimals += behind
                    elif sign == _POINT and not behind:
                        behind = True
                    elif not (_ZERO <= sign <= _NINE and behind):
                        fine = False
                if fine:
                    value = mantissa / 10.0**decimals
                    value = -value if negative else value
                    if kind == moment:
                        moments[row] = value
                    else:
                        numbers[row, kind] = value
            elif kind < SKIP:
                texts[row, -2 - kind, 0] = first
                texts[row, -2 - kind, 1] = last
            column += 1
            if at >= end:
                break
            ends = content[at] == _LINE
            at += 1
            if ends:
                whole = True
                break
        if not whole:
            return row, starts[row], odd
        if column != columns:
            odd += 1
        row += 1
    return row, at, odd
