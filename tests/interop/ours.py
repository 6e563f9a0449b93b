"""Our client, by way of `driver.rs`, and the random requests that it sends to the judge."""

import json
import random
import subprocess
import threading

import orders
import tables
import texts
from judge import Case, Judge, made_status

SHOWN = 10  # mismatches that are printed


def send(driver, wanted):
    """Has the driver carry out orders; gives what came of each, by id."""
    process = subprocess.Popen([driver], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def feed():
        for order in wanted:
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


def alibaba(rng, number, operation, full, _):
    given = orders.parameters(rng, operation, full)
    order = {"operation": operation, "key": key(rng, number), "parameters": given}
    reply = {**orders.answer(rng, operation, given), "RequestId": f"request-{number}"}
    return Case(number, order, reply), [("alibaba", order["key"]["id"])], reply


def huawei(rng, number, operation, full, kind):
    project_id = orders.segment(rng, texts.visible(rng, 60))
    given = rng.choice([None, project_id])
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
    order = {
        "operation": operation,
        "auth": {kind: auth},
        "region": f"{number}-{rng.choice(['cn-north-4', 'a', 'R-2'])}",
        "project_id": given,
        "parameters": orders.parameters(rng, operation, full),
    }
    reply = orders.answer(rng, operation, order["parameters"], f"execution-{number}")
    case = Case(number, order, reply, project_id)
    # Null reads as absent, and so does an empty list of failed nodes; where nothing is answered, nothing is read.
    meant = {name: value for name, value in reply.items() if value is not None and (name, value) != ("errors", [])}
    return case, known_by, meant or None


# The first requests: each operation by each way to sign, with all that it can be given.
FIRST = [(name, "key") for name in tables.OPERATIONS] + [(name, "token") for name in tables.HUAWEI]
CREDENTIALS = ["key", "key", "key", "token", "password"]


def make(seed, number, host):
    """Request number so-and-so of a seed: the same one always."""
    rng = random.Random(f"{seed}:{number}")
    full = number < len(FIRST)
    operation, kind = FIRST[number] if full else (rng.choice(list(tables.OPERATIONS)), rng.choice(CREDENTIALS))
    case, known_by, reply = (alibaba if operation in tables.ALIBABA else huawei)(rng, number, operation, full, kind)
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
    if (outcome["status"], outcome["attempts"], outcome["request_id"]) != (made_status(case), 1, f"request-{case.number}"):
        return f"another status, request id or number of attempts: {outcome!r:.600}"
    return None


def check_random(driver, seed, numbers):
    """Sends random requests to the judge; gives the counts by way to sign and operation, or stops the program."""
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
    return judge.checked, len(outcomes)
