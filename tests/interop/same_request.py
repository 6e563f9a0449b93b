"""The same logical request by an official client and by ours: what differs on the wire.

Only what stands in these tables may differ, each for the reason beside it, and only in the way
that its rule allows. Any other difference stops the program.
"""

import json
import random
from urllib.parse import unquote

import official
import ours
import texts
from judge import Judge, parameters


def any_two(official_value, our_value):
    return bool(official_value) and bool(our_value)


def differing(official_value, our_value):
    return any_two(official_value, our_value) and official_value != our_value


def without_case(official_value, our_value):
    return any_two(official_value, our_value) and official_value.lower() == our_value.lower()


def theirs_alone(official_value, our_value):
    return official_value is not None and our_value is None


def ours_alone(official_value, our_value):
    return official_value is None and our_value is not None


HTTP = {
    "header user-agent": (differing, "each says who it is"),
    "header content-length": (any_two, "the body's own length; the judge reads just so much"),
}

PLAIN = {"header accept-encoding": (differing, "ours asks for replies as they are, not compressed")}

CONNECTION = {"header connection": (theirs_alone, "what HTTP/1.1 does anyway")}

# What every request has, whatever it asks for.
COMMON = [
    *("AccessKeyId", "Action", "Format", "SecurityToken", "Signature", "SignatureMethod", "SignatureNonce"),
    *("SignatureVersion", "Timestamp", "Version"),
]


def moved(official_place, our_place):
    return (official_place, our_place) == ("query", "form")


ALIBABA = {
    **HTTP,
    **{f"place of {name}": (moved, "of a write: in the form, as the vendor's Node client has it") for name in COMMON},
    "parameter SignatureNonce": (differing, "fresh for each request"),
    "parameter Timestamp": (any_two, "the time of the request"),
    "parameter Signature": (differing, "covers nonce and time"),
}

TEA = {
    **ALIBABA,
    "parameter Format": (without_case, "`json` or `JSON`: the service takes any case"),
    "header accept": (ours_alone, "`*/*`, the HTTP library's own"),
    "header x-acs-credentials-provider": (theirs_alone, "the SDK reports where its key comes from"),
}

CORE = {
    **ALIBABA,
    **CONNECTION,
    "parameter RegionId": (theirs_alone, "always sent by this SDK; the host names the region already"),
    "place of RegionId": (theirs_alone, "as above"),
    "place of SignatureType": (theirs_alone, "as below"),
    "parameter SignatureType": (lambda theirs, our: theirs == "" and our is None, "empty for plain keys"),
    "header content-md5": (theirs_alone, "of no use under this signature"),
    "header x-sdk-client": (theirs_alone, "the SDK reports its version"),
    "header x-sdk-invoke-type": (theirs_alone, "the SDK reports that the call was a generic one"),
}

HUAWEI = {
    **HTTP,
    **CONNECTION,
    **PLAIN,
    "header x-sdk-date": (any_two, "the time of the request"),
    "header authorization": (
        lambda theirs, our: theirs.partition("Signature=")[0].replace("user-agent;", "") == our.partition("Signature=")[0],
        "theirs signs its user agent too; the signature covers that and the time",
    ),
}

HUAWEI_TOKEN = {**HTTP, **CONNECTION, **PLAIN}

# Alike when both requests go out within one second.
MAY_BE_ALIKE = {"parameter Timestamp", "header x-sdk-date"}


def parts(arrived):
    """A request as named parts, free of what has no meaning: the order of parameters and headers,
    the spelling of a character in percent-encoding, and white space and escapes in JSON."""
    found = {"method": arrived.method}
    found["path"] = tuple(unquote(segment, errors="strict") for segment in arrived.path.split("/"))
    found.update({f"header {name}": value for name, value in arrived.headers.items()})
    query, form = parameters(arrived.query), {}
    if arrived.headers.get("content-type", "").startswith("application/json"):
        found["body"] = json.loads(arrived.body)
    else:
        form = parameters(arrived.body.decode())
    # The service takes a parameter from either place, and the signature covers both alike.
    for place, given in (("query", query), ("form", form)):
        for name, value in given.items():
            found.setdefault(f"parameter {name}", value)
            found[f"place of {name}"] = "both" if f"place of {name}" in found else place
    return found


def compare(subject, theirs, our, table):
    """Names the differences; stops the program at one that is not allowed."""
    theirs, our = parts(theirs), parts(our)
    seen = set()
    for name in sorted(set(theirs) | set(our)):
        pair = theirs.get(name), our.get(name)
        if pair[0] == pair[1]:
            continue
        rule = table.get(name)
        if rule is None or not rule[0](*pair):
            raise SystemExit(f"interop: {subject}: {name} differs\n  official: {pair[0]!r:.800}\n  ours:     {pair[1]!r:.800}")
        seen.add(name)
    return seen


