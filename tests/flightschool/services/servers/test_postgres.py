"""PostgreSQL for real, by psycopg."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from flightschool import services
from flightschool.services import StartError, Unavailable
from flightschool.services.servers import postgres as module
from flightschool.services.servers.postgres import PostgreSQL

Learner = Callable[[str], tuple[subprocess.Popen[str], dict[str, Any]]]


@pytest.fixture(scope="module")
def server(state: Path) -> PostgreSQL:
    return services.postgres()


def test_keeps_tables(server: PostgreSQL) -> None:
    with server.connect() as connection:
        connection.execute("CREATE TABLE flights (carrier text, delay int)")
        connection.execute("INSERT INTO flights VALUES ('UA', 3), ('B6', NULL)")
    with server.connect() as connection:
        found = connection.execute("SELECT count(*), count(delay) FROM flights").fetchone()
    assert found == (2, 1)


def test_is_version_18_in_utf8_and_utc(server: PostgreSQL) -> None:
    with server.connect() as connection:
        found = connection.execute(
            "SELECT current_setting('server_version'), current_setting('server_encoding'), current_setting('timezone')"
        ).fetchone()
    assert found is not None
    assert found[0].startswith("18.")
    assert found[1:] == ("UTF8", "UTC")


def test_a_database_is_new_each_time_even_while_somebody_uses_it(server: PostgreSQL) -> None:
    first = psycopg.connect(server.database("lake house"))
    first.execute("CREATE TABLE here ()")
    first.commit()
    with psycopg.connect(server.database("lake house")) as second:
        found = second.execute("SELECT current_database(), to_regclass('here')").fetchone()
    assert found == ("lake house", None)
    first.close()


@pytest.mark.parametrize("password", ["", "postgres"])
def test_lets_nobody_in_without_the_password(server: PostgreSQL, password: str) -> None:
    assert len(server.password) >= 32
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(host="127.0.0.1", port=server.port, user="postgres", password=password)


def test_does_not_run_as_root(server: PostgreSQL) -> None:
    assert server._process is not None
    assert all(process.uids().effective != 0 for process in server._process.tree())


def test_the_guardians_death_takes_it_along(server: PostgreSQL) -> None:
    """Becoming another user must not lose the parent-death signal."""
    with PostgreSQL() as other:
        assert other._process is not None
        tree = other._process.tree()
        other._process._guardian.kill()
        gone, alive = psutil.wait_procs(tree, timeout=60)
        assert not alive
        assert len(gone) > 3
    assert server.running


def test_a_killed_process_leaves_no_server_and_the_next_start_removes_its_folder(learner: Learner) -> None:
    process, told = learner(
        "s = services.postgres()\n"
        "print(json.dumps({'home': str(s.home), 'pids': [p.pid for p in s._process.tree()]}), flush=True)"
    )
    process.kill()
    process.wait()
    end = time.monotonic() + 60
    while any(map(psutil.pid_exists, told["pids"])) and time.monotonic() < end:
        time.sleep(0.02)
    assert not any(map(psutil.pid_exists, told["pids"]))
    assert Path(told["home"]).exists()
    with PostgreSQL() as other:
        assert not Path(told["home"]).exists()
        assert other.home is not None
        assert other.home.exists()


def test_stops_cleanly_with_a_client_inside(server: PostgreSQL, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PostgreSQL, "grace", 60.0)
    with PostgreSQL() as other:
        client = other.connect()
        assert other._process is not None
        tree = other._process.tree()
        begin = time.monotonic()
        other.stop()
        assert not [one for one in tree if one.is_running()]
        assert time.monotonic() - begin < 50
        client.close()


def test_that_dies_is_one_sentence(server: PostgreSQL, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(module.SETTINGS, "shared_buffers", "nonsense")
    with pytest.raises(
        StartError, match=r"PostgreSQL did not start: it ended.*shared_buffers.*nonsense"
    ) as caught:
        PostgreSQL().start()
    assert "\n" not in str(caught.value)


def test_that_is_not_installed(server: PostgreSQL, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DISTRIBUTION", "no_such_wheel_0")
    with pytest.raises(Unavailable, match="PostgreSQL is not installed: run environment/setup"):
        module.programs()
