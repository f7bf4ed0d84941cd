"""The state folder keeps ports and secrets, and lets nobody else read them."""

import socket
from pathlib import Path

import pytest

from recon_dev.state import StateDir


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    """An empty state folder."""
    state = StateDir(tmp_path / "dev")
    state.make()
    return state


def test_settings_stay_the_same(state: StateDir) -> None:
    assert state.settle() == state.settle()


def test_all_ports_differ(state: StateDir) -> None:
    ports = [value for name, value in state.settle() if name.endswith("_port")]
    assert len(set(ports)) == len(ports)


def test_a_port_that_another_program_took_is_replaced(state: StateDir) -> None:
    before = state.settle()
    state.release_ports()
    with socket.socket() as other:
        other.bind(("127.0.0.1", before.api_server_port))
        other.listen()
        after = state.settle()
    assert after.api_server_port != before.api_server_port
    assert after.redis_port == before.redis_port
    assert after.redis_password == before.redis_password


def test_only_the_owner_may_read_secrets(state: StateDir) -> None:
    state.settle()
    modes = {path.name: path.stat().st_mode & 0o077 for path in (state.settings, state.pki, state.etcd, state.redis)}
    assert set(modes.values()) == {0}, modes
