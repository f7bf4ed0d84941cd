"""Reconstructions from a command line, without a cluster."""
