"""Attacks that leave something behind, and attacks that end processes: their own, the grader's, everybody's."""

from security.attacks.model import SIGN, Attack, Threat, answer, first, last, probed, tries

CORPUS = [
    Attack(
        "a daemon: two forks and a session of its own",
        Threat.STAYS,
        first(f"""
            for _time in range(3):
                if os.fork() == 0:
                    os.setsid()
                    if os.fork() == 0:
                        os.setsid()
                        for number in range(1, 65):
                            try: signal.signal(number, signal.SIG_IGN)
                            except (OSError, ValueError): pass
                        os.execlp("sleep", "sleep", "{SIGN}")
                    os._exit(0)
            subprocess.Popen("setsid nohup sleep {SIGN} >/dev/null 2>&1 &", shell=True)
            time.sleep(0.3)
        """),
    ),
    Attack(
        "a daemon that waits for the end, to write then",
        Threat.STAYS,
        first("""
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    os.closerange(0, 2000)
                    while True:
                        for place in (*GIVEN["places"], "/tmp"):
                            try: open(f"{place}/4711080", "w").write("x")
                            except OSError: pass
                        time.sleep(0.05)
                os._exit(0)
        """),
    ),
    Attack(
        "threads without end",
        Threat.STAYS,
        first("""
            def run():
                while True: time.sleep(0.01)
            for _time in range(50): threading.Thread(target=run, daemon=False).start()
        """),
    ),
    Attack(
        "files that a system runs later",
        Threat.STAYS,
        tries("""
            import site
            got, home = [], os.path.expanduser("~")
            places = ["/etc/cron.d/4711080", "/var/spool/cron/crontabs/root", "/etc/profile.d/4711080.sh", "/root/.bashrc", "/etc/ld.so.preload", "/usr/local/bin/python", "/lib/4711080"]
            places += [f"{one}/4711080.pth" for one in (*site.getsitepackages(), sys.prefix)] + [f"{one}/4711080" for one in GIVEN["places"]]
            places += [f"{os.environ['FLIGHTSCHOOL_HOME']}/labs/4711080.py", f"{lab.module.lab}/exercises.py", f"{os.path.dirname(os.__file__)}/sitecustomize.py"]
            for place in places:
                try: open(place, "a").write("import os")
                except OSError: continue
                if not place.startswith(tuple(GIVEN["places"])): got.append(place)  # a shadow of these may be its own
            for place in (".bashrc", ".ipython/profile_default/startup/0.py", ".config/systemd/user/x.service", ".local/lib/python3.11/site-packages/usercustomize.py"):
                os.makedirs(os.path.dirname(f"{home}/{place}"), exist_ok=True)
                open(f"{home}/{place}", "w").write("print('LEAK' + 'ED!')")
        """),
        tells=True,
    ),
    Attack(
        "listening sockets",
        Threat.STAYS,
        first("""
            kept = []
            for port in (0, 8888, 4711):
                for address in ("0.0.0.0", "127.0.0.1"):
                    try:
                        one = socket.socket(); one.bind((address, port)); one.listen(); kept.append(one)
                    except OSError as error: print(error)
            if os.fork() == 0:
                os.setsid()
                while True: kept[0].accept()
        """),
    ),
    Attack(
        "the warm process changed for those who come next",
        Threat.STAYS,
        first("""
            import builtins, json, pandas
            builtins.LEFT_BEHIND = True
            pandas.DataFrame.groupby = None
            json.dumps = None
            os.environ["LEFT_BEHIND"] = "1"
            for number in (3, 64, 65):
                try: os.write(number, b"W")
                except OSError: pass
            print("left", flush=True)
        """),
        says="q1",
        keeps=frozenset(),
    ),
    Attack(
        "an end without goodbye, in the first cell",
        Threat.ENDS,
        first("os._exit(0)"),
        says="ended the run.*exit status 0",
    ),
    Attack(
        "an end without goodbye, in an answer",
        Threat.ENDS,
        probed("os._exit(0)"),
        says="q2.*exit status 0",
    ),
    Attack(
        "an end in every cell",
        Threat.ENDS,
        first("""
            get_ipython().events.register("pre_run_cell", lambda *_: os._exit(3))
        """),
        says="exit status 3",
        keeps=frozenset(),
    ),
    Attack(
        "SystemExit, KeyboardInterrupt and GeneratorExit from an answer",
        Threat.ENDS,
        probed("raise {1: SystemExit, 2: KeyboardInterrupt}.get(n, GeneratorExit)(0)"),
        says="q2.*error",
    ),
    Attack(
        "signals to everybody, the parent, the grader",
        Threat.ENDS,
        first("""
            for number in (signal.SIGTERM, signal.SIGSTOP, signal.SIGKILL):
                for target in (*GIVEN["pids"], os.getppid(), 1, -1, *range(2, 60)):
                    if target != os.getpid():
                        try: os.kill(target, number)
                        except OSError: pass
            print("still here", flush=True)
        """),
        says="ended the run.*signal 15",
    ),
    Attack(
        "its own process group killed",
        Threat.ENDS,
        first("os.killpg(0, signal.SIGKILL)"),
        says="ended the run.*(signal 9|killed)",
    ),
    Attack(
        "a crash in a library's code",
        Threat.ENDS,
        probed("ctypes.string_at(8)"),
        says="q2.*signal 11",
    ),
    Attack(
        "another program in its place",
        Threat.ENDS,
        first("""os.execlp("sleep", "sleep", "0.1")"""),
        says="ended the run",
    ),
    Attack(
        "all descriptors closed",
        Threat.ENDS,
        first("os.closerange(0, 4096)"),
        says="ended the run",
    ),
    Attack(
        "a stop of itself",
        Threat.ENDS,
        first("os.kill(os.getpid(), signal.SIGSTOP)"),
        says="ended the run.*not done after 5 s",
    ),
    Attack(
        "a bomb of forks",
        Threat.ENDS,
        first("""
            while True:
                try: os.fork()
                except OSError: pass
        """),
        says="ended the run",
        compared=False,
    ),
    Attack(
        "a bomb of forks that leave their session",
        Threat.ENDS,
        last("""
            def bomb():
                while True:
                    try:
                        if os.fork() == 0: os.setsid()
                    except OSError: time.sleep(0.001)
            if os.fork() == 0: bomb()
        """),
        says="q3",
        keeps=frozenset({"q1", "q2"}),
        compared=False,
    ),
    Attack(
        "an answer that forks, and both go on",
        Threat.ENDS,
        answer("""
            def slowest(turns, n):
                os.fork()
                return []
        """),
        says="q2",
    ),
]
