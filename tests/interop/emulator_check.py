"""The official clients against the emulator program: what they parse is what was meant."""

import itertools
import json
import random
import re
import subprocess
import threading
import uuid
from datetime import datetime, timedelta, timezone
from functools import partial
from unittest import mock

import following_check
import managing_check
import official
import texts
from alibabacloud_tea_openapi import utils as tea_utils
from aliyunsdkcore.utils import parameter_helper
from checking import HEX, MILLISECONDS, SECONDS, UPPER_UUID, UUID, Check, Like, execution

KEY = {"id": "id", "secret": "se+cr/et="}
STS = {"id": "STS.id", "secret": "secret~*", "security_token": "to:ken/+=~*"}
HUAWEI_KEY = {"id": "AK1", "secret": "s+k/1="}
HUAWEI_TEMPORARY = {"id": "AK2", "secret": "sk2", "security_token": "to:ken/+="}
DOMAIN, USER, PASSWORD = "domain", "user", "pass:word"
REGION = "cn-north-4"
HOUR = 60 * 60 * 1000  # longer than the check takes: such a flow is running whenever it is looked at

ARGUMENTS = [
    *("--express", "echo", "--express", "express-fails", "--failing", "express-fails"),
    *("--standard", "standard", "--standard", "standard-fails", "--failing", "standard-fails"),
    *("--standard", "endless", "--workflow", "endless", "--slow", f"endless={HOUR}"),
    *("--standard", "slow", "--workflow", "slow", "--slow", "slow=2500"),
    *("--standard", "slow-fails", "--workflow", "slow-fails", "--slow", "slow-fails=1000", "--failing", "slow-fails"),
    *("--standard", "asks", "--workflow", "asks", "--waiting", "asks"),
    *("--standard", "bound", "--slow", f"bound={HOUR}"),
    *("--standard", "maps", "--mapping", "maps", "--slow", f"maps={HOUR}", "--standard", "mapped", "--mapping", "mapped"),
    *("--workflow", "echo", "--workflow", "流程 1", "--workflow", "flow-fails", "--failing", "flow-fails"),
    *("--access-key", "id:se+cr/et=", "--sts-key", "STS.id:secret~*:to:ken/+=~*"),
    *("--huawei-key", "AK1:s+k/1=", "--huawei-key", "AK-locked:sk", "--huawei-key", "AK-wrong:sk"),
    *("--huawei-temporary-key", "AK2:sk2:to:ken/+="),
    *("--iam-user", f"{DOMAIN}:{USER}:{PASSWORD}"),
]


class Output:
    """What a program prints, line by line, read as it comes."""

    def __init__(self, stream):
        self.lines, self.news = [], threading.Condition()
        threading.Thread(target=self.read, args=[stream], daemon=True).start()

    def read(self, stream):
        for line in stream:
            with self.news:
                self.lines.append(line)
                self.news.notify_all()

    def find(self, pattern):
        """The first line's match, if need be when it has come."""

        def found():
            return next((match for line in self.lines if (match := re.search(pattern, line))), None)

        with self.news:
            match = self.news.wait_for(found, timeout=30)
        if match is None:
            raise SystemExit(f"interop: the emulator prints nothing like {pattern}")
        return match


def check_emulator(program, seed, rounds):
    """Runs everything; gives the counts, and of each client which operations went well how often, and with which fields."""
    process = subprocess.Popen([program, *ARGUMENTS], stdout=subprocess.PIPE, text=True)
    try:
        output = Output(process.stdout)
        url = output.find(r"http://[0-9.:]+")[0]
        host = url.removeprefix("http://")
        check = Check()
        for client, call in official.ALIBABA.items():
            alibaba(check, client, check.watched(client, call, 2), host, random.Random(f"{seed}:{client}"), rounds)
            ask = check.watched(client, partial(call, host, KEY if client == "alibabacloud_fnf20190315" else STS))
            following_check.alibaba(check, client, ask, output)
            managing_check.alibaba(check, client, ask, host)
        check_nonce_and_clock(check, host)
        project_id, token = huawei_iam(check, url)
        huawei(check, url, project_id, token, random.Random(f"{seed}:huawei"), rounds)
        for credentials in (
            official.huawei_key(HUAWEI_KEY, project_id),
            official.huawei_key(HUAWEI_TEMPORARY, project_id),
            official.BasicCredentials(token, project_id),
        ):
            client = official.HUAWEI_PYTHON
            ask = check.watched(client, partial(official.huawei, url, credentials))
            following_check.huawei(check, client, ask, output, USER)
            managing_check.huawei(check, client, ask, USER)
        for key in (HUAWEI_KEY, HUAWEI_TEMPORARY):
            client = official.HUAWEI_NODE
            ask = check.watched(client, partial(official.huawei_node, url, key, project_id))
            following_check.huawei(check, client, ask, output, USER)
            managing_check.huawei(check, client, ask, USER)
        return check.counts, check.done, check.fields
    finally:
        process.kill()
        process.wait()


