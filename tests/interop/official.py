"""The vendors' own clients behind one shape: what a call gave, field by field."""

import json
import os
import subprocess
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from alibabacloud_fnf20190315 import models as fnf
from alibabacloud_fnf20190315.client import Client as FnfClient
from alibabacloud_tea_openapi.exceptions import AlibabaCloudException
from alibabacloud_tea_openapi.utils_models import Config
from aliyunsdkcore.acs_exception.exceptions import ServerException
from aliyunsdkcore.auth.credentials import AccessKeyCredential, StsTokenCredential
from aliyunsdkcore.client import AcsClient
from aliyunsdkcore.request import CommonRequest
from darabonba.runtime import RuntimeOptions
from huaweicloudsdkcore.auth import credentials as huawei_credentials
from huaweicloudsdkcore.exceptions.exceptions import ServiceResponseException
from huaweicloudsdkcore.region.region import Region
from huaweicloudsdkfunctiongraph import v2 as functiongraph
from huaweicloudsdkiam import v3 as iam
from tables import READS

WAIT_SECONDS = 60  # for one call; the clients' own limits are 3, 10 and 120 s


@dataclass
class Answer:
    """What an official client made of a reply; an error where `code` is set."""

    status: int
    fields: dict
    request_id: str = ""
    code: str = ""
    message: str = ""


def snake(name):
    return "".join("_" + c.lower() if c.isupper() else c for c in name).lstrip("_")


def tea(host, key, operation, parameters):
    """`alibabacloud_fnf20190315`: a class and a method for each operation."""
    config = Config(
        access_key_id=key["id"],
        access_key_secret=key["secret"],
        security_token=key.get("security_token"),
        endpoint=host,
        protocol="HTTP",
    )
    request = getattr(fnf, f"{operation}Request")().from_map(parameters)
    for name, value in list(vars(request).items()):
        if value == []:  # `from_map` makes lists of what was not given
            setattr(request, name, None)
    options = RuntimeOptions(read_timeout=WAIT_SECONDS * 1000, connect_timeout=5000)
    try:
        reply = getattr(FnfClient(config), f"{snake(operation)}_with_options")(request, options)
    except AlibabaCloudException as error:
        prefix, suffix = f"code: {error.status_code}, ", f" request id: {error.data['RequestId']}"
        message = error.message.removeprefix(prefix).removesuffix(suffix)
        return Answer(error.status_code, error.data, error.data["RequestId"], error.code, message)
    headers = {name.lower(): value for name, value in reply.headers.items()}
    fields = reply.body.to_map()
    return Answer(reply.status_code, fields, headers.get("x-acs-request-id", ""))


def generic(parameters):
    """As the users of a generic client have to give them: what is nested, as JSON."""
    return {name: json.dumps(value) if isinstance(value, (dict, list)) else value for name, value in parameters.items()}


def core(host, key, operation, parameters, version="2019-03-15"):
    """`aliyun-python-sdk-core`: the generic client of the generation before."""
    if key.get("security_token"):
        credential = StsTokenCredential(key["id"], key["secret"], key["security_token"])
    else:
        credential = AccessKeyCredential(key["id"], key["secret"])
    client = AcsClient(region_id="cn-hangzhou", credential=credential, timeout=WAIT_SECONDS)
    request = CommonRequest(domain=host, version=version, action_name=operation)
    request.set_protocol_type("http")
    request.set_method("GET" if operation in READS else "POST")
    for name, value in generic(parameters).items():
        (request.add_query_param if operation in READS else request.add_body_params)(name, value)
    try:
        fields = json.loads(client.do_action_with_exception(request))
    except ServerException as error:
        return Answer(error.http_status, {}, error.request_id, error.error_code, error.message)
    # This client gives the body of a good reply and nothing else.
    return Answer(200, fields, fields["RequestId"])


@cache
def node_process():
    """The Node clients' program, for as long as this one runs."""
    here = Path(__file__).resolve().parent
    modules = here.parents[1] / "target/interop/node/node_modules"
    environment = {**os.environ, "NODE_PATH": str(modules)}
    command = ["node", str(here / "node/client.js")]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)


def node(cloud, **call):
    process = node_process()
    process.stdin.write(json.dumps({"cloud": cloud, **call}).encode() + b"\n")
    process.stdin.flush()
    for line in process.stdout:
        if line.startswith(b"answer "):
            return json.loads(line.removeprefix(b"answer "))
    raise SystemExit(f"interop: the Node clients ended at {call!r:.600}")


def pop_core(host, key, operation, parameters):
    """`@alicloud/fnf-2019-03-15`, which calls by `@alicloud/pop-core`: for Node."""
    found = node(
        "alibaba",
        endpoint=f"http://{host}",
        key=key,
        operation=operation,
        parameters=generic(parameters),
        reads=operation in READS,
        timeout=WAIT_SECONDS * 1000 + 10_000,
    )
    if "fields" in found:
        return Answer(found["status"], found["fields"], found["fields"].get("RequestId", ""))
    if found.get("code") is None:
        raise SystemExit(f"interop: {operation} {parameters!r:.300} by Node: {found['error']}")
    return Answer(found["status"], {}, found["request_id"], found["code"], found["message"])


