"""Programs that come from the system's packages, found under whichever name this system gives them."""

import shutil

from flightschool.i18n import _
from flightschool.services.base import Unavailable


def program(label: str, package: str, *names: str) -> str:
    """The path of the first of those programs that is on PATH.

    Raises:
        Unavailable: none is; the message names Debian's package that has it.
    """
    for name in names:
        if (found := shutil.which(name)) is not None:
            return found
    raise Unavailable(
        _(
            "{label} is not installed (no {name} on PATH): run environment/setup, or sudo apt-get install {package}."
        ).format(label=label, name=names[0], package=package)
    )
