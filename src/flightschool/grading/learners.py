"""Whose file it is: read from the names that learning platforms and people give to what was handed in.

The forms, from the platforms' own sources:

- Canvas, `lib/content_zipper.rb`: `anoanna_12345_67890_work.ipynb`, and `anoanna_LATE_12345_67890_work-1.ipynb`: name, user, file, and the
  learner's own file name, which `Attachment.make_unique_filename` numbers; anonymous marking has `anon_Ab3dE` for name and user.
- Moodle, `mod/assign/classes/downloader.php`: `Anna Ano_123456_assignsubmission_file/work.ipynb`; until 4.0 with `_` at the folder's end,
  without folders `Anna Ano_123456_assignsubmission_file_work.ipynb`. A team's name may come without a number.
- nbgrader: `submitted/anna/01_dataops_intro/work.ipynb`.
- GitHub Classroom, `gh classroom clone student-repos`: `intro-submissions/intro-anna/work.ipynb`.

A learner names the files within what is theirs; so only the outermost part of a path, which the platform gave, says whose it is.
"""

import hashlib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from flightschool.grading.archive import LONGEST_NAME

LONGEST_LEARNER = 80
"""Characters of a learner's id; a table's column has no more room."""

_MOODLE = re.compile(
    r"(?P<name>.+?)_(?:(?P<id>[0-9]+)_)?assignsubmission_[a-z]+(?:_(?P<rest>.*))?", re.DOTALL
)
_CANVAS = re.compile(r"(?P<name>\w+?)(?:_LATE)?_(?P<user>[0-9]+)_(?P<file>[0-9]+)_(?P<rest>.+)", re.DOTALL)
_CANVAS_ANONYMOUS = re.compile(
    r"(?:LATE_)?(?P<name>anon)_(?P<user>[A-Za-z0-9]{5})_(?P<file>[0-9]+)_(?P<rest>.+)", re.DOTALL
)
_GENERIC = re.compile(r"submitted|submissions?|(?P<slug>.+)-submissions", re.IGNORECASE | re.DOTALL)
_NUMBERED = re.compile(r"(?P<base>.+)-(?P<number>[1-9][0-9]{0,3})", re.DOTALL)


@dataclass(frozen=True)
class Owner:
    """Whose file it is. `version` numbers files of the name `base`; `serial` is the platform's numbering of all files.

    `platform` says that the name was given by a platform, and `nbgrader` by nbgrader.
    """

    learner: str
    base: str = ""
    version: int = 0
    serial: int = 0
    platform: bool = False
    nbgrader: bool = False


class Modules:
    """Finds the names of modules in the names of files, however they are spelled: `01-dataops-intro`, `DataOps intro`."""

    def __init__(self, modules: Iterable[str]) -> None:
        self._patterns: list[tuple[str, re.Pattern[str], re.Pattern[str]]] = []
        for module in modules:
            number, *topic = module.split("_")
            spelled = r"[\W_]{0,3}".join(map(re.escape, topic))
            pattern = rf"(?<![^\W_])(?:{number}[\W_]{{0,3}})?{spelled}(?![^\W_])"
            numbered = rf"{pattern}(?:-[1-9][0-9]{{0,3}}$)?"
            self._patterns.append(
                (module, re.compile(pattern, re.IGNORECASE), re.compile(numbered, re.IGNORECASE))
            )

    def named(self, text: str) -> str:
        """The one module that a name mentions; empty when it is none or several."""
        found = [module for module, pattern, _numbered in self._patterns if pattern.search(text)]
        return found[0] if len(found) == 1 else ""

    def without(self, text: str) -> str:
        """The name without modules' names and the signs that joined them, and without a number behind a module's name."""
        for _module, _pattern, numbered in self._patterns:
            text = numbered.sub("\0", text)
        if "\0" not in text:
            return text
        return re.sub(r"[\s_.-]*\0[\s_.-]*", " ", text).strip()


