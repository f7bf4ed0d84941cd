"""Another clock for the Python processes of a test."""

from pathlib import Path

FOLDER = str(Path(__file__).parent)
"""On the path of a process, it has that process take its clock from `SHIFT_VARIABLE`."""

SHIFT_VARIABLE = "CLOCK_SHIFT_S"
"""How far the clock is ahead, in seconds; negative if it is behind."""
