"""What the warm process of a graded run does beside importing libraries: the course, its exercises, and all that is slow the first time.

What is imported, compiled and cached here is inherited by each submission, which then need not do it again.
"""

import os

import pandas as pd
from IPython import get_ipython

import flightschool.learn  # noqa: F401
from flightschool import curriculum
from flightschool.learn.evidence import table

exercises = curriculum.module(os.environ["FLIGHTSCHOOL_MODULE"]).exercises

frame = pd.DataFrame({"a": [1.5, 2.5, None], "b": ["x", "y", "x"], "c": pd.to_datetime(["2013-02-08"] * 3)})
table(frame.groupby("b").agg({"a": "mean", "c": "max"}).sort_values("a").reset_index())
frame.merge(frame.drop_duplicates("b"), on="b").assign(d=1).dropna().describe()
if shell := get_ipython():
    shell.transform_cell("x = 1\n")
    shell.display_formatter.format(frame)