def owners(paths: Sequence[tuple[str, ...]], root: str, modules: Modules) -> list[Owner]:
    """For each path (folders and archives without their ending, then the file without its ending) whose it is.

    `root` is the name of the folder that all are in; it is asked when nothing else says a name.
    """
    slug = found["slug"] or "" if (found := _GENERIC.fullmatch(root)) else ""
    nbgrader = [root == "submitted"] * len(paths)
    rest = list(paths)
    while True:
        for index, path in enumerate(rest):
            if len(path) > 1 and (match := _GENERIC.fullmatch(path[0])) and _carrier(path[1:], modules):
                nbgrader[index] |= path[0] == "submitted"
                slug = match["slug"] or slug
                rest[index] = path[1:]
        heads = {path[0] for path in rest if len(path) > 1}
        if len(heads) != 1 or not _is_wrapper(heads.pop(), rest, modules):
            break
        rest = [path[1:] if len(path) > 1 else path for path in rest]
    canvas = _canvas(rest)
    nameless = sum(len(path) == 1 and not modules.without(path[0]) for path in rest)
    found_owners = []
    for index, path in enumerate(rest):
        owner = _platform(path, canvas.get(index)) or Owner(
            _plain(path, slug, root if nameless == 1 else "", modules),
            base=path[-1],
            version=_version(path[-1])[1],
            nbgrader=nbgrader[index] and len(path) == 3,
        )
        found_owners.append(owner)
    return found_owners


def _carrier(path: tuple[str, ...], modules: Modules) -> str:
    """The part of a path that would name a learner; empty when none does."""
    return next((part for part in path if not _GENERIC.fullmatch(part) and modules.without(part)), "")


def _is_wrapper(head: str, paths: Sequence[tuple[str, ...]], modules: Modules) -> bool:
    """Whether a folder that holds all others is only a cover, and not a learner's."""
    inside = [path[1:] for path in paths if len(path) > 1]
    carriers = {_carrier(path, modules) for path in inside}
    if "" in carriers:
        return False
    return not modules.without(head) or len(carriers) > 1 or all(_platform(path, None) for path in inside)


def _platform(path: tuple[str, ...], canvas: Owner | None) -> Owner | None:
    """Whose it is when a platform named it."""
    if match := _MOODLE.fullmatch(path[0]):
        base, version = _version(match["rest"] or path[-1])
        learner = "_".join(filter(None, (match["name"], match["id"])))
        return Owner(learner, base, version, platform=True)
    return canvas


def _canvas(paths: Sequence[tuple[str, ...]]) -> dict[int, Owner]:
    """The paths that Canvas named. A file's number belongs to one file: where it doesn't, these are names of some other kind."""
    found: dict[int, Owner] = {}
    names: dict[Hashable, set[str]] = defaultdict(set)
    for index, path in enumerate(paths):
        if match := _CANVAS_ANONYMOUS.fullmatch(path[0]) or _CANVAS.fullmatch(path[0]):
            base, version = _version(match["rest"])
            found[index] = Owner(
                f"{match['name']}_{match['user']}", base, version, int(match["file"][:18]), True
            )
            names[match["user"], match["file"]].add(base)
    return {} if any(len(bases) > 1 for bases in names.values()) else found


def _version(name: str) -> tuple[str, int]:
    match = _NUMBERED.fullmatch(name)
    return (match["base"], int(match["number"])) if match else (name, 0)


def _plain(path: tuple[str, ...], slug: str, root: str, modules: Modules) -> str:
    name = path[0]
    if len(path) > 1 and slug and name.lower().startswith(f"{slug.lower()}-") and len(name) > len(slug) + 1:
        return name[len(slug) + 1 :]
    return modules.without(name) or (root if len(path) == 1 else "") or name


def clean(text: str, longest: int = 120) -> str:
    """A name as it can be shown on one line: nothing unseen, nothing that turns the direction of writing."""
    text = unicodedata.normalize("NFC", text[:LONGEST_NAME])
    shown = "".join(" " if char.isspace() else char for char in text if char.isspace() or _visible(char))
    shown = " ".join(shown.split())
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"


def _visible(char: str) -> bool:
    return unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def distinct(raw: Iterable[str]) -> Mapping[str, str]:
    """For each learner's name as found an id that is clean; where two would be equal, the one that was not clean gets a mark."""
    groups: dict[str, list[str]] = defaultdict(list)
    for name in sorted(set(raw), key=lambda one: one.encode("utf-8", "surrogatepass")):
        groups[clean(name, LONGEST_LEARNER).replace("/", "_").replace("\\", "_") or "?"].append(name)
    ids: dict[str, str] = {}
    taken = set(groups)
    for shown, names in groups.items():
        for name in names:
            if len(names) == 1 or name == shown:
                ids[name] = shown
                continue
            digest, length = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest(), 6
            while (marked := f"{shown}~{digest[:length]}") in taken:
                length += 2
            taken.add(marked)
            ids[name] = marked
    return ids
