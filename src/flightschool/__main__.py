"""`python -m flightschool` is the command `flightschool`."""

from flightschool.cli import main

main()
