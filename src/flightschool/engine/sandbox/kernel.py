"""The Linux system calls that Python has no name for, by ctypes. Every failure is an OSError."""

import ctypes
import errno
import os
import platform
import signal
from functools import cache

CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000
NAMESPACES = (
    CLONE_NEWNS
    | CLONE_NEWCGROUP
    | CLONE_NEWUTS
    | CLONE_NEWIPC
    | CLONE_NEWUSER
    | CLONE_NEWPID
    | CLONE_NEWNET
    | 0x80
)  # the last is CLONE_NEWTIME

MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REC, MS_PRIVATE = 2, 4, 8, 0x4000, 0x40000
MNT_DETACH = 2
MADV_COLLAPSE, HUGE = 25, 2**21
ATTR_RDONLY, ATTR_NOSUID, ATTR_NODEV = 1, 2, 4

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NAME, PR_SET_SECCOMP, PR_SET_CHILD_SUBREAPER = 1, 4, 15, 22, 36
PR_CAPBSET_READ, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT = 23, 24, 38, 47
PR_CAP_AMBIENT_CLEAR_ALL = 4
SECCOMP_MODE_FILTER = 2

# The same numbers on every architecture: all calls since 5.1 are numbered alike.
SYS_OPEN_TREE, SYS_MOVE_MOUNT, SYS_MOUNT_SETATTR = 428, 429, 442
SYS_CLONE = {"x86_64": 56, "aarch64": 220}
SYS_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
SYS_CAPSET = {"x86_64": 126, "aarch64": 91}
MACHINE = platform.machine()

_libc = ctypes.CDLL(None, use_errno=True)
_holding = ctypes.PyDLL(None, use_errno=True)
"""The same, without letting go of the interpreter's lock, which a child would have to take again."""
_AT_FDCWD = -100
_AT_RECURSIVE, _AT_EMPTY_PATH, _AT_SYMLINK_NOFOLLOW = 0x8000, 0x1000, 0x100
_OPEN_TREE_CLONE, _OPEN_TREE_CLOEXEC = 1, os.O_CLOEXEC
_MOVE_MOUNT_F_EMPTY_PATH = 4


class _MountAttr(ctypes.Structure):
    _fields_ = (
        ("attr_set", ctypes.c_uint64),
        ("attr_clr", ctypes.c_uint64),
        ("propagation", ctypes.c_uint64),
        ("userns_fd", ctypes.c_uint64),
    )


class _CapHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


