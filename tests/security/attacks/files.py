"""Attacks by what is handed in: files that are no notebooks, damaged and monstrous ones, names, links and archives."""

import gzip
import io
import json
import os
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

from security.attacks.model import Attack, HandIn, Notebook, Threat, changed, code_cell, rewritten

NOTHING_KEPT = frozenset[str]()
MIB = 2**20


def _damaged(name: str, change: Callable[[bytes], bytes], says: str) -> Attack:
    """A file of which nothing can be graded."""
    return Attack(
        name,
        Threat.DAMAGED,
        rewritten(change),
        says=f"could not be graded.*{says}",
        runs=False,
        keeps=NOTHING_KEPT,
    )


def _odd(name: str, change: Callable[[Notebook], None], says: str = "") -> Attack:
    """A notebook that can be understood all the same."""
    return Attack(name, Threat.DAMAGED, changed(change), says=says, runs=False)


def _version_in_words(page: Notebook) -> None:
    page["nbformat"], page["nbformat_minor"] = "four", {"minor": [10**30]}


def _version_five(page: Notebook) -> None:
    page["nbformat"], page["nbformat_minor"] = 5, -1


def _nothing_but_cells(page: Notebook) -> None:
    for name in set(page) - {"cells"}:
        del page[name]


def _version_three(page: Notebook) -> None:
    cells = [
        {**cell, "input": cell["source"]} if cell["cell_type"] == "code" else cell for cell in page["cells"]
    ]
    for cell in cells:
        if cell["cell_type"] == "code":
            del cell["source"]
            cell["language"] = "perl; rm -rf /"
    page["worksheets"], page["nbformat"] = [{"cells": cells, "metadata": {}}], 3
    del page["cells"]


def _metadata_of_others(page: Notebook) -> None:
    page["metadata"] |= {
        "kernelspec": {"name": "../../4711080", "language": "bash", "display_name": 7},
        "language_info": None,
    }
    for cell in page["cells"]:
        cell["outputs"], cell["execution_count"], cell["attachments"] = "none", 10**40, [None]


def _deep(page: Notebook) -> None:
    inner: list[object] = []
    for _time in range(400):
        inner = [inner]
    page["metadata"]["deep"] = inner


def _ids_of_others(page: Notebook) -> None:
    for number, cell in enumerate(page["cells"]):
        cell["id"] = [None, 7, "../../q1", "q1", "x" * 10_000, {"$ref": "#"}][number % 6]


def _cells(count: int) -> Callable[[bytes], bytes]:
    return lambda notebook: _with(notebook, [code_cell("1", f"c{number}") for number in range(count)])


def _with(notebook: bytes, cells: list[Notebook]) -> bytes:
    page = json.loads(notebook)
    page["cells"] += cells
    return json.dumps(page).encode()


def _twice(notebook: bytes) -> bytes:
    """Two lists of cells: the first is what a reader that stops early sees."""
    return b'{"cells": "none", "cells": 7, ' + notebook.lstrip()[1:]


