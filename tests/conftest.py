"""What holds for all tests."""

import os

# A test that opens a lab must not mark the exercises of whoever runs the tests as solved.
os.environ.setdefault("FLIGHTSCHOOL_PROGRESS", "off")
