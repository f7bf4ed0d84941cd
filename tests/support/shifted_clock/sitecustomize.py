"""Sets the clock of each Python process that has this folder on its path; Python imports a module of this name at the start.

Steady clocks are left alone, as they are where a machine's clock is set.
"""

import os
from datetime import UTC, datetime, timedelta

import time_machine

time_machine.travel(datetime.now(UTC) + timedelta(seconds=float(os.environ["CLOCK_SHIFT_S"])), tick=True).start()
