"""Which of these belongs to which of those, at the least total cost: the assignment problem.

Shortest augmenting paths (Jonker and Volgenant, 1987), O(n^3): a frame has a few faces, and a library would cost more to
import than this costs to run.
"""

import numpy as np

from realtime.types import F64


def assign(cost: F64, limit: float) -> list[tuple[int, int]]:
    """Pair rows with columns so that the sum of the pairs' costs, and of `limit` for each row without one, is least.

    Args:
        cost: (N, M); infinite: these two never belong together.
        limit: what it costs to leave a row alone: no pair costs more.

    Returns:
        (row, column) of each pair, in order of rows.
    """
    rows, columns = cost.shape
    if rows == 0 or columns == 0:
        return []
    # One column more for each row stands for being left alone. A cost above the limit is never taken, however high.
    wide = np.full((rows, columns + rows), limit + 1.0)
    wide[:, :columns] = np.minimum(cost, limit + 1.0)
    wide[np.arange(rows), columns + np.arange(rows)] = limit
    taken = _solve(wide)
    return [(row, int(column)) for row, column in enumerate(taken) if column < columns and cost[row, column] <= limit]


def _solve(cost: F64) -> list[int]:
    """The column of each row of an (N, M) matrix with N <= M."""
    rows, columns = cost.shape
    row_price, column_price = np.zeros(rows + 1), np.zeros(columns + 1)
    owner = np.zeros(columns + 1, int)  # row of each column, counted from 1; 0: free
    for row in range(1, rows + 1):
        owner[0] = row
        column = 0
        least = np.full(columns + 1, np.inf)
        before = np.zeros(columns + 1, int)
        done = np.zeros(columns + 1, bool)
        while owner[column]:
            done[column] = True
            here = owner[column]
            reduced = cost[here - 1] - row_price[here] - column_price[1:]
            better = ~done[1:] & (reduced < least[1:])
            least[1:][better] = reduced[better]
            before[1:][better] = column
            open_costs = np.where(done[1:], np.inf, least[1:])
            nearest = int(np.argmin(open_costs)) + 1
            step = open_costs[nearest - 1]
            row_price[owner[done]] += step
            column_price[done] -= step
            least[~done] -= step
            column = nearest
        while column:
            owner[column] = owner[before[column]]
            column = int(before[column])
    taken = [0] * rows
    for column in range(1, columns + 1):
        if owner[column]:
            taken[owner[column] - 1] = column - 1
    return taken
