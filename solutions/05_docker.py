# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 05 · Docker
#
# *This module is under construction.* At the end you will be able to
#
# - **count** cancelled flights by airport, and **say** what their share is a share of;
# - **find** a file that was cut off on its way, and **put** the whole one in its place.
#
# **Time, memory, disk:** not measured yet.

# %% tags=["parameters"]
seed = 0

# %%
import pandas as pd

from flightschool.data import raw_day
from flightschool.learn import Lab

lab = Lab("05_docker", seed=seed)
lab

# %% [markdown]
# ## 1 · Cancelled
#
# The station manager asks which airport cancels most. Here are the flights of one day.
#
# **Before you run it:** in which of these columns can a flight that never left have a value?

# %%
flights = lab.world.flights(lab.world.days(5)[0])
flights[["origin", "carrier", "flight", "sched_dep_time", "dep_time", "arr_delay"]].head()

# %% [markdown]
# A flight without `dep_time` was cancelled. One with `dep_time` and without `arr_delay` was diverted, or its record was lost.
#
# **q1 · 2 points.** Write `cancellations(flights)`. It returns a data frame with one row an airport and the columns `origin`, `scheduled` (number of flights)
# and `cancelled_share` (0 to 1, of scheduled). Stuck? `lab.q1.hint()`.


# %% exercise="q1"
def cancellations(flights):
    """One row an airport: origin, scheduled (flights), cancelled_share (0 to 1, of scheduled)."""
    ### BEGIN SOLUTION
    cancelled = flights.assign(cancelled=flights.dep_time.isna()).groupby("origin").cancelled
    return cancelled.agg(scheduled="size", cancelled_share="mean").reset_index()
    ### END SOLUTION


cancellations(flights)

# %% check="q1"
lab.q1.check(cancellations)

# %% [markdown]
# ## 2 · Drill: a short week
#
# Then the pager rings. From now on your clock runs.

# %%
incident = lab.drill()
incident

# %%
inbox = lab.workdir / "inbox"
for file in sorted(inbox.glob("*.csv")):
    print(file.name, sum(1 for _line in file.open()) - 1, "flights")

# %% [markdown]
# A quiet day and a damaged file look alike in this list. What does the end of each file look like?
#
# **Drill · 2 points.** Name the day whose file is damaged, and put a whole one in its place: `raw_day(day, inbox)` asks the source to send a day again. Hints: `incident.hint()`.

# %% exercise="drill"
damaged = ...  # the day, such as "2013-06-01"
### BEGIN SOLUTION
(damaged,) = [file.stem[8:] for file in inbox.glob("*.csv") if not file.read_bytes().endswith(b"\n")]
raw_day(pd.Timestamp(damaged).date(), inbox)
### END SOLUTION

# %% check="drill"
incident.check({"day": damaged, "inbox": inbox})

# %% [markdown]
# ## 3 · What you can do now
#
# - ☑ count cancelled flights by airport, and say what their share is a share of (q1)
# - ☑ find a file that was cut off on its way, and put the whole one in its place (drill)
#
# A box stays open as long as its check above does.
