"""Photo sets of exactly known scenes of several kinds, for the benchmarks.

A scene (`scene`) is a list of parts, each a mesh (`meshes`) and a function that paints the points which rays meet (`textures`,
`painters`), in lights that are baked into the vertices (`lighting`). `rendering` casts the rays, `capture` does what lens, sensor
and file do to the picture. `sets` names the sets, each of which has a module of its own, and writes them.

Frames are right-handed with z up. The unit is a metre in `facade` and `room`, and about half the object's width elsewhere.

Not here: the demo's teapot (`recon_dev.ground_truth.photos`), which has a renderer of its own.
"""
