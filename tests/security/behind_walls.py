"""Run one attack behind the walls, beside a grader with things to steal; used by test_sandbox.py, in a process of its own.

Standard input: JSON with `code`, `policy` (fields of Policy), `way`: "warm" (by a Warden, as the engine does), "forked" (enter),
"command" (run), or "bare" (no walls: the control, which shows that an attack would work). Standard output: JSON, how it ended and what was touched.

The code finds in its globals: SECRET, a readable file that is not its own; OUTSIDE, a folder that all may write; PORT and NAME, a TCP
port and an abstract socket of the grader's; PARENT, the grader's process id; FD, a descriptor that the grader left open.
"""

import json
import os
import shutil
import signal
import socket
import sys
import tempfile
import time
import traceback
from dataclasses import asdict
from pathlib import Path
from typing import NoReturn

SOURCE = Path(__file__).resolve().parents[2] / "src"
sys.path.insert(0, str(SOURCE))

from flightschool.engine.sandbox import (  # noqa: E402
    Ending,
    Policy,
    Report,
    Warden,
    enter,
    read_report,
    run,
)

BARE_SECONDS = 10


def main() -> None:
    """One attack."""
    asked = json.load(sys.stdin)
    policy = Policy.of(asked["policy"])
    os.environ["GRADER_TOKEN"] = "TOKEN-IN-ENVIRONMENT"
    outside = Path(tempfile.mkdtemp(prefix="flightschool-outside-"))
    outside.chmod(0o777)
    secret = outside / "judges.py"
    secret.write_text("SECRET-ANSWER\n")
    secret.chmod(0o644)
    touched = []
    signal.signal(signal.SIGTERM, lambda *_: touched.append("signal"))
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.socket(socket.AF_UNIX) as abstract,
        secret.open() as left_open,
    ):
        name = f"flightschool-{os.getpid()}"
        abstract.bind(f"\0{name}")
        abstract.listen()
        os.set_inheritable(left_open.fileno(), True)
        given = {
            "SECRET": str(secret),
            "OUTSIDE": str(outside),
            "PORT": listener.getsockname()[1],
            "NAME": name,
            "PARENT": os.getpid(),
            "FD": left_open.fileno(),
        }
        code = asked["code"]
        if asked["way"] == "command":
            lines = "\n".join(f"{key} = {value!r}" for key, value in given.items())
            result = run([sys.executable, "-c", f"{lines}\n{code}"], policy)
            report = Report(result.ending, result.status, result.seconds, result.peak)
            output = result.stdout + result.stderr
        elif asked["way"] == "warm":
            report, output = warm(code, given, policy)
        else:
            report, output = forked(code, given, policy if asked["way"] == "forked" else None)
        time.sleep(0.05)
        for server in (listener, abstract):
            server.setblocking(False)
            try:
                server.accept()
            except BlockingIOError:
                continue
            touched.append("connection")
    if secret.read_text() != "SECRET-ANSWER\n" or len(list(outside.iterdir())) != 1:
        touched.append("files")
    shutil.rmtree(outside)
    print(
        json.dumps(
            {
                "ending": report.ending,
                "status": report.status,
                "refused": report.refused,
                "seconds": report.seconds,
                "peak": report.peak,
                "output": output.decode(errors="replace")[-20_000:],
                "touched": sorted(set(touched)),
                "alive": alive(code),
            }
        )
    )


def warm(code: str, given: dict, policy: Policy) -> tuple[Report, bytes]:
    """As the engine does it: the report comes last, over the same channel as the output."""

    def begun(channel: socket.socket) -> tuple[dict, str]:
        return json.loads(channel.recv(2**16)), "TOKEN-OF-THE-WATCHER"

    def told(report: Report, token: str) -> bytes:
        return f"\0{json.dumps(asdict(report) | {'token': token})}".encode()

    warden = Warden(begun, told)
    ours, theirs = socket.socketpair()
    ours.send(json.dumps({"policy": policy.plain()}).encode())
    if born := warden.watch(theirs):
        _begin, channel = born
        os.dup2(channel.fileno(), 1)
        os.dup2(channel.fileno(), 2)
        channel.close()
        execute(code, given)
    theirs.close()
    output = b""
    while chunk := ours.recv(65536):
        output = (output + chunk)[-50_000:]
    output, _, last = output.rpartition(b"\0")
    fields = json.loads(last)
    assert fields.pop("token") == "TOKEN-OF-THE-WATCHER"
    return Report(**{**fields, "ending": Ending(fields["ending"])}), output


def execute(code: str, given: dict) -> NoReturn:
    """The attack, in this process."""
    status = 1
    try:
        exec(compile(code, "<attack>", "exec"), dict(given))
        status = 0
    except SystemExit as end:
        status = int(end.code or 0)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(status)


def forked(code: str, given: dict, policy: Policy | None) -> tuple[Report, bytes]:
    """By `enter`, in a fork; without a policy, without walls."""
    answers, theirs = os.pipe()
    report, told = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.dup2(theirs, 1)
            os.dup2(theirs, 2)
            if policy is None:
                os.chdir(tempfile.mkdtemp(dir=given["OUTSIDE"]))
                signal.alarm(BARE_SECONDS)
                signal.signal(signal.SIGTERM, signal.SIG_DFL)
            else:
                enter(policy, report=told)
            execute(code, given)
        finally:
            os._exit(1)
    os.close(theirs)
    os.close(told)
    output = b""
    while chunk := os.read(answers, 65536):
        output = (output + chunk)[-50_000:]
    _pid, status = os.waitpid(child, 0)
    if policy is None:
        return Report(Ending.EXITED, os.waitstatus_to_exitcode(status), 0.0, 0), output
    found = read_report(report)
    assert os.waitstatus_to_exitcode(status) == found.status, (status, found)
    return found, output


def alive(code: str) -> int:
    """How many processes are left that carry the attack's mark, `sleep 4…` with a number of its own."""
    mark = next((word for word in code.replace('"', " ").split() if word.startswith("4711")), None)
    if mark is None:
        return 0
    count = 0
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            count += f"\0{mark}\0".encode() in place.read_bytes() and place.parent.name != str(os.getpid())
        except OSError:
            continue
    return count


if __name__ == "__main__":
    main()
