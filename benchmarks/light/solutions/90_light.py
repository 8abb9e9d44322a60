# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 90 · A light notebook
#
# Twelve cells of plain pandas. No learner sees this: graders are measured with it.

# %% tags=["parameters"]
seed = 0

# %%
from flightschool.learn import Lab

lab = Lab("90_light", seed=seed)

# %%
import turnarounds

turns = turnarounds.log(seed)
turns.head()

# %%
turns.groupby("carrier").actual.mean().round(1)

# %% [markdown]
# **q1 · 2 points.** Write `late_share(turns)`. It returns a dict: for each gate the share (0 to 1) of its recorded turnarounds that took longer than planned.


# %% exercise="q1"
def late_share(turns):
    """For each gate, late turnarounds of those recorded, from 0 to 1."""
    ### BEGIN SOLUTION
    recorded = turns.dropna(subset=["actual"])
    return (recorded.actual > recorded.planned).groupby(recorded.gate).mean().to_dict()
    ### END SOLUTION


late_share(turns)

# %% check="q1"
lab.q1.check(late_share)

# %%
(turns.actual - turns.planned).max()

# %% [markdown]
# **q2 · 2 points.** Write `slowest(turns, n)`. It returns a list of the `n` carriers whose turnarounds took longest beyond the plan, on average, the slowest first.


# %% exercise="q2"
def slowest(turns, n):
    """The n carriers with the greatest mean of actual - planned, the slowest first."""
    ### BEGIN SOLUTION
    over = (turns.actual - turns.planned).groupby(turns.carrier).mean()
    return over.sort_values(ascending=False).index[:n].tolist()
    ### END SOLUTION


slowest(turns, 3)

# %% check="q2"
lab.q2.check(slowest)

# %%
turns.actual.isna().groupby(turns.gate).sum()

# %% [markdown]
# **q3 · 1 point.** Write `by_gate(turns)`. It returns a data frame with one row a gate: `gate`, `turns` (their number) and `minutes` (the sum of `actual`).


# %% exercise="q3"
def by_gate(turns):
    """One row a gate: gate, turns (number), minutes (sum of actual)."""
    ### BEGIN SOLUTION
    return turns.groupby("gate").agg(turns=("gate", "size"), minutes=("actual", "sum")).reset_index()
    ### END SOLUTION


by_gate(turns)

# %% check="q3"
lab.q3.check(by_gate)
