"""A content-addressed store put to the test on each cloud: what goes in comes out, what is damaged or missing is said."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from clouds import Cloud, clouds, memory

from flightschool.data.raw import render

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from flightschool.data import World


def contents(world: World) -> list[bytes]:
    """Three contents of a world that a careless copy changes: nothing at all, every byte there is, and a file with Windows' line ends."""
    rng: random.Random = world.rng("contents")
    every = bytes(rng.sample(range(256), 256)) * rng.randint(20, 90)
    lines = render(world.flights(world.days(1)[0]).head(rng.randint(50, 150))).replace(b"\n", b"\r\n")
    return [b"", every, lines]


def key(content: bytes) -> str:
    """What names content: its SHA-256 as 64 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def travel(put: Callable[..., Any], get: Callable[..., Any], world: World) -> dict[str, Any]:
    """Evidence by cloud: `skipped` (why), or what the calls gave and what lies in the bucket. A fourth store, in memory, is not announced."""
    return {
        place.name: {"skipped": place.why} if place.why else _one(place, put, get, world)
        for place in (*clouds(), memory())
    }


def _one(place: Cloud, put: Callable[..., Any], get: Callable[..., Any], world: World) -> dict[str, Any]:
    there = (place.root, place.options)
    inputs = contents(world)
    keys = [_try(lambda content=content: put(content, *there)) for content in inputs]
    stored = _objects(place)
    back = [_try(lambda content=content: key(get(key(content), *there))) for content in inputs]
    _try(lambda: put(inputs[1], *there))
    again = _objects(place)
    damaged = [path for path, digest in stored.items() if digest == key(inputs[1])]
    if damaged:
        place.files().pipe_file(damaged[0], inputs[1][:-7])
    tampered = _try(lambda: "handed over " + key(get(key(inputs[1]), *there))[:8]) if damaged else "no object"
    missing = _try(lambda: f"returned {type(get('0' * 64, *there)).__name__}")
    return {
        "keys": keys,
        "stored": sorted(stored.values()),
        "back": back,
        "again": sorted(again.values()),
        "tampered": tampered,
        "missing": missing,
    }


def _objects(place: Cloud) -> dict[str, str]:
    """Path and SHA-256 of each object below the root, read anew."""
    files = place.files()
    root = place.root.partition("://")[2]
    try:
        paths = files.find(root if place.name != "memory" else f"/{root}")
    except FileNotFoundError:
        return {}
    return {path: key(files.cat_file(path)) for path in paths}


def _try(call: Callable[[], Any]) -> Any:
    """What a call gives, or the kinds of its error and its first line as text."""
    try:
        given = call()
    except Exception as error:
        kinds = "/".join(kind.__name__ for kind in type(error).__mro__[:-2])
        first = (str(error).splitlines() or [""])[0]
        return f"! {kinds}: {first[:120]}"
    return given if isinstance(given, str) else f"? {type(given).__name__}"