def sync_answer(flow, name, output, status="Succeeded", code="", message=""):
    return {
        "RequestId": Like(UPPER_UUID),
        "FlowName": flow,
        "Name": Like(f"{name}:{UUID}"),
        "Status": status,
        "Output": output,
        "ErrorCode": code,
        "ErrorMessage": message,
        "StartedTime": Like(MILLISECONDS),
        "StoppedTime": Like(MILLISECONDS),
    }


def alibaba(check, client, call, host, rng, rounds):
    """Every operation and documented error, by one of the official clients."""

    def ask(operation, parameters, key=KEY):
        return call(host, key, operation, parameters)

    def answered(operation, parameters, fields, key=KEY):
        answer = ask(operation, parameters, key)
        check.answered(f"{client}: {operation} {parameters!r:.300}", answer, fields, request_id=True)
        return answer.fields

    def refused(operation, parameters, status, code, message, key=KEY):
        subject = f"{client}: {operation} {parameters!r:.300} with {key}"
        check.refused(subject, ask(operation, parameters, key), status, code, message, UPPER_UUID)

    # Odd strings, in the input and wherever else any text may stand.
    inputs = [json.dumps({chosen: chosen}, ensure_ascii=False) for chosen in texts.CHOSEN]
    inputs += [texts.json_object(rng) for _ in range(rounds)]
    inputs.append('{"data":"%s"}' % ("x" * (64 * 1024 - 11)))
    keys = itertools.cycle([KEY, STS])
    for input_ in inputs:
        parameters = {"FlowName": "echo", "ExecutionName": texts.name(rng), "Input": input_, "Qualifier": texts.text(rng)}
        answered("StartSyncExecution", parameters, sync_answer("echo", parameters["ExecutionName"], input_), next(keys))
        name = f"n{uuid.uuid4().hex}"
        parameters = {"FlowName": "standard", "ExecutionName": name, "Input": input_, "CallbackFnFTaskToken": texts.text(rng)}
        answered("StartExecution", parameters, execution("standard", name, input_), next(keys))
        parameters = {"FlowName": "standard", "ExecutionName": name, "WaitTimeSeconds": 60}
        ended = execution("standard", name, input_, "Succeeded", input_, Like(MILLISECONDS))
        answered("DescribeExecution", parameters, ended, next(keys))

    # What may be left out.
    answered("StartSyncExecution", {"FlowName": "echo"}, sync_answer("echo", f"emulator-{UUID}", "{}"))
    answered("StartExecution", {"FlowName": "standard"}, execution("standard", Like(f"emulator-{UUID}"), ""))
    # A flow that fails is an answer.
    fails = sync_answer("express-fails", "x", "", "Failed", "Example", "this flow always fails")
    answered("StartSyncExecution", {"FlowName": "express-fails", "ExecutionName": "x"}, fails)
    failed = {"FlowName": "standard-fails", "ExecutionName": texts.name(rng)}
    answered("StartExecution", failed, execution(*failed.values(), ""))
    ended = execution(*failed.values(), "", "Failed", "", Like(MILLISECONDS))
    answered("DescribeExecution", {**failed, "WaitTimeSeconds": 60}, ended)

    # One execution a name: found while it runs, refused once it has ended.
    endless = {"FlowName": "endless", "ExecutionName": texts.name(rng)}
    running = execution(*endless.values(), '{"first":1}')
    began = answered("StartExecution", {**endless, "Input": '{"first":1}'}, running)["StartedTime"]
    running["StartedTime"] = began
    answered("StartExecution", {**endless, "Input": '{"second":2}'}, running)
    answered("DescribeExecution", endless, running)
    answered("DescribeExecution", {**endless, "WaitTimeSeconds": 1}, running)
    message = f"Execution {failed['ExecutionName']} for flow standard-fails already exists."
    refused("StartExecution", failed, 400, "ExecutionAlreadyExists", message)

    starts = ["StartExecution", "StartSyncExecution"]
    modes = {"StartExecution": ("standard", "echo"), "StartSyncExecution": ("echo", "standard")}
    for operation in starts:
        right, wrong = modes[operation]
        refused(operation, {"FlowName": "nope"}, 404, "FlowNotExists", "Flow  nope does not exist.")
        message = f"The requested API operation '{operation}' is incorrect. Please check."
        refused(operation, {"FlowName": wrong}, 400, "ActionNotSupported", message)
        message = "Input must be the text of a JSON object"
        for bad in ("[]", "1", "{", '{"a":1}x', "\0", " "):
            refused(operation, {"FlowName": right, "Input": bad}, 400, "InvalidArgument", message)
        for bad in ("1a", "a b", "名", "a" * 129, "a~", "-a"):
            refused(operation, {"FlowName": bad}, 400, "InvalidArgument", "FlowName is not a valid name")
            parameters = {"FlowName": right, "ExecutionName": bad}
            refused(operation, parameters, 400, "InvalidArgument", "ExecutionName is not a valid name")
        message = "The payload size exceeds maximum allowed size (65536 bytes)."
        large = {"FlowName": right, "Input": '{"data":"%s"}' % ("x" * (64 * 1024 - 10))}
        refused(operation, large, 400, "EntityTooLarge", message)
        message = "The HTTP query 'FlowName' must be specified."
        refused(operation, {"ExecutionName": "x"}, 400, "MissingRequiredParams", message)
    message = "Execution nope for flow standard does not exist."
    refused("DescribeExecution", {"FlowName": "standard", "ExecutionName": "nope"}, 404, "ExecutionNotExists", message)
    refused("DescribeExecution", {"FlowName": "no", "ExecutionName": "x"}, 404, "FlowNotExists", "Flow  no does not exist.")
    too_long = {"FlowName": "standard", "ExecutionName": "x", "WaitTimeSeconds": 61}
    refused("DescribeExecution", too_long, 400, "InvalidArgument", "WaitTimeSeconds must be 0 to 60")
    if client != "alibabacloud_fnf20190315":  # which has a class for each operation and no others
        message = "The requested API operation 'NoSuchOperation' is incorrect. Please check."
        refused("NoSuchOperation", {"Limit": 1}, 400, "ActionNotSupported", message)

    mismatch = (
        "The request signature we calculated does not match the signature you provided. Check your access key and "
        "signing method."
    )
    other_token = "Specified SecurityToken is not the one of this AccessKey."
    for operation in [*starts, "DescribeExecution"]:
        parameters = {"FlowName": "echo", "ExecutionName": "x"}
        for key, status, code, message in [
            ({**KEY, "secret": "wrong"}, 403, "SignatureNotMatch", mismatch),
            ({**STS, "secret": "wrong"}, 403, "SignatureNotMatch", mismatch),
            ({**KEY, "id": "nobody*~"}, 403, "InvalidAccessKeyID", "The AccessKey ID nobody*~ is invalid."),
            ({**STS, "security_token": "other"}, 400, "InvalidSecurityToken.Malformed", other_token),
            ({**STS, "security_token": None}, 400, "InvalidSecurityToken.Malformed", other_token),
            ({**KEY, "security_token": "t"}, 400, "InvalidSecurityToken.MismatchWithAccessKey", other_token),
        ]:
            refused(operation, parameters, status, code, message, key)


