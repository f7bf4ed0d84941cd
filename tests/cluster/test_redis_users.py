"""The users of operator and worker: all that their programs need, and nothing else. On Valkey, and on Redis where there is one.

That the programs can work with them is also seen by every other test on servers: each looks for refusals at its end.
"""

import hashlib
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import redis

from recon_api.status import ConditionType, Phase
from recon_dev.binaries import find_binaries
from recon_dev.generate import redis_users_page
from recon_dev.redis_users import OPERATOR, WORKER
from recon_dev.valkey import valkey
from tests.support.control_plane import ControlPlane
from tests.support.jobs import has_condition, lasting, make_job
from tests.support.ports import free_port
from tests.support.system import Part, System
from tests.support.waiting import wait_for

PASSWORDS = {"default": "of-people", "operator": "of-the-operator", "worker": "of-the-worker"}


def servers() -> list[Path]:
    """Return the servers of this machine: Valkey, and the distribution's Redis where it is installed."""
    installed = shutil.which("redis-server")
    return [find_binaries().redis_server, *([Path(installed)] if installed else [])]


@pytest.fixture(scope="module", params=servers(), ids=lambda path: path.name)
def port(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Port of a server that was given the chart's file."""
    folder, port = tmp_path_factory.mktemp("redis"), free_port()
    text = redis_users_page.render_file()
    for name, password in PASSWORDS.items():
        text = text.replace(redis_users_page.PLACEHOLDERS[name], f"#{hashlib.sha256(password.encode()).hexdigest()}")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    (folder / "users.acl").write_text("\n".join(lines) + "\n")
    command = [str(request.param), "--port", str(port), "--aclfile", str(folder / "users.acl"), "--save", ""]
    process = subprocess.Popen([*command, "--dir", str(folder)], stdout=subprocess.DEVNULL)
    try:
        wait_for("the server answers", lambda: answers(port))
        yield port
    finally:
        process.kill()
        process.wait()


def answers(port: int) -> bool:
    try:
        return bool(client(port, "default").ping())
    except redis.ConnectionError:
        return False


def client(port: int, user: str) -> redis.Redis:
    return redis.Redis(port=port, username=user, password=PASSWORDS[user])


BOTH = ("operator", "worker")


@pytest.mark.parametrize("user", BOTH)
@pytest.mark.parametrize(
    "command",
    [
        *(
            "FLUSHALL",
            "FLUSHDB",
            "KEYS *",
            "SCAN 0",
            "RANDOMKEY",
            "DBSIZE",
            "INFO",
            "MONITOR",
            "SAVE",
            "SHUTDOWN NOSAVE",
        ),
        *(
            "CONFIG GET *",
            "CONFIG SET dir /tmp",
            "ACL LIST",
            "ACL WHOAMI",
            "CLIENT LIST",
            "CLIENT KILL ID 1",
            "CLIENT PAUSE 1",
        ),
        *("MODULE LIST", "REPLICAOF NO ONE", "MIGRATE h 1 k 0 1", "SLOWLOG GET", "SWAPDB 0 1"),
        *("GET secrets", "SET secrets 1", "DEL secrets", "PUBLISH secrets 1", "SUBSCRIBE secrets", "PSUBSCRIBE *"),
        *("SET credentials 1", "LRANGE other 0 -1", "FUNCTION LIST", "FCALL f 0"),
    ],
)
def test_neither_may(port: int, user: str, command: str) -> None:
    with pytest.raises(redis.exceptions.NoPermissionError):
        client(port, user).execute_command(*command.split())  # type: ignore[no-untyped-call]


@pytest.mark.parametrize(
    ("user", "command"),
    [
        pytest.param("worker", "SET attempt:u 2", id="a worker may not say which attempt is to run"),
        pytest.param("worker", "SET cancel:u 1", id="nor cancel a job"),
        pytest.param("worker", "GET cancel_request:u", id="nor know who thinks of it"),
        pytest.param("worker", "DEL cancel:u", id="nor withdraw a cancellation"),
        pytest.param("worker", "SET discard:u 1", id="nor allow that outputs go"),
        pytest.param("worker", "LRANGE durations:m:q 0 -1", id="nor read what is for estimates"),
        pytest.param("operator", "SET claim:u.1 x", id="the operator may not claim an attempt"),
        pytest.param("operator", "SET lease:u.1 x", id="nor say that it is alive"),
        pytest.param("operator", "DEL lease:u.1", id="nor that it is not"),
        pytest.param("operator", "SET result:u.1 x", id="nor how it ended"),
        pytest.param("operator", "SET discarded:u 1", id="nor that outputs are gone"),
        pytest.param("operator", "SADD workers x", id="nor register a worker"),
        pytest.param("operator", "SET worker:x 1", id="nor describe one"),
        pytest.param("operator", "SET celery-task-meta-u.1 x", id="nor invent progress"),
        pytest.param("operator", "EVAL return 0", id="nor run scripts"),
        pytest.param("operator", "RPOP reconstruction.any", id="nor take a message"),
    ],
)
def test_each_may_not_do_the_others_part(port: int, user: str, command: str) -> None:
    with pytest.raises(redis.exceptions.NoPermissionError):
        client(port, user).execute_command(*command.split())  # type: ignore[no-untyped-call]


def test_a_script_may_not_do_more_than_its_caller(port: int) -> None:
    with pytest.raises(redis.exceptions.ResponseError, match=r"(?i)permission|can't access"):
        client(port, "worker").eval("return redis.call('GET', 'cancel_request:u')", 0)


def test_without_a_password_nobody_may_anything(port: int) -> None:
    with pytest.raises(redis.exceptions.AuthenticationError):
        redis.Redis(port=port).ping()


@pytest.mark.parametrize("server", servers(), ids=lambda path: path.name)
def test_a_whole_system_needs_no_more(control_plane: ControlPlane, tmp_path: Path, server: Path) -> None:
    system = System(control_plane, tmp_path / "system")
    binaries = replace(find_binaries(), redis_server=server)
    system.redis = Part(valkey(system.state, system.settings, binaries), system.state)
    try:
        system.start()
        both = {OPERATOR.name, WORKER.name}
        wait_for("both are connected", lambda: both <= {entry["user"] for entry in system.client().client_list()})
        run_jobs_to_every_end(system)
        assert system.refusals() == []
    finally:
        system.stop()


def run_jobs_to_every_end(system: System) -> None:
    system.submit(make_job("whole")).wait_phase(Phase.SUCCEEDED)

    running = system.submit(make_job("running", parameters=lasting(300)))
    running.wait_percentage(1)
    queued = system.submit(make_job("queued"))
    queued.wait_phase(Phase.QUEUED)
    queued.delete()
    queued.wait_gone()
    running.patch(cancellation="Requested")
    running.wait_until("asks", lambda s: has_condition(s, ConditionType.CANCELLATION_REQUESTED))
    running.patch(cancellation="Confirmed")
    running.wait_phase(Phase.CANCELLED)

    stuck = system.submit(make_job("stuck", parameters={"hang": "native"}))
    stuck.wait_phase(Phase.RUNNING)
    stuck.delete()
    stuck.wait_gone()

    system.submit(make_job("removed", ttlSecondsAfterFinished=0, output={"retain": False})).wait_gone()
    wait_for("its outputs are gone", lambda: not (system.outputs / "removed").exists())
