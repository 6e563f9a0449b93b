"""What the official clients do as they come, without a setting, and what this crate's programs do: to a
flow that takes 200 s, when each gives up; and to an answer that is none, what it is taken for. Takes
some minutes, and is no part of `.ci/interop`, which sets up the environment that this runs in:

    target/interop/venv/bin/python -B tests/interop/cut_calls.py
"""

import json
import logging
import os
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import emulator_check
import official
from alibabacloud_fnf20190315 import models as fnf
from alibabacloud_fnf20190315.client import Client as FnfClient
from alibabacloud_tea_openapi.utils_models import Config
from aliyunsdkcore.auth.credentials import AccessKeyCredential
from aliyunsdkcore.client import AcsClient
from aliyunsdkcore.request import CommonRequest
from huaweicloudsdkfunctiongraph import v2 as functiongraph
from run import programs

SECONDS = 200
KEY, HUAWEI_KEY = emulator_check.KEY, emulator_check.HUAWEI_KEY
ARGUMENTS = [
    *("--express", "long", "--workflow", "long", "--slow", f"long={SECONDS * 1000}"),
    *("--access-key", "id:se+cr/et=", "--huawei-key", "AK1:s+k/1="),
]
KEYS = {
    "ALIBABA_CLOUD_ACCESS_KEY_ID": KEY["id"],
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET": KEY["secret"],
    "HUAWEICLOUD_SDK_AK": HUAWEI_KEY["id"],
    "HUAWEICLOUD_SDK_SK": HUAWEI_KEY["secret"],
}


def tea(url, _):
    config = Config(access_key_id=KEY["id"], access_key_secret=KEY["secret"], endpoint=url.removeprefix("http://"), protocol="HTTP")
    reply = FnfClient(config).start_sync_execution(fnf.StartSyncExecutionRequest(flow_name="long"))
    return reply.body.to_map()


def core(url, _):
    client = AcsClient(region_id="cn-hangzhou", credential=AccessKeyCredential(KEY["id"], KEY["secret"]))
    request = CommonRequest(domain=url.removeprefix("http://"), version="2019-03-15", action_name="StartSyncExecution")
    request.set_protocol_type("http")
    request.set_method("POST")
    request.add_body_params("FlowName", "long")
    return json.loads(client.do_action_with_exception(request))


def huawei(url, project_id):
    credentials = official.huawei_key(HUAWEI_KEY, project_id)
    client = functiongraph.FunctionGraphClient.new_builder().with_credentials(credentials).with_endpoint(url).build()
    request = functiongraph.StartSyncWorkflowExecutionRequest("long", functiongraph.FlowExecuteBody(input={}))
    return client.start_sync_workflow_execution(request).to_dict()


def by_node(cloud, url, project_id, **call):
    process = official.node_process.__wrapped__()  # one of its own: they wait side by side
    if cloud == "alibaba":
        call.update(key=KEY, operation="StartSyncExecution", parameters={"FlowName": "long"}, reads=False)
    else:
        call.update(key=HUAWEI_KEY, project_id=project_id, operation="StartSyncWorkflowExecution")
        call.update(parameters={"workflow_id": "long"}, body={"input": {}})
    out, _ = process.communicate(json.dumps({"cloud": cloud, "endpoint": url, **call}).encode() + b"\n")
    answer = next(line for line in out.splitlines() if line.startswith(b"answer "))
    found = json.loads(answer.removeprefix(b"answer "))
    if "fields" not in found:
        raise RuntimeError(found["error"])
    return found["fields"]


def ours(name, *arguments):
    """A program among the examples, without a setting but for the address."""
    def call(url, project_id):
        of_cloud = ("--project-id", project_id) if name == "huawei" else ()
        command = [f"target/debug/examples/{name}", *arguments, "--endpoint", url, *of_cloud]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **KEYS})
        if done.returncode:
            raise RuntimeError(f"exit status {done.returncode}: {done.stderr}")
        return json.loads(done.stdout)

    return call


CLIENTS = {
    "alibabacloud_fnf20190315 (Python)": tea,
    "aliyun-python-sdk-core (Python)": core,
    "@alicloud/pop-core (Node)": lambda url, project_id: by_node("alibaba", url, project_id),
    "huaweicloudsdkfunctiongraph (Python)": huawei,
    "@huaweicloud/huaweicloud-sdk-functiongraph (Node)": lambda url, project_id: by_node("huawei", url, project_id),
    "this crate, Alibaba Cloud": ours("alibaba", "start-sync-execution", "--flow", "long"),
    "this crate, Huawei Cloud": ours("huawei", "start-sync-workflow-execution", "--workflow", "long", "--input", "{}"),
}


class Page(BaseHTTPRequestHandler):
    """A proxy in between, which has a page of its own for every request, with 200."""

    def do_POST(self):
        self.rfile.read(int(self.headers.get("content-length") or 0))
        body = b"<html>Please log in</html>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def table(title, url, project_id):
    """Has all clients call, side by side, and prints what each made of it."""
    rows = {}

    def run(name, call):
        began = time.monotonic()
        try:
            outcome = f"answer: {json.dumps(call(url, project_id))}"
        except Exception as error:  # whatever it is, that is what the user gets
            outcome = f"{type(error).__name__}: {error}"
        rows[name] = f"| {name} | {time.monotonic() - began:.1f} s | {' '.join(outcome.split())[:160]} |"

    threads = [threading.Thread(target=run, args=item) for item in CLIENTS.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(f"\n| {title} | ends after | with |\n|---|---|---|")
    for name in CLIENTS:
        print(rows[name])


def main():
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        os.environ.pop(name, None)
        os.environ.pop(name.upper(), None)
    logging.disable(logging.CRITICAL)
    page = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=page.serve_forever, daemon=True).start()
    emulator, _ = programs()
    subprocess.run(["cargo", "build", "--locked", "--quiet", "--example", "alibaba", "--example", "huawei"], check=True)
    table("a page of a proxy, with 200, to", f"http://127.0.0.1:{page.server_port}", "project")
    process = subprocess.Popen([emulator, *ARGUMENTS], stdout=subprocess.PIPE, text=True)
    try:
        url = emulator_check.Output(process.stdout).find(r"http://[0-9.:]+")[0]
        project_id = official.projects(url, HUAWEI_KEY, emulator_check.REGION).fields["projects"][0]["id"]
        table(f"a synchronous start of a flow of {SECONDS} s by", url, project_id)
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    main()
