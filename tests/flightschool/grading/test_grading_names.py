"""Names that code binds and reads, by hand-made cells; and code that is made to bring the parser down."""

import subprocess
import sys

import pytest

from flightschool.grading import names


@pytest.mark.parametrize(
    ("code", "read", "bound"),
    [
        ("a = b", "b", "a"),
        ("a = a + 1", "a", "a"),
        ("a += 1", "a", "a"),
        ("a = 1\nb = a", "", "a b"),
        ("for a in b:\n    c = a", "b", "a c"),
        ("with a as b, c(b) as (d, e):\n    f = d", "a c", "b d e f"),
        ("import a.b, c as d\nfrom e import f as g\na, d, g", "", "a d g"),
        ("def f(a, b=c, *d, **e):\n    g = a + h\n    return g + f.i", "c h", "f"),
        ("def f():\n    global a\n    a = b", "b", "a f"),
        ("def f():\n    return a\na = 1", "", "f a"),
        ("@a\nclass B(c, metaclass=d):\n    e = f", "a c d f", "B"),
        ("[a for a in b if c]", "b c", ""),
        ("{a: d for a, d in b for e in d}", "b", ""),
        ("a = lambda b, c=d: b + e", "d e", "a"),
        ("a: b\nc: b = 1", "b", "c"),
        ("print(b := 1)\nb", "print", "b"),
        ("try:\n    a\nexcept b as c:\n    c", "a b", "c"),
        ("match a:\n    case [b, *c]:\n        b, c", "a", "b c"),
        ("a.b.c[d].e = f", "a d f", ""),
        ("f'{a!r:{b}}'", "a b", ""),
        ("if a:\n    b = 1\nelse:\n    b = 2\nb", "a", "b"),
        ("del a", "", "a"),
    ],
)
def test_reads_and_binds(code: str, read: str, bound: str) -> None:
    assert names.read(code) == set(read.split())
    assert names.bound(code) == set(bound.split())


def test_what_does_not_parse_reads_every_word() -> None:
    assert names.read("%time a.b + c") == {"time", "a", "c"}
    assert names.read(f"a = 1\nb\n{'#' * names.LONGEST}") == {"a", "b"}
    assert names.bound("%time\na = 1\ndef f(") == {"a", "f"}


def test_defined_sees_the_margin_only() -> None:
    code = "a = 1\nb, c = 2, 3\nd: int = 4\n  e = 5\nf == 6\ng += 1\nh(i=1)\nasync def j(): ...\nclass K: ...\n!ls"
    assert names.defined(code) == set("abcdjK")


HOSTILE = """
from flightschool.grading import names
N = names.LONGEST
for code in (
    "-" * (N - 1) + "1", "not " * (N // 4 - 1) + "1", "+".join("1" * (N // 2)), "**".join("1" * (N // 3)),
    "a" + ".a" * (N // 2 - 1), "f" + "()" * (N // 2 - 1), "a" + "[0]" * (N // 3 - 1), "lambda:" * (N // 7 - 1) + "1",
    "(" * N, "[" * N, "1 if 1 else " * (N // 13) + "1", "if 1:0\\n" + "elif 1:0\\n" * (N // 9 - 2), "f'{" * 3000, "\\0",
    "a=" * (N // 2 - 1) + "1", " and ".join("1" * (N // 6)), "<".join("1" * (N // 2)), "@a\\n" * 3000 + "def f():0",
    "match a:\\n case " + "a|" * 3000 + "b:0", "f(" * 199 + ")" * 199, "a = 1," * (N // 6), "a, " * (N // 3) + "= 1",
):
    names.read(code), names.bound(code), names.defined(code * 50), names.words(code)
print("alive")
"""


def test_code_that_is_made_to_bring_the_parser_down() -> None:
    done = subprocess.run([sys.executable, "-c", HOSTILE], capture_output=True, text=True, timeout=60)
    assert done.stdout == "alive\n", done.stderr[-1000:]
