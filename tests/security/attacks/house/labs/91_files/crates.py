"""Crates with numbers on them."""

import random

NAMES = ("anvil", "bolt", "crank", "dowel", "eyelet", "flange")


def numbers(seed: int) -> dict[str, int]:
    """A number for each crate."""
    rng = random.Random(f"crates/{seed}")
    return {name: rng.randrange(100, 10_000) for name in NAMES}
