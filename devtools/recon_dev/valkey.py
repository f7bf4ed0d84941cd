"""The Redis server of the local cluster: Valkey, loopback only, with a password for each program, never evicting a key."""

from recon_dev.binaries import Binaries
from recon_dev.control_plane import server_env
from recon_dev.ports import LOOPBACK
from recon_dev.probes import redis_answers
from recon_dev.processes import Component
from recon_dev.redis_users import OPERATOR, USERS, WORKER, RedisUser
from recon_dev.state import Settings, StateDir, write_private

BROKER_DB = 0
STATE_DB = 1


def redis_url(settings: Settings, database: int = BROKER_DB, user: RedisUser | None = None) -> str:
    """Return the URL of a database, with the password; the administrator's where no user is named."""
    name, password = (user.name, password_of(settings, user)) if user else ("", settings.redis_password)
    return f"redis://{name}:{password}@{LOOPBACK}:{settings.redis_port}/{database}"


def password_of(settings: Settings, user: RedisUser) -> str:
    """Return the password of a program's user."""
    return {OPERATOR: settings.redis_operator_password, WORKER: settings.redis_worker_password}[user]


def valkey(state: StateDir, settings: Settings, binaries: Binaries) -> Component:
    """Return the server; what it holds survives a restart (append-only file)."""
    configuration = state.redis / "valkey.conf"  # a file, because others can read a process's arguments

    def prepare() -> None:
        lines = (
            f"bind {LOOPBACK}",
            f"port {settings.redis_port}",
            f"requirepass {settings.redis_password}",
            *(f"user {user.name} on >{password_of(settings, user)} {user.rules}" for user in USERS),
            f'dir "{state.redis}"',
            "maxmemory-policy noeviction",
            "appendonly yes",
            'save ""',
        )
        write_private(configuration, "\n".join(lines) + "\n")

    return Component(
        name="valkey",
        command=[str(binaries.redis_server), str(configuration)],
        env=server_env(),
        prepare=prepare,
        ready=lambda: redis_answers(redis_url(settings)),
    )
