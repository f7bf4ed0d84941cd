"""Pictures of a mesh by ray casting on the CPU: no OpenGL, no display, no GPU.

Not here: which files are written (`recon_worker.stages.render_previews`).
"""
