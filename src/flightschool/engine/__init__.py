"""Execution of notebooks: headless, each in a process of its own, measured."""
