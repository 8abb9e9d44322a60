"""Which notebooks a run is about: those of the curriculum, made when they are to be executed, or those of a folder."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from flightschool import curriculum, paths
from flightschool.curriculum import Module
from flightschool.engine import fingerprint
from flightschool.errors import FlightSchoolError
from flightschool.i18n import _, language


@dataclass(frozen=True)
class Piece:
    """A notebook to execute, and the module that it belongs to.

    `made` says that the notebook is made from the module's source, and may not be there yet; else it was given.
    """

    notebook: Path
    module: Module
    made: bool

    @property
    def name(self) -> str:
        """The module's id."""
        return self.module.id

    def key(self) -> str:
        """The fingerprint of all that its execution depends on."""
        given = [] if self.made else [self.notebook]
        return fingerprint.of_files(given, salt=f"{language()} {fingerprint.course(self.module)}")


def from_curriculum(names: Sequence[str] | None) -> list[Piece]:
    """Pieces for the modules of these names, all by default; raises FlightSchoolError naming those that exist."""
    chosen = curriculum.modules() if names is None else [curriculum.module(name) for name in names]
    if not chosen:
        raise FlightSchoolError(
            _("There is no source in {folder}: run this in a complete checkout.").format(
                folder=paths.SOLUTIONS
            )
        )
    folder = paths.BUILD / "solutions"
    return [
        Piece(folder / f"{name}.ipynb", module, made=True)
        for name, module in sorted({module.id: module for module in chosen}.items())
    ]


def from_folder(source: Path, names: Sequence[str] | None) -> list[Piece]:
    """Pieces for the notebooks of a folder; raises FlightSchoolError as `choose`."""
    return [Piece(path, Module(path.stem), made=False) for path in choose(source, names)]


def choose(source: Path, names: Sequence[str] | None) -> list[Path]:
    """The notebooks of these names, in their order; raises FlightSchoolError naming those that exist."""
    known = sorted(source.glob("[0-9][0-9]_*.ipynb"))
    if not known:
        raise FlightSchoolError(
            _("There are no solution notebooks in {folder}: run `make build` first.").format(folder=source)
        )
    if names is None:
        return known
    chosen = []
    for name in names:
        found = [
            path
            for path in known
            if name in (path.stem, path.stem[:2], path.stem[:2].lstrip("0"), path.stem[3:])
        ]
        if not found:
            raise FlightSchoolError(
                _("There is no module {name!r}. Choose one of: {known}.").format(
                    name=name, known=", ".join(path.stem for path in known)
                )
            )
        chosen += found
    return sorted(set(chosen))


def make(pieces: Iterable[Piece]) -> None:
    """Write the notebooks that are made from sources; raises FlightSchoolError with an author's mistakes."""
    modules = [piece.module for piece in pieces if piece.made]
    if modules:
        from flightschool.publish import write_solutions

        write_solutions(modules)
