"""The attack corpus: hostile submissions as data, the ground on which they are let loose, and what must still hold afterwards.

`corpus` has them all; `python -m security.attacks` tries them, as this user and as an ordinary one.
"""
