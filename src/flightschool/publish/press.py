"""From the whole of solutions/ to notebooks/: build what is to be there, and say what is there instead."""

import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from flightschool.curriculum import MODULE_NAME, Module
from flightschool.errors import FlightSchoolError
from flightschool.i18n import TOOLING, _, catalogue
from flightschool.publish import glossary, shelf, steps
from flightschool.publish.house import House
from flightschool.publish.messages import module_code, template, tooling_code
from flightschool.publish.source import Page, Problem, SourceError, read


@dataclass(frozen=True)
class Kept:
    """A notebook that a person had changed, and where a copy of it is."""

    notebook: Path
    copy: Path


@dataclass
class Built:
    """What a build did."""

    written: list[Path] = field(default_factory=list)
    removed: list[Path] = field(default_factory=list)
    unchanged: int = 0
    kept: list[Kept] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    """What to tell the person who asked for it."""


class State(StrEnum):
    """How a committed file may differ from what its source gives."""

    MISSING = "missing"
    STALE = "stale"
    EDITED = "edited"
    EXTRA = "extra"


@dataclass(frozen=True)
class Difference:
    """A committed file that is not what its source gives."""

    path: Path
    state: State
    sentence: str


@dataclass(frozen=True)
class Edition:
    """All that the sources give, not yet on the shelf."""

    notebooks: Mapping[Path, bytes]
    templates: Mapping[Path, bytes]
    solutions: Mapping[Path, bytes]
    shelves: tuple[Path, ...]
    """The folders of learner notebooks that this edition fills."""


def build(language: str | None = None, *, house: House | None = None) -> Built:
    """Make learner notebooks, solution notebooks and translators' templates from the sources.

    Nothing is written unless every source is sound. A notebook that a person changed is copied to
    `.flightschool/edited/` before it is replaced.

    Args:
        language: only this one's notebooks; by default English and every language with a `.po` file.
        house: where to read and write; by default this checkout.

    Raises:
        SourceError: what is wrong in the sources, each with file and line.
        FlightSchoolError: there are no sources, none is translated into `language`, a `.po` file is damaged, or a file
            can't be written.
    """
    house = house or House()
    edition = _edition(house, language)
    built = Built()
    for path, data in edition.notebooks.items():
        if path.is_file() and path.read_bytes() != data:
            _keep(built, house, path)
        _put(built, path, data)
    for path in _extras(edition):
        if shelf.pristine(path.read_bytes()):
            path.unlink()
            built.removed.append(path)
    for path, data in {**edition.templates, **edition.solutions}.items():
        _put(built, path, data)
    if language is None:
        for path in [*_stale_templates(house, edition), *_stale_solutions(house, edition)]:
            path.unlink()
            built.removed.append(path)
    return built


def check(language: str | None = None, *, house: House | None = None) -> list[Difference]:
    """What of the committed notebooks and templates is not as the sources give it; empty is good. Changes nothing.

    Raises:
        SourceError, FlightSchoolError: as `build`.
    """
    house = house or House()
    edition = _edition(house, language)
    found = [
        difference
        for path, data in {**edition.notebooks, **edition.templates}.items()
        if (difference := _compare(house, path, data))
    ]
    extras = _extras(edition) + (_stale_templates(house, edition) if language is None else [])
    for path in extras:
        sentence = _(
            "{path} is made from no source: move it elsewhere, or run `make build` if it is a leftover."
        )
        found.append(Difference(path, State.EXTRA, sentence.format(path=house.shown(path))))
    return sorted(found, key=lambda difference: difference.path)


def solution_notebook(module: Module, *, house: House | None = None) -> bytes:
    """One module's notebook with its solutions in it, as papermill executes it; writes nothing.

    Raises:
        SourceError: what is wrong in the source, each with file and line.
    """
    house = house or House()
    page = read(module.source, house.shown(module.source))
    page.points = _points(house, module)
    data = steps.run(page, steps.SOLUTION)
    if data is None:
        raise SourceError(page.problems)
    return data


def write_solutions(modules: Iterable[Module], *, house: House | None = None) -> Path:
    """Write the solution notebooks of these modules as `solution_notebook` gives them; return their folder."""
    house = house or House()
    folder = house.build / "solutions"
    for module in modules:
        shelf.write(folder / f"{module.id}.ipynb", solution_notebook(module, house=house))
    return folder


