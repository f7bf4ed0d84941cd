"""A reserved port goes to no other program, and the server that it is for can listen on it."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from http.server import HTTPServer, SimpleHTTPRequestHandler

import pytest

from recon_dev.ports import LOOPBACK, ReservedPort

MANY = 400
"""Of some 28,000 that the kernel draws from: of twice as many draws, about a dozen would be of the same port."""

DRAW_MANY = (
    f"from recon_dev.ports import ReservedPort; print(*[p.number for p in [ReservedPort() for _ in range({2 * MANY})]])"
)


@pytest.fixture
def reserved() -> Iterator[list[ReservedPort]]:
    """Ports that are reserved during the test."""
    ports = [ReservedPort() for _ in range(MANY)]
    yield ports
    for port in ports:
        port.release()


@pytest.fixture
def server(reserved: list[ReservedPort]) -> Iterator[HTTPServer]:
    """A server that listens on the first of them."""
    with HTTPServer((LOOPBACK, reserved[0].number), SimpleHTTPRequestHandler) as server:
        yield server


def test_another_process_draws_none_of_them(reserved: list[ReservedPort]) -> None:
    drawn = subprocess.run([sys.executable, "-c", DRAW_MANY], capture_output=True, text=True, check=True).stdout.split()
    assert len(drawn) == 2 * MANY
    assert not set(map(int, drawn)) & {port.number for port in reserved}


def test_a_connection_starts_from_none_of_them(reserved: list[ReservedPort], server: HTTPServer) -> None:
    sources = set()
    for _ in range(2 * MANY):
        with socket.create_connection((LOOPBACK, reserved[0].number)) as connection:
            sources.add(connection.getsockname()[1])
            server.socket.accept()[0].close()
    assert not sources & {port.number for port in reserved}


@pytest.mark.usefixtures("server")
def test_a_port_on_which_a_server_listens_is_refused(reserved: list[ReservedPort]) -> None:
    with pytest.raises(OSError, match="in use"):
        ReservedPort(reserved[0].number)
    assert ReservedPort.prefer(reserved[0].number).number != reserved[0].number


def test_a_released_port_can_be_drawn_again(reserved: list[ReservedPort]) -> None:
    reserved[0].release()
    with socket.socket() as other:
        other.bind((LOOPBACK, reserved[0].number))
