"""Cameras, and files of points and meshes, as numpy arrays."""
