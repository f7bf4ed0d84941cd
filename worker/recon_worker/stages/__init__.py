"""The stages of a reconstruction: each is a function from a scene and parameters to one artefact and a report.

A stage reads the artefacts of earlier stages, writes its own into the folder that it is given, ticks its progress (which
also is its check for a cancellation), and returns figures for the report. It knows no Redis, no Celery and no Kubernetes.

Not here: the order of the stages (`recon_worker.models`), and where artefacts lie (`recon_worker.scene`).
"""
