"""Every wall of the sandbox, attacked for real: as root, as an ordinary user, forked and as a command.

An attack prints HELD where it was stopped, LEAKED where it got through, so that one which did not run does not pass.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from flightschool.engine.sandbox import (
    Ending,
    Network,
    NoSandbox,
    Policy,
    Support,
    available,
    cgroup,
    environment,
    run,
)
from flightschool.errors import FlightSchoolError

pytestmark = pytest.mark.skipif(
    bool(available().walls), reason=f"no walls on this machine: {available().walls}"
)

DRIVER = Path(__file__).with_name("behind_walls.py")
MIB = 2**20
NOBODY = 65534


def ordinary() -> tuple[list[str], str]:
    """How to become an ordinary user, and a Python that one can start; or why not."""
    if os.geteuid() != 0:
        return [], "this is an ordinary user already: the other half covers it"
    if shutil.which("setpriv") is None:
        return [], "setpriv is not installed (Debian: util-linux)"
    become = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    for python in (sys.executable, "/usr/bin/python3"):
        # by a shell: setpriv itself still has root's way through closed folders
        asked = [
            *become,
            "sh",
            "-c",
            'exec "$0" -c "import sys; sys.exit(sys.version_info < (3, 11))"',
            python,
        ]
        if subprocess.run(asked, cwd="/", capture_output=True, check=False).returncode == 0:
            break
    else:
        return [], "no Python that an ordinary user can start"
    if subprocess.run([*become, "test", "-r", DRIVER], cwd="/", check=False).returncode:
        return [], "this checkout can't be read by an ordinary user"
    return [*become, python], ""


@pytest.fixture(
    params=["own", "ordinary"], ids=["as root" if os.geteuid() == 0 else "as this user", "ordinary"]
)
def python(request: pytest.FixtureRequest) -> list[str]:
    """The command of a Python, as the user at hand and as an ordinary one."""
    if request.param == "own":
        return [sys.executable]
    command, why = ordinary()
    if not command:
        pytest.skip(why)
    return command


@pytest.fixture(params=["warm", "forked"])
def way(request: pytest.FixtureRequest) -> str:
    """The two ways to watch over what was forked, for what depends on that."""
    return str(request.param)


def attack(python: list[str], code: str, way: str = "warm", **policy: Any) -> dict[str, Any]:
    """Run the attack, give back how it ended."""
    readable = [os.fspath(path) for path in environment()] if python == [sys.executable] else []
    asked = {"code": code, "way": way, "policy": {"readable": readable, "wall": 20.0, **policy}}
    done = subprocess.run(
        [*python, DRIVER],
        input=json.dumps(asked),
        cwd="/",
        env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert not found["refused"], found
    return found


def tries(body: str) -> str:
    """Code that prints LEAKED and what it got when the body's `got` is true, HELD when not, or when it is refused."""
    indented = "\n".join(f"    {line}" for line in body.strip().splitlines())
    return (
        "import ctypes, errno, mmap, os, signal, socket, subprocess, time\n"
        "libc = ctypes.CDLL(None, use_errno=True)\n"
        f"got = None\ntry:\n{indented}\nexcept (OSError, ValueError, subprocess.SubprocessError) as error:\n"
        "    print('refused:', error)\n"
        "print('LEAKED' if got else 'HELD', got, flush=True)\n"
    )


