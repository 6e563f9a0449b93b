"""Flows, versions, aliases, schedules and map runs made, read, changed and deleted by official clients."""

import json
import time
import uuid

from checking import HEX, LOCAL, SECONDS, UPPER_UUID, UUID, Like, plain

DEFINITION = "version: v1\ntype: flow\nsteps:\n  - type: pass\n    name: one 中\n"


def alibaba(check, client, ask, host):
    def done(operation, **parameters):
        """What was answered; nothing in it is null."""
        answer = ask(operation, parameters)
        subject = f"{client}: {operation} {parameters!r:.300}"
        check.equal(subject, (answer.status, answer.code), (200, ""))
        check.equal(subject, answer.request_id, answer.fields["RequestId"])
        check.equal(f"{subject}: nulls in {answer.fields}", "null" in json.dumps(answer.fields), False)
        check.count(subject)
        return answer.fields

    def has(operation, meant, **parameters):
        found = done(operation, **parameters)
        check.equal(f"{client}: {operation}", {name: found.get(name) for name in meant}, meant)
        return found

    def refused(operation, status, code, message, **parameters):
        subject = f"{client}: {operation} {parameters!r:.300}"
        check.refused(subject, ask(operation, parameters), status, code, message, UPPER_UUID)

    def pages(operation, members, **parameters):
        """Page by page, until there is no token. Gives the items."""
        items = []
        while True:
            found = done(operation, **parameters)
            items += found[members]
            if not found.get("NextToken"):
                return items
            check.equal(f"{client}: {operation}: a page", len(found[members]), parameters["Limit"])
            parameters["NextToken"] = found["NextToken"]

    for language, name in ({"AcceptLanguage": "en-US"}, "China (Hangzhou)"), ({}, "华东1（杭州）"):
        found = done("DescribeRegions", **language)["Regions"]["Region"][0]
        meant = {"RegionId": "cn-hangzhou", "LocalName": name, "RegionEndpoint": host}
        check.equal(f"{client}: DescribeRegions", found, meant)

    flow = f"made-{uuid.uuid4().hex}"
    about = {"Name": flow, "Definition": DEFINITION, "Description": "first ~*+ 中", "Type": "FDL"}
    made = has("CreateFlow", about, **about)
    has("DescribeFlow", {**about, "Id": made["Id"], "CreatedTime": made["CreatedTime"]}, Name=flow)
    about["Description"] = "second"
    has("UpdateFlow", {**about, "Id": made["Id"]}, Name=flow, Description="second")
    refused("CreateFlow", 409, "FlowAlreadyExists", f"Flow {flow} already exists.", **about)
    other = f"{flow}-2"
    variables = [{"Name": "A", "Value": "1 中", "Description": "of use"}]
    whole = {**about, "Name": other, "ExecutionMode": "Standard", "RoleArn": "acs:ram::1:role/r", "ResourceGroupId": "rg"}
    whole["Environment"] = {"Variables": variables}
    has("CreateFlow", whole, **whole, ExternalStorageLocation="oss/x")
    whole["Description"] = "third"
    del whole["ExecutionMode"]
    has("UpdateFlow", {**whole, "ExternalStorageLocation": "oss/x"}, Name=other, Description="third")
    has("DescribeFlow", whole, Name=other)
    names = [one["Name"] for one in pages("ListFlows", "Flows", Limit=1)]
    check.equal(f"{client}: ListFlows", {flow, other} <= set(names) and len(names) == len(set(names)), True)

    for text in ("a", "b"):
        has("PublishFlowVersion", {"Description": text}, FlowName=flow, Description=text)
    listed = pages("ListFlowVersions", "FlowVersions", FlowName=flow, Limit=1)
    check.equal(f"{client}: ListFlowVersions", sorted(one["Description"] for one in listed), ["a", "b"])
    numbers = sorted(one["Version"] for one in listed)

    of_alias = {"FlowName": flow, "Name": "live"}
    routes = [{"Version": number, "Weight": weight} for number, weight in zip(numbers, (20, 80), strict=True)]
    has("CreateFlowAlias", {"Name": "live"}, **of_alias, Description="d", RoutingConfigurations=routes)
    alias = done("DescribeFlowAlias", **of_alias)["Alias"]
    found = (alias["Name"], alias["Description"], alias["RoutingConfigurations"])
    check.equal(f"{client}: DescribeFlowAlias", found, ("live", "d", routes))
    message = f"The alias live already exists in flow {flow}."
    refused("CreateFlowAlias", 409, "AliasAlreadyExists", message, **of_alias, RoutingConfigurations=routes)
    message = f"Version {numbers[1]} of flow {flow} is in use by alias live."
    refused("DeleteFlowVersion", 400, "InvalidArgument", message, FlowName=flow, FlowVersion=numbers[1])
    routes = [{"Version": numbers[1], "Weight": 100}]
    done("UpdateFlowAlias", **of_alias, RoutingConfigurations=routes)
    found = done("DescribeFlowAlias", **of_alias)["Alias"]["RoutingConfigurations"]
    check.equal(f"{client}: DescribeFlowAlias after the change", found, routes)
    done("CreateFlowAlias", FlowName=flow, Name="next", RoutingConfigurations=routes)
    aliases = pages("ListFlowAliases", "Aliases", FlowName=flow, Limit=1)
    check.equal(f"{client}: ListFlowAliases", sorted(one["Name"] for one in aliases), ["live", "next"])
    started = {"FlowName": flow, "Name": "by-alias", "Status": "Running", "Input": "{}"}
    has("StartExecution", started, FlowName=flow, ExecutionName="by-alias", Input="{}", Qualifier="live")
    done("StartExecution", FlowName=other, ExecutionName="variables", Input="{}")
    variables = {"Environment": {"Variables": [{"Name": "A", "Value": "1 中"}]}}
    has("DescribeExecution", variables, FlowName=other, ExecutionName="variables", WaitTimeSeconds=60)
    listed = done("ListExecutions", FlowName=other)["Executions"]
    check.equal(f"{client}: ListExecutions", [one["Environment"] for one in listed], [variables["Environment"]])

    of_schedule = {"FlowName": flow, "ScheduleName": "nightly"}
    plan = {"CronExpression": "0 0 3 * * *", "Description": "s", "Payload": '{"a":1}', "Enable": False}
    shown = {"ScheduleName": "nightly", **plan}
    has("CreateSchedule", shown, **of_schedule, **plan)
    message = f"The schedule nightly already exists in flow {flow}."
    refused("CreateSchedule", 409, "ScheduleAlreadyExists", message, **of_schedule, **plan)
    has("DescribeSchedule", shown, **of_schedule)
    has("UpdateSchedule", {**shown, "Description": "t"}, **of_schedule, Description="t")
    done("CreateSchedule", **{**of_schedule, "ScheduleName": "hourly"}, **plan)
    schedules = pages("ListSchedules", "Schedules", FlowName=flow, Limit=1)
    check.equal(f"{client}: ListSchedules", sorted(one["Description"] for one in schedules), ["s", "t"])

    for name in ("nightly", "hourly"):
        done("DeleteSchedule", FlowName=flow, ScheduleName=name)
    for name in ("live", "next"):
        done("DeleteFlowAlias", FlowName=flow, Name=name)
    for number in numbers:
        done("DeleteFlowVersion", FlowName=flow, FlowVersion=number)
    for name in (flow, other):
        done("DeleteFlow", Name=name)
        refused("DescribeFlow", 404, "FlowNotExists", f"Flow  {name} does not exist.", Name=name)

    # Of another mode; and one whose name has a program of its own.
    whole.update(Name=f"{flow}-3", ExecutionMode="Express")
    has("CreateFlow", whole, **whole)
    synchronous = {"Status": "Succeeded", "Output": "{}", **variables}
    has("StartSyncExecution", synchronous, FlowName=f"{flow}-3", Input="{}")
    done("DeleteFlow", Name=f"{flow}-3")
    whole.update(Name="bound", ExecutionMode="Standard")
    has("CreateFlow", whole, **whole)
    of_execution = {"FlowName": "bound", "ExecutionName": f"e-{uuid.uuid4().hex}"}
    has("StartExecution", {"Status": "Running"}, **of_execution, Input="{}")
    has("StopExecution", {"RoleArn": whole["RoleArn"], "FlowDefinition": DEFINITION}, **of_execution)
    done("DeleteFlow", Name="bound")

    map_runs(check, client, done, has, refused)


