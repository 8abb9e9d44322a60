"""Grading: submissions → plans → verdicts on a secret world → gradebook → reports.

What a learner handed in is hostile code: it runs behind the walls of `flightschool.engine.sandbox`, only evidence comes out, and
judges look at that elsewhere.
"""
