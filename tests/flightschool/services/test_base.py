"""The contract of every server, on small servers made to misbehave."""

import itertools
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from flightschool import paths
from flightschool.errors import FlightSchoolError
from flightschool.services import StartError, Unavailable, base
from flightschool.services.base import LOOPBACK, PythonService, free_port, occupied, request
from flightschool.services.process import Supervised


class Toy(PythonService):
    """Python's own HTTP server, or any code in its place."""

    name = "toy"
    code = "import sys, http.server as h; h.ThreadingHTTPServer(('127.0.0.1', int(sys.argv[1])), h.SimpleHTTPRequestHandler).serve_forever()"

    @property
    def label(self) -> str:
        return "Toy"

    def command(self, port: int) -> Sequence[str]:
        return self.python("-c", self.code, str(port))

    def answers(self) -> bool:
        return request(self.port)[0] == 200


def test_starts_answers_and_stops() -> None:
    with Toy() as toy:
        assert request(toy.port)[0] == 200
        assert toy.listening() == {(LOOPBACK, toy.port)}
        assert toy.endpoint == f"http://127.0.0.1:{toy.port}"
        assert toy.log.is_file()
    assert not toy.running
    assert not occupied(toy.port)
    toy.stop()


def test_stop_does_not_wait_for_the_grace() -> None:
    toy = Toy()
    toy.grace = 60.0  # type: ignore[misc]
    toy.start()
    begin = time.monotonic()
    toy.stop()
    assert time.monotonic() - begin < 50


def test_a_program_that_ignores_the_signal_is_killed_after_the_grace(tmp_path: Path) -> None:
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
    process = Supervised([sys.executable, "-c", code], log=tmp_path / "log", grace=0.5)
    while "up" not in process.tail():
        time.sleep(0.02)
    (child,) = process.tree()
    begin = time.monotonic()
    process.stop()
    assert time.monotonic() - begin > 0.4
    assert not child.is_running()


def test_missing_program() -> None:
    class Missing(Toy):
        def command(self, port: int) -> Sequence[str]:
            return ["no-such-server-0"]

    with pytest.raises(Unavailable) as caught:
        Missing().start()
    assert "no-such-server-0: No such file or directory" in str(caught.value)


def test_a_server_that_dies_gives_one_sentence_with_the_logs_end() -> None:
    class Dying(Toy):
        code = "import sys; print('reading settings'); sys.exit('settings: line 3 is not valid')"

    with pytest.raises(StartError) as caught:
        Dying().start()
    message = str(caught.value)
    assert "ended with status 1" in message
    assert message.endswith("reading settings | settings: line 3 is not valid")
    assert "\n" not in message
    assert str(paths.STATE) in message


def test_the_tail_is_of_this_start_only() -> None:
    class Dying(Toy):
        code = "import sys; sys.exit('first')"

    with pytest.raises(StartError):
        Dying().start()
    Dying.code = "import sys; sys.exit('second')"
    with pytest.raises(StartError) as caught:
        Dying().start()
    assert "second" in str(caught.value)
    assert "first" not in str(caught.value)


def test_a_server_that_never_answers_is_stopped() -> None:
    class Mute(Toy):
        timeout = 0.5
        code = "import time; print('thinking', flush=True); time.sleep(60)"

    mute = Mute()
    with pytest.raises(StartError, match=r"did not answer within 0 s|within 1 s|thinking"):
        mute.start()
    assert not mute.running


def test_a_server_that_listens_beyond_this_machine_is_refused() -> None:
    class Open(Toy):
        code = Toy.code.replace("127.0.0.1", "0.0.0.0")

    server = Open()
    with pytest.raises(StartError, match=r"listens beyond this machine, on 0\.0\.0\.0"):
        server.start()
    assert not occupied(server.port)