def map_runs(check, client, done, has, refused):
    """Eight items, of which one fails: while they are done, and after."""

    def start(flow):
        of_execution = {"FlowName": flow, "ExecutionName": f"maps-{uuid.uuid4().hex}"}
        done("StartExecution", **of_execution, Input="{}")
        return of_execution, {**of_execution, "MapRunName": "map"}

    def counts(**some):
        none = dict.fromkeys(("Total", "Pending", "Running", "Succeed", "Failed", "Aborted"), 0)
        return {**none, "Total": 8, **some}

    of_execution, of_map_run = start("maps")
    named = {name: of_map_run[name] for name in ("MapRunName", "ExecutionName")}
    running = {**named, "Status": "Running", "Concurrency": 100, "ToleratedFailedCount": 1, "ToleratedFailedPercentage": 0}
    running.update(StartedTime=Like(LOCAL), ItemCounts=counts(Running=8))
    has("DescribeMapRun", running, **of_map_run)
    changes = {"Concurrency": 2, "ToleratedFailedCount": 3, "ToleratedFailedPercentage": 12.5}
    has("UpdateMapRun", {**of_map_run, **changes}, **of_map_run, **changes)
    has("DescribeMapRun", {**running, **changes, "ItemCounts": counts(Running=2, Pending=6)}, **of_map_run)
    done("StopExecution", **of_execution)
    stopped = {"Status": "Aborted", "StoppedTime": Like(LOCAL), "ItemCounts": counts(Aborted=8)}
    has("DescribeMapRun", stopped, **of_map_run)
    refused("UpdateMapRun", 400, "InvalidArgument", "Map run map has already completed.", **of_map_run, **changes)
    message = f"Map run nope for execution {of_map_run['ExecutionName']} does not exist."
    refused("DescribeMapRun", 404, "MapRunNotExists", message, **{**of_map_run, "MapRunName": "nope"})

    of_execution, of_map_run = start("mapped")
    has("DescribeExecution", {"Status": "Succeeded"}, **of_execution, WaitTimeSeconds=60)
    has("DescribeMapRun", {"Status": "Succeeded", "ItemCounts": counts(Succeed=7, Failed=1)}, **of_map_run)


