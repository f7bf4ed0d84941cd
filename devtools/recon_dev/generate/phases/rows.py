"""The rows: everything that can happen to a job."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from recon_dev.generate.phases import scenarios
from recon_dev.generate.phases.situations import Scenario


@dataclass(frozen=True, eq=False)
class Row:
    """Something that can happen, in any situation."""

    title: str
    scenario: Scenario
    spec: Mapping[str, Any] = field(default_factory=dict)
    """What the job says for it (camelCase keys), besides the defaults."""
    arrow: str = ""
    """Its name in the diagram, where it is on the way of most jobs."""


ROWS = (
    Row("the operator sees it", scenarios.looked_at, arrow="seen"),
    Row("it names another controller in `managedBy`", scenarios.looked_at, {"managedBy": "example.com/scheduler"}),
    Row("a worker will be free for it", scenarios.admitted),
    Row("a worker takes the attempt", scenarios.claimed, arrow="taken by a worker"),
    Row("the worker reports progress", scenarios.reported),
    Row("the attempt completes", scenarios.completed, arrow="completed"),
    Row("it fails, and may be tried again", scenarios.failed, arrow="failed"),
    Row("it fails, and `backoffLimit` is reached", scenarios.failed, {"backoffLimit": 0}, arrow="failed for good"),
    Row(
        "it fails, and a rule says `FailJob`",
        scenarios.failed,
        {"failurePolicy": {"rules": [{"action": "FailJob", "onReasons": ["CUDAOutOfMemory"]}]}},
    ),
    Row("it fails by its owner's mistake", scenarios.mistaken),
    Row("its backoff is over", scenarios.backed_off, arrow="backoff over"),
    Row("its worker is lost", scenarios.lost, arrow="worker lost"),
    Row("its worker is lost, and so were 10 before", scenarios.lost_too_often),
    Row("its message is lost", scenarios.message_lost),
    Row("`suspend: true`", scenarios.suspended, arrow="suspended"),
    Row("`suspend: false`", scenarios.resumed, arrow="resumed"),
    Row("a cancellation is requested", scenarios.requested),
    Row("the request is withdrawn", scenarios.withdrawn),
    Row("the request expires", scenarios.expired),
    Row("the request is confirmed", scenarios.confirmed, arrow="cancelled"),
    Row("`kubectl delete`", scenarios.deleted),
    Row("the same, and 5 minutes without Redis", scenarios.deleted_without_redis),
    Row("the attempt has stopped, as told", scenarios.stopped, arrow="stopped as told"),
    Row("it has not stopped within the grace time", scenarios.overstayed),
    Row("`activeDeadlineSeconds` are over", scenarios.ran_too_long, {"activeDeadlineSeconds": scenarios.DEADLINE_S}),
    Row(
        "`preRunningDeadlineSeconds` are over",
        scenarios.waited_too_long,
        {"preRunningDeadlineSeconds": scenarios.DEADLINE_S},
    ),
    Row("Redis does not answer", scenarios.redis_gone),
    Row("Redis has lost everything", scenarios.redis_emptied),
    Row("the operator's new version cannot read its spec", scenarios.unreadable),
    Row("somebody writes `phase: Queued`", scenarios.edited),
    Row("the resource is restored from before the latest attempt", scenarios.restored),
    Row("it is restored without its status, where such jobs are held", scenarios.restored_as_held),
)

ENDINGS = {
    "the attempt completes": scenarios.completed,
    "it fails, and may be tried again": scenarios.failed,
    "it fails by its owner's mistake": scenarios.mistaken,
    "its worker is lost": scenarios.lost,
}
"""What can come of an attempt of which something is asked at the same time."""

ORDERS = {
    "`suspend: true`": scenarios.suspended,
    "`activeDeadlineSeconds` are over": scenarios.ran_too_long,
    "the request is confirmed": scenarios.confirmed,
    "`kubectl delete`": scenarios.deleted,
}
"""What ends an attempt from outside."""
