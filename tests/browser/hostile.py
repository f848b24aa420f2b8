"""A document with hostile content everywhere that still follows the contract."""

import copy
from typing import Any

from deadringer.fixtures import load_recordings

MARKUP = "<img src=x onerror=alert(1)><script>alert(2)</script>"
ENDING = "</script></textarea><script>alert(3)</script><!--"
LINK = "javascript:alert(4)"
BIDI = "\u202egnp.exe\u2066 \U0001f469\u200d\U0001f52c \U0001d518\u0301"
QUOTES = "'\"`;$(touch x)\\ {{7*7}} {% if %} \u2028"
ALL = f"{MARKUP}{ENDING}{BIDI}{QUOTES}"


def hostile_execution() -> dict[str, Any]:
    """Return a failed run whose names, ids, inputs, outputs and errors are all hostile."""
    recording = next(one for one in load_recordings() if one.name == "crm_refuses_contact")
    run = copy.deepcopy(dict(recording.execution))
    good, bad = run["steps"]
    hostile = {"link": LINK, "data": f"data:text/html,{MARKUP}", MARKUP: ALL, "__proto__": {"x": 1}}
    good.update(step_id=f"a {MARKUP}", step_name=ALL, operation=MARKUP, input=hostile)
    good["output"] = {**hostile, "web": "https://example.com/<b>?q='\"", "constructor": ENDING}
    bad.update(step_name=None, input=hostile, error={"code": MARKUP, "message": ALL})
    bad["step_id"] = f"b {ENDING}"
    run.update(run_id=f"run {MARKUP.replace('/', '')}", workflow_id=f"wf {BIDI}", id=MARKUP)
    run.update(error=f"Step '{bad['step_id']}' failed: {ALL}", event_name=MARKUP)
    run["column_config"] = [
        {"id": MARKUP, "stepId": good["step_id"], "fieldPath": "link", "label": ALL}
    ]
    good["mapped_output"] = {MARKUP: LINK}
    return run
