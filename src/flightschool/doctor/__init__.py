"""The doctor: what is wrong with this machine, each finding with the one command that mends it.

It must work where little else does: everything but the table (rich), the report's schema (pydantic) and the command line
(typer) needs nothing beyond the standard library of Python 3.9, and `environment/doctor` starts it without .venv.
"""
