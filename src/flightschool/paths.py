"""Where things are: the rooms of the checkout, and the one folder in which state is kept."""

import os
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
"""The package `flightschool` itself, wherever the house is."""
ROOT = Path(os.environ.get("FLIGHTSCHOOL_HOME") or PACKAGE.parents[1])
DATASETS = ROOT / "datasets"
LABS = ROOT / "labs"
SOLUTIONS = ROOT / "solutions"
NOTEBOOKS = ROOT / "notebooks"
BUILD = ROOT / "build"
STATE = Path(os.environ.get("FLIGHTSCHOOL_STATE") or ROOT / ".flightschool")
"""Work folders, logs, sockets, progress: all that running leaves behind. Never committed."""
WORKSPACE = Path(os.environ.get("FLIGHTSCHOOL_WORKSPACE") or ROOT / "workspace")
"""The learner's copies of the notebooks. Never committed."""