ALIBABA = {"alibabacloud_fnf20190315": tea, "aliyun-python-sdk-core": core, "@alicloud/fnf-2019-03-15": pop_core}


HUAWEI_PYTHON, HUAWEI_NODE = "huaweicloudsdkfunctiongraph", "@huaweicloud/huaweicloud-sdk-functiongraph"


class BasicCredentials(huawei_credentials.BasicCredentials):
    """The official client with a token: it has no such credential, so the header stands in for the
    signature. It looks at the class's name, which therefore has to be this one."""

    def __init__(self, token, project_id):
        super().__init__("unused", "unused", project_id)
        self.token = token

    def sign_request(self, request):
        request.header_params["X-Auth-Token"] = self.token
        request.header_params["X-Project-Id"] = self.project_id
        huawei_credentials.Signer.process_request_uri(request)
        return request


def huawei_key(key, project_id=None):
    credentials = huawei_credentials.BasicCredentials(key["id"], key["secret"], project_id)
    if key.get("security_token") is not None:
        credentials.with_security_token(key["security_token"])
    return credentials


def huawei_call(call):
    """What a call of any of Huawei Cloud's clients gave."""
    try:
        reply = call()
    except ServiceResponseException as error:
        return Answer(error.status_code, {}, error.request_id, error.error_code, error.error_msg)
    return Answer(reply.status_code, reply.to_dict())


def request_of(operation):
    return getattr(functiongraph, f"{operation}Request")


def huawei(url, credentials, operation, parameters, body=None, region=None):
    """`huaweicloudsdkfunctiongraph`; with a region, it looks the project up by itself."""
    builder = functiongraph.FunctionGraphClient.new_builder().with_credentials(credentials)
    if region is None:
        client = builder.with_endpoint(url).build()
    else:
        credentials.with_iam_endpoint(url)
        client = builder.with_region(Region(region, url)).build()
    if body is not None:
        body = getattr(functiongraph, request_of(operation).openapi_types["body"])(**body)
        parameters = {**parameters, "body": body}
    request = request_of(operation)(**parameters)
    return huawei_call(partial(getattr(client, snake(operation)), request))


def sync_execution(url, credentials, workflow_id, body, region=None):
    return huawei(url, credentials, "StartSyncWorkflowExecution", {"workflow_id": workflow_id}, body, region)


# The Python client's names of headers, and the Node client's.
NODE_NAMES = {
    "x_create_time": "xCreateTime",
    "x_get_workflow_full_history_data": "xGetWorkflowFullHistoryData",
    "x_workflow_run_id": "xWorkflowRunID",
    "x_workflow_run_merge_fn_parameters": "xWorkflowRunMergeFnParameters",
}


def huawei_node(url, key, project_id, operation, parameters, body=None):
    """`@huaweicloud/huaweicloud-sdk-functiongraph`, for Node."""
    names = dict(NODE_NAMES)
    if operation == "CreateCallbackWorkflow":
        names.update(x_workflow_run_id="xWorkflowRunId", x_workflow_state_id="xWorkflowStateId")
    parameters = {names.get(name, name): value for name, value in parameters.items()}
    call = {"endpoint": url, "key": key, "project_id": project_id, "operation": operation}
    found = node("huawei", **call, parameters=parameters, body=body)
    if "fields" in found:
        return Answer(found["status"], found["fields"])
    if found.get("code") is None:
        raise SystemExit(f"interop: {operation} {parameters!r:.300} by Node: {found['error']}")
    return Answer(found["status"], {}, found["request_id"], found["code"], found["message"])


def iam_client(url, key):
    credentials = huawei_credentials.GlobalCredentials(key["id"], key["secret"], "domain-id")
    return iam.IamClient.new_builder().with_credentials(credentials).with_endpoint(url).build()


def password_token(url, key, domain, user, password, project):
    """`huaweicloudsdkiam`: a token by password."""
    user = iam.PwdPasswordUser(domain=iam.PwdPasswordUserDomain(name=domain), name=user, password=password)
    identity = iam.PwdIdentity(methods=["password"], password=iam.PwdPassword(user=user))
    scope = iam.AuthScope(project=iam.AuthScopeProject(**project))
    auth = iam.PwdAuth(identity=identity, scope=scope)
    body = iam.KeystoneCreateUserTokenByPasswordRequestBody(auth=auth)
    request = iam.KeystoneCreateUserTokenByPasswordRequest(body=body)
    return huawei_call(partial(iam_client(url, key).keystone_create_user_token_by_password, request))


def projects(url, key, name):
    request = iam.KeystoneListProjectsRequest(name=name)
    return huawei_call(partial(iam_client(url, key).keystone_list_projects, request))
