"""Both APIs as the vendors' packages declare them: `tests/data/*_operations.json`."""

import json
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

DATA = Path(__file__).resolve().parents[1] / "data"


@dataclass(frozen=True)
class Field:
    """A parameter, or a part of one or of an answer."""

    name: str
    type: str  # without `array<..>`
    is_list: bool
    is_required: bool
    place: str  # of a parameter: query, header, path, body; `member` of a body's own members
    fields: dict | None  # by name


@dataclass(frozen=True)
class Operation:
    name: str
    method: str
    path: str
    parameters: dict
    answer: dict


# Parameters that ours leaves out, and why.
STRAYS = {
    ("CreateSchedule", "SignatureVersion"): "it is the common parameter of every call",
    ("DescribeMapRun", "RequestId"): "a stray of older APIs",
    ("UpdateMapRun", "RequestId"): "a stray of older APIs",
}

# What stands for the whole body; of other bodies, each member is a parameter.
WHOLE = "WorkflowCreateBody"


def read(cloud):
    table = json.loads((DATA / f"{cloud}_operations.json").read_text())
    models = table.get("models", {})

    def field(found):
        type_, is_list = found["type"], found["type"].startswith("array<")
        if is_list:
            type_ = type_.removeprefix("array<").removesuffix(">")
        members = found.get("fields", models.get(type_))
        made = fields(members) if members is not None else None
        return Field(found["name"], type_, is_list, found.get("required", False), found.get("in", ""), made)

    def fields(found):
        return {one["name"]: field(one) for one in found}

    def parameters(operation):
        for name, one in fields(operation["parameters"]).items():
            if (operation["operation"], name) in STRAYS:
                strays.add((operation["operation"], name))
            elif one.place == "body" and one.fields is not None and cloud == "huawei" and one.type != WHOLE:
                yield from ((name, replace(member, place="member")) for name, member in one.fields.items())
            else:
                yield name, one

    strays = set()
    operations = {}
    for one in table["operations"]:
        name = one["operation"]
        operations[name] = Operation(name, one["method"], one["path"], dict(parameters(one)), fields(one["response"]))
    if cloud == "alibaba" and strays != set(STRAYS):
        raise SystemExit(f"interop: no longer parameters: {set(STRAYS) - strays}")
    return operations


ALIBABA, HUAWEI = read("alibaba"), read("huawei")
OPERATIONS = {**ALIBABA, **HUAWEI}

# Of Alibaba Cloud: what goes out as GET; all others are writes.
READS = {name for name, operation in ALIBABA.items() if operation.method == "GET"}
STARTS = {"StartExecution", "StartSyncExecution"}

# What ours writes where nothing is given; the vendors have it as required.
DEFAULTS = {
    "CreateFlow": {"Type": "FDL"},
    "ReportTaskSucceeded": {"Output": "{}"},
    "StartSyncWorkflowExecution": {"input": "{}"},
    "StartWorkflowExecution": {"input": "{}"},
    "CreateCallbackWorkflow": {"output": "{}"},
}


def spaced(time):
    """As the service has it in lists of executions: in UTC, without saying so."""
    return time.replace("T", " ").removesuffix("Z")


def milliseconds(time):
    return int(datetime.fromisoformat(time).timestamp() * 1000)


def on_wire(operation, name, value):
    """A parameter of an order as the text that is sent; what is nested stays as it is."""
    if OPERATIONS[operation].parameters[name].place == "query" and name in ("start_time", "end_time"):
        value = milliseconds(value) if operation.endswith("Metric") else spaced(value)
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, (dict, list)) else str(value)


def paths(answer, declared, before=""):
    """The fields of an answer, with those inside them that are declared."""
    for one in answer if isinstance(answer, list) else [answer]:
        for name, value in one.items():
            yield before + name
            inner = declared[name].fields if name in declared else None
            if inner is not None:
                yield from paths(value, inner, f"{before}{name}.")


def declared_paths(declared, before=""):
    for name, field in declared.items():
        yield before + name
        yield from declared_paths(field.fields or {}, f"{before}{name}.")