def test_an_address_of_ipv4_in_ipv6_is_known_as_this_machines() -> None:
    class Mapped(Toy):
        code = (
            "import socket, sys, http.server as h\n"
            "class S(h.ThreadingHTTPServer): address_family = socket.AF_INET6\n"
            "S(('::ffff:127.0.0.1', int(sys.argv[1])), h.SimpleHTTPRequestHandler).serve_forever()"
        )

    if not socket.has_dualstack_ipv6():
        pytest.skip("this machine has no IPv6")
    with Mapped() as server:
        assert server.listening() == {("::ffff:127.0.0.1", server.port)}


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "::ffff:10.0.0.1", "10.0.0.1", "fe80::1"])
def test_other_addresses_are_not_this_machines_alone(host: str) -> None:
    assert not base.loopback(host)


def test_an_answer_of_another_shape_is_no_answer() -> None:
    class Odd(Toy):
        def answers(self) -> bool:
            return bool({}["bootstrap"])

    assert not Odd().ready()


def test_one_of_others_that_has_gone_is_started_as_ours() -> None:
    with Toy() as other:
        toy = Toy().at("localhost", other.port, {}, by="somebody")
        assert toy.start().port == other.port
        toy.stop()
        assert other.running
    with toy:
        assert (LOOPBACK, toy.port) in toy.listening()
        assert "somebody" not in repr(toy)


def test_a_taken_port_is_left_and_another_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    with Toy() as other:
        ports = itertools.chain([other.port], iter(free_port, None))
        monkeypatch.setattr(base, "free_port", lambda: next(ports))
        # `other` would answer the request as well: whose answer it is must be looked at.
        with Toy() as toy:
            assert toy.port != other.port
            assert (LOOPBACK, toy.port) in toy.listening()


def test_a_port_that_is_always_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    with Toy() as other:
        monkeypatch.setattr(base, "free_port", lambda: other.port)
        with pytest.raises(StartError, match="port was taken"):
            Toy().start()


def test_ctrl_c_during_start_leaves_nothing() -> None:
    class Slow(Toy):
        code = "import time; time.sleep(60)"

    slow = Slow()
    timer = threading.Timer(0.4, os.kill, [os.getpid(), signal.SIGINT])
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        slow.start()
    assert not slow.running
    assert slow._process is not None
    assert slow._process.tree() == []


def test_ctrl_c_in_the_moment_of_launch_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Supervised] = []

    def interrupted(*arguments: object, **options: object) -> Supervised:
        made.append(Supervised(*arguments, **options))  # type: ignore[arg-type]
        signal.raise_signal(signal.SIGINT)
        return made[-1]

    monkeypatch.setattr(base, "Supervised", interrupted)
    toy = Toy()
    with pytest.raises(KeyboardInterrupt):
        toy.start()
    assert made[0].poll() is not None
    assert not toy.running


def test_several_start_at_once() -> None:
    first, second = Toy(), Toy()
    first.launch()
    second.launch()
    first.wait()
    second.wait()
    assert first.port != second.port
    base.stop_all()
    assert not first.running
    assert not second.running


def test_threads_that_ask_at_once_share_one() -> None:
    found: list[Toy] = []
    threads = [threading.Thread(target=lambda: found.append(base.shared("toy", Toy))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(one) for one in found}) == 1
    assert len(found) == 4


def test_one_that_died_is_started_again() -> None:
    first = base.shared("toy", Toy)
    assert first._process is not None
    for process in first._process.tree():
        process.kill()
    while first.running:
        time.sleep(0.02)
    second = base.shared("toy", Toy)
    assert second is not first
    assert request(second.port)[0] == 200


def test_unwritable_state_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(paths, "STATE", tmp_path / "file" / "state")
    with pytest.raises(FlightSchoolError, match="FLIGHTSCHOOL_STATE"):
        Toy().start()


def test_a_working_folder_full_of_traps_does_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("json", "random", "psutil", "http", "signal"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('shadowed')")
    monkeypatch.chdir(tmp_path)
    with Toy() as toy:
        assert toy.running


def test_import_is_fast() -> None:
    """The room is imported by every lab: none of what takes long to import may come with it."""
    code = (
        "import sys; import flightschool.services; "
        "print({'boto3', 'confluent_kafka', 'psutil', 'moto', 'uvicorn', 'pandas'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
