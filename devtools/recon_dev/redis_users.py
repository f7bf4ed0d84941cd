"""The users that Redis has for operator and worker: each with the keys, channels and commands that its program needs.

The one source of `charts/reconstruction-operator/files/redis-acl.conf`, of the page about it, and of the local server's users.
The tests on a real system look into `ACL LOG` afterwards, so a user that may too little is noticed.
"""

from dataclasses import dataclass, field

from recon_api import keys

ANY = "*"

READ, WRITE, BOTH = "R", "W", "RW"


@dataclass(frozen=True)
class Keys:
    """Some keys, and what may be done to them: `R`, `W` or `RW`."""

    pattern: str
    access: str
    meaning: str


@dataclass(frozen=True)
class RedisUser:
    """What one program may do."""

    name: str
    keys: tuple[Keys, ...]
    channels: tuple[str, ...]
    commands: tuple[str, ...] = field(default=())

    @property
    def rules(self) -> str:
        """The rules in Redis' own notation, without the password. Understood by Redis 7.0 and later, and by Valkey."""
        patterns = [
            f"~{each.pattern}" if each.access == BOTH else f"%{each.access}~{each.pattern}" for each in self.keys
        ]
        channels = [f"&{channel}" for channel in self.channels]
        commands = [f"+{command}" for command in (*CONNECTION, *self.commands)]
        others = [f"-client|{command}" for command in ABOUT_OTHER_CLIENTS]
        return " ".join(["resetkeys", *patterns, "resetchannels", *channels, "-@all", *commands, *others])


CONNECTION = ("hello", "select", "ping", "client")
"""What every client says first, such as CLIENT SETINFO, which Redis 7.0 cannot name in a rule: it does not know it."""

ABOUT_OTHER_CLIENTS = ("kill", "list", "pause", "unpause", "unblock", "no-evict")
"""What CLIENT could do beside that."""

QUEUES = Keys(keys.queue_name(ANY), BOTH, "Celery's queues")
BINDINGS = Keys("_kombu.binding*", BOTH, "which queues an exchange has")
TASK_STATES = "celery-task-meta-*"
PIDBOX_CHANNEL = "/0.celery.pidbox"
"""On which workers are told to revoke a task; the number is the broker's database. Redis wants a pattern that is subscribed to word for word."""

OPERATOR = RedisUser(
    "operator",
    keys=(
        Keys(keys.attempt_key(ANY), BOTH, "which attempt may run"),
        Keys(keys.cancel_request_key(ANY), BOTH, "first step of a cancellation"),
        Keys(keys.cancel_key(ANY), BOTH, "second step"),
        Keys(keys.durations_key(ANY, ANY), BOTH, "how long steps took"),
        Keys(keys.discard_key(ANY), BOTH, "outputs that are to go"),
        Keys("credentials:*", WRITE, "sealed values of Secrets, for one attempt"),
        Keys("claim:*", READ, "who runs an attempt"),
        Keys("lease:*", READ, "that it is alive"),
        Keys("result:*", READ, "how it ended"),
        Keys(keys.discarded_key(ANY), READ, "outputs that are gone"),
        Keys(keys.JOB_FILES_KEY, READ, "jobs that have logs in the storage"),
        Keys(keys.WORKERS_KEY, READ, "names of all workers"),
        Keys(keys.worker_key(ANY), READ, "connected workers"),
        Keys(TASK_STATES, READ, "states of tasks"),
        QUEUES,
        BINDINGS,
    ),
    channels=(keys.STOP_CHANNEL_PATTERN, keys.WORKERS_CHANNEL, keys.PROGRESS_CHANNEL_PATTERN, PIDBOX_CHANNEL),
    commands=(
        *("get", "mget", "set", "del", "smembers", "hscan", "lrange", "lpush", "rpush", "ltrim", "llen", "sadd"),
        *("multi", "exec", "discard", "publish", "subscribe", "psubscribe", "unsubscribe", "punsubscribe"),
    ),
)
"""It writes what is to be, and reads what workers say."""

WORKER = RedisUser(
    "worker",
    keys=(
        Keys("claim:*", BOTH, "who runs an attempt"),
        Keys("lease:*", BOTH, "that it is alive"),
        Keys("result:*", BOTH, "how it ended"),
        Keys(keys.WORKERS_KEY, BOTH, "names of all workers"),
        Keys(keys.worker_key(ANY), BOTH, "connected workers"),
        Keys(keys.discarded_key(ANY), WRITE, "outputs that are gone"),
        Keys(keys.JOB_FILES_KEY, WRITE, "jobs that have logs in the storage"),
        Keys(keys.REFUSED_MESSAGES_KEY, WRITE, "messages that were refused"),
        Keys("credentials:*", BOTH, "sealed values of Secrets, for one attempt"),
        Keys(keys.attempt_key(ANY), READ, "which attempt may run"),
        Keys(keys.cancel_key(ANY), READ, "whether the job is cancelled"),
        Keys(keys.discard_key(ANY), READ, "outputs that are to go"),
        Keys(TASK_STATES, BOTH, "states of tasks"),
        QUEUES,
        BINDINGS,
        Keys("unacked*", BOTH, "messages that are taken and not acknowledged"),
        Keys("reconstruction@*", BOTH, "each worker's own queue of orders"),
        Keys("*.reply.celery.pidbox", WRITE, "answers to an administrator's `celery inspect`"),
    ),
    channels=(keys.STOP_CHANNEL_PATTERN, keys.WORKERS_CHANNEL, keys.PROGRESS_CHANNEL_PATTERN, PIDBOX_CHANNEL),
    commands=(
        *("get", "getdel", "mget", "set", "setex", "del", "exists", "expire", "pexpire", "sadd", "srem", "smembers"),
        *("brpop", "rpop", "lpush", "rpush", "ltrim", "llen", "hset", "hget", "hdel", "zadd", "zrem", "zrange"),
        *("zrevrangebyscore", "zrangebyscore", "watch", "unwatch", "multi", "exec", "discard", "time"),
        *("eval", "evalsha", "script|exists", "script|load"),
        *("publish", "subscribe", "psubscribe", "unsubscribe", "punsubscribe"),
    ),
)
"""It takes messages, and writes how attempts go. It may change nothing that the operator decides."""

USERS = (OPERATOR, WORKER)

ADMINISTRATOR_RULES = "~* &* +@all"
"""Of the user `default`: for health checks and for people."""