STEALING = {
    "read a judge's file": "got = open(SECRET).read()",
    "list the folder of another submission": "got = os.listdir(OUTSIDE)",
    "read through a symlink in the writable folder": "os.symlink(SECRET, 'link')\ngot = open('link').read()",
    "read through a hard link": "os.link(SECRET, 'link')\ngot = open('link').read()",
    "read what is above the root": "got = open('/../..' + SECRET).read()",
    "read through init's root": "got = open('/proc/1/root' + SECRET).read()",
    "read through init's working folder": "got = os.path.exists('/proc/1/cwd/../..' + SECRET)",
    "read through the parent's root": "got = open(f'/proc/{PARENT}/root' + SECRET).read()",
    "read the grader's environment": "got = open(f'/proc/{PARENT}/environ').read()",
    "read the grader's command line": "got = 'behind_walls' in open(f'/proc/{PARENT}/cmdline').read()",
    "open the grader's memory": "got = open(f'/proc/{PARENT}/mem', 'rb')",
    "read a descriptor left open": "os.lseek(FD, 0, 0)\ngot = os.read(FD, 100)",
    "find a token in its own environment": "got = os.environ.get('GRADER_TOKEN')",
    "connect to the grader's port": "got = socket.create_connection(('127.0.0.1', PORT), 2)",
    "connect to the grader's abstract socket": (
        "one = socket.socket(socket.AF_UNIX)\none.connect('\\0' + NAME)\ngot = one"
    ),
    "write outside": "open(OUTSIDE + '/mine', 'w').write('x')\ngot = 'written'",
    "overwrite what is readable to all": "open(SECRET, 'a').write('x')\ngot = 'written'",
    "send the grader a signal": "os.kill(PARENT, signal.SIGTERM)\ngot = 'sent'",
    "see the grader among the processes": "got = os.path.exists(f'/proc/{PARENT}/comm')",
    "name the machine": f"got = os.uname().nodename == {os.uname().nodename!r}",
    "see the network's interfaces": "got = [name for _, name in socket.if_nameindex() if name != 'lo']",
}
"""These get through where there are no walls: that is tried, too."""
NOT_EVERYWHERE = {
    "see the network's interfaces",  # there may be none
    "read through init's root",  # where the tests run in a container, or not as root, it is another's
    "read through init's working folder",
}


@pytest.mark.parametrize("body", [pytest.param(body, id=name) for name, body in STEALING.items()])
def test_nothing_of_the_grader_is_in_reach(python: list[str], body: str) -> None:
    found = attack(python, tries(body))
    assert "HELD" in found["output"]
    assert "LEAKED" not in found["output"]
    assert found["ending"] == Ending.EXITED
    assert found["touched"] == []


def test_without_walls_the_same_attacks_succeed() -> None:
    """The control: an attack that fails anyway would prove nothing."""
    outcomes = {}
    for name, body in STEALING.items():
        if name not in NOT_EVERYWHERE:
            found = attack([sys.executable], tries(body), way="bare")
            outcomes[name] = "LEAKED" in found["output"]
    assert [name for name, leaked in outcomes.items() if not leaked] == []


