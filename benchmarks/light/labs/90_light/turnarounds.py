"""A log of turnarounds at the gates, made from a seed with nothing but pandas."""

import random

import pandas as pd

GATES = ("A1", "A2", "B7", "B9", "C3")
CARRIERS = ("AA", "B6", "DL", "EV", "UA", "WN")


def log(seed: int, number: int = 0) -> pd.DataFrame:
    """60 turnarounds: gate, carrier, planned and actual minutes (missing for one in twelve, about)."""
    rng = random.Random(f"turnarounds/{seed}/{number}")
    slow = {name: rng.uniform(-4, 9) for name in (*CARRIERS, *GATES)}
    rows = []
    for _turn in range(60):
        gate, carrier, planned = rng.choice(GATES), rng.choice(CARRIERS), rng.choice((35, 45, 60, 90))
        actual = round(planned + rng.gauss(slow[carrier] + slow[gate], 8))
        rows.append((gate, carrier, planned, actual if rng.random() > 1 / 12 else None))
    return pd.DataFrame(rows, columns=["gate", "carrier", "planned", "actual"])
