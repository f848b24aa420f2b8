"""polyfactory on models of the execution, checked to have the members of the schema."""

from typing import Any, Literal

import timing
from polyfactory.factories.pydantic_factory import ModelFactory
from pydantic import AwareDatetime, BaseModel, NonNegativeInt


class Column(BaseModel):
    """One column."""

    id: str
    stepId: str  # noqa: N815 (the API's name)
    fieldPath: str  # noqa: N815 (the API's name)
    label: str


class Step(BaseModel):
    """One step."""

    step_id: str
    step_name: str | None
    operation: str
    status: Literal["pending", "running", "completed", "failed", "skipped"]
    started_at: AwareDatetime
    ended_at: AwareDatetime | None
    duration_ms: NonNegativeInt | None
    input: dict[str, str]
    output: dict[str, str] | None
    mapped_output: dict[str, str] | None
    error: str | dict[str, str] | None
    iteration: NonNegativeInt | None
    total_items: NonNegativeInt | None


class Execution(BaseModel):
    """One execution."""

    id: str
    run_id: str
    workflow_id: str
    status: Literal["running", "completed", "failed"]
    started_at: AwareDatetime
    ended_at: AwareDatetime | None
    duration_ms: NonNegativeInt | None
    event_name: str
    created: AwareDatetime
    column_config: list[Column] | None
    steps: list[Step]
    error: str | None


class ExecutionFactory(ModelFactory[Execution]):
    """Create executions, with lists of one to four elements."""

    __randomize_collection_length__ = True
    __min_collection_length__ = 1
    __max_collection_length__ = 4


def documents(schema: dict[str, Any]):
    """Yield executions as JSON."""
    if set(Execution.model_fields) != set(schema["properties"]):
        raise SystemExit("polyfactory_models.py lacks members of the schema, or has others.")
    while True:
        yield ExecutionFactory.build().model_dump_json()


timing.run(documents)