RIGHTS = {
    "read /etc/shadow": "got = open('/etc/shadow').read()",
    "write into the system": "open('/usr/bin/mine', 'w')\ngot = 'written'",
    "write into the root": "open('/mine', 'w')\ngot = 'written'",
    "write into /etc": "open('/etc/passwd', 'a').write('x')\ngot = 'written'",
    "write into the environment": "import sys\nopen(sys.executable + 'x', 'w')\ngot = 'written'",
    "change the kernel's settings": (
        "file = os.open('/proc/sys/kernel/hostname', os.O_WRONLY)\ngot = os.write(file, b'x')"
    ),
    "hide from the out-of-memory killer": (
        "file = os.open('/proc/self/oom_score_adj', os.O_WRONLY)\ngot = os.write(file, b'-1000')"
    ),
    "see the machine's users": "got = len(open('/etc/passwd').readlines()) > 1",
    "see /sys": "got = os.listdir('/sys')",
    "see the disks": "got = [x for x in os.listdir('/dev') if x[:2] in ('vd', 'sd') or x in ('mem', 'kmsg')]",
    "be root": "os.setuid(0)\ngot = 'root'",
    "be root in a group": "os.setgroups([0])\ngot = 'root'",
    "have a capability": (
        "got = [x for x in open('/proc/self/status') if x.startswith('Cap') and x.split()[1].strip('0')]"
    ),
    "gain new privileges": "got = 'NoNewPrivs:\\t1' not in open('/proc/self/status').read()",
    "run a setuid program": (
        "got = [x for x in open('/proc/mounts') if x.split()[1] != '/proc' and 'nosuid' not in x]"
    ),
    "make a device": "os.mknod('disk', 0o60666, os.makedev(254, 0))\ngot = 'made'",
    "raise a limit": (
        "import resource\nresource.setrlimit(resource.RLIMIT_NPROC, (10**5, 10**5))\ngot = 'raised'"
    ),
    "go where root's folder was": "got = os.listdir('/old_root') or os.listdir('/mnt')",
    "take the pseudoterminal's input": "import fcntl\nfcntl.ioctl(1, 0x5412, b'x')\ngot = 'typed'",
    "reach the internet": "got = socket.create_connection(('1.1.1.1', 53), 2)",
    "ask a name server": "got = socket.getaddrinfo('example.org', 80)",
    "talk to the hypervisor": "got = socket.socket(40, socket.SOCK_STREAM)",
    "open a raw socket": "got = socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)",
    "use the kernel's cryptography": "got = socket.socket(38, socket.SOCK_SEQPACKET)",
    "new namespaces by fork": "got = libc.syscall(56, 0x10000000 | 17, 0, 0, 0, 0) > -1 and 'made'",
    "foreign system calls": (
        "got = libc.syscall(ctypes.c_long(0x40000000 + 39)) > -1 and 'x32'"
        if os.uname().machine == "x86_64"
        else "got = None"
    ),
    "climb through a folder kept open": "got = [x for x in os.listdir('/proc/self/fd') if int(x) > 3]",
    "read input": "got = os.read(0, 1)",
}


@pytest.mark.parametrize("body", [pytest.param(body, id=name) for name, body in RIGHTS.items()])
def test_rights_are_gone(python: list[str], body: str) -> None:
    found = attack(python, tries(body))
    assert "HELD" in found["output"]
    assert "LEAKED" not in found["output"]
    assert found["touched"] == []


def test_what_forked_itself_has_the_same_walls(python: list[str]) -> None:
    """All the attacks in one run, by `enter`."""
    first = "climb through a folder kept open"  # later attacks open descriptors of their own
    bodies = {first: RIGHTS[first], **STEALING, **RIGHTS}
    code = "".join(f"print({name!r}, end=': ')\n{tries(body)}" for name, body in bodies.items())
    found = attack(python, code, way="forked")
    lines = [line for line in found["output"].splitlines() if "refused:" not in line]
    assert [line for line in lines if "LEAKED" in line] == []
    assert found["output"].count("HELD") == len(bodies)
    assert found["touched"] == []


def test_denied_system_calls_fail_and_cannot_be_undone(python: list[str]) -> None:
    from flightschool.engine.sandbox import syscall_filter

    calls = syscall_filter.denied(counted=True)
    code = f"""
import ctypes, errno
libc = ctypes.CDLL(None, use_errno=True)
open_calls = []
for name, number in {calls!r}.items():
    libc.syscall(ctypes.c_long(number), *[ctypes.c_long(0)] * 6)
    if ctypes.get_errno() != errno.EPERM:
        open_calls.append(name)
libc.syscall(ctypes.c_long(435), 0, 0)
print(open_calls, ctypes.get_errno() == errno.ENOSYS, flush=True)
"""
    assert {"ptrace", "process_vm_readv", "bpf", "keyctl", "mount", "unshare", "userfaultfd"} < set(calls)
    assert attack(python, code)["output"] == "[] True\n"


