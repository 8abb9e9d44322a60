"""Answers that are unusually alike.

An answer is a set of steps: five tokens in a row of its code, without comments and layout; the learner's own names, numbers and short texts
are made equal, so that renaming hides nothing, and a long text, such as SQL, counts word by word. Steps that more than a tenth of the answers (and more
than three) share are the task's own or the obvious way and don't count. The likeness of two answers is the part of their remaining steps, taken
together, that both have (Jaccard's index). A short answer, or one with few steps of its own, says nothing. Among right answers to the
exercises of modules 01 and 02 that were written apart, in pandas, Polars, SQL and plain Python, no likeness exceeds 0.2.
"""

import builtins
import keyword
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from flightschool.grading.model import Result

ALIKE = 0.6
"""The least likeness that is told."""
FEWEST_TOKENS = 50
LONGEST = 20_000
"""Characters."""
MOST_TOKENS = 2_000
"""What is beyond is not looked at, so that no answer takes more than its share of time and memory."""
FEWEST_STEPS = 15
"""Of its own, not of the obvious way."""
STEP = 5
"""Tokens."""
LONG_TEXT = 60
"""Characters from which a text counts word by word."""
BLOCK = 256
"""Answers that are compared with all others at once."""

_TOKEN = re.compile(
    r"""
      (?P<skipped> \#[^\n]* | (?:\s|\\\n)+ )
    | (?P<text> (?:[rbufRBUF]{1,2}(?=['"]))? (?: '''.*?(?:'''|\Z) | \"\"\".*?(?:\"\"\"|\Z)
                                             | '(?:\\.|[^'\\\n])*'? | "(?:\\.|[^"\\\n])*"? ) )
    | (?P<attribute> \.\s*[^\W\d]\w* )
    | (?P<name> [^\W\d]\w* )
    | (?P<number> \.?\d[\w.]* )
    | (?P<sign> \*\*=? | //=? | <<=? | >>=? | -> | [-+*/%@&|^=<>!:]= | . )
    """,
    re.VERBOSE | re.DOTALL,
)
_WORD = re.compile(r"\w+|[^\w\s]")
_KEPT = frozenset(keyword.kwlist) | frozenset(dir(builtins))


@dataclass(frozen=True)
class Alike:
    """Two learners' answers to one exercise, and how alike they are, from `ALIKE` to 1."""

    exercise: str
    learners: tuple[str, str]
    share: float


def alike(results: Sequence[Result]) -> list[Alike]:
    """All pairs that are unusually alike, the most alike first."""
    exercises = dict.fromkeys(exercise for result in results for exercise in result.answers)
    found = [
        Alike(exercise, pair, share)
        for exercise in exercises
        for pair, share in _pairs(
            [(result.learner, result.answers[exercise]) for result in results if result.answers.get(exercise)]
        )
    ]
    return sorted(found, key=lambda one: (-one.share, one.exercise, one.learners))


def tokens(code: str) -> list[str]:
    """What is compared of a learner's code. Attributes keep their names: most are a library's, and say what is done."""
    kept: list[str] = []
    for match in _TOKEN.finditer(code[:LONGEST]):
        kind, text = match.lastgroup or "", match[0]
        if kind == "skipped":
            continue
        if kind == "attribute":
            kept.append("." + text[1:].lstrip())
        elif kind == "sign" or (kind == "name" and text in _KEPT):
            kept.append(text)
        elif kind == "text" and len(text) >= LONG_TEXT:
            kept += _WORD.findall(text.lower())
        else:
            kept.append(kind)
    return kept[:MOST_TOKENS]


def _pairs(answers: Iterable[tuple[str, str]]) -> list[tuple[tuple[str, str], float]]:
    learners: list[str] = []
    steps: list[Any] = []
    for learner, code in answers:
        found = tokens(code)
        if len(found) >= FEWEST_TOKENS:
            learners.append(learner)
            steps.append(_steps(found))
    if len(learners) < 2:
        return []
    # They take their time to import: only where there is something to compare.
    import numpy as np
    from scipy.sparse import csr_matrix  # type: ignore[import-untyped]

    all_steps, column, answers_with = np.unique(
        np.concatenate(steps), return_inverse=True, return_counts=True
    )
    row = np.repeat(np.arange(len(steps)), [len(one) for one in steps])
    uncommon = answers_with[column] <= max(3, len(learners) // 10)
    ones = np.ones(int(uncommon.sum()), dtype=np.int32)
    matrix = csr_matrix((ones, (row[uncommon], column[uncommon])), shape=(len(steps), len(all_steps)))
    size = np.asarray(matrix.sum(axis=1)).ravel()
    pairs = []
    for start in range(0, len(learners), BLOCK):
        shared = (matrix[start : start + BLOCK] @ matrix.T).tocoo()
        one, other, both = shared.row + start, shared.col, shared.data
        share = both / (size[one] + size[other] - both)
        told = (one < other) & (share >= ALIKE) & (np.minimum(size[one], size[other]) >= FEWEST_STEPS)
        for left, right, value in zip(one[told], other[told], share[told], strict=True):
            pairs.append(((learners[left], learners[right]), float(value)))
    return pairs


def _steps(found: Sequence[str]) -> Any:
    """The distinct steps of an answer, as numbers."""
    import numpy as np

    parts = zip(*(found[place:] for place in range(STEP)), strict=False)
    return np.unique(np.fromiter((hash(step) for step in parts), dtype=np.int64))
