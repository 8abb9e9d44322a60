"""What was handed in: from a folder of notebooks and zips, as people and learning platforms leave it, to one submission a learner.

This runs outside of the walls, on files that strangers made. It opens regular files only and follows no link, it reads within bounds, it
writes nothing, and whatever it does not take it says in a sentence.
"""

import io
import os
import re
import stat
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO
from zoneinfo import ZoneInfo

from flightschool.curriculum import Module, modules
from flightschool.errors import FlightSchoolError
from flightschool.grading import notebook
from flightschool.grading.archive import Archive, Entry, Refused, too_large
from flightschool.grading.learners import Modules, Owner, clean, distinct, owners
from flightschool.grading.model import Submission
from flightschool.grading.notebook import NOTEBOOK_LIMIT
from flightschool.i18n import _

MOST_FILES = 200_000
"""Names that are looked at in one folder tree: a thousand learners with 200 files each."""
DEEPEST = 10
"""Levels of folders; the deepest known layout has five."""
INNER_LIMIT = 64 * 2**20
"""Bytes of a zip within a zip, which is held in memory."""
MOST_PROBLEMS = 1_000
"""Sentences; nobody reads more."""
MOST_OF_ONE = 5
"""Sentences on one archive, so that nobody's hide what was not taken of others."""
MOST_OF_FOLDER = 100
"""Sentences on one folder, for the same reason; but it may be the one with everybody's notebooks."""
OPEN_LIMIT = 4 * 2**30
"""Bytes that are read of one zip with all in it: a thousand submissions of 4 MB."""
OPEN_FREELY = 100 * 2**20
"""Bytes that are read of any zip, however small it is."""
OPEN_RATIO = 100
"""Beyond that the bytes read for each byte of the zip, zips in it counted along: notebooks shrink to a tenth."""
WITHIN = "!/"
"""Between the path of a zip within a zip and the path in it."""

_WANTED = re.compile(r"\.(ipynb|zip)$", re.IGNORECASE)
_OTHER_ARCHIVE = re.compile(r"\.(rar|7z|tar|tgz|tar\.gz|tar\.bz2|tar\.xz|gz|bz2|xz)$", re.IGNORECASE)
_TIMESTAMP = "timestamp.txt"


@dataclass(frozen=True)
class Found:
    """The submissions, sorted by learner, and a sentence for each file that was not taken."""

    submissions: tuple[Submission, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True)
class _File:
    """A notebook that can be read. `parts` is its path with folders and archives by name, without endings; `says` the module in it."""

    file: Path
    member: str
    shown: str
    parts: tuple[str, ...]
    says: str
    changed: datetime | None
    """Of a plain file in UTC, of an archive's member by an unknown clock."""
    repository: bool = False
    """Whether it lies in a clone, of which the times are those of cloning."""


def find(folder: Path, module: Module) -> Found:
    """The submissions for a module in a folder, or in a single zip.

    Understood are notebooks, folders and zips by learner, one zip of all (with zips in it, one level deep), and the layouts of
    `flightschool.grading.learners`. Of several notebooks of a learner the newest counts: by the platform's numbering, else by its time.
    A notebook that says that it is of another module is not taken; one that says nothing is taken unless its name says so.

    `received` is nbgrader's timestamp.txt, else the time of a plain file. It is None for what came out of a zip, whose times are local and
    without zone, for files that a platform named, whose times are those of the download, and for clones.

    Raises:
        FlightSchoolError: there is no such folder, or it can't be read.
    """
    folder = Path(os.path.abspath(folder))  # noqa: PTH100  (resolve() would follow a link)
    known = Modules(one.id for one in modules(module.solutions, module.labs))
    search = _Search(folder)
    files = search.files()
    whose = owners([one.parts for one in files], folder.stem if folder.is_file() else folder.name, known)
    ids = distinct(owner.learner for owner in whose)
    by_learner: dict[str, list[tuple[_File, Owner, bool]]] = defaultdict(list)
    for file, owner in zip(files, whose, strict=True):
        said = file.says or next(filter(None, map(known.named, reversed(file.parts))), "")
        if said and said != module.id:
            search.problem(_("{file} is of module {module} and was not graded."), file.shown, module=said)
        else:
            by_learner[ids[owner.learner]].append((file, owner, bool(said)))
    submissions = [_submission(learner, found) for learner, found in by_learner.items()]
    search.empty_folders(files)
    return Found(tuple(sorted(submissions, key=lambda one: one.learner)), search.problems())


