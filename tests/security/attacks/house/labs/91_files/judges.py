"""The judges of the house: one reads a file that a stranger made, one has an expression that can be made to take for ever."""

import base64
import io
import re
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from flightschool.curriculum import Verdict, judge
from flightschool.data import World

from . import crates

WORDS = re.compile(r"(\w+\s?)+")


def verdict(right: bool) -> Verdict:
    """All or nothing."""
    if right:
        return Verdict.passed("All crates are there.")
    return Verdict.failed(
        expected="The crates of the world.", found="These are others.", try_next="Count them."
    )


@judge("q1")
def deliver(evidence: Any, world: World) -> Verdict:
    content = base64.b64decode(evidence["parquet"]["base64"])
    try:
        found = pq.read_table(io.BytesIO(content)).to_pydict()
    except (pa.ArrowException, OSError):
        return Verdict.failed(
            expected="A Parquet file.",
            found="Your file is no Parquet file.",
            try_next="Read it once yourself.",
        )
    wanted = crates.numbers(world.seed)
    return verdict(found == {"crate": list(wanted), "number": list(wanted.values())})


@judge("q2")
def label(evidence: Any, world: World) -> Verdict:
    wanted = crates.numbers(world.seed)
    given = evidence if isinstance(evidence, str) else ""
    if not WORDS.fullmatch(given):
        return verdict(False)
    return verdict(given == " ".join(sorted(wanted, key=wanted.__getitem__, reverse=True)))


@judge("drill")
def drill(evidence: Any, world: World) -> Verdict:
    rows = [f"{name},{number}" for name, number in crates.numbers(world.seed).items()]
    return verdict(evidence == "\n".join(["crate,number", *rows]) + "\n")