def check_nonce_and_clock(check, host):
    """What the official clients do not do by themselves: a nonce twice, a wrong clock."""
    parameters = {"FlowName": "echo", "ExecutionName": "x"}
    sources = {
        "alibabacloud_fnf20190315": ((tea_utils.Utils, "get_nonce"), (tea_utils.Utils, "get_timestamp")),
        "aliyun-python-sdk-core": ((parameter_helper, "get_uuid"), (parameter_helper, "get_iso_8061_date")),
    }
    for client, (nonce, clock) in sources.items():
        call = official.ALIBABA[client]
        with mock.patch.object(*nonce, lambda: f"a nonce of {client}"):
            subject = f"{client}: a nonce twice"
            check.answered(subject, call(host, KEY, "StartSyncExecution", parameters), sync_answer("echo", "x", "{}"), True)
            answer = call(host, KEY, "StartSyncExecution", parameters)
            message = "Specified signature nonce was used already."
            check.refused(subject, answer, 400, "SignatureNonceUsed", message, UPPER_UUID)
        for minutes, is_refused in ((-16, True), (16, True), (-14, False), (14, False)):
            time = datetime.now(timezone.utc) + timedelta(minutes=minutes)
            time = time.strftime("%Y-%m-%dT%H:%M:%SZ")
            with mock.patch.object(*clock, lambda time=time: time):
                answer = call(host, KEY, "StartSyncExecution", parameters)
            subject = f"{client}: a clock {minutes} minutes off"
            if is_refused:
                message = rf"The difference between the request time {time} and the current time {SECONDS} is too large\."
                check.refused(subject, answer, 403, "RequestTimeTooSkewed", Like(message), UPPER_UUID)
            else:
                check.answered(subject, answer, sync_answer("echo", "x", "{}"), True)


