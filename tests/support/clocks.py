"""A clock that a test sets."""


class SettableClock:
    """Seconds that stand until the test changes `now`; called as `time.monotonic` is."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now
