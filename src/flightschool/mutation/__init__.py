"""Mutation: how much of what is wrong does a check notice? For judges, and for the tests, alerts and audits that learners write."""

from flightschool.mutation import dockerfile, python, shell, sql, yaml
from flightschool.mutation.isolation import Ending, Run, run
from flightschool.mutation.mutants import Mutant, Operator, UnknownKind, mutants, sample

__all__ = [
    "Ending",
    "Mutant",
    "Operator",
    "Run",
    "UnknownKind",
    "dockerfile",
    "mutants",
    "python",
    "run",
    "sample",
    "shell",
    "sql",
    "yaml",
]