REFUSED = "Incorrect IAM authentication information: "


def huawei_iam(check, url):
    """Tokens and projects by `huaweicloudsdkiam`; gives the project's id and a token."""
    client = "huaweicloudsdkiam"
    answer = official.projects(url, HUAWEI_KEY, REGION)
    check.equal(f"{client}: projects", (answer.status, answer.code), (200, ""))
    listed = answer.fields["projects"]
    project_id = listed[0]["id"]
    project = {"id": Like(HEX), "name": REGION, "enabled": True, "is_domain": False, "description": ""}
    check.equal(f"{client}: projects", [{name: one[name] for name in project} for one in listed], [project])
    check.count(f"{client}: projects")
    answer = official.projects(url, HUAWEI_KEY, "名字 ~*+%&=")
    check.equal(f"{client}: a project of no region", (answer.status, answer.fields["projects"]), (200, []))
    check.count(f"{client}: projects")

    def token(project, password=PASSWORD):
        return official.password_token(url, HUAWEI_KEY, DOMAIN, USER, password, project)

    for scope in ({"name": REGION}, {"id": project_id}, {"id": project_id, "name": REGION}):
        answer = token(scope)
        subject = f"{client}: a token for {scope}"
        check.equal(subject, (answer.status, answer.code), (201, ""))
        given = answer.fields["token"]
        check.equal(subject, answer.fields["x_subject_token"], Like("MIIE[0-9a-f]{64}"))
        found = (given["methods"], given["project"]["id"], given["project"]["name"], given["user"]["name"])
        check.equal(subject, found, (["password"], project_id, REGION, USER))
        check.equal(subject, given["user"]["domain"]["name"], DOMAIN)
        form = "%Y-%m-%dT%H:%M:%S.%fZ"
        life = datetime.strptime(given["expires_at"], form) - datetime.strptime(given["issued_at"], form)
        check.equal(subject, life, timedelta(hours=24))
        check.count(subject)
    wrong = token({"name": REGION}, "wrong")
    # IAM's code is a number, the status once more.
    check.refused(f"{client}: a wrong password", wrong, 401, 401, "The username or password is wrong.", HEX)
    check.refused(f"{client}: no such project", token({"name": "x"}), 404, 404, "Could not find the project.", HEX)
    return project_id, token({"name": REGION}).fields["x_subject_token"]