def read(submission: Submission) -> bytes:
    """The bytes of a submission's notebook, at most NOTEBOOK_LIMIT.

    Raises:
        FlightSchoolError: it can't be read (any more); the message says why.
    """
    try:
        if not submission.member:
            with _open(submission.file) as file:
                return _content(file, NOTEBOOK_LIMIT)
        *outer, name = submission.member.split(WITHIN, 1)
        status = submission.file.lstat()
        identity = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
        return _archive(submission.file, identity, *outer).read(name, NOTEBOOK_LIMIT)
    except (Refused, OSError) as error:
        shown = clean("/".join(filter(None, (submission.file.name, submission.member))))
        raise FlightSchoolError(
            _("{file} can't be read: {why}.").format(file=shown, why=_why(error))
        ) from None


@lru_cache(maxsize=2)
def _archive(file: Path, identity: tuple[int, ...], inner: str = "") -> Archive:
    """An open zip, kept because one zip of all holds a thousand submissions; `identity` is that of the file now."""
    archive = Archive(_open(file))
    return Archive(io.BytesIO(archive.read(inner, INNER_LIMIT))) if inner else archive


def _open(path: Path) -> BinaryIO:
    """Open a regular file that has no other name. Raises Refused or OSError."""
    if not stat.S_ISREG(os.lstat(path).st_mode):  # before opening: to open a device can do something
        raise Refused(_("it is a link, a device, or no file"))
    number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    status = os.fstat(number)
    if stat.S_ISREG(status.st_mode) and status.st_nlink == 1:
        return open(number, "rb")  # noqa: PTH123
    os.close(number)
    raise Refused(_("it is also a file elsewhere, by a hard link: hand in a copy"))


def _content(file: BinaryIO, limit: int) -> bytes:
    data = file.read(limit + 1)
    if len(data) > limit:
        raise Refused(too_large(limit))
    return data


def _modified(file: BinaryIO) -> datetime | None:
    try:
        return datetime.fromtimestamp(os.fstat(file.fileno()).st_mtime, UTC)
    except (OverflowError, ValueError):  # a year that no calendar has
        return None


def _why(error: Exception) -> str:
    """The reason as a part of a sentence."""
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return str(error)


