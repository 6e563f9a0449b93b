"""Our client, by way of `driver.rs`, and the random requests that it sends to the judge."""

import json
import random
import subprocess
import threading

import texts
from judge import Case, Judge

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


def alibaba(rng, number):
    operation = rng.choice(["StartExecution", "StartSyncExecution", "DescribeExecution"])
    order = {"operation": operation, "key": key(rng, number), "flow_name": texts.name(rng)}
    if operation == "DescribeExecution":
        order["execution_name"] = texts.text(rng) or "-"
        order["wait_time_seconds"] = optional(rng, rng.randrange(61))
    else:
        order["execution_name"] = optional(rng, texts.name(rng))
        order["input"] = optional(rng, texts.json_object(rng))
        order["qualifier"] = optional(rng, texts.text(rng))
        if operation == "StartExecution":
            order["callback_fnf_task_token"] = optional(rng, texts.text(rng, 200))
    reply = {
        "RequestId": f"request-{number}",
        "FlowName": order["flow_name"],
        "Name": order["execution_name"],  # a made one is put in when it is seen
        "Status": "Running" if operation == "StartExecution" else "Succeeded",
        "Output": texts.dump(rng, {texts.text(rng): texts.value(rng)}),
    }
    if operation == "StartSyncExecution":
        # Empty texts read as absent.
        reply["ErrorMessage"] = texts.text(rng) or "-"
    else:
        reply["Input"] = order.get("input") or texts.json_object(rng)
    case = Case(number, order, reply)
    return case, [("alibaba", order["key"]["id"])], reply


def segment(rng, made):
    """What may stand in a path."""
    made = "".join(c for c in made if c not in "/\\" and ord(c) >= 0x20 and not 0x7F <= ord(c) < 0xA0)
    return made if made not in ("", ".", "..") else "-"


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
    order = {
        "operation": "StartSyncWorkflowExecution",
        "auth": {kind: auth},
        "region": f"{number}-{rng.choice(['cn-north-4', 'a', 'R-2'])}",
        "project_id": given,
        "workflow_id": segment(rng, texts.text(rng, 200)),
        "headers": {texts.text(rng): texts.value(rng) for _ in range(rng.randrange(4))},
        "input": optional(rng, texts.json_object(rng)),
    }
    answer = {
        "execution_id": f"execution-{number}",
        "status": rng.choice(["success", "fail", "timeout"]),
        "output": texts.value(rng),
    }
    reply = {name: value for name, value in answer.items() if value is not None}
    case = Case(number, order, {**answer, "errors": rng.choice([None, []])}, project_id)
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
    found = dict(outcome["answer"])
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
