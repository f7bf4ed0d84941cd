"""The models: each turns a scene's photos into output files (`model.Model`), by stages of its own choice.

A model is found by its name in the entry-point group `reconstruction.models` (`installed`), so other distributions can
bring more. Not here: what a stage computes (`recon_worker.stages`).
"""
