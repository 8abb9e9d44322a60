"""Translation: every string that a person reads goes through gettext, straight from `.po` files.

English is the source. A language is `solutions/locale/<language>/<domain>.po`, one file a module plus
`flightschool.po` for the tooling; nothing is compiled by hand. `FLIGHTSCHOOL_LANG` chooses it.
"""

import gettext
import io
import os
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from flightschool import paths

LOCALE = paths.SOLUTIONS / "locale"
TOOLING = "flightschool"


def language() -> str:
    """The language in use, such as `fr`; `en` when none is chosen."""
    return os.environ.get("FLIGHTSCHOOL_LANG") or "en"


@lru_cache
def catalogue(domain: str, lang: str, folder: Path = LOCALE) -> gettext.NullTranslations:
    """The messages of one domain (`01_dataops_intro`, `flightschool`) in one language; English where there are none."""
    source = folder / lang / f"{domain}.po"
    if not source.is_file():
        return gettext.NullTranslations()
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    compiled = io.BytesIO()
    with source.open("rb") as file:
        write_mo(compiled, read_po(file))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def translations(domain: str) -> Callable[[str], str]:
    """The `_` of a domain. It looks the language up at each call, so that a test or a kernel can switch."""

    def translate(message: str) -> str:
        return catalogue(domain, language(), LOCALE).gettext(message)

    return translate


_ = translations(TOOLING)
