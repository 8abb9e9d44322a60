"""The seccomp filter: which system calls fail inside, whoever makes them.

A deny-list: what a data engineer's tools need stays (Java, PostgreSQL, Spark run inside), what only an attack on the kernel or
on another process needs goes. It is compiled to classic BPF here, so that no library is needed.
Sources: seccomp(2), linux/filter.h, linux/seccomp.h; the choice follows the default profile of container runtimes.
"""

import ctypes
import errno
import struct
import sys
from functools import lru_cache

from flightschool.engine.sandbox import kernel

_X86_64 = """
acct=163 add_key=248 adjtimex=159 bpf=321 chroot=161 clock_adjtime=305 clock_settime=227 delete_module=176
fanotify_init=300 finit_module=313 init_module=175 ioperm=173 iopl=172 kcmp=312 kexec_file_load=320 kexec_load=246
keyctl=250 lookup_dcookie=212 migrate_pages=256 modify_ldt=154 mount=165 move_pages=279 name_to_handle_at=303
open_by_handle_at=304 perf_event_open=298 pivot_root=155 process_vm_readv=310 process_vm_writev=311 ptrace=101
quotactl=179 reboot=169 request_key=249 setdomainname=171 sethostname=170 setns=308 settimeofday=164 swapoff=168
swapon=167 syslog=103 umount2=166 unshare=272 userfaultfd=323 vhangup=153
"""
_AARCH64 = """
acct=89 add_key=217 adjtimex=171 bpf=280 chroot=51 clock_adjtime=266 clock_settime=112 delete_module=106
fanotify_init=262 finit_module=273 init_module=105 kcmp=272 kexec_file_load=294 kexec_load=104
keyctl=219 lookup_dcookie=18 migrate_pages=238 mount=40 move_pages=239 name_to_handle_at=264
open_by_handle_at=265 perf_event_open=241 pivot_root=41 process_vm_readv=270 process_vm_writev=271 ptrace=117
quotactl=60 reboot=142 request_key=218 setdomainname=162 sethostname=161 setns=268 settimeofday=170 swapoff=225
swapon=224 syslog=116 umount2=39 unshare=97 userfaultfd=282 vhangup=58
"""
_EVERYWHERE = """
io_uring_setup=425 io_uring_enter=426 io_uring_register=427 open_tree=428 move_mount=429 fsopen=430 fsconfig=431 fsmount=432
fspick=433 pidfd_getfd=438 process_madvise=440 mount_setattr=442 quotactl_fd=443 memfd_secret=447
process_mrelease=448 open_tree_attr=467
"""
_UNCOUNTED = {"x86_64": "memfd_create=319 shmget=29", "aarch64": "memfd_create=279 shmget=194"}
"""Memory that belongs to no process: only a control group can count it."""
_INSPECTED = {
    "x86_64": {"clone": 56, "ioctl": 16, "socket": 41},
    "aarch64": {"clone": 220, "ioctl": 29, "socket": 198},
}
_ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_CLONE3 = 435
_X32 = 0x40000000
_FAMILIES = (1, 2, 10, 16)
"""unix, inet, inet6, netlink. Not vsock, which no namespace keeps from the hypervisor."""
_TERMINAL = (0x5412, 0x541C)
"""TIOCSTI and TIOCLINUX, which type into the grader's terminal."""

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def supported() -> bool:
    """Whether the numbers of this machine's architecture are known."""
    return kernel.MACHINE in _ARCHITECTURE and sys.byteorder == "little"


def denied(*, counted: bool) -> dict[str, int]:
    """Names and numbers of the calls that fail. `counted`: a control group counts the memory of the tree."""
    table = {"x86_64": _X86_64, "aarch64": _AARCH64}[kernel.MACHINE] + _EVERYWHERE
    if not counted:
        table += _UNCOUNTED[kernel.MACHINE]
    return {name: int(number) for name, number in (entry.split("=") for entry in table.split())}


@lru_cache
def program(*, counted: bool) -> bytes:
    """The filter as an array of `struct sock_filter`."""

    def one(code: int, k: int, yes: int = 0, no: int = 0) -> bytes:
        return struct.pack("=HBBI", code, yes, no, k)

    def fail(number: int) -> bytes:
        return one(_RETURN, _ERRNO | number)

    def argument(place: int) -> bytes:
        return one(_LOAD, 16 + 8 * place)  # the lower half

    inspected = _INSPECTED[kernel.MACHINE]
    code = [
        one(_LOAD, 4),
        one(_EQUAL, _ARCHITECTURE[kernel.MACHINE], yes=1),
        one(_RETURN, _KILL),
        one(_LOAD, 0),
        one(_AT_LEAST, _X32, no=1),
        fail(errno.ENOSYS),
        # its arguments lie in memory, where a filter can't look: the C library then takes clone
        one(_EQUAL, _CLONE3, no=1),
        fail(errno.ENOSYS),
    ]
    for number in sorted(denied(counted=counted).values()):
        code += [one(_EQUAL, number, no=1), fail(errno.EPERM)]
    code += [
        one(_EQUAL, inspected["clone"], no=3),
        argument(0),
        # its lowest byte is the signal, among which the time namespace's bit can't be told, nor be set
        one(_ANY_BIT, kernel.NAMESPACES & ~0xFF, yes=1),
        one(_RETURN, _ALLOW),
    ]
    # the jump above lands on this when a bit is set; other calls come here too, so test the number again
    code += [
        one(_LOAD, 0),
        one(_EQUAL, inspected["clone"], no=1),
        fail(errno.EPERM),
        one(_EQUAL, inspected["ioctl"], no=4),
        argument(1),
        one(_EQUAL, _TERMINAL[0], yes=1),
        one(_EQUAL, _TERMINAL[1], no=1),
        fail(errno.EPERM),
        one(_LOAD, 0),
        one(_EQUAL, inspected["socket"], no=6),
        argument(0),
        *(one(_EQUAL, family, yes=4 - place) for place, family in enumerate(_FAMILIES)),
        fail(errno.EAFNOSUPPORT),
        one(_RETURN, _ALLOW),
    ]
    return b"".join(code)


def apply(code: bytes) -> None:
    """Put the filter on this process and all that come of it. There is no way back."""
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    filled = _Program(length=len(code) // 8, filter=code)
    kernel.prctl(kernel.PR_SET_SECCOMP, kernel.SECCOMP_MODE_FILTER, ctypes.addressof(filled))
