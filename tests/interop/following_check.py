"""Executions from their start to their end by the official clients, as their users follow them."""

import json
import time
import uuid
from datetime import datetime, timedelta, timezone

from checking import HEX, MILLISECONDS, SECONDS, UPPER_UUID, UUID, Like, execution

# The documented event types that a flow of these steps has.
ENTERED = ["ExecutionStarted", "StepEntered", "StepStarted", "TaskScheduled", "TaskStarted"]
LEFT = ["TaskSucceeded", "StepSucceeded", "StepExited"]


def unique(word):
    return f"{word}-{uuid.uuid4().hex}"


def alibaba(check, client, ask, output):
    def answered(operation, parameters, fields):
        answer = ask(operation, parameters)
        check.answered(f"{client}: {operation} {parameters!r:.300}", answer, fields, request_id=True)
        return answer.fields

    def refused(operation, parameters, status, code, message):
        answer = ask(operation, parameters)
        subject = f"{client}: {operation} {parameters!r:.300}"
        check.refused(subject, answer, status, code, message, UPPER_UUID)

    def start(flow, name, input_="{}"):
        parameters = {"FlowName": flow, "ExecutionName": name, "Input": input_}
        return answered("StartExecution", parameters, execution(flow, name, input_))

    def shown(flow, name, *about):
        return answered("DescribeExecution", {"FlowName": flow, "ExecutionName": name}, execution(flow, name, *about))

    def wait(flow, name):
        """As users do: long polls until a status that is an end."""
        statuses = []
        while not statuses or statuses[-1] in ("Starting", "Running"):
            # Two seconds would do; a poll that runs out has to be seen, too.
            parameters = {"FlowName": flow, "ExecutionName": name, "WaitTimeSeconds": 60 if statuses else 1}
            statuses.append(ask("DescribeExecution", parameters).fields["Status"])
        return statuses

    def pages(operation, parameters, members):
        """As users do: page by page until there is no token. Gives the pages."""
        found = []
        while True:
            answer = ask(operation, parameters)
            check.equal(f"{client}: {operation}", (answer.status, answer.code), (200, ""))
            check.count(client)
            found.append(answer.fields[members])
            check.equal(f"{client}: {operation}: fields", set(answer.fields) - {"NextToken"}, {"RequestId", members})
            token = answer.fields.get("NextToken")
            if not token:
                return found
            parameters = {**parameters, "NextToken": token}

    def history(flow, name, limit=4):
        """The events of an execution, each whole and in its place."""
        found = pages("GetExecutionHistory", {"FlowName": flow, "ExecutionName": name, "Limit": limit}, "Events")
        subject = f"{client}: GetExecutionHistory of {name}"
        check.equal(f"{subject}: lengths", [len(page) for page in found[:-1]], [limit] * (len(found) - 1))
        events = [event for page in found for event in page]
        for number, event in enumerate(events, 1):
            whole = {
                "EventId": number,
                "ScheduleEventId": event["ScheduleEventId"],
                "Type": event["Type"],
                "StepName": event["StepName"],
                "Time": Like(MILLISECONDS),
                "EventDetail": event["EventDetail"],
            }
            check.equal(f"{subject}: event {number}", event, whole)
            check.equal(f"{subject}: {number} follows from one before", event["ScheduleEventId"] in range(number), True)
            check.equal(f"{subject}: detail of {number}", type(json.loads(event["EventDetail"])), dict)
        check.equal(f"{subject}: in order", sorted(event["Time"] for event in events), [event["Time"] for event in events])
        return events

    def types(events):
        return [event["Type"] for event in events]

    # Seven that run, listed by pages while they do and after.
    prefix = unique("life")
    inputs = {f"{prefix}-{number}": json.dumps({"n": number}) for number in range(7)}
    began = datetime.now(timezone.utc)
    for name, input_ in inputs.items():
        start("slow", name, input_)
    # Another's, which no list of ours may show.
    start("slow", unique("other"))
    newest_first = list(inputs)[::-1]
    of_ours = {"FlowName": "slow", "ExecutionNamePrefix": prefix}

    def listed(parameters, lengths, items):
        found = pages("ListExecutions", {**of_ours, **parameters}, "Executions")
        subject = f"{client}: ListExecutions {parameters}"
        check.equal(f"{subject}: lengths", [len(page) for page in found], lengths)
        check.equal(subject, [item for page in found for item in page], items)

    def item(name, *about):
        whole = execution("slow", name, inputs[name], *about)
        del whole["RequestId"]
        return whole

    running = [item(name) for name in newest_first]
    listed({"Limit": 3}, [3, 3, 1], running)
    listed({"Limit": 7, "Status": "Running"}, [7], running)
    first = newest_first[-1]
    check.equal(f"{client}: the looks of a wait", wait("slow", first), ["Running", "Succeeded"])
    for name in newest_first:
        wait("slow", name)
        shown("slow", name, inputs[name], "Succeeded", inputs[name], Like(MILLISECONDS))
    ended = [item(name, "Succeeded", inputs[name], Like(MILLISECONDS)) for name in newest_first]
    listed({"Limit": 4}, [4, 3], ended)
    listed({}, [7], ended)
    listed({"Limit": 2, "Status": "Running"}, [0], [])
    bare = [{name: value for name, value in one.items() if name not in ("Input", "Output", "FlowDefinition")} for one in ended]
    listed({"MetadataOnly": True}, [7], bare)
    listed({"MetadataOnly": False}, [7], ended)
    before, after = (f"{began + timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%SZ}" for minutes in (-1, 1))
    listed({"StartedTimeBegin": before, "StartedTimeEnd": after}, [7], ended)
    listed({"StartedTimeBegin": after}, [0], [])
    listed({"StartedTimeEnd": before}, [0], [])

    # What happened in it.
    events = history("slow", first)
    check.equal(f"{client}: events of a good end", types(events), [*ENTERED, *LEFT, "ExecutionSucceeded"])
    check.equal(f"{client}: its input", json.loads(events[0]["EventDetail"]), {"input": {"n": 0}})
    check.equal(f"{client}: its output", json.loads(events[-1]["EventDetail"]), {"output": {"n": 0}})
    failed = unique("fails")
    start("slow-fails", failed)
    wait("slow-fails", failed)
    shown("slow-fails", failed, "{}", "Failed", "", Like(MILLISECONDS))
    events = history("slow-fails", failed)
    check.equal(f"{client}: events of a bad end", types(events), [*ENTERED, "TaskFailed", "StepFailed", "ExecutionFailed"])
    reason = {"error": "Example", "cause": "this flow always fails"}
    for event in events[-3:]:
        check.equal(f"{client}: the reason in {event['Type']}", json.loads(event["EventDetail"]), reason)

    # Stopped: the answer still says `Running`, as the vendor's own sample does.
    for parameters, reason in [
        ({}, {"error": "", "cause": ""}),
        ({"Error": "Mine", "Cause": "nobody wants it ~*+ 中"}, {"error": "Mine", "cause": "nobody wants it ~*+ 中"}),
    ]:
        name = unique("stops")
        start("endless", name, '{"a":1}')
        of_it = {"FlowName": "endless", "ExecutionName": name}
        answered("StopExecution", {**of_it, **parameters}, execution("endless", name, '{"a":1}'))
        shown("endless", name, '{"a":1}', "Stopped", "", Like(MILLISECONDS))
        events = history("endless", name)
        check.equal(f"{client}: events of a stop", types(events), [*ENTERED, "ExecutionStopped"])
        check.equal(f"{client}: the reason of a stop", json.loads(events[-1]["EventDetail"]), reason)
        message = f"Execution '{name}' for flow 'endless' has already completed."
        refused("StopExecution", of_it, 400, "ExecutionAlreadyCompleted", message)

    # A task that waits for its report.
    def asks():
        name = unique("asks")
        start("asks", name)
        token = output.find(rf"execution {name} step wait token (\S+)")[1]
        check.equal(f"{client}: events of a wait", types(history("asks", name)), [*ENTERED, "TaskSubmitted"])
        return name, token

    name, token = asks()
    report = {"TaskToken": token, "Output": '{"approved":true}'}
    event = answered("ReportTaskSucceeded", report, {"RequestId": Like(UPPER_UUID), "EventId": 7})["EventId"]
    check.equal(f"{client}: a wait for what was reported", wait("asks", name), ["Succeeded"])
    events = history("asks", name)
    wanted = [*ENTERED, "TaskSubmitted", *LEFT, *ENTERED[1:], *LEFT, "ExecutionSucceeded"]
    check.equal(f"{client}: events of a report", types(events), wanted)
    check.equal(f"{client}: the report", json.loads(events[event - 1]["EventDetail"]), {"output": {"approved": True}})
    failure = {"TaskToken": token, "Error": "Late", "Cause": "c"}
    for operation, parameters in (("ReportTaskSucceeded", report), ("ReportTaskFailed", failure)):
        refused(operation, parameters, 400, "TaskAlreadyCompleted", "Task has already completed.")
        unknown = {**parameters, "TaskToken": "nobody's"}
        refused(operation, unknown, 400, "InvalidArgument", "TaskToken is not the token of a task")
    name, token = asks()
    failure = {"TaskToken": token, "Error": "Denied", "Cause": "no ~*+ 中"}
    answered("ReportTaskFailed", failure, {"RequestId": Like(UPPER_UUID), "EventId": 7})
    check.equal(f"{client}: a wait for what was reported", wait("asks", name), ["Failed"])
    events = history("asks", name, 999)
    wanted = [*ENTERED, "TaskSubmitted", "TaskFailed", "StepFailed", "ExecutionFailed"]
    check.equal(f"{client}: events of a report", types(events), wanted)
    reason = {"error": "Denied", "cause": "no ~*+ 中"}
    check.equal(f"{client}: the report", json.loads(events[-1]["EventDetail"]), reason)

    # What is not there, and what no list takes.
    for operation in ("StopExecution", "GetExecutionHistory"):
        message = "Execution nope for flow slow does not exist."
        refused(operation, {"FlowName": "slow", "ExecutionName": "nope"}, 404, "ExecutionNotExists", message)
        refused(operation, {"FlowName": "no", "ExecutionName": "x"}, 404, "FlowNotExists", "Flow  no does not exist.")
        message = "The HTTP query 'ExecutionName' must be specified."
        refused(operation, {"FlowName": "slow"}, 400, "MissingRequiredParams", message)
    refused("ListExecutions", {"FlowName": "no"}, 404, "FlowNotExists", "Flow  no does not exist.")
    of_first = {"FlowName": "slow", "ExecutionName": first}
    for operation, parameters, most in (("ListExecutions", of_ours, 100), ("GetExecutionHistory", of_first, 999)):
        for limit in (0, most + 1):
            refused(operation, {**parameters, "Limit": limit}, 400, "InvalidArgument", f"Limit must be 1 to {most}")
        message = "NextToken is not one of this list"
        refused(operation, {**parameters, "NextToken": "nope"}, 400, "InvalidArgument", message)
    too_long = {"FlowName": "endless", "ExecutionName": "x", "Error": "e" * 129}
    refused("StopExecution", too_long, 400, "InvalidArgument", "Error must have 1 to 128 characters")


