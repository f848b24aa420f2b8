"""The pages of the control API and of transport faults, from its OpenAPI document."""

import inspect
from collections.abc import Mapping
from typing import Any

from deadringer.mockserver.control_spec import control_specification
from deadringer.mockserver.faults.transport import CHAOS, KINDS, NAMED_FAULTS

from .markdown import sentence, table


def transport_faults_page() -> str:
    """Return the kinds of transport faults, their members, and the chaos profiles."""
    scope = control_specification()["components"]["schemas"]["FaultScope"]["properties"]
    kinds = (
        (f"`{kind.name}`", kind.description, _parameters(kind.parameters))
        for kind in KINDS.values()
    )
    members = ((f"`{name}`", sentence(one.get("description", ""))) for name, one in scope.items())
    mixes = (
        (f"`{name}`", story, "; ".join(_fault(one) for one in faults))
        for name, (story, faults) in CHAOS.items()
    )
    return "\n\n".join(
        [
            "# Transport faults",
            (
                "A transport fault changes how a response travels: late, damaged, or replaced by "
                "an error status. [Make requests fail](../guides/faults.md) shows how to use them."
            ),
            "## Kinds",
            table(("`kind`", "Effect", "Parameters and defaults"), kinds),
            "## Which requests, and when",
            (
                "These members go with every kind. A fault without them applies to every request "
                "under `/v1`."
            ),
            table(("Member", "Meaning"), members),
            "## Names for `Prefer: fault=NAME`",
            ", ".join(f"`{name}`" for name in NAMED_FAULTS) + ", and every "
            "[contract fault](contract-faults.md).",
            "## Profiles of `--chaos`",
            table(("Profile", "Description", "Faults"), mixes) + "\n",
        ]
    )


def _parameters(values: Mapping[str, Any]) -> str:
    return ", ".join(
        f"`{name}`" + ("" if value is None else f" {value}") for name, value in values.items()
    )


def _fault(fault: Mapping[str, Any]) -> str:
    members = (f"`{name}` {value}" for name, value in fault.items() if name not in {"kind", "seed"})
    return f"`{fault['kind']}` " + ", ".join(members)


_METHODS = ("get", "put", "post", "patch", "delete")


def control_page() -> str:
    """Return every operation of the control API, from its OpenAPI document."""
    document = control_specification()
    operations = [
        (method.upper(), path, item, item[method])
        for path, item in document["paths"].items()
        for method in _METHODS
        if method in item
    ]
    rows = (
        (f"[`{method} {path}`](#{one['operationId'].lower()})", sentence(one["summary"]))
        for method, path, _, one in operations
    )
    parts = [
        "# Control API",
        (
            "JSON requests under `/__mock/` change the mock while it runs: clock, faults, "
            "scenarios, runs and journal. The mock serves this reference itself, as "
            "`/__mock/openapi.json` and as a page that sends requests, `/__mock/ui/contract`. "
            "[Sessions and the control API](../guides/control.md) shows it in use."
        ),
        table(("Request", "Effect"), rows),
    ]
    parts += [_operation(document, *one) for one in operations]
    return "\n\n".join(parts) + "\n"


def _operation(
    document: Mapping[str, Any],
    method: str,
    path: str,
    item: Mapping[str, Any],
    operation: Mapping[str, Any],
) -> str:
    parts = [f"### {operation['operationId']}", f"`{method} {path}`"]
    parts.append(sentence(operation["summary"]))
    if text := operation.get("description"):
        parts.append(inspect.cleandoc(text))
    parameters = [*item.get("parameters", ()), *operation.get("parameters", ())]
    rows = [
        (f"`{one['name']}`", one["in"], sentence(one.get("description", "")))
        for one in (_resolved(document, each) for each in parameters)
    ]
    if rows:
        parts.append(table(("Parameter", "In", "Meaning"), iter(rows)))
    if "requestBody" in operation:
        body = _resolved(document, operation["requestBody"])
        (media,) = list(body["content"].values())[:1]
        parts += ["Body:", _body(document, media["schema"])]
    return "\n\n".join(parts)


def _body(document: Mapping[str, Any], reference: Mapping[str, Any]) -> str:
    schema = _resolved(document, reference)
    name = reference.get("$ref", "").rpartition("/")[2]
    if name == "Fault":
        return "A [transport fault](transport-faults.md): `kind`, its parameters and its scope."
    members = schema.get("properties", {})
    if not members:
        return sentence(schema.get("description", "A JSON object."))
    required = schema.get("required", ())
    rows = (
        (
            f"`{member}`" + (" (required)" if member in required else ""),
            _type(_resolved(document, one)),
            sentence(one.get("description") or _resolved(document, one).get("description", "")),
        )
        for member, one in members.items()
    )
    return table(("Member", "Type", "Meaning"), rows)


def _type(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return ", ".join(f"`{one}`" for one in schema["enum"])
    kind = schema.get("type", "any")
    return " or ".join(kind) if isinstance(kind, list) else str(kind)


def _resolved(document: Mapping[str, Any], part: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a reference within the document refers to."""
    found: Any = part
    while "$ref" in found and found["$ref"].startswith("#/"):
        reference = found["$ref"]
        found = document
        for name in reference.removeprefix("#/").split("/"):
            found = found[name]
    return dict(found)