def test_a_foreign_entry_into_the_kernel_kills(python: list[str]) -> None:
    """32-bit system calls have other numbers: whoever makes one is ended."""
    if os.uname().machine != "x86_64":
        pytest.skip("int 0x80 is x86's")
    code = """
import ctypes, mmap
page = mmap.mmap(-1, 4096, prot=7)
page.write(bytes.fromhex('b814000000cd80c3'))  # mov eax, 20 (getpid); int 0x80; ret
print(ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))(), 'LEAKED', flush=True)
"""
    found = attack(python, code)
    assert "LEAKED" not in found["output"]
    assert found["ending"] == Ending.KILLED


def test_limits_of_processes_hold(python: list[str], way: str) -> None:
    found = attack(
        python,
        """
import os, time
made = 0
try:
    while made < 500:
        if os.fork() == 0:
            time.sleep(30); os._exit(0)
        made += 1
except OSError as error:
    print('HELD', made, error, flush=True)
""",
        way,
        processes=20,
    )
    assert "HELD 19" in found["output"]
    assert found["ending"] == Ending.EXITED


def test_a_fork_bomb_ends_with_the_clock(python: list[str], way: str) -> None:
    found = attack(
        python,
        "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass",
        way,
        processes=20,
        wall=1.0,
    )
    assert found["ending"] == Ending.TIMED_OUT
    assert found["seconds"] < 10


def test_a_process_cannot_have_more_memory(python: list[str], way: str) -> None:
    code = "try: x = bytearray(300 * 2**20)\nexcept MemoryError: print('HELD', flush=True)"
    assert "HELD" in attack(python, code, way, memory=100 * MIB)["output"]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(
            "import mmap\nx = mmap.mmap(-1, 2**31)\nfor i in range(0, 2**31, 4096): x[i] = 1", id="shared"
        ),
        pytest.param(
            "import os, time\nfor i in range(12):\n    if os.fork() == 0: break\n"
            "x = bytearray(80 * 2**20)\nfor i in range(0, len(x), 4096): x[i] = 1\ntime.sleep(10)",
            id="many",
        ),
    ],
)
def test_a_tree_cannot_have_more_memory(python: list[str], way: str, body: str) -> None:
    found = attack(python, body, way, memory=100 * MIB, writable=100 * MIB)
    assert found["ending"] == Ending.OUT_OF_MEMORY
    assert found["seconds"] < 10


def test_the_disk_cannot_be_filled(python: list[str]) -> None:
    code = """
import os
total = 0
for place in ('.', '/tmp', '/dev/shm', '/var/tmp'):
    try:
        for n in range(100):
            with open(f'{place}/{n}', 'wb', 0) as file:
                for _ in range(4): total += file.write(bytes(2**20))
    except OSError as error:
        print('HELD', error.errno)
print(total <= 16 * 2**20, total > 12 * 2**20, flush=True)
"""
    found = attack(python, code, writable=16 * MIB)
    assert found["output"].count("HELD 28") == 4  # no space left
    assert "True True" in found["output"]


def test_files_cannot_be_without_end_or_number(python: list[str]) -> None:
    code = """
import os
try:
    os.truncate(os.open('big', os.O_CREAT | os.O_RDWR), 2 * 2**30)
except OSError as error: print('HELD', error.errno)
try:
    for n in range(200_000): open(f'/tmp/{n}', 'w').close()
except OSError as error: print('HELD', error.errno, flush=True)
"""
    found = attack(python, code)
    assert "HELD 27" in found["output"]  # too large
    assert "HELD 28" in found["output"]


def test_open_files_are_bounded(python: list[str]) -> None:
    code = "kept = []\ntry:\n    while True: kept.append(open('/dev/null'))\nexcept OSError as error: print('HELD', len(kept), error.errno)"
    found = attack(python, code, open_files=64)
    assert "HELD 61 24" in found["output"]


@pytest.mark.parametrize(
    "body",
    ["while True: pass", "import signal\nsignal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True: pass"],
)
def test_cpu_time_is_bounded(python: list[str], way: str, body: str) -> None:
    found = attack(python, body, way, cpu=1)
    assert found["ending"] == Ending.TIMED_OUT
    assert found["status"] > 128


