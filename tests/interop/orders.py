"""Random requests and answers of any operation, made from the vendors' tables.

An order's parameters have the wire's names. Two kinds are not as on the wire: times, which are in
RFC 3339 everywhere, and the JSON that a caller hands over, which is a text (`tables.on_wire`).
"""

import tables
import texts

STATUSES = ["Starting", "Running", "Stopped", "Succeeded", "Failed", "TimedOut"]
RUN_STATUSES = ["success", "fail", "running", "timeout", "cancel"]
LARGEST = 2**32  # of a limit, an offset, a period


def time(rng):
    """In whole seconds: in a request, the services take no other."""
    return f"20{rng.randrange(10, 100)}-{rng.randrange(1, 13):02}-{rng.randrange(1, 29):02}T{rng.randrange(24):02}:{rng.randrange(60):02}:07Z"


def segment(rng, made):
    """What may stand in a path."""
    made = "".join(c for c in made if c not in "/\\" and ord(c) >= 0x20 and not 0x7F <= ord(c) < 0xA0)
    return made if made not in ("", ".", "..") else "-"


def one_of(*choices):
    return lambda rng: rng.choice(choices)


def up_to(longest, least=1):
    return lambda rng: rng.randrange(least, longest + 1)


def filled(longest=40):
    return lambda rng: texts.text(rng, longest) or "-"


def path(longest=200):
    return lambda rng: segment(rng, texts.text(rng, longest))


def fraction(rng):
    """Of the kind that all languages write alike."""
    return rng.randrange(100) + 0.125


def json_value(rng):
    return {texts.text(rng): texts.value(rng) for _ in range(rng.randrange(4))}


def workflow_name(rng):
    return "".join(rng.choice("aZ09_().-工作") for _ in range(rng.randrange(1, 65)))


# What a text may be, where not just anything is; by the operation, else by the name alone.
OF_OPERATION = {
    **{name: {"Name": texts.name} for name in ("CreateFlow", "DescribeFlow", "UpdateFlow", "DeleteFlow")},
    **{name: {"ExecutionName": filled()} for name in ("DescribeExecution", "DescribeMapRun", "UpdateMapRun")},
    **{name: {"period": up_to(LARGEST - 1)} for name in ("ShowWorkFlowMetric", "ShowTenantMetric")},
    "GetExecutionHistory": {"NextToken": lambda rng: str(rng.randrange(5000))},
    "ListFlowVersions": {"Limit": up_to(LARGEST - 1)},
    "ListExecutions": {"Limit": up_to(100), "Status": one_of(*STATUSES)},
    "ListSchedules": {"Limit": up_to(1000)},
    "ShowWorkflowExecutionForPage": {"limit": up_to(100)},
    "StartWorkflowExecution": {
        "X-Create-Time": lambda rng: time(rng)[:10],
        "X-WorkflowRun-ID": texts.visible,
        "X-WorkflowRun-MergeFnParameters": one_of(True, False),
    },
}
COMMON = {
    # Alibaba Cloud
    "CallbackFnFTaskToken": lambda rng: texts.text(rng, 200),
    "Cause": filled(1000),
    "CronExpression": filled(),
    "Definition": filled(1000),
    "Error": filled(100),
    "ExecutionMode": one_of("Standard", "Express"),
    "ExecutionName": texts.name,
    "FlowName": texts.name,
    "FlowVersion": filled(),
    "Input": texts.json_object,
    "Limit": up_to(LARGEST - 1),
    "MapRunName": filled(),
    "Name": filled(),
    "NextToken": lambda rng: texts.text(rng, 200),
    "Output": texts.json_object,
    "Payload": texts.json_object,
    "ScheduleName": texts.name,
    "StartedTimeBegin": time,
    "StartedTimeEnd": time,
    "TaskToken": filled(500),
    "ToleratedFailedPercentage": fraction,
    "Type": one_of("FDL"),
    "Version": filled(),
    "WaitTimeSeconds": up_to(60, 0),
    "Weight": up_to(100),
    # Huawei Cloud
    "X-Workflow-Run-Id": texts.visible,
    "X-Workflow-State-Id": texts.visible,
    "constants": json_value,
    "delay": up_to(30),
    "duration": fraction,
    "end_time": time,
    "error": filled(60),
    "execution_id": path(),
    "headers": json_value,
    "input": texts.json_object,
    "limit": up_to(200),
    "max_attempts": up_to(8),
    "mode": one_of("NORMAL", "EXPRESS"),
    "offset": up_to(LARGEST - 1, 0),
    "output": texts.json_object,
    "result": one_of("success", "fail"),
    "start_time": time,
    "status": one_of(*RUN_STATUSES),
    "workflow_id": path(),
    "workflow_urn": path(100),
}
# In a flow's definition, `input` and `output` are texts like others, and the flow has a name.
OF_PART = {"WorkflowCreateBody": {"name": workflow_name}, "StateDataFilter": {"input": filled(), "output": filled()}}
OF_TYPE = {
    "string": texts.text,
    "int": lambda rng: rng.randrange(2**42),
    "bool": one_of(True, False),
    "number": fraction,
    "json": json_value,
}
# What a part always has, beside what the vendors' tables say.
ALWAYS = {"function_ref", "Name", "Value", "Variables", "Version", "Weight"}