def _edition(house: House, language: str | None) -> Edition:
    """Read every source and set every page, or raise with all that is wrong."""
    problems: list[Problem] = []
    pages: dict[str, Page] = {}
    if not house.sources():  # else every notebook would count as a leftover
        sentence = _("There is no source in {folder}: run this in a complete checkout.")
        raise FlightSchoolError(sentence.format(folder=house.shown(house.solutions)))
    for path in house.sources():
        try:
            pages[path.stem] = read(path, house.shown(path))
        except SourceError as error:
            problems += error.problems
    try:
        terms = glossary.read(house)
    except SourceError as error:
        problems += error.problems
        terms = []
    languages = ["en", *house.languages(pages)] if language is None else [language]
    if language not in (None, "en") and language not in house.languages(pages):
        raise FlightSchoolError(
            _("No module is translated into {language!r}: make {path} from the template first.").format(
                language=language, path=house.shown(house.locale / str(language) / "NN_topic.po")
            )
        )

    notebooks: dict[Path, bytes] = {}
    templates: dict[Path, bytes] = {}
    solutions: dict[Path, bytes] = {}

    def set_page(page: Page, path: Path, into: dict[Path, bytes], which: tuple[steps.Step, ...]) -> None:
        data = steps.run(page, which)
        if data is None:
            problems.extend(page.problems)
        else:
            into[path] = data

    modules = house.modules()
    for module in modules:
        name, page = module.id, pages.get(module.id)
        if page is None:  # unreadable, and reported
            continue
        glossary.check_links(page, terms)
        try:
            page.points = _points(house, module)
            templates[house.locale / f"{name}.pot"] = template(house, module_code(house, name), page)
        except SourceError as error:
            problems += error.problems
        set_page(page.copy(), house.build / "solutions" / f"{name}.ipynb", solutions, steps.SOLUTION)
        for tongue in languages:
            if tongue == "en" or (house.locale / tongue / f"{name}.po").is_file():
                set_page(
                    _translated(page, tongue, house), house.notebook(name, tongue), notebooks, steps.LEARNER
                )
    if terms:
        page = glossary.page(house, terms, {module.id[:2]: module for module in modules})
        templates[house.locale / f"{page.name}.pot"] = template(house, (), page)
        for tongue in languages:
            set_page(
                _translated(page, tongue, house), house.notebook(page.name, tongue), notebooks, steps.TEXT
            )
    try:
        templates[house.locale / f"{TOOLING}.pot"] = template(house, tooling_code(house))
    except SourceError as error:
        problems += error.problems
    if problems:
        raise SourceError(problems)
    shelves = [house.shelf(tongue) for tongue in languages]
    if language is None:  # a language that was given up leaves its folder
        folders = (path for path in sorted(house.notebooks.glob("*")) if path.is_dir())
        shelves += [path for path in folders if path not in shelves and not path.name.startswith(".")]
    return Edition(notebooks, templates, solutions, tuple(shelves))


def _points(house: House, module: Module) -> Mapping[str, float]:
    """What the curriculum says about a module's exercises; raises SourceError when the lab can't be imported."""
    try:
        return {one.id: one.points for one in module.exercises.values()}
    except Exception as error:  # whatever a lab under construction raises
        path = module.lab / "exercises.py"
        own = [frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename) == path]
        line = error.lineno if isinstance(error, SyntaxError) else own[-1].lineno if own else 1
        what = _("this can't be imported: {error}").format(error=error)
        raise SourceError([Problem(house.shown(path), line or 1, what)]) from error


def _catalogue(domain: str, language: str, house: House) -> Callable[[str], str]:
    try:
        return catalogue(domain, language, house.locale).gettext
    except Exception as error:  # babel raises PoFileError, but ValueError and UnicodeDecodeError too
        path = house.shown(house.locale / language / f"{domain}.po")
        sentence = _("{path} can't be read: {error}. Mend it, or make it anew from the template.")
        raise FlightSchoolError(sentence.format(path=path, error=error)) from error


def _translated(page: Page, language: str, house: House) -> Page:
    page = page.copy()
    page.language = language
    if language != "en":
        page.translate = _catalogue(page.name, language, house)
        page.tooling = _catalogue(TOOLING, language, house)
    return page


def _put(built: Built, path: Path, data: bytes) -> None:
    if shelf.write(path, data):
        built.written.append(path)
    else:
        built.unchanged += 1


def _keep(built: Built, house: House, notebook: Path) -> None:
    if copy := shelf.keep(notebook, house.aside(notebook)):
        built.kept.append(Kept(notebook, copy))
        built.lines.append(
            _("{notebook} had been changed by hand; that version is kept in {copy}.").format(
                notebook=house.shown(notebook), copy=house.shown(copy)
            )
        )


def _compare(house: House, path: Path, data: bytes) -> Difference | None:
    if not path.is_file():
        sentence = _("{path} is missing: run `make build`.")
        return Difference(path, State.MISSING, sentence.format(path=house.shown(path)))
    found = path.read_bytes()
    if found == data:
        return None
    if path.suffix != ".ipynb" or shelf.pristine(found):
        sentence = _("{path} is older than its source: run `make build`.")
        return Difference(path, State.STALE, sentence.format(path=house.shown(path)))
    sentence = _(
        "{path} differs from what {source} gives: edit the source and run `make build`; "
        "your edit will then be kept in {copy}."
    )
    return Difference(
        path,
        State.EDITED,
        sentence.format(
            path=house.shown(path),
            source=house.shown(house.solutions / f"{path.stem}.py"),
            copy=house.shown(shelf.copy_of(path, found, house.aside(path))),
        ),
    )


def _extras(edition: Edition) -> list[Path]:
    """Notebooks called like a module's that no source gives; a learner's own notebooks are none of our business."""
    return [
        path
        for folder in edition.shelves
        for path in sorted(folder.glob("*.ipynb"))
        if MODULE_NAME.fullmatch(path.stem) and path not in edition.notebooks
    ]


def _stale_templates(house: House, edition: Edition) -> list[Path]:
    return [path for path in sorted(house.locale.glob("*.pot")) if path not in edition.templates]


def _stale_solutions(house: House, edition: Edition) -> list[Path]:
    return [
        path for path in sorted((house.build / "solutions").glob("*.ipynb")) if path not in edition.solutions
    ]