def test_waiting_without_end_is_bounded_even_where_signals_are_ignored(python: list[str], way: str) -> None:
    code = "import signal, time\nfor n in range(1, 65):\n    try: signal.signal(n, signal.SIG_IGN)\n    except (OSError, ValueError): pass\ntime.sleep(60)"
    found = attack(python, code, way, wall=0.5)
    assert found["ending"] == Ending.TIMED_OUT
    assert found["seconds"] < 5


def test_no_daemon_is_left_behind(python: list[str], way: str) -> None:
    code = """
import os
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execlp("sleep", "sleep", "471142")
    os._exit(0)
os.wait()
import time; time.sleep(0.2)
"""
    found = attack(python, code, way)
    assert found["ending"] == Ending.EXITED
    assert found["alive"] == 0


def test_the_dead_are_buried(python: list[str], way: str) -> None:
    """Orphans that have ended don't count any more."""
    code = """
import os
for n in range(60):
    child = os.fork()
    if child == 0:
        if os.fork() == 0: os._exit(0)
        os._exit(0)
    os.waitpid(child, 0)
print('HELD', flush=True)
"""
    assert "HELD" in attack(python, code, way, processes=10)["output"]


def test_a_signal_to_all_reaches_none_of_ours(python: list[str], way: str) -> None:
    code = """
import os
for target, number in ((-1, 15), (1, 9), (-1, 9), (0, 0)):
    try: os.kill(target, number)
    except ProcessLookupError: print('none')
print('HELD', flush=True)
"""
    found = attack(python, code, way)
    assert "HELD" in found["output"]
    assert found["touched"] == []


def test_ending_by_a_signal_is_told(python: list[str], way: str) -> None:
    found = attack(python, "import os\nos.kill(os.getpid(), 11)", way)
    assert (found["ending"], found["status"]) == (Ending.KILLED, 139)


def test_an_exit_status_comes_through(python: list[str], way: str) -> None:
    found = attack(python, "import os\nos._exit(7)", way)
    assert (found["ending"], found["status"]) == (Ending.EXITED, 7)


def test_ordinary_work_goes_on(python: list[str]) -> None:
    """What a notebook does: threads, subprocesses, files, a server of its own, a pseudoterminal, the user's name."""
    code = """
import getpass, os, pty, socket, subprocess, tempfile, threading
server = socket.create_server(('127.0.0.1', 0))
def serve():
    one, _ = server.accept(); one.sendall(b'hello'); one.close()
thread = threading.Thread(target=serve); thread.start()
print(socket.create_connection(('localhost', server.getsockname()[1])).recv(5))
thread.join()
print(subprocess.run('echo $HOME; pwd', shell=True, capture_output=True, text=True).stdout.split())
with tempfile.NamedTemporaryFile() as file: file.write(b'x')
open('mine', 'w').write('x'); print(os.listdir())
print(getpass.getuser(), os.path.expanduser('~'), len(pty.openpty()), open('/dev/urandom', 'rb').read(1) != b'', flush=True)
"""
    assert attack(python, code)["output"].splitlines() == [
        "b'hello'",
        "['/home/learner', '/home/learner']",
        "['mine']",
        "learner /home/learner 2 True",
    ]


def test_java_starts(python: list[str]) -> None:
    """It reserves much more memory than it uses."""
    if shutil.which("java") is None:
        pytest.skip("java is not installed")
    code = "import subprocess\nprint(subprocess.run(['java', '-Xmx512m', '-version']).returncode, flush=True)"
    found = attack(python, code, memory=2048 * MIB, processes=512)
    assert found["output"].endswith("\n0\n"), found


def test_there_need_not_be_a_network(python: list[str]) -> None:
    code = tries(
        "server = socket.create_server(('127.0.0.1', 0))\ngot = socket.create_connection(server.getsockname(), 2)"
    )
    assert "HELD" in attack(python, code, network="none")["output"]
    assert "LEAKED" in attack(python, code, network="loopback")["output"]


