"""Setup of all tests."""

import signal

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # In the background of a script, this process ignores Ctrl-C, and so would the processes that
    # tests start and stop by it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
