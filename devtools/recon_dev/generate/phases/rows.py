"""The rows: everything that can happen to a job."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from recon_dev.generate.phases import happenings as h
from recon_dev.generate.phases.situations import Happening


@dataclass(frozen=True, eq=False)
class Row:
    """Something that can happen, in any situation."""

    title: str
    happening: Happening
    spec: Mapping[str, Any] = field(default_factory=dict)
    """What the job says for it (camelCase keys), besides the defaults."""
    arrow: str = ""
    """Its name in the diagram, where it is on the way of most jobs."""


ROWS = (
    Row("the operator sees it", h.looked_at, arrow="seen"),
    Row("it names another controller in `managedBy`", h.looked_at, {"managedBy": "example.com/scheduler"}),
    Row("a worker will be free for it", h.admitted),
    Row("a worker takes the attempt", h.claimed, arrow="taken by a worker"),
    Row("the worker reports progress", h.reported),
    Row("the attempt completes", h.completed, arrow="completed"),
    Row("it fails, and may be tried again", h.failed, arrow="failed"),
    Row("it fails, and `backoffLimit` is reached", h.failed, {"backoffLimit": 0}, arrow="failed for good"),
    Row(
        "it fails, and a rule says `FailJob`",
        h.failed,
        {"failurePolicy": {"rules": [{"action": "FailJob", "onReasons": ["CUDAOutOfMemory"]}]}},
    ),
    Row("it fails by its owner's mistake", h.mistaken),
    Row("its backoff is over", h.backed_off, arrow="backoff over"),
    Row("its worker is lost", h.lost, arrow="worker lost"),
    Row("its worker is lost, and so were 10 before", h.lost_too_often),
    Row("its message is lost", h.message_lost),
    Row("`suspend: true`", h.suspended, arrow="suspended"),
    Row("`suspend: false`", h.resumed, arrow="resumed"),
    Row("a cancellation is requested", h.requested),
    Row("the request is withdrawn", h.withdrawn),
    Row("the request expires", h.expired),
    Row("the request is confirmed", h.confirmed, arrow="cancelled"),
    Row("`kubectl delete`", h.deleted),
    Row("the same, and 5 minutes without Redis", h.deleted_without_redis),
    Row("the attempt has stopped, as told", h.stopped, arrow="stopped as told"),
    Row("it has not stopped within the grace time", h.overstayed),
    Row("`activeDeadlineSeconds` are over", h.ran_too_long, {"activeDeadlineSeconds": h.DEADLINE_S}),
    Row("`preRunningDeadlineSeconds` are over", h.waited_too_long, {"preRunningDeadlineSeconds": h.DEADLINE_S}),
    Row("Redis does not answer", h.redis_gone),
    Row("Redis has lost everything", h.redis_emptied),
    Row("the operator's new version cannot read its spec", h.unreadable),
    Row("somebody writes `phase: Queued`", h.edited),
    Row("the resource is restored from before the latest attempt", h.restored),
)

ENDINGS = {
    "the attempt completes": h.completed,
    "it fails, and may be tried again": h.failed,
    "it fails by its owner's mistake": h.mistaken,
    "its worker is lost": h.lost,
}
"""What can come of an attempt of which something is asked at the same time."""

ORDERS = {
    "`suspend: true`": h.suspended,
    "`activeDeadlineSeconds` are over": h.ran_too_long,
    "the request is confirmed": h.confirmed,
    "`kubectl delete`": h.deleted,
}
"""What ends an attempt from outside."""