@pytest.mark.parametrize(
    "name",
    [
        "read a judge's file",
        "read the grader's environment",
        "connect to the grader's port",
        "read a descriptor left open",
    ],
)
def test_a_command_has_the_same_walls(python: list[str], name: str) -> None:
    found = attack(python, tries(STEALING[name]), way="command")
    assert "HELD" in found["output"]
    assert "LEAKED" not in found["output"]
    assert found["touched"] == []


def test_the_initial_environment_is_overwritten(python: list[str]) -> None:
    """Not the environment as it is, but the strings that exec put on the stack."""
    code = "text = open('/proc/self/environ', 'rb').read()\nprint(b'PYTHONDONTWRITEBYTECODE' in text, text.strip(b'\\0'), flush=True)"
    assert attack(python, code)["output"] == "False b''\n"


def test_a_program_started_inside_is_handed_the_few_variables_only(python: list[str]) -> None:
    code = "import os\nos.execv('/usr/bin/cat', ['cat', '/proc/self/environ'])"
    names = [entry.partition("=")[0] for entry in attack(python, code)["output"].split("\0")]
    assert sorted(names) == ["", "HOME", "LANG", "LOGNAME", "PATH", "TMPDIR", "TZ", "USER"]


def test_only_named_descriptors_stay_open_and_no_folder() -> None:
    code = """
import os, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from flightschool.engine.sandbox import Policy, enter, read_report
def told(keep):
    report, write = os.pipe()
    if os.fork() == 0:
        enter(Policy(readable=()), keep=keep, report=write)
        os._exit(sum(1 for n in range(3, 200) if os.path.exists(f'/proc/self/fd/{n}')))
    os.close(write); os.wait()
    return read_report(report)
folder = os.open('/', os.O_RDONLY)
a, b = os.pipe()
print(told((1, a, b)).status, told(()).status, 'folder' in told((folder,)).refused)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, DRIVER.parents[2] / "src"], capture_output=True, text=True, check=True
    )
    assert done.stdout == "2 0 True\n"


def test_the_caller_s_death_ends_all(tmp_path: Path) -> None:
    """A grader killed by SIGKILL leaves nothing running."""
    import time

    code = """
import os, sys
sys.path.insert(0, sys.argv[1])
from flightschool.engine.sandbox import Policy, enter
if os.fork() == 0:
    enter(Policy(readable=()))
    os.execlp("sleep", "sleep", "471143")
