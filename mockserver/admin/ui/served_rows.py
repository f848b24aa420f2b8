"""The rows of a page of runs as the API would list them, where contract faults are on."""

from deadringer.mockserver.world.service import Scene, Service

from .run_search import PAGE, Page, Row
from .served_lists import ListedRuns


def served_rows(service: Service, scene: Scene, page: Page) -> tuple[list[Row], str]:
    """Give the rows, and in a sentence what the faults did to them, "" if they did nothing."""
    if not service.broken_promises(scene.session.name):
        return page.rows, ""
    told: dict[tuple[str, str], Row] = {}
    notes = []
    for workflow_id in dict.fromkeys(row.workflow_id for row in page.rows):
        own = [row for row in page.rows if row.workflow_id == workflow_id]
        listed = ListedRuns(service, scene, workflow_id)
        rows, note = listed.served([row.run for row in own], page.begin // PAGE + 1, PAGE)
        notes.append(note)
        told |= {
            (workflow_id, row.run_id): row._replace(run=run)
            for row, run in zip(own, rows, strict=True)
        }
    served = [told[row.workflow_id, row.run_id] for row in page.rows]
    return served, " ".join(dict.fromkeys(note for note in notes if note))
