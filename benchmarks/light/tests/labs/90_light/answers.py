"""Answers to the exercises of the light notebook."""

from labs.kit import failing, passing, untouched


@passing("q1")
def of_those_recorded(world):
    def late_share(turns):
        turns = turns[turns.actual.notna()]
        return {gate: (part.actual > part.planned).mean() for gate, part in turns.groupby("gate")}

    return late_share


@failing("q1", because="recorded or not")
def of_all(world):
    return lambda turns: (turns.actual > turns.planned).groupby(turns.gate).mean().to_dict()


@failing("q1", because="by hand")
def on_time_share(world):
    return lambda turns: (turns.actual <= turns.planned).groupby(turns.gate).mean().to_dict()


@failing("q1", because="KeyError")
def looks_for_another_column(world):
    return lambda turns: turns.delay.mean() if "delay" in turns else turns["delay"]


@untouched("q1")
def no_share(world):
    def late_share(turns): ...

    return late_share


@passing("q2")
def largest_means(world):
    return lambda turns, n: list(
        turns.assign(over=turns.actual - turns.planned).groupby("carrier").over.mean().nlargest(n).index
    )


@failing("q2", because="downwards")
def fastest(world):
    return lambda turns, n: list(
        turns.assign(over=turns.actual - turns.planned).groupby("carrier").over.mean().nsmallest(n).index
    )


@failing("q2", because="not actual")
def longest(world):
    return lambda turns, n: list(turns.groupby("carrier").actual.max().nlargest(n).index)


@failing("q2", because="not actual")
def alphabet(world):
    return lambda turns, n: sorted(turns.carrier.unique())[:n]


@untouched("q2")
def no_list(world):
    def slowest(turns, n): ...

    return slowest


@passing("q3")
def sizes_and_sums(world):
    return lambda turns: turns.groupby("gate").agg(turns=("carrier", "size"), minutes=("actual", "sum"))


@failing("q3", because="Count rows")
def recorded_only(world):
    return lambda turns: turns.groupby("gate").agg(turns=("actual", "count"), minutes=("actual", "sum"))


@failing("q3", because="gate alone")
def planned_minutes(world):
    return lambda turns: turns.groupby("gate").agg(turns=("gate", "size"), minutes=("planned", "sum"))


@failing("q3", because="data frame")
def a_number(world):
    return lambda turns: len(turns)


@untouched("q3")
def no_table(world):
    def by_gate(turns): ...

    return by_gate
