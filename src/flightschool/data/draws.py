"""Random numbers by counter: row i of a column is a function of seed, column and i, and of nothing else.

So a row does not depend on how many rows are made or in what chunks, and only integer arithmetic of 64 bits is
used: the same bytes on every machine, with every version of numpy. The mixer is SplitMix64 (Steele, Lea, Flood:
Fast splittable pseudorandom number generators, OOPSLA 2014, doi:10.1145/2714064.2660195).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

U64: TypeAlias = npt.NDArray[np.uint64]
I64: TypeAlias = npt.NDArray[np.int64]

_GAMMA = np.uint64(0x9E3779B97F4A7C15)


def number(seed: int, purpose: str) -> int:
    """A whole number below 2**64 for a seed and a purpose: the same everywhere, unrelated to all others."""
    return int.from_bytes(hashlib.sha256(f"flightschool/{seed}/{purpose}".encode()).digest()[:8], "big")


def mix(x: U64) -> U64:
    """SplitMix64's finaliser: 64 bits to 64 bits, a bijection."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@dataclass(frozen=True)
class Rows:
    """The rows of one table whose numbers are `index` (from 0), for one seed."""

    table: str
    seed: int
    index: U64

    @classmethod
    def span(cls, table: str, seed: int, first: int, count: int) -> Rows:
        """Rows first … first + count - 1."""
        return cls(table, seed, np.arange(first, first + count, dtype=np.uint64))

    def bits(self, column: str) -> U64:
        """64 random bits a row."""
        key = np.uint64(number(self.seed, f"{self.table}/{column}"))
        return mix(key + (self.index + np.uint64(1)) * _GAMMA)

    def below(self, column: str, limit: int | npt.NDArray[Any]) -> I64:
        """A whole number from 0 to limit - 1 a row; limit, one for all or one a row, is at most 2**32."""
        high = self.bits(column) >> np.uint64(32)
        scaled: U64 = (high * np.asarray(limit).astype(np.uint64)) >> np.uint64(32)
        return scaled.astype(np.int64)

    def pick(self, column: str, weights: Sequence[int]) -> I64:
        """An index into `weights` a row, as often as its weight says."""
        table = np.repeat(np.arange(len(weights)), weights)
        chosen: I64 = table[self.below(column, len(table))]
        return chosen

    def chance(self, column: str, per_mille: int) -> npt.NDArray[np.bool_]:
        """True for so many of a thousand rows."""
        return self.below(column, 1000) < per_mille

    def shuffled(self, column: str, limit: int) -> I64:
        """The row numbers, permuted within 0 … limit - 1: no two rows get the same.

        A Feistel network of four rounds that walks its cycle until it is below the limit (Black and Rogaway:
        Ciphers with arbitrary finite domains, CT-RSA 2002). All rows must be below `limit`.
        """
        half = np.uint64(max((limit - 1).bit_length() + 1, 2) // 2)
        mask = np.uint64((1 << int(half)) - 1)
        keys = [np.uint64(number(self.seed, f"{self.table}/{column}/{turn}")) for turn in range(4)]
        result = self.index.copy()
        walking = np.arange(len(result))
        while len(walking):
            x = result[walking]
            left, right = x >> half, x & mask
            for key in keys:
                left, right = right, left ^ (mix(key + right * _GAMMA) & mask)
            result[walking] = (left << half) | right
            walking = walking[result[walking] >= np.uint64(limit)]
        return result.astype(np.int64)
