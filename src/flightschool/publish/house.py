"""The rooms that publishing reads and writes; a test gives it a house of its own."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from flightschool import paths
from flightschool.curriculum import Module, modules


@dataclass(frozen=True)
class House:
    """Folders. What is made from `solutions`, `labs` and `package` goes to `notebooks`, `build` and `solutions/locale`."""

    root: Path = paths.ROOT
    """What paths are shown relative to."""
    solutions: Path = paths.SOLUTIONS
    labs: Path = paths.LABS
    notebooks: Path = paths.NOTEBOOKS
    build: Path = paths.BUILD
    state: Path = paths.STATE
    package: Path = paths.ROOT / "src" / "flightschool"
    """Our own tooling, whose messages are translated too."""
    glossary: Path = paths.ROOT / "docs" / "glossary.md"
    """The terms of the course, if there are any yet."""

    @classmethod
    def at(cls, root: Path) -> "House":
        """A house elsewhere, with the rooms that DESIGN.md names."""
        return cls(
            root=root,
            solutions=root / "solutions",
            labs=root / "labs",
            notebooks=root / "notebooks",
            build=root / "build",
            state=root / ".flightschool",
            package=root / "src" / "flightschool",
            glossary=root / "docs" / "glossary.md",
        )

    @property
    def locale(self) -> Path:
        """Templates, and a folder of `.po` files for each language."""
        return self.solutions / "locale"

    @property
    def edited(self) -> Path:
        """Where notebooks that a person changed are kept before something else takes their place."""
        return self.state / "edited"

    def sources(self) -> list[Path]:
        """All sources, in their order."""
        return sorted(self.solutions.glob("*.py"))

    def modules(self) -> list[Module]:
        """All modules, in their order."""
        return modules(self.solutions, self.labs)

    def languages(self, modules: Iterable[str]) -> list[str]:
        """Languages other than English into which at least one of these modules is translated."""
        return sorted({po.parent.name for name in modules for po in self.locale.glob(f"*/{name}.po")})

    def notebook(self, module: str, language: str = "en") -> Path:
        """Where a module's learner notebook stands: `notebooks/`, and `notebooks/fr/` for French."""
        return self.shelf(language) / f"{module}.ipynb"

    def shelf(self, language: str) -> Path:
        """The folder of one language's learner notebooks."""
        return self.notebooks if language == "en" else self.notebooks / language

    def aside(self, notebook: Path) -> Path:
        """The folder in which a notebook's edited copies are kept, one for each language."""
        return self.edited / notebook.parent.relative_to(self.notebooks)

    def shown(self, path: Path) -> str:
        """A path as a person reads it: from the root of the checkout, if it is in there."""
        return path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else str(path)
