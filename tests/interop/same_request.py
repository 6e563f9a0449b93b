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
from judge import HUAWEI as SHAPES
from judge import STARTS, WIRE, Judge, as_text, parameters


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

FULL_HISTORY = {
    "header x-get-workflow-full-history-data": (
        without_case,
        "`True` is Python's spelling; the service's documents write `true`",
    ),
}

PLAIN = {"header accept-encoding": (differing, "ours asks for replies as they are, not compressed")}

ACCEPT = {"header accept": (ours_alone, "`*/*`, the HTTP library's own")}

CONNECTION = {"header connection": (theirs_alone, "what HTTP/1.1 does anyway")}

# What every request has, whatever it asks for.
COMMON = [
    *("AccessKeyId", "Action", "Format", "SecurityToken", "Signature", "SignatureMethod", "SignatureNonce"),
    *("SignatureVersion", "Timestamp", "Version"),
]


def moved(official_place, our_place):
    return (official_place, our_place) == ("query", "form")


RPC = {
    **HTTP,
    "parameter SignatureNonce": (differing, "fresh for each request"),
    "parameter Timestamp": (any_two, "the time of the request"),
    "parameter Signature": (differing, "covers nonce and time"),
}

ALIBABA = {
    **RPC,
    **{f"place of {name}": (moved, "of a write: in the form, as the vendor's Node client has it") for name in COMMON},
    "parameter MetadataOnly": (without_case, "`True` is Python's spelling; the service's documents write `true`"),
}

NODE = {
    **RPC,
    **ACCEPT,
    **CONNECTION,
    "header accept-encoding": (ours_alone, "ours asks for replies as they are, not compressed"),
    "header x-sdk-client": (theirs_alone, "the SDK reports its version"),
}

TEA = {
    **ALIBABA,
    "place of TaskToken": (moved, "in the form with the rest: who has the token ends the task, and addresses are logged"),
    "parameter Format": (without_case, "`json` or `JSON`: the service takes any case"),
    **ACCEPT,
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

READ = {"header content-type": (theirs_alone, "of a read: it has no body")}


def signed(authorization):
    """Algorithm and key, which must be the same, and the headers that are signed."""
    key, _, rest = authorization.partition(", SignedHeaders=")
    return {key, *rest.partition(",")[0].split(";")}


HUAWEI = {
    **HTTP,
    **READ,
    **CONNECTION,
    **PLAIN,
    **FULL_HISTORY,
    "header x-sdk-date": (any_two, "the time of the request"),
    "header authorization": (
        lambda theirs, our: signed(theirs) - signed(our) <= {"user-agent", "content-type"} and signed(our) <= signed(theirs),
        "theirs signs its user agent too, and a read's content type; the signature covers these and the time",
    ),
}

HUAWEI_TOKEN = {**HTTP, **READ, **CONNECTION, **PLAIN, **FULL_HISTORY}

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
        found["body"] = json.loads(arrived.body or "null")
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
    least = {
        # A start without a name is none of these: ours makes one.
        **{name: given for name in ours.ALIBABA},
        "ListExecutions": {"flow_name": "my_flow"},
        # Ours has an output for what gives none; the official clients want one given.
        "ReportTaskSucceeded": {"task_token": "token", "output": "{}"},
        "ReportTaskFailed": {"task_token": "token", "error": "Denied"},
    }
    for name, parameters in least.items():
        yield {"operation": name, **parameters}
    yield {"operation": "StartSyncExecution", **given, "input": '{"a b": "~*+"}', "qualifier": ""}
    for _ in range(rounds):
        for name in ours.ALIBABA:
            order = ours.alibaba_order(rng, name)
            if name in STARTS:
                order["execution_name"] = order["execution_name"] or texts.name(rng)
            elif name == "ReportTaskSucceeded":
                order["output"] = order["output"] or "{}"
            yield {"operation": name, **order}


# What the official client calls a parameter, where it is not called as on the wire.
THEIRS = {
    "create_time": "x_create_time",
    "workflow_run_merge_fn_parameters": "x_workflow_run_merge_fn_parameters",
    "full_history": "x_get_workflow_full_history_data",
    "workflow_run_id": "x_workflow_run_id",
    "workflow_state_id": "x_workflow_state_id",
}


def by_official(operation, order):
    """Parameters and body of the official client for one of our orders."""
    shape = SHAPES[operation]
    found = {"workflow_id": order["workflow_id"]}
    if "execution_id" in order:
        found["execution_id"] = order["execution_id"]
    for name in (*shape.query, *shape.headers):
        if order.get(name) is not None:
            value = order[name]
            if name in ("start_time", "end_time"):  # as the documents of the history write it
                value = value.replace("T", " ").removesuffix("Z")
            elif name == "workflow_run_merge_fn_parameters":  # a text to the official client
                value = as_text(value)
            found[THEIRS.get(name, name)] = value
    body = None
    if shape.json:
        body = {name: order[name] for name in shape.members if order.get(name)}
        body[shape.json] = json.loads(order.get(shape.json) or "{}")
    return found, body


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
            about = {"FlowName": order.get("flow_name"), "Name": order.get("execution_name")}
            judge.recording = {"RequestId": "r", "Status": "Running", **about}
            our = by_us(order)
            wire = {WIRE[name]: value for name, value in order.items() if name in WIRE and value is not None}
            for (client, call), table in zip(official.ALIBABA.items(), (TEA, CORE, NODE), strict=True):
                call(judge.host, key, order["operation"], wire)
                compared(client, order, last(), our, table)

        judge.recording = {"execution_id": "e", "status": "success"}
        for number in range(rounds + 1):
            for operation in SHAPES:
                key = ours.key(rng, 0)
                project_id = ours.segment(rng, texts.visible(rng, 60))
                token = texts.visible(rng, 500)
                order = ours.huawei_order(rng, operation)
                while "1e400" in (order.get("input") or order.get("output") or ""):  # no number to Python
                    order = ours.huawei_order(rng, operation)
                theirs, body = by_official(operation, order)
                order = {"operation": operation, "region": "cn-north-4", "project_id": project_id, **order}
                url = f"http://{judge.host}"
                for client, auth, credentials, table in [
                    ("huaweicloudsdkfunctiongraph", {"key": key}, official.huawei_key(key, project_id), HUAWEI),
                    ("the same with a token", {"token": token}, official.BasicCredentials(token, project_id), HUAWEI_TOKEN),
                ]:
                    our = by_us({**order, "auth": auth})
                    official.huawei(url, credentials, operation, theirs, body)
                    compared(client, order, last(), our, table)
    for client, table in zip(counts, (TEA, CORE, NODE, HUAWEI, HUAWEI_TOKEN), strict=True):
        idle = set(table) - used[client] - MAY_BE_ALIKE
        if idle:
            raise SystemExit(f"interop: {client}: these exceptions are not needed any longer: {sorted(idle)}")
    return counts, {name: reason for table in (TEA, CORE, NODE, HUAWEI) for name, (_, reason) in table.items()}
