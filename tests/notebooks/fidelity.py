"""Whether two executions of one notebook gave the same: outputs, counts, metadata, but for what no two runs share."""

import io
import json
import pprint
import re
from difflib import unified_diff
from itertools import groupby
from typing import Any

MUST_DIFFER = [
    (re.compile(r"/(?:kernel|warm)/"), "/FOLDER/"),
    (re.compile(r"\S*/ipykernel_\d+/\d+\.py"), "CELL.py"),
    (re.compile(r"0x[0-9a-f]{6,}"), "ADDRESS"),
    (re.compile(r"\(\d+ times\)"), "(MANY times)"),
    (re.compile(r"\d+(\.\d+)?(e\+\d+)? ?(ns|μs|µs|us|ms|s|min)\b"), "DURATION"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?"), "TIME"),
    (re.compile(r"\S*/(?:state|fs\w{8})/work/(\w+)-\d+-\w{8}\b"), r"WORK/\1"),
    (re.compile(r"Milliseconds a day: .*"), "DURATIONS"),
    (re.compile(r"bytes [0-9a-f]{12}\b"), "bytes DIGEST"),  # module 01: of a file with the time of its making
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "UUID"),
]


VARIES = "nbval-ignore-output"
"""nbval's own tag for a cell that measures, or reads from several partitions: no two runs give the same."""


def normal(value: Any) -> Any:
    """An output without what must differ from run to run: times, paths, addresses, ids, the bytes of images."""
    if isinstance(value, str):
        for pattern, instead in MUST_DIFFER:
            value = pattern.sub(instead, value)
        # a time with and one without a fraction pad a table differently
        return re.sub(" +", " ", value) if "TIME" in value else value
    if isinstance(value, list):
        return [normal(one) for one in value]
    if isinstance(value, dict):
        return {
            key: "IMAGE" if key in ("image/png", "image/svg+xml") else normal(one)
            for key, one in value.items()
        }
    return value


def outputs(cell: Any) -> Any:
    """What a cell put out, in order; what is printed in a row is joined, as a kernel's flushes split it by chance.

    stderr comes through a pipe of its own, so where it stands among the rest is chance in a kernel: it is taken apart.
    """
    rest: list[Any] = []
    errors = ""
    for output in cell.get("outputs", []):
        if output.get("name") == "stderr":
            errors += output.text
        elif output.get("name") == "stdout" and rest and rest[-1].get("name") == "stdout":
            rest[-1]["text"] += output.text
        else:
            rest.append(dict(output))
    return normal(json.loads(json.dumps(rest))), normal(errors), cell.get("execution_count")


def kinds(cell: Any) -> Any:
    """What kinds of outputs a cell put out, in order, for one whose outputs differ from run to run."""
    found = [
        (output.output_type, output.get("name"), sorted(output.get("data", {})))
        for output in cell.get("outputs", [])
    ]
    return [kind for kind, _same in groupby(found)]  # how often a stream is flushed is chance


def same(kernel: Any, warmed: Any) -> None:
    """Fail with all cells that differ."""
    differing = io.StringIO()
    cells = [cell for cell in warmed.cells if "papermill-error-cell-tag" not in cell.metadata.get("tags", [])]
    expected = [
        cell for cell in kernel.cells if "papermill-error-cell-tag" not in cell.metadata.get("tags", [])
    ]
    assert len(cells) == len(expected)
    for one, other in zip(expected, cells, strict=True):
        look = kinds if VARIES in one.metadata.get("tags", []) else outputs
        if look(one) != look(other):
            lines = [pprint.pformat(look(cell), width=160).splitlines() for cell in (one, other)]
            differing.write(f"\n--- {one.source}\n" + "\n".join(unified_diff(*lines, "kernel", "warm", n=0)))
        assert set(one.metadata.get("execution", {})) == set(other.metadata.get("execution", {}))
    assert not differing.getvalue(), differing.getvalue()
    assert kernel.metadata.language_info == warmed.metadata.language_info
