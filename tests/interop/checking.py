"""What the checks of answers share: patterns, what counts them, and the fields of an execution."""

import re

import tables

UPPER_UUID = "[0-9A-F]{8}-[0-9A-F]{4}-4[0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12}"
UUID = UPPER_UUID.replace("A-F", "a-f").replace("AB", "ab")
MILLISECONDS = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
SECONDS = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
LOCAL = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+08:00"  # as aliases, versions and map runs show times
HEX = "[0-9a-f]{32}"


def plain(value):
    """An answer's part without its class, and without what is not there."""
    if hasattr(value, "to_dict"):
        value = value.to_dict()
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items() if one is not None}
    return [plain(one) for one in value] if isinstance(value, list) else value


class Like:
    """Equal to every text that fits a pattern as a whole."""

    def __init__(self, pattern):
        self.pattern = pattern

    def __eq__(self, other):
        return isinstance(other, str) and re.fullmatch(self.pattern, other, re.DOTALL) is not None

    def __repr__(self):
        return f"like {self.pattern}"


class Check:
    """Counts what was compared; stops the program at the first difference."""

    def __init__(self):
        self.counts = {}
        # By client and operation: how many calls went well, and the fields of what they gave.
        self.done, self.fields = {}, {}

    def watched(self, client, call, operation_at=0):
        """A client's way to call, whose calls that go well are counted by their operation."""

        def ask(*arguments):
            answer = call(*arguments)
            if answer.code == "":
                of_client, operation = self.done.setdefault(client, {}), arguments[operation_at]
                of_client[operation] = of_client.get(operation, 0) + 1
                declared, seen = tables.OPERATIONS[operation].answer, self.fields.setdefault((client, operation), set())
                seen.update(tables.paths(plain(answer.fields), declared))
            return answer

        return ask

    def equal(self, subject, found, meant):
        if found != meant:
            raise SystemExit(f"interop: {subject}\n  found: {found!r}\n  meant: {meant!r}")

    def answered(self, subject, answer, fields, request_id=False):
        self.equal(subject, (answer.status, answer.code, answer.fields), (200, "", fields))
        if request_id:  # the same in header and body
            self.equal(subject, answer.request_id, answer.fields["RequestId"])
        self.count(subject)

    def refused(self, subject, answer, status, code, message, request_id):
        found = (answer.status, answer.code, answer.message, answer.request_id)
        self.equal(subject, found, (status, code, message, Like(request_id)))
        self.count(subject)

    def count(self, subject):
        group = subject.partition(":")[0]
        self.counts[group] = self.counts.get(group, 0) + 1


def execution(flow, name, input_, status="Running", output="", stopped=""):
    return {
        "RequestId": Like(UPPER_UUID),
        "FlowName": flow,
        "Name": name,
        "Status": status,
        "Input": input_,
        "Output": output,
        "FlowDefinition": "",
        "StartedTime": Like(MILLISECONDS),
        "StoppedTime": stopped,
    }
