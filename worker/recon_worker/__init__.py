"""The worker: takes attempts from Redis, turns photos into a mesh, publishes it.

Two halves that meet in `pipeline`: the inner one (`scene`, `stages`, `models`, `tools`) reconstructs and knows no Redis,
no Celery and no Kubernetes; the outer one (`app`, `task`, `attempt`, `supervisor`) carries attempts to it and results back.
"""
