"""How long a running attempt still takes, from how far it has come."""

SHORTEST_BASIS_S = 3.0
"""Less running time than this says nothing about the rest."""

SMALLEST_BASIS_PERCENT = 5.0
"""Less progress than this says nothing about the rest."""


def time_left_s(elapsed_s: float, percentage: float) -> int | None:
    """Return the seconds left if the rest goes on at the pace so far, or nothing where it is too early to say.

    `elapsed_s` is the attempt's running time, `percentage` (0 to 100) how far it has come.
    """
    if elapsed_s < SHORTEST_BASIS_S or percentage < SMALLEST_BASIS_PERCENT:
        return None
    return max(round(elapsed_s * (100.0 - percentage) / percentage), 0)
