# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 91 · Files as evidence
#
# No learner sees this: the grader is attacked with it.

# %% tags=["parameters"]
seed = 0

# %%
from flightschool.learn import Lab

lab = Lab("91_files", seed=seed)

# %%
import crates

crates.numbers(seed)

# %% [markdown]
# **q1 · 2 points.** Write `deliver(numbers, path)`. It writes a Parquet file with the columns `crate` and `number`.


# %% exercise="q1"
def deliver(numbers, path):
    """Write crate and number."""
    ### BEGIN SOLUTION
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"crate": list(numbers), "number": list(numbers.values())}), path)
    ### END SOLUTION


# %% check="q1"
lab.q1.check(deliver)

# %% [markdown]
# **q2 · 2 points.** Write `label(numbers)`. It returns the crates' names, the largest number first, with a blank between them.


# %% exercise="q2"
def label(numbers):
    """Names, the largest number first."""
    ### BEGIN SOLUTION
    return " ".join(sorted(numbers, key=numbers.get, reverse=True))
    ### END SOLUTION


# %% check="q2"
lab.q2.check(label)

# %%
incident = lab.drill()
incident

# %% [markdown]
# **drill · 1 point.** Somebody has doubled the numbers in `desk/crates.csv` in your work folder. Put them right.

# %% exercise="drill"
mended = ...
### BEGIN SOLUTION
path = lab.workdir / "desk" / "crates.csv"
head, *rows = path.read_text().splitlines()
halved = [f"{name},{int(number) // 2}" for name, number in (row.split(",") for row in rows)]
path.write_text("\n".join([head, *halved]) + "\n")
mended = {"desk": lab.workdir / "desk"}
### END SOLUTION

# %% check="drill"
incident.check(mended)
