"""What reaches the operator from outside: kopf's watch of jobs, lists, and notifications from Redis.

Nothing is decided here; each module adds jobs to the work queue or passes them on.
"""
