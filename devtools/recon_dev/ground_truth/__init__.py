"""Photo sets of exactly known shape, and how far a reconstruction is from the truth.

One half makes: `shape` (a teapot on a pedestal), `appearance`, `ground` and `cameras` come together in `photos`. The other
half measures: `alignment` brings a reconstruction into the truth's frame, `pose_error` and `surface_distance` compare.

The truth's frame is right-handed with z up (`shape`); its unit is about half the object's width. Where nothing else is said, points
and directions are in it.

Not here: running a reconstruction (`benchmarks/evaluate.py`).
"""
