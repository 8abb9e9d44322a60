"""`flightschool new 14_topic`: a module's places, made from the templates beside this file, all of them or none.

A template's path is its place in the house, with NN_topic for the module's id and `.template` behind, so that
no tool takes it for code of ours. In it `$id`, `$number`, `$topic` and `$title` are replaced (string.Template).
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath
from string import Template

from flightschool.curriculum import MODULE_NAME
from flightschool.errors import FlightSchoolError
from flightschool.i18n import _
from flightschool.publish.house import House

PLACEHOLDER, SUFFIX = "NN_topic", ".template"
LONGEST = 60


def new(name: str, *, house: House | None = None) -> list[Path]:
    """Lay out the source, the lab and the tests of a module; return the files.

    Args:
        name: two digits and the topic in lower case, such as `14_topic`.
        house: where to write; by default this checkout.

    Raises:
        FlightSchoolError: the name can't be a module's, its number or topic is taken, something stands in one of its
            places, or a file can't be written. Nothing is left behind.
    """
    house = house or House()
    _check_name(name)
    for room in _rooms(house):
        if not room.is_dir():
            sentence = _("There is no folder {folder}: run this in a complete checkout.")
            raise FlightSchoolError(sentence.format(folder=house.shown(room)))
    _check_free(house, name)
    pages = dict(_pages(name))
    try:
        _lay_out(house, pages)
    except OSError as error:
        sentence = _("{path} can't be written ({why}); nothing was kept: mend that and run this again.")
        where = error.filename2 or error.filename or house.root
        raise FlightSchoolError(sentence.format(path=house.shown(Path(where)), why=error.strerror)) from error
    return [house.root / path for path in pages]


def _check_name(name: str) -> None:
    if name.isascii() and MODULE_NAME.fullmatch(name) and name[:2] != "00" and len(name) <= LONGEST:
        return
    sentence = _(
        "{name!r} can't be a module's name: take two digits (01 to 99), an underscore, and a topic of at most {most} lower-case "
        "letters, digits and underscores, such as 14_topic."
    )
    raise FlightSchoolError(sentence.format(name=name, most=LONGEST - len("14_")))


def _check_free(house: House, name: str) -> None:
    known = house.modules()
    for module in known:
        if module.id != name and module.id[3:] == name[3:]:
            sentence = _(
                "The topic of {name} is taken by {other}: a module is found by its topic, too, so take another."
            )
            raise FlightSchoolError(sentence.format(name=name, other=module.id))
    number = name[:2]
    standing = [
        path
        for room in (*_rooms(house), house.notebooks)
        for path in sorted(room.glob(f"{number}_*"))
        if MODULE_NAME.fullmatch(path.stem)
    ]
    if standing:
        taken = {int(module.number) for module in known} | {int(number)}
        free = next((n for n in range(1, 100) if n not in taken), None)
        sentence = _("Number {number} is taken, {path} exists: take {free}, or move that elsewhere.")
        raise FlightSchoolError(
            sentence.format(
                number=number,
                path=house.shown(standing[0]),
                free=_("another number") if free is None else f"{free:02}",
            )
        )


def _rooms(house: House) -> list[Path]:
    """The folders in which a module has its places; all must be there."""
    return [house.solutions, house.labs, house.root / "tests" / "labs"]


def _pages(name: str) -> Iterator[tuple[PurePosixPath, str]]:
    """Where each file goes, from the root of the house, and what it says."""
    topic = name[3:]
    words = {
        "id": name,
        "number": name[:2],
        "topic": topic,
        "title": topic.replace("_", " ").strip().capitalize(),
    }
    for place, template in sorted(_templates(files(__package__) / "templates")):
        path = PurePosixPath(place.removesuffix(SUFFIX).replace(PLACEHOLDER, name))
        yield path, Template(template).substitute(words)


def _templates(folder: Traversable, above: str = "") -> Iterator[tuple[str, str]]:
    for item in folder.iterdir():
        if item.is_dir():
            yield from _templates(item, f"{above}{item.name}/")
        elif item.name.endswith(SUFFIX):
            yield above + item.name, item.read_text(encoding="utf-8")


def _lay_out(house: House, pages: dict[PurePosixPath, str]) -> None:
    """Write all pages beside their places, then move each place in; on any exception take back what was moved.

    The source is moved last, for it is what makes a module of the other places.
    """
    with ExitStack() as undo:
        moves: list[tuple[Path, Path]] = []
        for place in sorted(_places(pages), key=lambda place: place.suffix == ".py"):
            target = house.root / place
            # In the same folder, so that moving is renaming; hidden, so that nobody takes it for a module.
            stage = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
            undo.callback(shutil.rmtree, stage, ignore_errors=True)
            for page, text in pages.items():
                if page.is_relative_to(place):
                    file = stage / target.name / page.relative_to(place)
                    file.parent.mkdir(parents=True, exist_ok=True)
                    file.write_text(text, encoding="utf-8")
            moves.append((stage / target.name, target))
        with ExitStack() as take_back:
            for made, target in moves:
                take_back.callback(_remove, made, target)
                made.rename(target)
            take_back.pop_all()


def _places(pages: dict[PurePosixPath, str]) -> set[PurePosixPath]:
    """The files and folders that carry the module's name."""
    return {
        next(
            PurePosixPath(*page.parts[: n + 1])
            for n, part in enumerate(page.parts)
            if MODULE_NAME.fullmatch(part.removesuffix(".py"))
        )
        for page in pages
    }


def _remove(made: Path, target: Path) -> None:
    """Take `target` back if it is what we made: then `made` is where it was no more."""
    if made.exists():
        return
    if target.is_dir():
        shutil.rmtree(target, ignore_errors=True)
    else:
        target.unlink(missing_ok=True)