def _checked(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def _syscall(what: str, number: int, *arguments: object) -> int:
    return _checked(_libc.syscall(ctypes.c_long(number), *arguments), what)


def unshare(flags: int) -> None:
    """Give this process new namespaces."""
    _checked(_libc.unshare(ctypes.c_int(flags)), "unshare")


def fork(flags: int) -> int:
    """os.fork with flags of clone(2). The child must only call the kernel: the C library holds its parent's thread id for its own."""
    ctypes.pythonapi.PyOS_BeforeFork()
    child = _holding.syscall(
        ctypes.c_long(SYS_CLONE[MACHINE]), ctypes.c_ulong(flags | signal.SIGCHLD), *[ctypes.c_long(0)] * 4
    )
    if child == 0:
        ctypes.pythonapi.PyOS_AfterFork_Child()
    else:
        ctypes.pythonapi.PyOS_AfterFork_Parent()
    return _checked(child, "clone")


def setns(namespace: int, kind: int = 0) -> None:
    """Go into the namespace of a descriptor; into one of processes go only the children."""
    _checked(_libc.setns(ctypes.c_int(namespace), ctypes.c_int(kind)), "setns")


def mount(kind: str, target: str, flags: int = 0, data: str = "", source: str = "none") -> None:
    """Mount a file system, or change how one propagates."""
    _checked(
        _libc.mount(
            source.encode(),
            os.fsencode(target),
            kind.encode() or None,
            ctypes.c_ulong(flags),
            data.encode() or None,
        ),
        f"mount {kind} on {target}",
    )


def unmount(target: str) -> None:
    """Detach a mount, with all below it."""
    _checked(_libc.umount2(os.fsencode(target), MNT_DETACH), f"unmount {target}")


def bind(source: str, target: str, attributes: int) -> None:
    """Bind a tree, with all mounts in it, having set the attributes on all of them. A symlink is not followed.

    Sources: open_tree(2), mount_setattr(2), move_mount(2).
    """
    empty = ctypes.c_char_p(b"")
    tree = _syscall(
        f"bind {source}",
        SYS_OPEN_TREE,
        ctypes.c_int(_AT_FDCWD),
        ctypes.c_char_p(os.fsencode(source)),
        ctypes.c_uint(_OPEN_TREE_CLONE | _OPEN_TREE_CLOEXEC | _AT_RECURSIVE | _AT_SYMLINK_NOFOLLOW),
    )
    try:
        if attributes:
            wanted = _MountAttr(attr_set=attributes)
            _syscall(
                f"set attributes of {source}",
                SYS_MOUNT_SETATTR,
                ctypes.c_int(tree),
                empty,
                ctypes.c_uint(_AT_EMPTY_PATH | _AT_RECURSIVE),
                ctypes.byref(wanted),
                ctypes.c_size_t(ctypes.sizeof(wanted)),
            )
        _syscall(
            f"bind on {target}",
            SYS_MOVE_MOUNT,
            ctypes.c_int(tree),
            empty,
            ctypes.c_int(_AT_FDCWD),
            ctypes.c_char_p(os.fsencode(target)),
            ctypes.c_uint(_MOVE_MOUNT_F_EMPTY_PATH),
        )
    finally:
        os.close(tree)


def set_attributes(target: str, attributes: int) -> None:
    """Set attributes of one mount."""
    wanted = _MountAttr(attr_set=attributes)
    _syscall(
        f"set attributes of {target}",
        SYS_MOUNT_SETATTR,
        ctypes.c_int(_AT_FDCWD),
        ctypes.c_char_p(os.fsencode(target)),
        ctypes.c_uint(0),
        ctypes.byref(wanted),
        ctypes.c_size_t(ctypes.sizeof(wanted)),
    )


def pivot_root(new: str) -> None:
    """Make `new` the root, and let go of the old one. Source: pivot_root(2), "pivot_root(".", ".")"."""
    os.chdir(new)
    dot = ctypes.c_char_p(b".")
    _syscall("pivot_root", SYS_PIVOT_ROOT[MACHINE], dot, dot)
    unmount(".")
    os.chdir("/")


def collapse() -> None:
    """Put this process's own memory into huge pages, as far as it fills them: a fork then copies, and drops, one entry for 512.

    Source: madvise(2), MADV_COLLAPSE, Linux 6.1; where the kernel has or wants none, nothing changes.
    """
    with open("/proc/self/maps", "rb") as file:  # noqa: PTH123
        for line in file:
            place, rights, _offset, _device, inode = line.split()[:5]
            if inode == b"0" and rights.startswith(b"rw"):
                begin, end = (int(edge, 16) for edge in place.split(b"-"))
                begin, end = -(-begin // HUGE) * HUGE, end // HUGE * HUGE
                if begin < end:
                    _libc.madvise(ctypes.c_void_p(begin), ctypes.c_size_t(end - begin), MADV_COLLAPSE)


def prctl(option: int, *arguments: int) -> int:
    """prctl(2)."""
    return _checked(_prctl()(option, *[*arguments, 0, 0, 0, 0][:4]), f"prctl {option}")


@cache
def _prctl() -> "ctypes._NamedFuncPointer":
    function = _libc.prctl  # not every system has it
    function.argtypes = (ctypes.c_int, *(ctypes.c_ulong,) * 4)
    return function


def die_with(parent: int) -> None:
    """End this process by SIGKILL as soon as that parent ends."""
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before the system call
        os._exit(1)


def name(text: str) -> None:
    """What ps and top call this process; at most 15 bytes."""
    shown = ctypes.create_string_buffer(text.encode())
    prctl(PR_SET_NAME, ctypes.addressof(shown))


def drop_capabilities() -> None:
    """Give up every capability, and the way to get one back."""
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    header = _CapHeader(version=0x20080522)
    _syscall("capset", SYS_CAPSET[MACHINE], ctypes.byref(header), ctypes.byref((ctypes.c_uint32 * 6)()))


def drop_bounding_set() -> None:
    """Empty the set that bounds what an exec may gain; needs CAP_SETPCAP."""
    for capability in range(64):
        try:
            prctl(PR_CAPBSET_DROP, capability)
        except OSError as error:
            if error.errno == errno.EINVAL:  # one more than this kernel knows
                return
            raise


def forget_initial_environment() -> None:
    """Overwrite the strings that the process was started with, which /proc/self/environ and its memory show."""
    with open("/proc/self/stat", "rb") as file:  # noqa: PTH123
        fields = file.read().rpartition(b")")[2].split()
    start, end = int(fields[47]), int(fields[48])
    if 0 < start < end:
        ctypes.memset(start, 0, end - start)
    _libc.clearenv()  # or else a program started from here is handed the emptied strings