class _Search:
    """One walk through a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen = 0
        self._budget = 0
        self._problems: list[str] = []
        self._more = 0
        self._folders: list[tuple[str, ...]] = []
        self._mentioned: set[tuple[str, ...]] = set()
        self._of: Counter[str] = Counter()

    def problem(
        self, sentence: str, shown: str, parts: tuple[str, ...] = (), *, of: str = "", **more: str
    ) -> None:
        """Note a file that is not taken; `of` is somebody's archive or folder that it is in."""
        self._mentioned.update(parts[:length] for length in range(1, len(parts) + 1))
        self._of[of] += bool(of)
        if self._of[of] > self._most(of):
            return
        if len(self._problems) < MOST_PROBLEMS:
            self._problems.append(sentence.format(file=clean(shown), **more))
        else:
            self._more += 1

    def problems(self) -> tuple[str, ...]:
        """All of them, or as many as somebody reads."""
        more = [
            _("{file}: {count} more were not taken.").format(file=clean(of), count=count - self._most(of))
            for of, count in self._of.items()
            if count > self._most(of)
        ][:MOST_PROBLEMS]
        if self._more:
            more.append(_("Further files that were not taken: {count}.").format(count=self._more))
        return (*self._problems, *more)

    def _most(self, of: str) -> int:
        return MOST_OF_ONE if of.lower().endswith(".zip") else MOST_OF_FOLDER

    def files(self) -> list[_File]:
        """The notebooks that can be read. Raises FlightSchoolError when the folder can't."""
        try:
            if self._folder.is_file():
                return list(self._file(self._folder, self._folder.name, ()))
            with os.scandir(self._folder):
                pass
        except OSError as error:
            raise FlightSchoolError(
                _("{folder} can't be read: {why}.").format(folder=self._folder, why=_why(error))
            ) from None
        return list(self._walk(self._folder, (), repository=False))

    def empty_folders(self, files: list[_File]) -> None:
        """Note folders without a notebook that stand beside folders with one: a learner's work is missing there."""
        paths = [*self._folders, *(file.parts[:-1] for file in files)]
        level = 0  # of the folders that begin to differ
        while len({path[: level + 1] for path in paths}) == 1 and min(map(len, paths)) > level:
            level += 1
        used = {file.parts[: level + 1] for file in files if len(file.parts) > level + 1}
        for parts in self._folders if used else ():
            if len(parts) == level + 1 and parts not in used | self._mentioned:
                self.problem(_("There is no notebook in {file}."), "/".join(parts))

    def _walk(self, folder: Path, parts: tuple[str, ...], *, repository: bool) -> Iterator[_File]:
        names = []
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    self._seen += 1
                    if self._seen > MOST_FILES:
                        break
                    names.append(entry)
        except OSError as error:
            self.problem(_("{file} can't be read: {why}."), "/".join(parts), parts, why=_why(error))
            return
        if self._seen == MOST_FILES + 1:
            sentence = _("Nothing after the first {most} files was looked at; that was in {file}.")
            self.problem(sentence, "/".join((folder.name, *parts)), parts, most=str(MOST_FILES))
        repository = repository or any(entry.name == ".git" for entry in names)
        for entry in sorted(names, key=lambda one: os.fsencode(one.name)):
            name = entry.name
            if _ignored(name):
                continue
            here = (*parts, name)
            if self._seen > MOST_FILES and entry.is_dir(follow_symlinks=False):
                continue
            if entry.is_dir(follow_symlinks=False) and not name.lower().endswith(".ipynb"):
                if len(here) > DEEPEST:
                    self.problem(_("{file} was not looked into: it lies too deep."), "/".join(here), here)
                    continue
                self._folders.append(here)
                yield from self._walk(folder / name, here, repository=repository)
            elif _WANTED.search(name):
                yield from self._file(folder / name, "/".join(here), parts, repository=repository)
            elif _OTHER_ARCHIVE.search(name):
                sentence = _("{file} is not opened: of archives only zips are.")
                self.problem(sentence, "/".join(here), here, of="/".join(parts))
            elif entry.is_symlink():
                sentence = _("{file} is a link and was not followed.")
                self.problem(sentence, "/".join(here), here, of="/".join(parts))

    def _file(
        self, path: Path, shown: str, parts: tuple[str, ...], *, repository: bool = False
    ) -> Iterator[_File]:
        """The notebook, or the notebooks of the zip, at this path."""
        here = (*parts, path.stem)
        try:
            with _open(path) as file:
                if path.name.lower().endswith(".zip"):
                    size = os.fstat(file.fileno()).st_size
                    self._budget = min(OPEN_LIMIT, max(OPEN_FREELY, OPEN_RATIO * size))
                    inside = parts if path == self._folder else here
                    yield from self._zip(Archive(file), path, "", shown, inside)
                else:
                    # One that is too large is refused when it is read, so that its learner has a row and a page.
                    large = os.fstat(file.fileno()).st_size > NOTEBOOK_LIMIT
                    says = "" if large else notebook.module(_content(file, NOTEBOOK_LIMIT))
                    yield _File(path, "", shown, here, says, _modified(file), repository)
        except (Refused, OSError) as error:
            sentence = _("{file} was not taken: {why}.")
            self.problem(sentence, shown, (*parts, path.name), of="/".join(parts), why=_why(error))

    def _zip(
        self, archive: Archive, file: Path, outer: str, shown: str, parts: tuple[str, ...]
    ) -> Iterator[_File]:
        """The notebooks of a zip, and of the zips in it. Raises Refused."""
        count = 0
        of = shown if outer or file != self._folder else ""
        for entry in archive.entries(_WANTED):
            name = f"{shown}/{entry.name}"
            if any(_ignored(part) for part in entry.parts):
                continue
            count += 1
            try:
                yield from self._entry(archive, entry, file, outer, name, parts)
            except Refused as error:
                self.problem(_("{file} was not taken: {why}."), name, parts, of=of, why=str(error))
        if not count:
            within = "" if file == self._folder else shown.rpartition("/")[0]
            self.problem(_("There is no notebook in {file}."), shown, parts, of=within if outer else "")

    def _entry(
        self, archive: Archive, entry: Entry, file: Path, outer: str, shown: str, parts: tuple[str, ...]
    ) -> Iterator[_File]:
        self._seen += 1
        if self._seen > MOST_FILES:
            raise Refused(_("there are too many files"))
        if entry.refused:
            raise Refused(entry.refused)
        if len(entry.parts) > DEEPEST or WITHIN in entry.name or not entry.parts:
            raise Refused(_("its path can't be understood"))
        inside = (*parts, *entry.parts[:-1], Path(entry.parts[-1]).stem)
        if entry.name.lower().endswith(".zip"):
            if outer:
                raise Refused(_("it is a zip in a zip in a zip"))
            inner = Archive(io.BytesIO(self._read(archive, entry, INNER_LIMIT)))
            yield from self._zip(inner, file, entry.name + WITHIN, shown, inside)
            return
        says = notebook.module(self._read(archive, entry, NOTEBOOK_LIMIT))
        yield _File(file, outer + entry.name, shown, inside, says, entry.changed)

    def _read(self, archive: Archive, entry: Entry, limit: int) -> bytes:
        self._budget -= entry.size
        if self._budget < 0:
            raise Refused(_("its archive is larger inside than submissions are"))
        return archive.read(entry.name, limit)