def huawei(check, client, ask, user):
    def done(operation, body=None, status=200, **parameters):
        answer = ask(operation, parameters, body)
        subject = f"{client}: {operation} {parameters!r:.300} {body!r:.300}"
        check.equal(subject, (answer.status, answer.code), (status, ""))
        check.count(subject)
        return plain(answer.fields)

    def refused(operation, status, code, message, body=None, **parameters):
        subject = f"{client}: {operation} {parameters!r:.300}"
        check.refused(subject, ask(operation, parameters, body), status, code, message, HEX)

    def definition(name, **more):
        """All that a definition holds."""
        action = {"function_ref": {"ref_name": "f", "invoke_mode": "synchronize", "arguments": {"a": "${b}"}}}
        retried = {"error": "any", "transition": "two", "retry_ref": "r"}
        one = {"id": "1", "name": "one 中", "type": "Operation", "end": False, "transition": "two"}
        one.update(action_mode="sequential", actions=[action], on_errors=[retried])
        one["state_data_filter"] = {"input": "$", "output": "$"}
        bucket = {"bucket": "b", "events": ["ObjectCreated"], "prefix": "p", "suffix": "s"}
        two = {"id": "2", "name": "two", "type": "Sleep", "end": True, "transition": "", "actions": [], "duration": 1}
        return {
            "name": name,
            "description": "first ~*+ 中",
            "start": "one 中",
            "triggers": [{"trigger_name": "t", "trigger_type": "OBS", "enabled": False, "trigger_config": bucket}],
            "functions": [{"name": "f", "operation": "urn:fss:f", "metadata": {"m": 1}}],
            "states": [one, two],
            "constants": {"c": [1, "二"]},
            "retries": [{"name": "r", "delay": 1, "max_attempts": 2}],
            "mode": "NORMAL",
            "express_config": {"log_level": "ALL"},
            "enterprise_project_id": "0",
            "enable_stream_response": False,
            **more,
        }

    def brief(name, description="first ~*+ 中"):
        return {
            "id": Like(UUID),
            "workflow_urn": Like(f"urn:fss:.+:workflow:default:{name}:latest"),
            "name": name,
            "description": description,
            "created_time": Like(SECONDS),
            "updated_time": Like(SECONDS),
            "created_by": user,
            "enable_stream_response": False,
        }

    began = int(time.time() * 1000)
    prefix = f"made-{uuid.uuid4().hex}-"
    names = [f"{prefix}{number}" for number in range(3)]
    made = []
    for number, name in enumerate(names):
        more = {"mode": "EXPRESS"} if number == 2 else {}
        made.append(done("CreateWorkflow", definition(name, **more), 201))
        check.equal(f"{client}: CreateWorkflow", made[-1], brief(name))
    one = made[0]
    message = "Invalid parameters: name."
    refused("CreateWorkflow", 400, "FGS.3002", message, definition("a b"))

    def shown(wanted):
        found = done("ShowWorkFlow", workflow_id=one["id"])
        whole = {name: one[name] for name in ("id", "workflow_urn", "created_time", "created_by")}
        whole.update(updated_time=Like(SECONDS), definition=wanted)
        check.equal(f"{client}: ShowWorkFlow", found, whole)

    shown(definition(names[0]))
    changed = definition(names[0], description="second", triggers=[])
    found = done("UpdateWorkFlow", changed, workflow_id=one["id"])
    check.equal(f"{client}: UpdateWorkFlow", found, {**brief(names[0], "second"), "id": one["id"]})
    shown(changed)

    def pages(limit, **parameters):
        """As users do: by offset, until all are there. Gives the names."""
        found, total = [], 1
        while len(found) < total:
            page = done("ListWorkflow", limit=limit, offset=len(found), **parameters)
            total = page["total"]
            check.equal(f"{client}: ListWorkflow", len(page["workflows"]), page["size"])
            check.equal(f"{client}: ListWorkflow", page["size"], min(limit, total - len(found)))
            found += [flow["name"] for flow in page["workflows"]]
        return sorted(found)

    check.equal(f"{client}: ListWorkflow", pages(2, workflow_name=prefix), names)
    check.equal(f"{client}: ListWorkflow", pages(1, workflow_name=prefix, mode="NORMAL"), names[:2])
    check.equal(f"{client}: ListWorkflow", pages(200, workflow_name=prefix, enterprise_project="0"), names)

    # What is made can be started, and counts.
    for flow in made[:2]:
        found = done("StartSyncWorkflowExecution", {"input": {"n": 1}}, workflow_id=flow["id"])
        check.equal(f"{client}: a start of what was made", (found["status"], found["output"]), ("success", {"n": 1}))
    found = done("StartSyncWorkflowExecution", {"input": {}}, workflow_id="flow-fails")
    error = {"node_id": "closure", "error_message": "Example: this flow always fails"}
    error.update(begin_time=Like(SECONDS), end_time=Like(SECONDS))
    check.equal(f"{client}: a flow that fails", (found["status"], found["errors"]), ("fail", [error]))
    period = {"period": "1", "start_time": str(began - 60_000), "end_time": str(began + 600_000)}
    of_one = done("ShowWorkFlowMetric", workflow_urn=one["workflow_urn"], **period)
    of_all = done("ShowTenantMetric", metric_type="all", **period)
    for name, metric, meant in (("one", of_one, range(1, 2)), ("all", of_all, range(2, 10_000))):
        check.equal(f"{client}: a metric's fields", set(metric), {"count", "duration", "fail_count", "running_count"})
        times = [value["timestamp"] for value in metric["count"]]
        check.equal(f"{client}: a metric's times", times, list(range(began - 60_000, began + 600_000, 60_000)))
        check.equal(f"{client}: what {name} counts", int(sum(value["value"] for value in metric["count"])) in meant, True)
    check.equal(f"{client}: failures", sum(value["value"] for value in of_one["fail_count"]), 0)

    # Part success: what is not there is named, the others are deleted.
    urns = [flow["workflow_urn"] for flow in made]
    unknown = f"{urns[0]}-nope"
    found = done("BatchDeleteWorkflows", {"workflow_urns": [urns[0], unknown, urns[1]]})
    failed = [{"workflow_urn": unknown, "error_detail": "The flow does not exist."}]
    check.equal(f"{client}: BatchDeleteWorkflows", found, {"success": urns[:2], "fail": failed})
    check.equal(f"{client}: ListWorkflow", pages(200, workflow_name=prefix), names[2:])
    check.equal(f"{client}: BatchDeleteWorkflows", done("BatchDeleteWorkflows", {"workflow_urns": urns[2:]})["success"], urns[2:])
    message = "The flow does not exist."
    refused("ShowWorkFlow", 404, "FGS.5002", message, workflow_id=one["id"])
    refused("UpdateWorkFlow", 404, "FGS.5002", message, changed, workflow_id=one["id"])
    refused("ShowWorkFlowMetric", 404, "FGS.5002", message, workflow_urn=one["workflow_urn"])
