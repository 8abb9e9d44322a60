"""Attacks on the kernel: what a learner's code may not ask of it."""

from security.attacks.model import Attack, Threat, tries

NUMBERS = """\
machine = os.uname().machine
def call(x86, arm, *arguments):
    ctypes.set_errno(0)
    return libc.syscall(ctypes.c_long(x86 if machine == "x86_64" else arm), *arguments)
nothing = ctypes.create_string_buffer(4096)
"""


def _calls(body: str) -> str:
    return NUMBERS + body


CORPUS = [
    Attack(
        "mounts, and roots of its own",
        Threat.KERNEL,
        tries("""
            got = []
            os.makedirs("mnt", exist_ok=True)
            if libc.mount(b"tmpfs", b"mnt", b"tmpfs", 0, None) == 0: got.append("mount")
            if libc.mount(b"/", b"mnt", None, 4096 | 16384, None) == 0: got.append("bind")
            if libc.mount(None, b"/", None, 32 | 4096, None) == 0: got.append("remount")
            if libc.umount2(b"/proc", 2) == 0: got.append("umount")
            if libc.chroot(b"mnt") == 0: got.append("chroot")
            if libc.syscall(155 if os.uname().machine == "x86_64" else 41, b"mnt", b"mnt") == 0: got.append("pivot_root")
            for number in (428, 429, 430, 431, 432, 433, 442):
                ctypes.set_errno(0)
                if libc.syscall(ctypes.c_long(number), -100, b"/", 1, 0, 0) >= 0: got.append(number)
        """),
        tells=True,
    ),
    Attack(
        "namespaces: new ones, and those of others",
        Threat.KERNEL,
        tries("""
            got = [flag for flag in (0x10000000, 0x20000, 0x20000000, 0x40000000, 0x10020000) if libc.unshare(flag) == 0]
            for pid in (1, os.getppid(), *GIVEN["pids"], "self"):
                for name in ("mnt", "net", "pid", "user", "ipc", "uts", "cgroup"):
                    try: file = os.open(f"/proc/{pid}/ns/{name}", os.O_RDONLY)
                    except OSError: continue
                    if libc.setns(file, 0) == 0: got.append((pid, name))
            if os.uname().machine == "x86_64" and (child := libc.syscall(56, 0x10000000 | 17, 0, 0, 0, 0)) >= 0:
                if child == 0: os._exit(0)
                got.append("clone")
            ctypes.set_errno(0)
            arguments = (ctypes.c_uint64 * 11)(0x10000000, 0, 0, 0, 17)
            if (child := libc.syscall(435, arguments, 88)) >= 0:
                if child == 0: os._exit(0)
                got.append("clone3")
        """),
        tells=True,
    ),
    Attack(
        "the kernel's keys",
        Threat.KERNEL,
        tries(
            _calls("""
got = [value for value in (call(248, 217, b"user", b"4711080", b"x", 1, -3), call(250, 219, 0, -3, 1), call(250, 219, 11, -3, nothing, 4096), call(249, 218, b"user", b"x", None, 0)) if value >= 0]
""")
        ),
        tells=True,
    ),
    Attack(
        "programs in the kernel, and its events and faults: bpf, perf, io_uring, userfaultfd",
        Threat.KERNEL,
        tries(
            _calls("""
got = []
for name, x86, arm, arguments in (
    ("bpf", 321, 280, (0, nothing, 72)), ("perf_event_open", 298, 241, (nothing, 0, -1, -1, 0)), ("io_uring_setup", 425, 425, (8, nothing)),
    ("userfaultfd", 323, 282, (0,)), ("fanotify_init", 300, 262, (0, 0)), ("kcmp", 312, 272, (os.getpid(), os.getppid(), 0, 0, 0)),
    ("pidfd_getfd", 438, 438, (3, 0, 0)), ("memfd_secret", 447, 447, (0,)), ("landlock", 444, 444, (None, 0, 1)),
):
    if call(x86, arm, *arguments) >= 0: got.append(name)
got = [one for one in got if one not in ("landlock", "memfd_secret")]  # these only take rights away, and give memory of one's own
""")
        ),
        tells=True,
    ),
    Attack(
        "the machine: its modules, its swap, its clock, its end",
        Threat.KERNEL,
        tries(
            _calls("""
got = []
for name, x86, arm, arguments in (
    ("init_module", 175, 105, (nothing, 4096, b"")), ("finit_module", 313, 273, (0, b"", 0)), ("delete_module", 176, 106, (b"x", 0)),
    ("kexec_load", 246, 104, (0, 0, None, 0)), ("reboot", 169, 142, (0xfee1dead, 672274793, 0, None)), ("swapon", 167, 224, (b"/tmp/x", 0)),
    ("settimeofday", 164, 170, (nothing, None)), ("clock_settime", 227, 112, (0, nothing)), ("adjtimex", 159, 171, (nothing,)),
    ("sethostname", 170, 161, (b"4711080", 7)), ("syslog", 103, 116, (3, nothing, 4096)), ("acct", 163, 89, (None,)), ("quotactl", 179, 60, (0x800001 << 8, None, 0, None)),
):
    if call(x86, arm, *arguments) >= 0: got.append(name)
if machine == "x86_64":
    got += [name for name, number in (("iopl", 172), ("ioperm", 173)) if libc.syscall(number, 3, 1, 1) >= 0]
""")
        ),
        tells=True,
    ),
    Attack(
        "files by their handles, past all paths",
        Threat.KERNEL,
        tries(
            _calls("""
class Handle(ctypes.Structure): _fields_ = [("size", ctypes.c_uint), ("kind", ctypes.c_int), ("data", ctypes.c_ubyte * 128)]
handle, mount = Handle(128), ctypes.c_int()
made = call(303, 264, -100, b"/usr", ctypes.byref(handle), ctypes.byref(mount), 0)
file = os.open("/usr", os.O_RDONLY)
opened = call(304, 265, file, ctypes.byref(handle), 0)
got = opened >= 0 and os.listdir(opened)
""")
        ),
        tells=True,
    ),
    Attack(
        "root, its groups, its capabilities, its limits",
        Threat.KERNEL,
        tries("""
            got = []
            for name, what in (("setuid", lambda: os.setuid(0)), ("setgroups", lambda: os.setgroups([0])), ("setresuid", lambda: os.setresuid(0, 0, 0)), ("shadow", lambda: open("/etc/shadow").read()), ("mknod", lambda: os.mknod("disk", 0o60666, os.makedev(254, 0))), ("limit", lambda: resource.setrlimit(resource.RLIMIT_NPROC, (10**6, 10**6))), ("nice", lambda: os.nice(-5)), ("chown", lambda: os.chown(".", 0, 0))):
                try: what(); got.append(name)
                except (OSError, ValueError): pass
            status = open("/proc/self/status").read()
            got += re.findall(r"Cap(?:Prm|Eff|Inh|Bnd|Amb):\\s+0*[1-9a-f]\\w*", status)
            if "NoNewPrivs:\\t1" not in status or "Seccomp:\\t2" not in status: got.append("no filter")
            for name in ("sudo", "su", "pkexec", "mount", "newuidmap"):
                path = shutil.which(name)
                if path and subprocess.run([path, "--help"], capture_output=True).returncode == 0 and subprocess.run([path, "-c", "id -u"], capture_output=True, text=True, stdin=subprocess.DEVNULL).stdout.strip() == "0": got.append(name)
        """),
        tells=True,
    ),
    Attack(
        "settings of the kernel and of its control groups",
        Threat.KERNEL,
        tries("""
            got = []
            places = ["/proc/sys/kernel/core_pattern", "/proc/sys/kernel/hostname", "/proc/sys/vm/overcommit_memory", "/proc/sysrq-trigger", "/proc/self/oom_score_adj", "/proc/self/uid_map", "/proc/self/attr/current"]
            places += glob.glob("/sys/fs/cgroup/**/cgroup.procs", recursive=True) + glob.glob("/sys/**/release_agent", recursive=True) + glob.glob("/sys/kernel/*")
            for place in places:
                try:
                    file = os.open(place, os.O_WRONLY)
                    os.write(file, b"-1000\\n" if "oom" in place else b"x\\n"); got.append(place)
                except OSError: pass
            got += [one for one in ("/dev/mem", "/dev/kvm", "/dev/fuse", "/dev/vda", "/dev/sda", "/dev/net/tun", "/dev/vsock") if os.path.exists(one)]
        """),
        tells=True,
    ),
]
