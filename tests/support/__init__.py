"""What tests share: the local control plane, Redis, the operator and workers as processes, and builders of jobs."""
