"""The lab's files are imported by name, as a notebook imports them."""

import sys

from flightschool.paths import LABS

sys.path.insert(0, str(LABS / "05_docker"))
