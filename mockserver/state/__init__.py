"""What is changed, counted and kept: events, rate windows, clocks."""
