"""Attacks that use up time, memory, disk and output: on a busy machine the time may be used up first."""

from security.attacks.model import (
    Attack,
    Notebook,
    Threat,
    answer,
    changed,
    code_cell,
    first,
    lab_cell,
    last,
    probed,
)

NOT_DONE = "ended the run.*not done after 5 s"
NO_MEMORY = r"(ended the run|out of memory|MemoryError)"
TOO_MUCH = "ended the run.*((more|larger) than|not done after)"


def _endless_cells(notebook: Notebook) -> None:
    """More cells that hang than there are new beginnings."""
    place = lab_cell(notebook) + 1
    notebook["cells"].insert(place, code_cell("print('ATTACKS!', flush=True)", "attack"))
    for number in range(8):
        notebook["cells"].insert(place + 1, code_cell("while True: pass", f"endless-{number}"))


CORPUS = [
    Attack("an endless loop in a cell", Threat.TIME, first("while True: pass"), says=NOT_DONE),
    Attack(
        "an endless loop in an answer",
        Threat.TIME,
        probed("while True: pass"),
        says="q2.*took too long.*not done after 5 s",
    ),
    Attack(
        "an endless loop when a result is shown",
        Threat.TIME,
        first("""
            class Endless:
                def __repr__(self):
                    while True: pass
                _repr_html_ = __repr__
            Endless()
        """),
        says=NOT_DONE,
    ),
    Attack(
        "an endless loop at the end",
        Threat.TIME,
        first("""
            import atexit
            def endless(*_):
                while True: pass
            atexit.register(endless)
            for number in range(1, 32):
                try: signal.signal(number, endless)
                except (OSError, ValueError): pass
            class Last: __del__ = endless
            kept = Last()
        """),
    ),
    Attack(
        "endless loops in more cells than there are new beginnings",
        Threat.TIME,
        changed(_endless_cells),
        says="(not done after|again and again)",
        keeps=frozenset(),
        compared=False,  # it would take each of them minutes
    ),
    Attack(
        "an endless loop while the interpreter is held and all signals are ignored",
        Threat.TIME,
        first("""
            for number in range(1, 65):
                try: signal.signal(number, signal.SIG_IGN)
                except (OSError, ValueError): pass
            signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
            ctypes.PyDLL(None).pause()
        """),
        says=NOT_DONE,
    ),
    Attack(
        "an expression that takes for ever",
        Threat.TIME,
        probed("""re.fullmatch(r"(\\w+\\s?)+", "a" * 60 + "!")"""),
        says="q2.*took too long",
    ),
    Attack(
        "a wait for input, in every way there is",
        Threat.TIME,
        first("""
            import getpass
            for wait in (input, getpass.getpass, lambda: sys.stdin.read(), lambda: os.read(0, 1), lambda: open("/dev/tty").read(), lambda: subprocess.run(["cat"], capture_output=True)):
                try: print("got", wait())
                except Exception as error: print(type(error).__name__)
        """),
    ),
    Attack(
        "a wait for a pipe that nobody writes to",
        Threat.TIME,
        first("""os.mkfifo("pipe"); open("pipe").read()"""),
        says=NOT_DONE,
    ),
    Attack(
        "clocks that stand still",
        Threat.TIME,
        first("""
            import datetime
            for name in ("time", "monotonic", "perf_counter", "process_time"): setattr(time, name, lambda: 0.0)
            for name in ("time_ns", "monotonic_ns", "perf_counter_ns"): setattr(time, name, lambda: 0)
            signal.alarm(0); signal.setitimer(signal.ITIMER_REAL, 0)
            try: time.clock_settime(time.CLOCK_REALTIME, 0)
            except OSError as error: print(error)
            resource.setrlimit(resource.RLIMIT_CPU, (1, resource.getrlimit(resource.RLIMIT_CPU)[1]))
            signal.signal(signal.SIGXCPU, signal.SIG_IGN)
            while True: pass
        """),
        says="ended the run",
    ),
    Attack(
        "a thread that holds the interpreter after its cell has ended",
        Threat.TIME,
        first("""
            hold = ctypes.PyDLL(None).sleep
            threading.Thread(target=lambda: (time.sleep(0.3), hold(1000)), daemon=True).start()
            time.sleep(0.1)
            get_ipython().events.register("post_run_cell", lambda *_: time.sleep(1))
        """),
        says="(too long|not done after|did not)",
        keeps=frozenset(),
    ),
    Attack(
        "one process's memory",
        Threat.MEMORY,
        first("kept = [bytearray(2**26) for _time in range(10_000)]"),
    ),
    Attack(
        "memory taken in small pieces",
        Threat.MEMORY,
        probed("""
            kept = {}
            while True: kept[len(kept)] = [len(kept)] * 10
        """),
        says="q2.*(memory|too long)",
    ),
    Attack(
        "the memory of a whole tree",
        Threat.MEMORY,
        first("""
            for _time in range(40):
                if os.fork() == 0:
                    kept = bytearray(2**26)
                    for place in range(0, len(kept), 4096): kept[place] = 1
                    time.sleep(60)
                    os._exit(0)
            time.sleep(4)
        """),
        says=NO_MEMORY,
        compared=False,
    ),
    Attack(
        "shared memory, of files and of none",
        Threat.MEMORY,
        first("""
            kept = []
            for number in range(100):
                try:
                    one = mmap.mmap(-1, 2**26)
                    for place in range(0, 2**26, 4096): one[place] = 1
                    kept.append(one)
                    with open(f"/dev/shm/{number}", "wb") as file: file.write(bytes(2**25))
                except OSError as error: print(error)
            for _time in range(50):
                file = os.memfd_create("x"); os.write(file, bytes(2**26)); kept.append(file)
        """),
        says=NO_MEMORY,
        compared=False,
    ),
    Attack(
        "System V's shared memory, which outlives its process",
        Threat.MEMORY,
        first("""
            libc.shmat.restype = ctypes.c_void_p
            for number in range(200):
                one = libc.shmget(0, 2**25, 0o1666)
                if one < 0: break
                place = libc.shmat(one, None, 0)
                if place in (None, 2**64 - 1): break
                ctypes.memset(place, 1, 2**25)
            print("taken:", number)
        """),
        says="q1.*passed",  # it is refused where nothing counts it, and else counted
        compared=False,
    ),
    Attack(
        "an answer of a hundred million numbers",
        Threat.MEMORY,
        answer("""
            import itertools
            class Long(list):
                __iter__ = lambda self: itertools.count()
                __len__ = lambda self: 10**8
            def slowest(turns, n): return [["x" * 10_000] * 10_000] * 10_000
        """),
        says="q2",
    ),
    Attack(
        "recursion beyond the stack",
        Threat.MEMORY,
        probed("""
            sys.setrecursionlimit(10**8)
            def deeper(value): return [deeper([value])]
            return deeper(deeper)
        """),
        says="q2.*(error|memory|too long)",
    ),
    Attack(
        "the disk filled",
        Threat.DISK,
        first("""
            for place in (".", "/tmp", "/var/tmp", "/dev/shm"):
                try:
                    for number in range(100):
                        with open(f"{place}/4711080-{number}", "wb") as file:
                            for _time in range(100): file.write(bytes(2**20))
                except OSError as error: print(place, error)
        """),
        compared=False,
    ),
    Attack(
        "files without number and end",
        Threat.DISK,
        first("""
            try: os.truncate(os.open("sparse", os.O_CREAT | os.O_RDWR), 2**45)
            except OSError as error: print(error)
            try:
                for number in range(10**6): os.close(os.open(f"/tmp/{number}", os.O_CREAT))
            except OSError as error: print(error)
        """),
        compared=False,
    ),
    Attack(
        "two gigabytes of output",
        Threat.DISK,
        first("""
            for _time in range(2000): print("4711080 " * 2**17)
        """),
        says=TOO_MUCH,
    ),
    Attack(
        "output without end, by another program",
        Threat.DISK,
        first("""subprocess.run("yes 4711080", shell=True)"""),
        says="ended the run",
    ),
    Attack(
        "output without end, after the last check",
        Threat.DISK,
        last("""
            def endless():
                while True: os.write(1, b"4711080\\n" * 1000)
            threading.Thread(target=endless, daemon=True).start()
            os.spawnlp(os.P_NOWAIT, "yes", "yes", "4711080")
        """),
        keeps=frozenset({"q1", "q2"}),
    ),
    Attack(
        "one picture of a hundred megabytes",
        Threat.DISK,
        first("""
            from IPython.display import display
            display({"text/html": "<b>" * 2**25, "image/png": "A" * 2**25}, raw=True)
        """),
        says=TOO_MUCH,
    ),
    Attack(
        "a million pictures",
        Threat.DISK,
        first("""
            from IPython.display import clear_output, display
            for _time in range(10**6): display({"text/plain": "4711080"}, raw=True); clear_output()
        """),
        says="ended the run",
    ),
]