import time; time.sleep(60)
"""

    def running() -> bool:
        for place in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                if place.read_bytes() == b"sleep\x00471143\0":
                    return True
            except OSError:
                continue
        return False

    def within(seconds: float, wanted: bool) -> bool:
        end = time.monotonic() + seconds
        while running() is not wanted and time.monotonic() < end:
            time.sleep(0.02)
        return running() is wanted

    with subprocess.Popen([sys.executable, "-c", code, DRIVER.parents[2] / "src"]) as grader:
        assert within(10, True)
        grader.kill()
    assert within(5, False)


def left_groups() -> list[Path]:
    """Control groups whose maker has ended."""
    groups = Path("/sys/fs/cgroup").glob(f"**/{cgroup.PREFIX}*/")
    return [one for one in groups if not Path("/proc", cgroup.maker(one)).exists()]


def test_no_control_group_is_left(python: list[str]) -> None:
    before = left_groups()
    attack(python, "pass")
    assert set(left_groups()) <= set(before)


def test_a_killed_makers_control_group_is_swept() -> None:
    where = cgroup.places()
    if where is None:
        pytest.skip("no control group can be made here")
    child = os.fork()
    if child == 0:
        cgroup.Group(where, 2**30, 64)
        os._exit(0)
    os.waitpid(child, 0)
    assert [one for one in left_groups() if cgroup.maker(one) == str(child)]
    cgroup.sweep(where)
    assert [one for one in left_groups() if cgroup.maker(one) == str(child)] == []


def test_output_is_bounded() -> None:
    done = run(["sh", "-c", "head -c 3000000 /dev/zero; echo hello >&2"], Policy(output=1000))
    assert (len(done.stdout), done.stderr, done.truncated) == (1000, b"hello\n", True)


def test_a_command_that_is_not_there_is_told() -> None:
    done = run(["no-such-command"], Policy())
    assert (done.ending, done.status, done.stderr) == (
        Ending.EXITED,
        127,
        b"no-such-command: No such file or directory\n",
    )


def test_the_course_s_python_runs_inside() -> None:
    done = run(["python", "-c", "import pandas, pyarrow; print(pandas.Series([1, 2]).sum())"], Policy())
    assert (done.stdout, done.status) == (b"3\n", 0), done.stderr


def test_a_named_path_can_be_read_and_not_written(tmp_path: Path) -> None:
    given = tmp_path / "given"
    given.mkdir()
    (given / "data.csv").write_text("1,2\n")
    (tmp_path / "judges.py").write_text("hidden")
    tmp_path.chmod(0o755)
    (given / "out").symlink_to(tmp_path / "judges.py")
    done = run(
        ["sh", "-c", f"cat {given}/data.csv; ls {tmp_path}; cat {given}/out; echo x > {given}/new"],
        Policy(readable=(given,)),
    )
    assert done.stdout == b"1,2\ngiven\n"
    assert done.stderr.count(b"\n") == 2
    assert not (given / "new").exists()


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"memory": 0}, "memory"),
        ({"wall": -1.0}, "wall"),
        ({"readable": (Path("/"),)}, "absolute"),
        ({"readable": (Path("labs"),)}, "absolute"),
        ({"readable": (Path("/usr/../etc"),)}, "absolute"),
    ],
)
def test_what_is_no_limit_is_refused(fields: dict[str, Any], word: str) -> None:
    with pytest.raises(FlightSchoolError, match=word):
        Policy(**fields)


def test_a_policy_survives_the_way_to_another_process() -> None:
    policy = Policy(memory=7 * MIB, network=Network.NONE, environment=(("A", "b"),))
    assert Policy.of(json.loads(json.dumps(policy.plain()))) == policy
    for wrong in ({"nonsense": 1}, {"network": "all"}):
        with pytest.raises(FlightSchoolError, match="no policy"):
            Policy.of(wrong)


def test_a_device_cannot_be_named() -> None:
    with pytest.raises(FlightSchoolError, match="/dev of its own"):
        run(["true"], Policy(readable=(Path("/dev/kmsg"),)))


def test_a_path_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FlightSchoolError, match="does not exist"):
        run(["true"], Policy(readable=(tmp_path / "none",)))


def test_where_there_are_no_walls_nothing_runs_and_the_reason_is_given() -> None:
    """A user namespace in which no more may be made: what a locked-down CI host looks like."""
    command, why = ordinary()
    if why:
        pytest.skip(why)
    code = f"""