def huawei(check, url, project_id, iam_token, rng, rounds):
    """`sync-executions`, signed and with a token, and what refuses it."""
    client = official.HUAWEI_PYTHON

    def by_key(key=HUAWEI_KEY, project=project_id):
        return official.huawei_key(key, project)

    def call(credentials, body, workflow="echo", region=None):
        return official.sync_execution(url, credentials, workflow, body, region)

    def answered(subject, answer, output, status="success", errors=None):
        fields = {
            "execution_id": Like(UUID),
            "status": status,
            "output": output,
            "errors": errors,
            "begin_time": Like(SECONDS),
            "end_time": Like(SECONDS),
        }
        check.answered(f"{client}: {subject}", answer, fields)

    def refused(subject, answer, status, code, message):
        check.refused(f"{client}: {subject}", answer, status, code, message, HEX)

    sources = itertools.cycle([by_key, lambda: by_key(HUAWEI_TEMPORARY), lambda: official.BasicCredentials(iam_token, project_id)])
    inputs = [{chosen: chosen} for chosen in texts.CHOSEN]
    inputs += [{texts.text(rng): texts.value(rng)} for _ in range(3 * rounds)]
    inputs += [{}, {"data": "x" * 200_000}]
    for input_ in inputs:
        headers = {texts.text(rng): texts.text(rng)}
        for body in ({"input": input_}, {"input": input_, "headers": headers}):
            workflow = rng.choice(["echo", "流程 1"])
            answered(f"{body!r:.300}", call(next(sources)(), body, workflow), input_)
    answered("the project looked up", call(by_key(project=None), {"input": {"a": 1}}, region=REGION), {"a": 1})

    error = {
        "node_id": "closure",
        "error_message": "Example: this flow always fails",
        "begin_time": Like(SECONDS),
        "end_time": Like(SECONDS),
    }
    failed = call(by_key(), {"input": {}}, "flow-fails")
    found = failed.fields.pop("errors")
    failed.fields["errors"] = [{name: one.get(name) for name in error} for one in found]
    answered("a flow that fails", failed, None, "fail", [error])

    body = {"input": {}}
    refused("no such flow", call(by_key(), body, "nope"), 404, "FGS.5002", "The flow does not exist.")
    for bad in ([], "text", 1, True):
        message = "Invalid parameters: input must be an object."
        refused(f"input {bad!r}", call(by_key(), {"input": bad}), 400, "FGS.3002", message)
    message = "The token or key does not belong to this project."
    refused("another project", call(by_key(project="other"), body), 403, "FSS.0403", message)
    token = official.BasicCredentials("unknown", project_id)
    refused("no such token", call(token, body), 401, "APIGW.0301", f"{REFUSED}decrypt token fail")
    unknown = {"id": "nobody", "secret": "sk"}
    message = f"{REFUSED}Get secretKey failed,ak:nobody,err:ak not exist"
    refused("no such key", call(by_key(unknown), body), 401, "APIGW.0301", message)

    # The message holds what the emulator signed; it must be what the official client signed.
    wrong = {"id": "AK-wrong", "secret": "another"}
    signed = []
    signer = official.huawei_credentials.Signer
    original = signer._process_canonical_request

    def listen(self, request, headers):
        signed.append(original(self, request, headers))
        return signed[-1]

    with mock.patch.object(signer, "_process_canonical_request", listen):
        answer = call(by_key(wrong), {"input": {"流": texts.ODD}}, "流程 1")
    canonical = signed[-1].replace("\n", "|")
    message = f"{REFUSED}verify aksk signature fail, canonicalRequest:{canonical}"
    refused("a wrong secret key", answer, 401, "APIGW.0301", message)

    for token in (None, "other"):
        other = {**HUAWEI_TEMPORARY, "security_token": token}
        message = f"{REFUSED}the security token is not the one of this key"
        refused(f"security token {token}", call(by_key(other), body), 401, "APIGW.0301", message)
    # A right call between ends the row of refusals, so that this key is not locked.
    answered("a temporary key", call(by_key(HUAWEI_TEMPORARY), body), {})
    locked = {"id": "AK-locked", "secret": "wrong"}
    for _ in range(6):
        message = Like(re.escape(f"{REFUSED}verify aksk signature fail, canonicalRequest:") + ".*")
        refused("a key about to be locked", call(by_key(locked), body), 401, "APIGW.0301", message)
    message = f"{REFUSED}AK access failed to reach the limit,forbidden"
    refused("a locked key", call(by_key({**locked, "secret": "sk"}), body), 401, "APIGW.0301", message)