def huawei(check, client, ask, output, user):
    def answered(operation, parameters, fields, body=None):
        answer = ask(operation, parameters, body)
        check.answered(f"{client}: {operation} {parameters!r:.300}", answer, fields)
        return answer.fields

    def refused(operation, parameters, status, code, message, body=None):
        subject = f"{client}: {operation} {parameters!r:.300}"
        check.refused(subject, ask(operation, parameters, body), status, code, message, HEX)

    def start(flow, body, **headers):
        identity = headers.get("x_workflow_run_id") or Like(UUID)
        found = answered("StartWorkflowExecution", {"workflow_id": flow, **headers}, {"execution_id": identity}, body)
        return found["execution_id"]

    def of(flow, execution_id):
        return {"workflow_id": flow, "execution_id": execution_id}

    def brief(flow, execution_id, status, ended):
        return {
            **of(flow, execution_id),
            "workflow_urn": Like(f"urn:fss:.+:workflow:default:{flow}:latest"),
            "status": status,
            "begin_time": Like(SECONDS),
            "end_time": Like(SECONDS) if ended else "",
            "last_update_time": Like(SECONDS),
            "created_by": user,
        }

    def present(fields):
        """Without what is not there, which is null to one client and absent to another."""
        return {name: value for name, value in fields.items() if value is not None}

    def run(status, input_, **about):
        whole = {"status": status, "input": input_, "begin_time": True, "end_time": True, "request_id": Like(HEX), **about}
        return present(whole)

    def shown(flow, execution_id, status, input_, ended, nodes, result=None):
        """The execution; its times, which are numbers in a node, stand as whether they are there."""
        parameters = {**of(flow, execution_id), "x_get_workflow_full_history_data": True}
        answer = ask("ShowWorkflowExecution", parameters)
        nodes_found = {}
        for node in answer.fields["node_execution_details"]:
            node = node if isinstance(node, dict) else node.to_dict()
            check.equal(f"{client}: a node", (node["node_name"], node["execution_id"]), (node["node_id"], execution_id))
            runs = [present(one if isinstance(one, dict) else one.to_dict()) for one in node["executions"]]
            for one in runs:
                for name in ("begin_time", "end_time"):
                    now = time.time() * 1000
                    if name in one:
                        one[name] = abs(now - one[name]) < 600_000
            nodes_found[node["node_id"]] = runs
        answer.fields["node_execution_details"] = nodes_found
        whole = {
            **brief(flow, execution_id, status, ended),
            "headers": {},
            "input": input_,
            "output": {} if result is None else result,
            "node_execution_details": nodes,
        }
        check.answered(f"{client}: ShowWorkflowExecution of {execution_id}", answer, whole)

    def wait(flow, execution_id):
        """As users do: looks until a status that is an end."""
        statuses = []
        while not statuses or statuses[-1] == "running":
            time.sleep(0.2 if statuses else 0)
            statuses.append(ask("ShowWorkflowExecution", of(flow, execution_id)).fields["status"])
        return list(dict.fromkeys(statuses))

    def pages(operation, parameters, limit):
        """As users do: by offset, until a page is not full. Gives the pages."""
        found = []
        while not found or len(found[-1]) == limit:
            offset = sum(map(len, found))
            answer = ask(operation, {**parameters, "limit": limit, "offset": offset})
            check.equal(f"{client}: {operation}", (answer.status, answer.code), (200, ""))
            check.count(client)
            found.append([one if isinstance(one, dict) else one.to_dict() for one in answer.fields["executions"]])
        return answer.fields, found

    # Five that run, listed by pages while they do and after. Others have run in this flow before.
    since = datetime.now(timezone.utc).replace(microsecond=0)
    while datetime.now(timezone.utc) < since + timedelta(seconds=1):
        time.sleep(0.05)
    since = f"{since + timedelta(seconds=1):%Y-%m-%d %H:%M:%S}"
    own = uuid.uuid4().hex
    ids = [start("slow", {"input": {"n": 0}, "headers": {"a": "b"}}, x_workflow_run_id=own)]
    ids += [start("slow", {"input": {"n": number}}) for number in range(1, 5)]
    of_ours = {"workflow_id": "slow", "start_time": since}

    def listed(lengths, seen, limit=2, **parameters):
        fields, found = pages("ListWorkflowExecutions", {**of_ours, **parameters}, limit)
        check.equal(f"{client}: a list's fields", set(fields), {"executions"})
        check.equal(f"{client}: a list's lengths", [len(page) for page in found], lengths)
        wanted = [brief("slow", one, seen, seen != "running") for one in ids[::-1]]
        check.equal(f"{client}: a list", [one for page in found for one in page], wanted if sum(lengths) else [])

    listed([2, 2, 1], "running")
    listed([5, 0], "running", 5, status="running")
    listed([0], "success", status="success")
    check.equal(f"{client}: the looks of a wait", wait("slow", ids[0]), ["running", "success"])
    for one in ids:
        wait("slow", one)
    listed([2, 2, 1], "success", status="success")
    listed([5], "success", 200)
    later = f"{datetime.now(timezone.utc) + timedelta(minutes=1):%Y-%m-%d %H:%M:%S}"
    listed([5], "success", 6, end_time=later)
    listed([0], "success", start_time=later)

    fields, found = pages("ShowWorkflowExecutionForPage", of_ours, 2)
    check.equal(f"{client}: a history's numbers", (fields["total"], fields["size"]), (5, 1))
    check.equal(f"{client}: a history's fields", set(fields), {"total", "size", "executions"})
    wanted = [brief("slow", one, "success", True) for one in ids[::-1]]
    check.equal(f"{client}: a history", [one for page in found for one in page], wanted)

    # What happened in it.
    node = {"closure": [run("success", {"n": 0}, output={"n": 0})]}
    shown("slow", own, "success", {"n": 0}, True, node, {"n": 0})
    failed = start("slow-fails", {"input": {"a": 1}})
    check.equal(f"{client}: the looks of a wait", wait("slow-fails", failed), ["running", "fail"])
    failure = run("fail", {"a": 1}, error_message="Example: this flow always fails")
    shown("slow-fails", failed, "fail", {"a": 1}, True, {"closure": [failure]})
    # Tried again under the same id: it runs, and has another end.
    answered("RetryWorkFlow", of("slow-fails", failed), {})
    check.equal(f"{client}: the looks of a retry", wait("slow-fails", failed), ["running", "fail"])
    shown("slow-fails", failed, "fail", {"a": 1}, True, {"closure": [failure, failure]})

    # Stopped; while it runs, it has no end.
    endless = start("endless", {"input": {}}, x_create_time=f"{datetime.now(timezone.utc):%Y-%m-%d}")
    shown("endless", endless, "running", {}, False, {"closure": [run("running", {}, end_time=None)]})
    _, found = pages("ShowWorkflowExecutionForPage", {"workflow_id": "endless", "start_time": since}, 100)
    check.equal(f"{client}: a history", found[0][0], brief("endless", endless, "running", False))
    answered("StopWorkFlow", of("endless", endless), {})
    shown("endless", endless, "cancel", {}, True, {"closure": [run("cancel", {})]})
    refused("StopWorkFlow", of("endless", endless), 400, "FGS.3002", "The execution has ended.")

    # A node that waits for a callback: it fails, is tried again, and then ends well.
    asks = start("asks", {"input": {}})
    output.find(f"execution {asks} step wait token")
    waiting = run("running", {}, end_time=None)
    shown("asks", asks, "running", {}, False, {"wait": [waiting]})

    def call_back(body):
        parameters = {"workflow_id": "asks", "x_workflow_run_id": asks, "x_workflow_state_id": "wait"}
        return ("CreateCallbackWorkflow", parameters), body

    said, body = call_back({"result": "fail", "error": "denied"})
    answered(*said, {"execution_id": asks}, body)
    check.equal(f"{client}: a callback that fails", wait("asks", asks), ["fail"])
    failure = run("fail", {}, error_message="denied")
    shown("asks", asks, "fail", {}, True, {"wait": [failure]})
    refused(*said, 400, "FGS.3002", "The node has been called back already.", body)
    answered("RetryWorkFlow", of("asks", asks), {})
    shown("asks", asks, "running", {}, False, {"wait": [failure, waiting]})
    said, body = call_back({"result": "success", "output": {"approved": True}})
    answered(*said, {"execution_id": asks}, body)
    check.equal(f"{client}: a callback", wait("asks", asks), ["success"])
    nodes = {"wait": [failure, run("success", {}, output={"approved": True})], "closure": [run("success", {}, output={})]}
    shown("asks", asks, "success", {}, True, nodes)
    message = "An execution of status success is not retried."
    refused("RetryWorkFlow", of("asks", asks), 400, "FGS.3002", message)

    # What is not there, and what no list takes.
    message = "The flow does not exist."
    for operation in ("ShowWorkflowExecution", "StopWorkFlow", "RetryWorkFlow"):
        for flow, execution_id in (("slow", "nope"), ("nope", own)):
            refused(operation, of(flow, execution_id), 404, "FGS.5002", message)
    refused("StartWorkflowExecution", {"workflow_id": "nope"}, 404, "FGS.5002", message, {"input": {}})
    refused("ListWorkflowExecutions", {"workflow_id": "nope"}, 404, "FGS.5002", message)
    refused("ShowWorkflowExecutionForPage", {"workflow_id": "nope", "offset": 0, "limit": 1}, 404, "FGS.5002", message)
    nobody = {"workflow_id": "asks", "x_workflow_run_id": asks, "x_workflow_state_id": "nope"}
    refused("CreateCallbackWorkflow", nobody, 404, "FGS.5002", message, {"result": "success", "output": {}})
    tomorrow = f"{datetime.now(timezone.utc) + timedelta(days=2):%Y-%m-%d}"
    message = "Invalid parameters: X-Create-Time."
    refused("StartWorkflowExecution", {"workflow_id": "slow", "x_create_time": tomorrow}, 400, "FGS.3002", message, {"input": {}})
    refused("ShowWorkflowExecutionForPage", {"workflow_id": "slow", "offset": 0, "limit": 101}, 400, "FGS.3002", "Invalid parameters: limit.")