import sys; sys.path.insert(0, {os.fspath(DRIVER.parents[2] / "src")!r})
from flightschool.engine.sandbox import *
print(available().walls)
try: run(["true"], Policy(readable=()))
except NoSandbox as error: print(error)
try: available().require()
except NoSandbox as error: print(error)
import socket
def told(report, token): return report.refused.encode()
warden = Warden(lambda channel: ({{"policy": Policy(readable=()).plain()}}, channel.recv(1).decode()), told)
ours, theirs = socket.socketpair()
ours.send(b"x")
if warden.watch(theirs): print("LEAKED", flush=True)
theirs.close()
print(ours.recv(4096).decode())
"""
    locked = ["sh", "-c", 'echo 0 > /proc/sys/user/max_user_namespaces; exec "$@"', "sh"]
    become, python = command[:-1], command[-1]
    done = subprocess.run(
        [
            *become,
            "unshare",
            "--user",
            "--map-root-user",
            *locked,
            "setpriv",
            "--bounding-set=-all",
            "--inh-caps=-all",
            python,
            "-c",
            code,
        ],
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.count("can't be walled in") == 3, done
    assert done.stdout.count("user namespaces are forbidden here") == 4, done
    assert done.stdout.count("sysctl -w user.max_user_namespaces=10000") == 4, done
    assert "LEAKED" not in done.stdout


def test_the_root_of_a_container_without_privileges_has_the_walls_too() -> None:
    command, why = ordinary()
    if why:
        pytest.skip(why)
    inside = [*command[:-1], "unshare", "--user", "--map-root-user", command[-1]]
    found = attack(inside, tries("got = os.getuid() == 0 or open(SECRET).read()"))
    assert "HELD" in found["output"]
    assert found["ending"] == Ending.EXITED


def test_what_breaks_in_the_watcher_ends_all_and_never_returns() -> None:
    code = """
import os, sys, time
sys.path.insert(0, sys.argv[1])
from flightschool.engine.sandbox import Policy, enter, entering
def broken(*_): raise RuntimeError
entering._watch = broken
child = os.fork()
if child == 0:
    try: enter(Policy(readable=()))
    except BaseException: print('LEAKED', flush=True)
    time.sleep(0.5)
    print('STILL THERE', flush=True)
    os._exit(0)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
time.sleep(0.7)
"""
    source = DRIVER.parents[2] / "src"
    done = subprocess.run([sys.executable, "-c", code, source], capture_output=True, text=True, check=True)
    assert done.stdout == "125\n"


BREAKS = [
    ("warden", "walls.prepare"),
    ("warden", "kernel.fork"),
    ("init", "walls.build"),
    ("init", "walls.renounce"),
    ("init", "syscall_filter.apply"),
    ("stem", "os.fork"),
    ("python", "cgroup.join"),
    ("python", "kernel.setns"),
    ("python", "walls.renounce"),
    ("python", "kernel.drop_capabilities"),
    ("python", "syscall_filter.apply"),
]
"""Who, by the name that ps shows, and what fails there: a step without which there would be a wall less."""


@pytest.mark.parametrize(("role", "step"), BREAKS)
def test_where_a_wall_cannot_be_built_no_learner_runs(role: str, step: str) -> None:
    module, function = step.split(".")
    code = f"""
import os, socket, sys
sys.path.insert(0, sys.argv[1])
from flightschool.engine.sandbox import Policy, Warden, cgroup, kernel, syscall_filter, walls
whole = {step}
def breaks(*arguments, **named):
    if open("/proc/self/comm").read().strip() == {role!r}:
        raise OSError(1, "on purpose")
    return whole(*arguments, **named)
{module}.{function} = breaks
def told(report, token): return f"{{report.ending}} {{report.status}} {{report.refused}}".encode()
warden = Warden(lambda channel: (dict(policy=Policy(readable=()).plain()), channel.recv(1).decode()), told)
for _ in range(2):
    ours, theirs = socket.socketpair()
    ours.send(b"x")
    if born := warden.watch(theirs):
        born[1].send(b"LEAKED")
        os._exit(0)
    theirs.close()
    print(ours.makefile().read(), flush=True)
"""
    source = DRIVER.parents[2] / "src"
    done = subprocess.run(
        [sys.executable, "-c", code, source], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "killed 125 PermissionError: [Errno 1] on purpose\n" * 2, done


def test_support_names_what_is_there() -> None:
    support = available()
    support.require()
    with pytest.raises(
        NoSandbox, match=r"forbidden\. Neither bubblewrap \(not installed\) nor .* \(docker\) is used"
    ):
        Support("User namespaces are forbidden.", "not installed", ("docker",), False).require()
    assert Network("none") is Network.NONE
