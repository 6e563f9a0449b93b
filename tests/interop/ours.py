"""Our client, by way of `driver.rs`, and the random requests that it sends to the judge."""

import json
import random
import subprocess
import threading

import texts
from judge import HUAWEI, READS, STARTS, Case, Judge

SHOWN = 10  # mismatches that are printed


def send(driver, orders):
    """Has the driver carry out orders; gives what came of each, by id."""
    process = subprocess.Popen([driver], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def feed():
        for order in orders:
            process.stdin.write(json.dumps(order).encode() + b"\n")
        process.stdin.close()

    threading.Thread(target=feed, daemon=True).start()
    outcomes = {outcome["id"]: outcome for outcome in map(json.loads, process.stdout)}
    if process.wait() != 0:
        raise SystemExit(f"interop: the driver ended with status {process.returncode}")
    return outcomes


def key(rng, number):
    """A key whose id tells the request's number; a temporary one half of the time."""
    return {
        "id": f"{number}-{texts.visible(rng)}",
        "secret": texts.visible(rng, 200),
        "security_token": rng.choice([None, texts.visible(rng, rng.choice([40, 2000]))]),
    }


def optional(rng, made):
    return made if rng.randrange(3) else None


STATUSES = ["Starting", "Running", "Stopped", "Succeeded", "Failed", "TimedOut"]
RUN_STATUSES = ["success", "fail", "running", "timeout", "cancel"]


def time(rng):
    """In whole seconds: in a request, the services take no other."""
    return f"20{rng.randrange(10, 100)}-{rng.randrange(1, 13):02}-{rng.randrange(1, 29):02}T{rng.randrange(24):02}:{rng.randrange(60):02}:07Z"


def window(rng, begin, end):
    """Both ends, one, or none; never the wrong way round."""
    first, last = sorted([time(rng), time(rng)])
    return {begin: optional(rng, first), end: optional(rng, last)}


def alibaba_order(rng, operation):
    """All that an operation of Alibaba Cloud can be given; what may be left out, now and then."""
    if operation.startswith("ReportTask"):
        order = {"task_token": texts.text(rng, 500) or "-"}
        if operation == "ReportTaskSucceeded":
            return {**order, "output": optional(rng, texts.json_object(rng))}
        return {**order, "error": texts.text(rng, 100) or "-", "cause": optional(rng, texts.text(rng, 1000) or "-")}
    order = {"flow_name": texts.name(rng)}
    if operation == "ListExecutions":
        return {
            **order,
            **window(rng, "started_time_begin", "started_time_end"),
            "execution_name_prefix": optional(rng, texts.text(rng)),
            "limit": optional(rng, rng.randrange(1, 101)),
            "map_run_name": optional(rng, texts.text(rng)),
            "metadata_only": rng.choice([None, True, False]),
            "next_token": optional(rng, texts.text(rng, 200)),
            "qualifier": optional(rng, texts.text(rng)),
            "status": optional(rng, rng.choice(STATUSES)),
        }
    if operation in STARTS:
        order["execution_name"] = optional(rng, texts.name(rng))
        order["input"] = optional(rng, texts.json_object(rng))
        order["qualifier"] = optional(rng, texts.text(rng))
        if operation == "StartExecution":
            order["callback_fnf_task_token"] = optional(rng, texts.text(rng, 200))
        return order
    order["execution_name"] = texts.name(rng)
    if operation == "DescribeExecution":
        order["execution_name"] = texts.text(rng) or "-"
        order["wait_time_seconds"] = optional(rng, rng.randrange(61))
    elif operation == "StopExecution":
        order["cause"] = optional(rng, texts.text(rng, 1000) or "-")
        order["error"] = optional(rng, texts.text(rng, 100) or "-")
    else:
        order["limit"] = optional(rng, rng.randrange(1, 1000))
        order["next_token"] = optional(rng, str(rng.randrange(5000)))
    return order


def execution_answer(rng):
    return {
        "FlowName": texts.name(rng),
        "Name": texts.name(rng),
        "Status": rng.choice(STATUSES),
        "Input": texts.json_object(rng, 1000),
        "Output": texts.dump(rng, {texts.text(rng): texts.value(rng)}),
        "StartedTime": time(rng),
        "StoppedTime": time(rng),
    }


def event_answer(rng, number):
    return {
        "EventId": number,
        "ScheduleEventId": rng.randrange(number),
        "Type": rng.choice(["StepEntered", "TaskSucceeded", "ExecutionFailed", "NobodyKnows"]),
        "StepName": texts.text(rng) or "-",
        "Time": time(rng),
        "EventDetail": texts.dump(rng, {texts.text(rng): texts.value(rng)}),
    }


def alibaba_answer(rng, operation, order):
    """What the service answers. Empty texts and lists read as absent, so there are none."""
    if operation.startswith("ReportTask"):
        return {"EventId": rng.randrange(5000)}
    if operation == "ListExecutions":
        executions = [execution_answer(rng) for _ in range(rng.randrange(1, 4))]
        return {"NextToken": texts.text(rng) or "-", "Executions": executions}
    if operation == "GetExecutionHistory":
        return {"Events": [event_answer(rng, number) for number in range(1, rng.randrange(2, 5))]}
    reply = {
        "FlowName": order["flow_name"],
        "Name": order["execution_name"],  # a made one is put in when it is seen
        "Status": "Succeeded" if operation == "StartSyncExecution" else "Running",
        "Output": texts.dump(rng, {texts.text(rng): texts.value(rng)}),
    }
    if operation == "StartSyncExecution":
        reply["ErrorMessage"] = texts.text(rng) or "-"
    else:
        reply["Input"] = order.get("input") or texts.json_object(rng)
    return reply


ALIBABA = sorted([*STARTS, *READS, "StopExecution", "ReportTaskFailed", "ReportTaskSucceeded"])


def alibaba(rng, number):
    operation = rng.choice(ALIBABA)
    order = {"operation": operation, "key": key(rng, number), **alibaba_order(rng, operation)}
    reply = {"RequestId": f"request-{number}", **alibaba_answer(rng, operation, order)}
    case = Case(number, order, reply)
    return case, [("alibaba", order["key"]["id"])], reply


def segment(rng, made):
    """What may stand in a path."""
    made = "".join(c for c in made if c not in "/\\" and ord(c) >= 0x20 and not 0x7F <= ord(c) < 0xA0)
    return made if made not in ("", ".", "..") else "-"


def huawei_order(rng, operation):
    """All that an operation of Huawei Cloud can be given; what may be left out, now and then."""
    order = {"workflow_id": segment(rng, texts.text(rng, 200))}
    shape = HUAWEI[operation]
    if "{execution_id}" in shape.path:
        order["execution_id"] = segment(rng, texts.text(rng, 200))
    if operation in ("StartSyncWorkflowExecution", "StartWorkflowExecution"):
        order["headers"] = {texts.text(rng): texts.value(rng) for _ in range(rng.randrange(4))}
        order["input"] = optional(rng, texts.json_object(rng))
    if operation == "StartWorkflowExecution":
        order["create_time"] = optional(rng, time(rng)[:10])
        order["workflow_run_id"] = optional(rng, texts.visible(rng))
        order["workflow_run_merge_fn_parameters"] = rng.choice([None, True, False])
    elif operation == "ShowWorkflowExecution":
        order["full_history"] = rng.choice([None, True, False])
    elif operation == "CreateCallbackWorkflow":
        order["workflow_run_id"] = texts.visible(rng)
        order["workflow_state_id"] = texts.visible(rng)
        order["result"] = rng.choice(["success", "fail"])
        order["output"] = optional(rng, texts.json_object(rng))
        order["error"] = optional(rng, texts.text(rng, 60) or "-")
    elif shape.query:
        paged = operation == "ShowWorkflowExecutionForPage"
        limit, offset = rng.randrange(1, 101), rng.randrange(1000)
        order.update(window(rng, "start_time", "end_time"))
        order["limit"] = limit if paged else optional(rng, limit)
        order["offset"] = offset if paged else optional(rng, offset)
        if not paged:
            order["status"] = optional(rng, rng.choice(RUN_STATUSES))
    return order


def brief_answer(rng):
    brief = {"workflow_id": texts.text(rng) or "-", "workflow_urn": "urn:-", "execution_id": texts.text(rng) or "-"}
    times = {name: time(rng) for name in ("begin_time", "end_time", "last_update_time")}
    return {**brief, "status": rng.choice(RUN_STATUSES + ["scheduled", "retrying"]), **times, "created_by": texts.text(rng) or "-"}


def huawei_answer(rng, operation, execution_id):
    if operation in ("StopWorkFlow", "RetryWorkFlow"):
        return None
    if operation in ("StartWorkflowExecution", "CreateCallbackWorkflow"):
        return {"execution_id": execution_id}
    if operation == "StartSyncWorkflowExecution":
        answer = {"status": rng.choice(["success", "fail", "timeout"]), "output": texts.value(rng)}
        return {"execution_id": execution_id, **answer, "errors": rng.choice([None, []])}
    if operation == "ShowWorkflowExecution":
        # An empty word reads as absent.
        run = {"status": "fail", "input": {"a": texts.value(rng)}, "output": {}, "error_message": texts.text(rng) or "-"}
        run.update(begin_time=rng.randrange(2**42), end_time=rng.randrange(2**42), request_id="r")
        node = {"node_id": texts.text(rng) or "-", "node_name": "-", "execution_id": execution_id, "executions": [run, run]}
        payloads = {"headers": {}, "input": {texts.text(rng): texts.value(rng)}, "output": {texts.text(rng): texts.value(rng)}}
        return {**brief_answer(rng), "execution_id": execution_id, **payloads, "node_execution_details": [node]}
    executions = [brief_answer(rng) for _ in range(rng.randrange(1, 4))]
    if operation == "ListWorkflowExecutions":
        return {"executions": executions}
    return {"total": rng.randrange(2**33), "size": len(executions), "executions": executions}


def huawei(rng, number):
    project_id = segment(rng, texts.visible(rng, 60))
    given = rng.choice([None, project_id])
    kind = rng.choice(["key", "key", "key", "token", "password"])
    known_by = []
    if kind == "key":
        auth = key(rng, number)
        known_by = [("huawei", auth["id"])]
    elif kind == "token":
        auth, given = f"{number}-{texts.visible(rng, 2000)}", project_id
        known_by = [("token", auth)]
    else:
        auth = {"domain": texts.text(rng), "user": texts.text(rng), "password": f"{number}-{texts.text(rng)}"}
        known_by = [("password", auth["password"]), ("token", f"token-{number}")]
    operation = rng.choice(list(HUAWEI))
    order = {
        "operation": operation,
        "auth": {kind: auth},
        "region": f"{number}-{rng.choice(['cn-north-4', 'a', 'R-2'])}",
        "project_id": given,
        **huawei_order(rng, operation),
    }
    answer = huawei_answer(rng, operation, f"execution-{number}")
    case = Case(number, order, {} if answer is None else answer, project_id)
    # Null reads as absent, and so does an empty list of failed nodes.
    reply = answer and {name: value for name, value in answer.items() if value is not None and (name, value) != ("errors", [])}
    return case, known_by, reply


def make(seed, number, host):
    """Request number so-and-so of a seed: the same one always."""
    rng = random.Random(f"{seed}:{number}")
    case, known_by, reply = rng.choice([alibaba, huawei])(rng, number)
    case.order.update(id=number, endpoint=f"http://{host}")
    return case, known_by, reply


def outcome_fault(case, meant, outcome):
    """What is wrong with what our client made of the answer; `None` if nothing is."""
    if outcome is None:
        return "no outcome"
    if "error" in outcome:
        return f"refused: {outcome}"
    found = outcome["answer"]
    if found != meant:
        return f"another answer: {found!r:.600}\n    meant: {meant!r:.600}"
    if (outcome["status"], outcome["attempts"], outcome["request_id"]) != (200, 1, f"request-{case.number}"):
        return f"another status, request id or number of attempts: {outcome!r:.600}"
    return None


def check_random(driver, seed, numbers):
    """Sends random requests to the judge; gives the counts, or stops the program."""
    with Judge() as judge:
        made = {}
        for number in numbers:
            case, known_by, meant = make(seed, number, judge.host)
            for known in known_by:
                judge.expect(known, case)
            made[number] = (case, meant)
        outcomes = send(driver, (case.order for case, _ in made.values()))
    faults = {}
    for number, (case, meant) in made.items():
        fault = outcome_fault(case, meant, outcomes.get(number))
        if fault is None and case.checked == 0:
            fault = "the judge has not seen it"
        if fault is not None:
            faults[number] = "\n  ".join(judge.mismatches.get(number, []) + [fault])
    for number in set(judge.mismatches) - set(faults):
        faults[number] = "\n  ".join(judge.mismatches[number])
    for number, fault in sorted(faults.items())[:SHOWN]:
        print(f"interop: request {number} of seed {seed} (again: --seed {seed} --only {number}):\n  {fault}")
    if faults:
        raise SystemExit(f"interop: {len(faults)} of {len(made)} random requests went wrong")
    return dict(sorted(judge.checked.items())), len(outcomes)
