"""Jobs under random races and faults, one step at a time: the operator and the workers are real, time and luck are not.

Nothing here waits for real time or depends on it: the same seed makes the same race.

| module | what it stands for |
|---|---|
| `clock` | the time of day and a steady clock, both moved by hand |
| `steps`, `gates` | code that stands still before each thing it does to the world: in a thread, in an event loop |
| `store`, `memory_store`, `api_server` | the resources; in memory, and on a real API server |
| `rules` | what the resource's own rules refuse, for the one in memory |
| `timeline` | every version of a job, and the watch's events about it |
| `servers` | the Redis that all worlds use, one after the other |
| `broker` | Celery's queue, which loses, doubles and delays messages |
| `gated`, `operator` | one life of an operator |
| `gated_redis`, `stepped_task`, `workers` | worker processes |
| `disk`, `real_disk`, `fates` | what a worker computes and publishes, and of what it fails |
| `world` | all of it, and what can happen to it |
| `moves` | how likely each of that is |
| `story`, `checks`, `ends` | what has happened, what must hold at every step, and at the end |
| `settling` | the end of all faults |
| `events`, `race` | two events that meet |
"""
