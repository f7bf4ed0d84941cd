"""Depth of single views by comparison with their neighbours: the numerical kernels of `estimate_depth` and `fuse_depths`.

Everything here is torch on float32 tensors of one view, (h, w) with rows down and columns to the right; cameras' matrices are
numpy's float64. Frames are those of `recon_worker.geometry.cameras`: depth is the z of a camera's axes in the world's unit,
inverse depth (`w`) is 1 / z. Kernels take and return tensors on one device and know no files.
"""
