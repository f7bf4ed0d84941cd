"""The Redis server of the local cluster: Valkey, loopback only, with a password, never evicting a key."""

from recon_dev.binaries import Binaries
from recon_dev.control_plane import LOOPBACK, server_env
from recon_dev.probes import redis_answers
from recon_dev.processes import Component
from recon_dev.state import Settings, StateDir, write_private

BROKER_DB = 0
STATE_DB = 1


def redis_url(settings: Settings, database: int = BROKER_DB) -> str:
    """Return the URL of a database, with the password."""
    return f"redis://:{settings.redis_password}@{LOOPBACK}:{settings.redis_port}/{database}"


def valkey(state: StateDir, settings: Settings, binaries: Binaries) -> Component:
    """Return the server; what it holds survives a restart (append-only file)."""
    configuration = state.redis / "valkey.conf"  # a file, because others can read a process's arguments

    def prepare() -> None:
        lines = (
            f"bind {LOOPBACK}",
            f"port {settings.redis_port}",
            f"requirepass {settings.redis_password}",
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