def made(rng, field, own, full, is_part=False):
    """A value that a parameter can have, or a part of one."""
    if field.fields is not None:
        inner = OF_PART.get(field.type, {})

        def one():
            return {
                name: made(rng, part, inner, full, True)
                for name, part in field.fields.items()
                if full or part.is_required or name in ALWAYS or rng.randrange(3)
            }
    else:
        # The texts of a part may not be empty.
        of_type = filled() if is_part and field.type == "string" else OF_TYPE[field.type]
        make = own.get(field.name) or COMMON.get(field.name) or of_type

        def one():
            return make(rng)

    return [one() for _ in range(rng.randrange(1, 3))] if field.is_list else one()


# What ours sends always, though the vendors' tables do not say that it is required. What it means
# that `Enable` is absent is not documented.
SENT_ALWAYS = {("UpdateSchedule", "Enable"), ("CreateWorkflow", "body"), ("UpdateWorkFlow", "body")}


def parameters(rng, name, full=False, least=False):
    """All that an operation can be given; what may be left out, now and then."""
    operation, defaults, own = tables.OPERATIONS[name], tables.DEFAULTS.get(name, {}), OF_OPERATION.get(name, {})
    found = {}
    for field in operation.parameters.values():
        needed = (field.is_required and field.name not in defaults) or (name, field.name) in SENT_ALWAYS
        if full or needed or (not least and rng.randrange(3)):
            found[field.name] = made(rng, field, own, full)
    for begin, end in (("StartedTimeBegin", "StartedTimeEnd"), ("start_time", "end_time")):
        if begin in found and end in found:  # never the wrong way round
            found[begin], found[end] = sorted([found[begin], found[end]])
    return found


# What an answer's field is, by its name, where its type does not say it.
OF_ANSWER = {
    "Status": one_of(*STATUSES),
    "status": one_of(*RUN_STATUSES, "scheduled", "retrying"),
    "Type": one_of("StepEntered", "TaskSucceeded", "ExecutionFailed", "NobodyKnows"),
    "Input": lambda rng: texts.json_object(rng, 1000),
    "error_message": filled(),
    **{name: lambda rng: texts.dump(rng, {texts.text(rng): texts.value(rng)}) for name in ("Output", "Payload", "EventDetail")},
    "Weight": up_to(100),
}


def answered(rng, field):
    if field.type == tables.WHOLE:  # as it was given
        return made(rng, field, {}, True)
    if field.fields is not None:

        def one():
            return {name: answered(rng, part) for name, part in field.fields.items()}
    else:
        is_time = field.type in ("string", "datetime") and field.name.lower().endswith("time")
        make = time if is_time else OF_ANSWER.get(field.name) or (filled() if field.type == "string" else OF_TYPE[field.type])

        def one():
            return make(rng)

    return [one() for _ in range(rng.randrange(1, 4))] if field.is_list else one()


def answer(rng, name, given, execution_id=None):
    """What the service answers: every field. Empty texts and lists read as absent: there are none."""
    found = {field: answered(rng, one) for field, one in tables.OPERATIONS[name].answer.items()}
    if name in tables.ALIBABA:
        for field, parameter in (("FlowName", "FlowName"), ("Name", "ExecutionName")):
            if field in found and parameter in given:  # a made name is put in when it is seen
                found[field] = given[parameter]
        if name == "StartExecution":  # of another input or an earlier time, ours looks whose it is
            found.update(Status="Running", Input=given.get("Input", found["Input"]), StartedTime="2099-12-31T23:59:59Z")
        elif name == "StartSyncExecution":
            found["Status"] = "Succeeded"
    elif "execution_id" in found:
        found["execution_id"] = given.get("execution_id", execution_id)
        if name == "StartSyncWorkflowExecution":
            found["status"] = rng.choice(["success", "fail", "timeout"])
            found["output"] = texts.value(rng)
            found["errors"] = rng.choice([None, [], found["errors"]])
    return found
