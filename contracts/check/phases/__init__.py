"""The phases of a check, one file each; the runner calls them in this order.

`connection`, `discovery`, `reads`, `live_runs`, `credits`, `negative`, `fuzzing`. Between the last
two it comes back to `live_runs` to start a test run, and to `reads` to read runs again.
"""