DAMAGED = [
    _damaged("no JSON", lambda _: b"print('hello')", "damaged at line 1"),
    _damaged("an empty file", lambda _: b"", "file is empty"),
    _damaged("half a notebook", lambda one: one[: len(one) // 2], "(breaks off|damaged)"),
    _damaged("a web page", lambda _: b"<!DOCTYPE html><script>alert(4711080)</script>", "web page"),
    _damaged("marks of a merge", lambda one: b"<<<<<<< HEAD\n" + one, "conflict markers"),
    _damaged("bytes that are no text", lambda _: b"\x80\x04\x95\xff\xfe" * 1000, "(not text|damaged)"),
    _damaged("a pickle", lambda _: b"\x80\x04cos\nsystem\n(S'touch /tmp/4711080'\ntR.", "(not text|damaged)"),
    _damaged("a gzip bomb called a notebook", lambda _: gzip.compress(bytes(2**28)), "(not text|damaged)"),
    _damaged("JSON nested a million deep", lambda _: b"[" * 900_000 + b"]" * 900_000, "nested too deeply"),
    _damaged("three million brackets", lambda _: b'{"cells": [' + b"[]," * 3 * 10**6 + b"[]]}", "too large"),
    _damaged("a number of a million digits", lambda _: b'{"cells": ' + b"9" * 10**6 + b"}", "what no notebook holds"),
    _damaged("a list, and no notebook", lambda _: b"[]", "not a notebook"),
    _damaged("no cells", lambda _: b'{"nbformat": 4, "metadata": {}}', "no list of cells"),
    _damaged("cells that are a text", lambda _: b'{"cells": "all of them"}', "no list of cells"),
    _damaged("cells that are numbers", lambda _: b'{"cells": [1, null, NaN]}', "Cell 1 of the notebook is damaged"),
    _damaged("sources that are numbers", lambda _: b'{"cells": [{"cell_type": "code", "source": 7e999}]}', "has no text"),
    _damaged("a hundred thousand cells", _cells(100_000), "more than 2000 cells"),
    _damaged("thirty megabytes", lambda one: one + b" " * 30 * MIB, "larger than 20 MiB"),
    _damaged("ten megabytes in a cell", lambda one: _with(one, [code_cell("#" * 10 * MIB)]), "more than 5 MiB of text"),
    Attack("UTF-16", Threat.DAMAGED, rewritten(lambda one: one.decode().encode("utf-16")), runs=False),
    Attack("a mark of the order of bytes", Threat.DAMAGED, rewritten(lambda one: b"\xef\xbb\xbf" + one), runs=False),
    Attack("two lists of cells", Threat.DAMAGED, rewritten(_twice), runs=False),
    Attack("numbers that JSON lacks", Threat.DAMAGED, rewritten(lambda one: b'{"a": NaN, "b": -Infinity, "c": 1e999, ' + one.lstrip()[1:]), runs=False),
    _odd("a version in words", _version_in_words),
    _odd("a version to come", _version_five),
    _odd("version 3, in another language", _version_three),
    _odd("nothing but cells", _nothing_but_cells),
    _odd("metadata of other kinds", _metadata_of_others),
    _odd("metadata nested four hundred deep", _deep),
    _odd("ids that are none", _ids_of_others, says="q1"),
]  # fmt: skip


def _zipped(fill: Callable[[zipfile.ZipFile, str, bytes], None]) -> HandIn:
    """Handed in as an archive."""

    def hand_in(folder: Path, tag: str, notebook: bytes) -> None:
        with zipfile.ZipFile(folder / f"{tag}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            fill(archive, tag, notebook)

    return hand_in


def _way_out(archive: zipfile.ZipFile, _tag: str, notebook: bytes) -> None:
    for name in ("../4711080.ipynb", "/tmp/4711080.ipynb", "..\\..\\4711080.ipynb"):
        archive.writestr(name, notebook)


def _bomb(archive: zipfile.ZipFile, _tag: str, _notebook: bytes) -> None:
    with archive.open("work.ipynb", "w", force_zip64=True) as file:
        for _time in range(512):
            file.write(bytes(MIB))


def _nested(archive: zipfile.ZipFile, _tag: str, notebook: bytes) -> None:
    content = notebook
    for depth in range(6):
        inner = io.BytesIO()
        with zipfile.ZipFile(inner, "w") as one:
            one.writestr("work.zip" if depth else "work.ipynb", content)
        content = inner.getvalue()
    archive.writestr("work.zip", content)


def _link(archive: zipfile.ZipFile, _tag: str, _notebook: bytes) -> None:
    entry = zipfile.ZipInfo("work.ipynb")
    entry.create_system, entry.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    archive.writestr(entry, "/etc/passwd")


def _of_a_neighbour(archive: zipfile.ZipFile, tag: str, notebook: bytes) -> None:
    """It says in every way that it is the first neighbour's."""
    archive.writestr("w000n.ipynb", notebook)


def _distracting(archive: zipfile.ZipFile, _tag: str, _notebook: bytes) -> None:
    """Two thousand files that are not taken, so that nobody sees what else is not."""
    for number in range(2_000):
        archive.writestr(f"../{number}.ipynb", b"")


def _hiding(folder: Path, tag: str, _notebook: bytes) -> None:
    """Two thousand links in a folder, for the same reason."""
    (folder / tag).mkdir()
    for number in range(2_000):
        (folder / tag / f"{number:04}.ipynb").symlink_to("nowhere")


def _many(archive: zipfile.ZipFile, _tag: str, _notebook: bytes) -> None:
    for number in range(120_000):
        archive.writestr(f"{number}.ipynb", b"")


def _overlapping(folder: Path, tag: str, notebook: bytes) -> None:
    """Many entries that share the bytes of one."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("work.ipynb", notebook + b" " * MIB)
        (entry,) = archive.infolist()
        for number in range(1000):
            copy = zipfile.ZipInfo(f"{number}.ipynb")
            copy.compress_type, copy.CRC, copy.compress_size = (
                entry.compress_type,
                entry.CRC,
                entry.compress_size,
            )
            copy.file_size, copy.header_offset, copy.flag_bits = (
                entry.file_size,
                entry.header_offset,
                entry.flag_bits,
            )
            archive.filelist.append(copy)
            archive.NameToInfo[copy.filename] = copy
    (folder / f"{tag}.zip").write_bytes(made.getvalue())


def _secret(folder: Path) -> Path:
    """The solution's notebook, on the ground that the folder is on."""
    return folder.parents[2] / "course" / "build" / "solutions" / "90_light.ipynb"


def _symbolic(folder: Path, tag: str, _notebook: bytes) -> None:
    (folder / f"{tag}.ipynb").symlink_to(_secret(folder))


def _hard(folder: Path, tag: str, _notebook: bytes) -> None:
    """The first neighbour's notebook, under a second name; a copy of it is kept for the neighbour."""
    other = folder.parent / "private.ipynb"
    other.write_bytes(_secret(folder).read_bytes())
    (folder / f"{tag}.ipynb").hardlink_to(other)


def _pipe(folder: Path, tag: str, _notebook: bytes) -> None:
    os.mkfifo(folder / f"{tag}.ipynb")


def _device(folder: Path, tag: str, _notebook: bytes) -> None:
    """The device that gives zeros for ever; where that takes root, a link to it."""
    try:
        os.mknod(folder / f"{tag}.ipynb", stat.S_IFCHR | 0o666, os.makedev(1, 5))
    except PermissionError:
        (folder / f"{tag}.ipynb").symlink_to("/dev/zero")


def _folder(folder: Path, tag: str, _notebook: bytes) -> None:
    (folder / f"{tag}.ipynb").mkdir()


def _loop(folder: Path, tag: str, _notebook: bytes) -> None:
    """A folder that holds itself, the root, and the course."""
    (folder / tag).mkdir()
    for name, target in (("again", "."), ("root", "/"), ("course", _secret(folder).parents[2])):
        (folder / tag / f"{name}.ipynb").symlink_to(target)


def _tar(folder: Path, tag: str, _notebook: bytes) -> None:
    import tarfile

    with tarfile.open(folder / f"{tag}.tar.gz", "w:gz") as archive:
        entry = tarfile.TarInfo("../../4711080.ipynb")
        entry.size = 0
        archive.addfile(entry, io.BytesIO(b""))


def _called(before: str | bytes, after: str | bytes = "") -> HandIn:
    """Handed in under a name with something before and after the learner's own."""

    def hand_in(folder: Path, tag: str, notebook: bytes) -> None:
        name = b"".join(os.fsencode(one) for one in (before, tag, after, ".ipynb"))
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_bytes(notebook)

    return hand_in


def _same(notebook: Notebook) -> Notebook:
    return notebook


def _named(name: str, hand_in: HandIn) -> Attack:
    """An honest notebook under a name that harms whoever lists it."""
    return Attack(name, Threat.PAGES, _same, hand_in=hand_in, runs=False, compared=False)


def _refused(name: str, hand_in: HandIn, says: str) -> Attack:
    """What is not taken, and the instructor told why."""
    return Attack(
        name, Threat.FOLDERS, _same, says=says, hand_in=hand_in, taken=False, runs=False, compared=False
    )


FOLDERS = [
    _refused("a zip whose paths lead out", _zipped(_way_out), "leads out of the archive"),
    _refused("a zip bomb", _zipped(_bomb), "compressed far more"),
    _refused("a zip in a zip in a zip", _zipped(_nested), "zip in a zip in a zip"),
    _refused("a zip that hides what else is not taken", _zipped(_distracting), "1995 more were not taken"),
    _refused("a zip of links", _zipped(_link), "a link or a device"),
    _refused("a zip of a hundred thousand names", _zipped(_many), "too many entries"),
    _refused("a zip whose entries share their bytes", _overlapping, "entries overlap"),
    _refused("a tar whose paths lead out", _tar, "of archives only zips are"),
    _refused("a link to the solution", _symbolic, "a link, a device, or no file"),
    _refused("a folder that hides what else is not taken", _hiding, "1900 more were not taken"),
    _refused("a second name of somebody's file", _hard, "not taken"),
    _refused("a pipe", _pipe, "a link, a device, or no file"),
    _refused("a device", _device, "a link, a device, or no file"),
    _refused("a folder called a notebook", _folder, "not taken"),
    _refused("a folder that holds the root", _loop, "a link, a device, or no file"),
    Attack(
        "an archive that says that it is a neighbour's",
        Threat.FOLDERS,
        _same,
        hand_in=_zipped(_of_a_neighbour),
        runs=False,
        compared=False,
    ),
]
NAMES = [
    _named("a name that is a formula", _called("=HYPERLINK(4711080)+cmd|' C calc'!A0;")),
    _named(
        "a name that is markup", _called('"><img src=x onerror=alert(4711080)><script>4711080<', "script>")
    ),
    _named("a name with a terminal's commands", _called("\x1b]0;4711080\x07\x1b[2J\x9b31m", "\r\b\x7f")),
    _named("a name with line feeds", _called("\n=1+1\n", "\n,5,5\n")),
    _named("a name that is not UTF-8", _called(b"\xff\xfe\xed\xa0\x80", b"\xc3\x28")),
    _named("a name that turns its direction", _called("\u202egnp\u2066", "\u200f")),
    _named("a name of two hundred characters", _called("", "-" + "y" * 230)),
    _named("a name with dots and blanks", _called("-rf %2e%2e%2f ~ ", " ..")),
    _named("a name that is a template", _called("{{ 7*7 }}{% include 'x' %}%s{0}${IFS}`id`;")),
]
CORPUS = [*DAMAGED, *FOLDERS, *NAMES]
