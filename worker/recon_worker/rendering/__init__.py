"""Pictures of a mesh by ray casting on the CPU: no OpenGL, no display, no GPU.

Arrays are float32 (`arrays`), points and directions in the world frame: right-handed, +Y up, in the scene's own unit.

Not here: which files are written (`recon_worker.stages.render_previews`).
"""
