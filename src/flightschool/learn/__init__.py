"""What a notebook imports: the lab, and in it the exercises, their checks, hints and drills."""

from flightschool.learn.drills import Incident, Page
from flightschool.learn.homepage import home
from flightschool.learn.lab import Lab
from flightschool.learn.questions import Question

__all__ = ["Incident", "Lab", "Page", "Question", "home"]
