"""What all tests share."""

import signal

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Started in the background of a script, this process ignores Ctrl-C, and so would those that
    # tests start and then stop by it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
