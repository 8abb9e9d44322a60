"""What holds for all tests."""

import os
import signal

# A test that opens a lab must not mark the exercises of whoever runs the tests as solved.
os.environ.setdefault("FLIGHTSCHOOL_PROGRESS", "off")

# Started in the background by a shell, we would hand a deafness to Ctrl-C on to all that is tested with it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