def _ignored(name: str) -> bool:
    """Hidden files and folders, among them `.ipynb_checkpoints`, `.git` and macOS's `._x`, and what macOS puts into zips."""
    return (name.startswith(".") and name != "..") or name == "__MACOSX"


def _submission(learner: str, found: list[tuple[_File, Owner, bool]]) -> Submission:
    """The newest of a learner's notebooks; those that say their module precede those that don't."""

    def changed(file: _File) -> float:
        return file.changed.replace(tzinfo=UTC).timestamp() if file.changed else 0.0

    newest: dict[tuple[str, bool], tuple[_File, Owner, bool]] = {}
    for one in sorted(
        found, key=lambda each: (each[1].version, each[1].serial, changed(each[0]), each[0].shown)
    ):
        newest[one[1].base.lower(), one[2]] = one  # the platform's numbers compare files of one name only
    file, owner, _said = max(
        newest.values(),
        key=lambda one: (one[2], one[1].serial, changed(one[0]), one[1].version, one[0].shown),
    )
    received = None if file.member or owner.platform or file.repository else file.changed
    if owner.nbgrader and not file.member:
        received = _timestamp(file.file.with_name(_TIMESTAMP)) or received
    also = tuple(sorted(clean(other.shown) for other, _owner, _said in found if other is not file))
    return Submission(learner, file.file, file.member, received, also)


def _timestamp(path: Path) -> datetime | None:
    """The time in nbgrader's timestamp.txt (`2015-02-02 15:58:23.948203 UTC`); without a zone it is UTC."""
    try:
        with _open(path) as file:
            text = _content(file, 200).decode("ascii").strip()
        day, clock, *zone = text.split(" ")
        time = datetime.fromisoformat(f"{day} {clock}")
        if time.tzinfo is not None or not zone or zone[0] in ("UTC", "Z"):
            return time if time.tzinfo else time.replace(tzinfo=UTC)
        if re.fullmatch(r"[+-][0-9]{4}", zone[0]):
            return datetime.strptime(f"{day} {clock} {zone[0]}", _format(clock))
        return time.replace(tzinfo=ZoneInfo(zone[0]))
    except (Refused, OSError, ValueError, KeyError):  # a zone that nobody knows is a KeyError
        return None


def _format(clock: str) -> str:
    return "%Y-%m-%d %H:%M:%S.%f %z" if "." in clock else "%Y-%m-%d %H:%M:%S %z"
