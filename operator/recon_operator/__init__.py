"""The operator: watches ReconstructionJobs, hands them to GPU workers and writes their status.

`watch` (kopf) feeds a queue of job UIDs; `reconcile` takes them through `observe` (what is), `decide` (what to do; pure)
and `act` (all effects). The resource is the queue of record: everything else may be lost at any time.

Not here: anything that reconstructs, and anything that a worker imports.
"""
