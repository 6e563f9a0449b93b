"""The same logical request by an official client and by ours: what differs on the wire.

Only what stands in these tables may differ, each for the reason beside it, and only in the way
that its rule allows. Any other difference stops the program.
"""

import json
import random
from urllib.parse import unquote

import official
import orders
import ours
import tables
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

PYTHONS_TRUE = (without_case, "`True` is Python's spelling; the service's documents write `true`")

FULL_HISTORY = {"header x-get-workflow-full-history-data": PYTHONS_TRUE}

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


FLAGS = ("Enable", "MetadataOnly")

RPC = {
    **HTTP,
    "parameter SignatureNonce": (differing, "fresh for each request"),
    "parameter Timestamp": (any_two, "the time of the request"),
    "parameter Signature": (differing, "covers nonce and time"),
}

ALIBABA = {
    **RPC,
    **{f"place of {name}": (moved, "of a write: in the form, as the vendor's Node client has it") for name in COMMON},
    **{f"parameter {name}": PYTHONS_TRUE for name in FLAGS},
}

NODE = {
    **RPC,
    **ACCEPT,
    **CONNECTION,
    "header accept-encoding": (ours_alone, "ours asks for replies as they are, not compressed"),
    "header x-sdk-client": (theirs_alone, "the SDK reports its version"),
}

# The Node client is older than most operations. What it has no method for goes out as ours does; but of
# deletes it has two, which it sends as it does reads.
NODE_GETS = ("DeleteFlow", "DeleteSchedule")
NODE_GET = {
    **NODE,
    "method": (lambda theirs, our: (theirs, our) == ("GET", "POST"), "ours is a POST, as the vendor's newer clients have it"),
    **{f"place of {name}": (moved, "of a write: in the form") for name in (*COMMON, "FlowName", "Name", "ScheduleName")},
    "header content-length": (ours_alone, "a GET has no body"),
    "header content-type": (ours_alone, "a GET has no body"),
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
    "header content-type": (ours_alone, "of a write without parameters: theirs has no body then"),
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

def rounded(theirs, our):
    return any_two(theirs, our) and in_doubles(theirs) == in_doubles(our)


def in_doubles(value):
    return json.loads(json.dumps(value), parse_int=float)


HUAWEI_OF_NODE = {
    **{name: rule for name, rule in HUAWEI.items() if name not in FULL_HISTORY},
    "header accept": (differing, "`*/*`, the HTTP library's own"),
    "body": (rounded, "JavaScript rounds numbers above 2^53"),
}

HUAWEI_TOKEN = {**HTTP, **READ, **CONNECTION, **PLAIN, **FULL_HISTORY}

WITH_TOKEN = f"{official.HUAWEI_PYTHON} with a token"

# Parameters of Alibaba Cloud that are JSON made by the client itself.
NESTED = {"Environment", "RoutingConfigurations"}

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
            value = json.loads(value) if name in NESTED else value
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


def logical(rng, operations, rounds):
    """Logical requests: every operation with everything given, with as little as may be, and random ones."""
    for name in operations:
        for number in range(rounds + 2):
            given = orders.parameters(rng, name, full=number == 0, least=number == 1)
            # Ours writes these by itself; the official clients want them given.
            given = {**tables.DEFAULTS.get(name, {}), **given}
            if name in tables.STARTS:  # a start without a name is none of these: ours makes one
                given.setdefault("ExecutionName", texts.name(rng))
            if "1e400" not in (given.get("input") or given.get("output") or ""):  # no number to Python
                yield name, given


def by_official(operation, given):
    """Parameters and body of the official client for what ours is given."""
    declared = tables.HUAWEI[operation].parameters
    names = {wire: name for name, wire in official.request_of(operation).attribute_map.items()}
    found, body = {}, {}
    for name, value in given.items():
        if declared[name].place == "member":
            body[name] = json.loads(value) if name in ("input", "output") else value
        elif name == "body":
            body = value
        else:
            in_texts = declared[name].type == "string"
            found[names[name]] = tables.on_wire(operation, name, value) if in_texts else value
    if body.get("headers") == {}:
        del body["headers"]
    return found, body or None


def check_same(driver, seed, rounds):
    """Compares; gives the counts by client and operation, and which exceptions were made use of."""
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
            of_client = counts.setdefault(client, {})
            of_client[order["operation"]] = of_client.get(order["operation"], 0) + 1
            used.setdefault(id(table), set()).update(seen)

        def by_us(order):
            outcome = ours.send(driver, [{**order, "id": 0, "endpoint": f"http://{judge.host}"}])[0]
            if "error" in outcome:
                raise SystemExit(f"interop: {order!r:.600}: {outcome}")
            return last()

        for operation, given in logical(rng, tables.ALIBABA, rounds):
            key = ours.key(rng, 0)
            order = {"operation": operation, "key": key, "parameters": given}
            # About the execution that is asked for, or ours refuses it.
            judge.recording = {**orders.answer(rng, operation, given), "RequestId": "r"}
            our = by_us(order)
            tables_of = (TEA, CORE, NODE_GET if operation in NODE_GETS else NODE)
            for (client, call), table in zip(official.ALIBABA.items(), tables_of, strict=True):
                call(judge.host, key, operation, given)
                compared(client, order, last(), our, table)

        for operation, given in logical(rng, tables.HUAWEI, rounds):
            key = ours.key(rng, 0)
            project_id = orders.segment(rng, texts.visible(rng, 60))
            token = texts.visible(rng, 500)
            judge.recording = orders.answer(rng, operation, given, "e")
            theirs, body = by_official(operation, given)
            order = {"operation": operation, "region": "cn-north-4", "project_id": project_id, "parameters": given}
            url = f"http://{judge.host}"
            for client, auth, credentials, table in [
                (official.HUAWEI_PYTHON, {"key": key}, official.huawei_key(key, project_id), HUAWEI),
                (WITH_TOKEN, {"token": token}, official.BasicCredentials(token, project_id), HUAWEI_TOKEN),
            ]:
                our = by_us({**order, "auth": auth})
                official.huawei(url, credentials, operation, theirs, body)
                compared(client, order, last(), our, table)

            # The Node client writes into a path what it is given.
            declared, project_id = tables.HUAWEI[operation].parameters, texts.name(rng, 32)
            given = {name: texts.name(rng) if declared[name].place == "path" else value for name, value in given.items()}
            theirs, body = by_official(operation, given)
            our = by_us({**order, "auth": {"key": key}, "project_id": project_id, "parameters": given})
            official.huawei_node(url, key, project_id, operation, theirs, body)
            compared(official.HUAWEI_NODE, order, last(), our, HUAWEI_OF_NODE)
    all_tables = (TEA, CORE, NODE, NODE_GET, HUAWEI_OF_NODE, HUAWEI_TOKEN, HUAWEI)
    for table in all_tables:
        idle = set(table) - used[id(table)] - MAY_BE_ALIKE
        if idle:
            raise SystemExit(f"interop: these exceptions are not needed any longer: {sorted(idle)} of {sorted(table)}")
    return counts, {name: reason for table in all_tables for name, (_, reason) in table.items()}
