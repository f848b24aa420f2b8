"""The phases of a check, one file each; the runner calls them in this order.

`connection`, `discovery`, `reads`, `live_runs`, `credits`, `negative`, `fuzzing`. Between the last
two it calls `live_runs` again to start a test run, and `reads` to read runs again.
"""
