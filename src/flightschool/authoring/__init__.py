"""The author's kit: the four places of a new module, laid out so that its own tests pass at once."""

from flightschool.authoring.kit import new

__all__ = ["new"]
