"""The paths of the runs that tests look at."""

from deadringer.fixtures import load_recordings

_RECORDED = {recording.name: recording.execution for recording in load_recordings()}


def place_of(name: str) -> str:
    """Return the path of a recording's trace."""
    run = _RECORDED[name]
    return f"/__mock/ui/runs/{run['workflow_id']}/{run['run_id']}"


FAILED_LOOP = place_of("loop_fails_half_way")
