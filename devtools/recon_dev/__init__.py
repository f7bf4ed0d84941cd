"""The embedded quickstart: a Kubernetes control plane, Redis, the operator and workers as processes of this machine.

`recon-dev up` starts them, `recon-dev demo` shows a job from photos to mesh on them, the cluster tests use the same parts.

Not here: anything that an installation uses. No published wheel contains this package.
"""
