"""The life of every embedded server, one contract for all: what it opens, tells and hides while it runs, and leaves behind.

What a server is there for is tested in the file of its name.
"""

import re
import stat
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from flightschool.services import Service, Unavailable, registry, state
from flightschool.services.base import LOOPBACK, occupied
from flightschool.services.servers.s3 import DUMMY

SLOW = {"airflow", "mlflow", "spark"}
SECRETS = ("password", "key", "secret")
"""What the classes call that which nobody but the owner may read."""
EMBEDDED = [
    pytest.param(one, id=one.name, marks=[pytest.mark.slow] if one.name in SLOW else [])
    for one in registry.table().values()
    if one.embedded
]


@pytest.fixture(scope="module", params=EMBEDDED)
def server(request: pytest.FixtureRequest) -> Iterator[Service]:
    """Each in its turn, running; skipped in the server's own words where it can't be had."""
    made: Service = request.param.make()
    try:
        made.start()
    except Unavailable as reason:
        pytest.skip(str(reason))
    yield made
    made.stop()


def processes(server: Service) -> list[psutil.Process]:
    """All of its own that run, the guardians apart."""
    tree = [one for supervised in server.supervised() for one in supervised.tree()]
    return [one for one in tree if one.status() != psutil.STATUS_ZOMBIE]


def test_answers_once_it_has_started(server: Service) -> None:
    assert server.running
    assert server.ready()
    assert processes(server)


def test_opens_the_ports_that_were_chosen_on_loopback_and_no_other(server: Service) -> None:
    chosen = {server.port, *server.ports.values()}
    found = server.listening()
    assert {host for host, _port in found} == {LOOPBACK}
    assert {port for _host, port in found} - extra(server) == chosen


def extra(server: Service) -> set[int]:
    """The mock broker chooses one port more itself, and tells it."""
    return {int(server.endpoint.rpartition(":")[2])} if server.name == "kafka" else set()


def test_says_what_and_where_it_is(server: Service) -> None:
    assert repr(server) == f"<{server.label}: {server.endpoint}>"
    assert LOOPBACK in server.endpoint or Path(server.endpoint).exists()
    assert server.log.is_file()
    [record] = [one for one in state.running()[0] if one.name == server.name]
    assert (record.port, record.endpoint, record.alive) == (server.port, server.endpoint, True)


def test_hides_its_secrets(server: Service) -> None:
    """From the log, from a notebook's output, from the list of processes, and on disk from other users."""
    secrets = {getattr(server, name, "") for name in SECRETS} - {"", DUMMY}
    shown = [repr(server), server.log.read_text(errors="replace")]
    shown += [word for process in processes(server) for word in process.cmdline()]
    for secret in secrets:
        assert len(secret) >= 16
        assert not [text for text in shown if secret in text]
    [record] = state.folder().glob(f"{server.name}*")
    assert stat.S_IMODE(record.stat().st_mode) == 0o600


def test_started_again_it_is_the_same(server: Service) -> None:
    before = {process.pid for process in processes(server)}
    assert server.start() is server
    assert before & {process.pid for process in processes(server)}


def test_leaves_no_process_no_port_no_folder_no_record(server: Service) -> None:
    tree, ports = processes(server), {port for _host, port in server.listening()}
    folder = server.folder
    assert ports
    server.stop()
    assert not [one for one in tree if one.is_running()]
    assert not [port for port in ports if occupied(port)]
    assert folder is None or not folder.exists()
    assert not state.noted(server.name)
    assert not server.running
    assert not server.ready()
    server.stop()  # a second time, which harms nothing
    assert re.fullmatch(r"<.+: stopped>", repr(server))
