"""Redis over TLS, known by an authority of its own."""

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from recon_api.payload import Outcome, TaskPayload
from recon_operator.clients.celery_client import CeleryClient
from recon_operator.clients.fence import Fence
from recon_operator.clients.redis_state import RedisState, StateUnavailableError
from recon_operator.settings import OperatorSettings
from tests.support.web import make_certificates
from tests.support.worker_site import WORKER_PASSWORD, Sent, Site, running_site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with running_site(tmp_path) as made:
        yield made


@contextlib.contextmanager
def encrypted(port: int, certificate: Path) -> Iterator[int]:
    """Yield the port of a server that speaks TLS and passes on what it hears to `port`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, args=(listener, context, port), daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def accept(listener: socket.socket, context: ssl.SSLContext, port: int) -> None:
    with contextlib.suppress(OSError):
        while True:
            client, _ = listener.accept()
            threading.Thread(target=asyncio.run, args=(pass_on(client, context, port),), daemon=True).start()


async def pass_on(client: socket.socket, context: ssl.SSLContext, port: int) -> None:
    client.setblocking(False)
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    with contextlib.suppress(OSError):
        transport, _ = await loop.connect_accepted_socket(lambda: protocol, client, ssl=context)
        writer = asyncio.StreamWriter(transport, protocol, reader, loop)
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        ways = [asyncio.ensure_future(pipe(reader, far_writer)), asyncio.ensure_future(pipe(far_reader, writer))]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        writer.close()
        far_writer.close()


async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()


async def test_operator_and_worker_speak_tls(site: Site, tmp_path: Path) -> None:
    ca_file, certificate = make_certificates(tmp_path / "certificates")
    with encrypted(site.port, certificate) as port:
        url = f"rediss://worker:{WORKER_PASSWORD}@localhost:{port}/0"
        site.start_worker(CELERY_BROKER_URL=url, CELERY_RESULT_BACKEND=url, REDIS_CA_FILE=str(ca_file))
        job = Sent(site, "0f5c3a1e-0000-4000-8000-000000000004", 1)

        plain = f"rediss://localhost:{port}/0"
        settings = OperatorSettings(celery_broker_url=plain, celery_result_backend=plain, redis_ca_file=str(ca_file))
        state = RedisState(
            settings.celery_broker_url, settings.celery_result_backend, settings.redis_state_db, 5, Fence.always_open()
        )
        await state.authorise(job.uid, 1)
        assert (await state.read([(job.uid, 1)], ["any"])).jobs[job.uid].authorised == 1
        celery = CeleryClient(settings.celery_broker_url, 5, Fence.always_open())
        payload = TaskPayload(
            job_id=job.uid, model_type="synthetic", namespace="shop", name="chair", attempt=1, parameters={"noop": True}
        )
        await celery.send(payload, "any")
        assert (await asyncio.to_thread(job.wait_result)).outcome is Outcome.COMPLETED
        celery.close()
        await state.close()
        site.workers[0].kill()


async def test_a_server_that_another_authority_vouches_for_is_no_redis_of_ours(site: Site, tmp_path: Path) -> None:
    _, certificate = make_certificates(tmp_path / "certificates")
    other, _ = make_certificates(tmp_path / "others")
    with encrypted(site.port, certificate) as port:
        url = f"rediss://localhost:{port}/0"
        settings = OperatorSettings(celery_broker_url=url, celery_result_backend=url, redis_ca_file=str(other))
        state = RedisState(
            settings.celery_broker_url, settings.celery_result_backend, settings.redis_state_db, 5, Fence.always_open()
        )
        with pytest.raises(StateUnavailableError, match="certificate"):
            await state.authorise("u", 1)
        await state.close()