def orders(rng, rounds):
    """Logical requests: every operation with everything given, with as little as may be, and random ones."""
    given = {"flow_name": "my_flow", "execution_name": "order-1"}
    # A start without a name is none of these: ours makes one.
    for name in ("StartExecution", "StartSyncExecution", "DescribeExecution"):
        yield {"operation": name, **given}
    yield {"operation": "StartSyncExecution", **given, "input": '{"a b": "~*+"}', "qualifier": ""}
    for _ in range(rounds):
        name = texts.name(rng)
        start = {"flow_name": name, "execution_name": texts.name(rng), "input": texts.json_object(rng)}
        yield {"operation": "StartSyncExecution", **start, "qualifier": texts.text(rng)}
        token = texts.text(rng)
        yield {"operation": "StartExecution", **start, "qualifier": texts.text(rng), "callback_fnf_task_token": token}
        execution = texts.text(rng) or "-"
        yield {"operation": "DescribeExecution", "flow_name": name, "execution_name": execution, "wait_time_seconds": rng.randrange(61)}


WIRE = {
    "flow_name": "FlowName",
    "execution_name": "ExecutionName",
    "input": "Input",
    "qualifier": "Qualifier",
    "callback_fnf_task_token": "CallbackFnFTaskToken",
    "wait_time_seconds": "WaitTimeSeconds",
}


def check_same(driver, seed, rounds):
    """Compares; gives the counts, and which exceptions were made use of."""
    rng = random.Random(f"{seed}:same")
    counts, used = {}, {}
    with Judge() as judge:
        # The answer of the moment: set before each request.
        judge.recording = {}

        def last():
            arrived = judge.recorded.pop()
            if judge.recorded:
                raise SystemExit(f"interop: more than one request for one call: {judge.recorded}")
            return arrived

        def compared(client, order, theirs, our, table):
            seen = compare(f"{client}: {order!r:.600}", theirs, our, table)
            counts[client] = counts.get(client, 0) + 1
            used.setdefault(client, set()).update(seen)

        def by_us(order):
            outcome = ours.send(driver, [{**order, "id": 0, "endpoint": f"http://{judge.host}"}])[0]
            if "error" in outcome:
                raise SystemExit(f"interop: {order!r:.600}: {outcome}")
            return last()

        for order in orders(rng, rounds):
            key = ours.key(rng, 0)
            order["key"] = key
            # About the execution that is asked for, or ours refuses it.
            about = {"FlowName": order["flow_name"], "Name": order["execution_name"]}
            judge.recording = {"RequestId": "r", "Status": "Running", **about}
            our = by_us(order)
            wire = {WIRE[name]: value for name, value in order.items() if name in WIRE}
            for (client, call), table in zip(official.ALIBABA.items(), (TEA, CORE)):
                call(judge.host, key, order["operation"], wire)
                compared(client, order, last(), our, table)

        judge.recording = {"execution_id": "e", "status": "success"}
        for number in range(rounds + 1):
            key = ours.key(rng, 0)
            project_id = ours.segment(rng, texts.visible(rng, 60))
            token = texts.visible(rng, 500)
            input_ = {texts.text(rng): texts.value(rng)} if number else {"a": 1}
            headers = {texts.text(rng): texts.text(rng)} if number else {}
            order = {
                "operation": "StartSyncWorkflowExecution",
                "region": "cn-north-4",
                "project_id": project_id,
                "workflow_id": ours.segment(rng, texts.text(rng, 100)),
                "headers": headers,
                "input": texts.dump(rng, input_) if number else '{"a":1}',
            }
            body = {"input": input_, **({"headers": headers} if headers else {})}
            url = f"http://{judge.host}"
            for client, auth, credentials, table in [
                ("huaweicloudsdkfunctiongraph", {"key": key}, official.huawei_key(key, project_id), HUAWEI),
                ("the same with a token", {"token": token}, official.BasicCredentials(token, project_id), HUAWEI_TOKEN),
            ]:
                our = by_us({**order, "auth": auth})
                official.sync_execution(url, credentials, order["workflow_id"], body)
                compared(client, order, last(), our, table)
    for client, table in zip(counts, (TEA, CORE, HUAWEI, HUAWEI_TOKEN)):
        idle = set(table) - used[client] - MAY_BE_ALIKE
        if idle:
            raise SystemExit(f"interop: {client}: these exceptions are not needed any longer: {sorted(idle)}")
    return counts, {name: reason for table in (TEA, CORE, HUAWEI) for name, (_, reason) in table.items()}
