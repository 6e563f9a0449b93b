"""Flows, versions, aliases and schedules made, read, changed and deleted by an official client."""

import json
import uuid

from checking import UPPER_UUID

DEFINITION = "version: v1\ntype: flow\nsteps:\n  - type: pass\n    name: one 中\n"


def alibaba(check, client, ask):
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

    def gone(operation, code, message, **parameters):
        subject = f"{client}: {operation} {parameters!r:.300}"
        check.refused(subject, ask(operation, parameters), 404, code, message, UPPER_UUID)

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

    flow = f"made-{uuid.uuid4().hex}"
    about = {"Name": flow, "Definition": DEFINITION, "Description": "first ~*+ 中", "Type": "FDL"}
    made = has("CreateFlow", about, **about)
    has("DescribeFlow", {**about, "Id": made["Id"], "CreatedTime": made["CreatedTime"]}, Name=flow)
    about["Description"] = "second"
    has("UpdateFlow", {**about, "Id": made["Id"]}, Name=flow, Description="second")
    other = done("CreateFlow", **{**about, "Name": f"{flow}-2"})["Name"]
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
    routes = [{"Version": numbers[1], "Weight": 100}]
    done("UpdateFlowAlias", **of_alias, RoutingConfigurations=routes)
    found = done("DescribeFlowAlias", **of_alias)["Alias"]["RoutingConfigurations"]
    check.equal(f"{client}: DescribeFlowAlias after the change", found, routes)
    aliases = pages("ListFlowAliases", "Aliases", FlowName=flow, Limit=10)
    check.equal(f"{client}: ListFlowAliases", [one["Name"] for one in aliases], ["live"])
    started = {"FlowName": flow, "Name": "by-alias", "Status": "Running", "Input": "{}"}
    has("StartExecution", started, FlowName=flow, ExecutionName="by-alias", Input="{}", Qualifier="live")

    of_schedule = {"FlowName": flow, "ScheduleName": "nightly"}
    plan = {"CronExpression": "0 0 3 * * *", "Description": "s", "Payload": '{"a":1}', "Enable": False}
    shown = {"ScheduleName": "nightly", **plan}
    has("CreateSchedule", shown, **of_schedule, **plan)
    has("DescribeSchedule", shown, **of_schedule)
    has("UpdateSchedule", {**shown, "Description": "t"}, **of_schedule, Description="t")
    schedules = pages("ListSchedules", "Schedules", FlowName=flow, Limit=10)
    check.equal(f"{client}: ListSchedules", [one["Description"] for one in schedules], ["t"])

    done("DeleteSchedule", **of_schedule)
    done("DeleteFlowAlias", **of_alias)
    for number in numbers:
        done("DeleteFlowVersion", FlowName=flow, FlowVersion=number)
    for name in (flow, other):
        done("DeleteFlow", Name=name)
        gone("DescribeFlow", "FlowNotExists", f"Flow  {name} does not exist.", Name=name)
