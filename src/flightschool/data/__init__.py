"""The data room: the real flights of 2013, made-up passengers on them, and worlds chosen by a seed.

    from flightschool.data import DAYS, World, load, frame, day, raw_day, passengers, bookings, verify

The names are imported when they are first used, so that importing the room costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flightschool.data.people import bookings, passengers, write_bookings, write_passengers
    from flightschool.data.raw import raw_day
    from flightschool.data.reading import (
        DAYS,
        KEY,
        NAMES,
        Check,
        DamagedData,
        NoSuchData,
        a_day,
        day,
        frame,
        load,
        verify,
    )
    from flightschool.data.worlds import World

__all__ = [
    "DAYS",
    "KEY",
    "NAMES",
    "Check",
    "DamagedData",
    "NoSuchData",
    "World",
    "a_day",
    "bookings",
    "day",
    "frame",
    "load",
    "passengers",
    "raw_day",
    "verify",
    "write_bookings",
    "write_passengers",
]

_HOME = {
    "World": "worlds",
    "bookings": "people",
    "passengers": "people",
    "raw_day": "raw",
    "write_bookings": "people",
    "write_passengers": "people",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME.get(name, 'reading')}"), name)
