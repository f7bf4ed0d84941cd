"""Depth of single views by comparison with their neighbours: the numerical kernels of `estimate_depth` and `fuse_depths`.

Everything here is torch on float32 tensors of one view; frames are those of `recon_worker.geometry.cameras`, depth is the z of a
camera's axes, inverse depth (`w`) is 1 / z. Kernels take and return tensors on one device and know no files.
"""
