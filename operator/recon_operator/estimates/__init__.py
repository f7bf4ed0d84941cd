"""How long steps take: measured on finished runs, and applied to a run under way."""
