"""A server that checks what arrives with the vendors' own signing code, and answers.

It knows what each request was meant to be (`Case`, found by its key, token or user) and answers
HTTP 400 to whatever is not just that; what was wrong is kept in `Judge.mismatches`.
"""

import json
import re
import threading
from dataclasses import dataclass, field
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, unquote

import tables
from alibabacloud_tea_openapi.utils import Utils as TeaUtils
from aliyunsdkcore.auth.algorithm import sha_hmac1
from aliyunsdkcore.auth.composer import rpc_signature_composer as composer
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer.signer import Signer

# The module's own functions; their names are private, what they do is the official signer.
compose_string_to_sign = getattr(composer, "__compose_string_to_sign")
get_signature = getattr(composer, "__get_signature")

# What the HTTP layer adds behind the signer's back, and the user agent, which says who calls:
# these need not be signed. Every other header that arrives must be.
ADDED_LATER = {"accept", "accept-encoding", "authorization", "connection", "content-length", "user-agent"}

CLOCK_TOLERANCE_SECONDS = 300


class Wrong(Exception):
    """What arrived is not what it should be."""


@dataclass
class Arrived:
    method: str
    path: str
    query: str
    headers: dict
    body: bytes


@dataclass
class Case:
    """One request as it was meant, and what it is to be answered."""

    number: int
    order: dict
    reply: dict
    project_id: str = ""
    checked: int = 0


def require(holds, what, *details):
    if not holds:
        raise Wrong(what + "".join(f"\n    {detail!r:.600}" for detail in details))


def parameters(encoded):
    """Name and value pairs, read strictly. A name may come once."""
    pairs = parse_qsl(encoded, keep_blank_values=True, strict_parsing=bool(encoded), errors="strict")
    found = dict(pairs)
    require(len(found) == len(pairs), "a parameter is given twice", pairs)
    return found


@dataclass
class Judge:
    """The server; use it in a `with` statement."""

    cases: dict = field(default_factory=dict)
    checked: dict = field(default_factory=dict)
    mismatches: dict = field(default_factory=dict)
    recorded: list = field(default_factory=list)
    nonces: set = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)
    recording: dict | None = None  # the answer to whatever comes, where nothing is judged

    def __enter__(self):
        judge = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def answer(self):
                length = int(self.headers.get("content-length") or 0)
                path, _, query = self.path.partition("?")
                pairs = [(name.lower(), value.encode("latin-1").decode()) for name, value in self.headers.items()]
                arrived = Arrived(self.command, path, query, dict(pairs), self.rfile.read(length))
                status, headers, reply = judge.judge(arrived, len(pairs))
                body = json.dumps(reply).encode()
                self.send_response(status)
                headers = {"Content-Type": "application/json", "Content-Length": len(body), **headers}
                for name, value in headers.items():
                    self.send_header(name, str(value))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PUT = do_DELETE = answer

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.host = f"127.0.0.1:{self.server.server_port}"
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def expect(self, known_by, case):
        self.cases[known_by] = case

    def judge(self, arrived, header_count):
        case = None
        if self.recording is not None:
            self.recorded.append(arrived)
            return 200, {}, self.recording
        try:
            require(header_count == len(arrived.headers), "a header is given twice", arrived.headers)
            known_by = caller(arrived)
            case = self.cases.get(known_by)
            require(case is not None, "a request of a caller that nobody is", known_by)
            way, operation, headers, reply = self.check(arrived, case)
            with self.lock:
                case.checked += 1
                of_way = self.checked.setdefault(way, {})
                of_way[operation] = of_way.get(operation, 0) + 1
            return made_status(case), headers, reply
        except Exception as wrong:  # whatever it is, the request did not pass
            number = case.number if case else -1
            text = str(wrong) if isinstance(wrong, Wrong) else repr(wrong)
            with self.lock:
                self.mismatches.setdefault(number, []).append(text)
            code = {"Code": "JudgeMismatch", "Message": text[:200], "error_code": "JUDGE.0000", "error_msg": text[:200]}
            return 400, {}, code

    def check(self, arrived, case):
        if arrived.path == "/":
            return self.check_alibaba(arrived, case)
        if arrived.path == "/v3/auth/tokens":
            return check_password(arrived, case)
        operation = "projects" if arrived.path == "/v3/projects" else case.order["operation"]
        if "authorization" in arrived.headers:
            require("x-auth-token" not in arrived.headers, "a token beside a signature")
            check_huawei_signature(arrived, case)
            way = "SDK-HMAC-SHA256"
        else:
            way = "X-Auth-Token"
        if operation == "projects":
            require(arrived.method == "GET", "another method", arrived.method)
            require(parameters(arrived.query) == {"name": case.order["region"]}, "another region", arrived.query)
            project = {"id": case.project_id, "name": case.order["region"], "enabled": True}
            return way, operation, {}, {"projects": [project], "links": {}}
        check_function_graph(arrived, case)
        return way, operation, {"X-Request-Id": f"request-{case.number}"}, case.reply

    def check_alibaba(self, arrived, case):
        order, key = case.order, case.order["key"]
        reads = order["operation"] in tables.READS
        require(arrived.method == ("GET" if reads else "POST"), "another method", arrived.method)
        # All of them in one place: a write shows nothing in its URL, and a read has no body.
        query, form = arrived.query, arrived.body.decode()
        found, elsewhere = (query, form) if reads else (form, query)
        require(elsewhere == "", "parameters in another place", elsewhere)
        if not reads:
            type_ = arrived.headers.get("content-type")
            require(type_ == "application/x-www-form-urlencoded", "another content type", type_)
        # What stands before the signature is what is signed, byte for byte.
        signed = parameters(found)
        names = list(signed)
        require(names == [*sorted(names[:-1]), "Signature"], "not sorted, with the signature last", names)

        # The official signers of two generations over what arrived.
        signature = signed.pop("Signature")
        text = compose_string_to_sign(arrived.method, signed)
        official = get_signature(text, key["secret"], sha_hmac1)
        require(signature == official, "not the signature of aliyun-python-sdk-core", signature, official, text)
        official = TeaUtils.get_rpcsignature(signed, arrived.method, key["secret"])
        require(signature == official, "not the signature of alibabacloud-tea-openapi", signature, official, text)

        fixed = {
            "Action": order["operation"],
            "Version": "2019-03-15",
            "Format": "JSON",
            "SignatureMethod": "HMAC-SHA1",
            "SignatureVersion": "1.0",
            "AccessKeyId": key["id"],
        }
        if key["security_token"] is not None:
            fixed["SecurityToken"] = key["security_token"]
        own = {name: value for name, value in signed.items() if name not in fixed}
        for name, meant in fixed.items():
            require(signed.get(name) == meant, f"another {name}", signed.get(name), meant)
        for header, meant in (("x-acs-action", order["operation"]), ("x-acs-version", "2019-03-15")):
            require(arrived.headers.get(header) == meant, f"another {header}", arrived.headers)
        check_time(own.pop("Timestamp"), "%Y-%m-%dT%H:%M:%SZ")
        nonce = own.pop("SignatureNonce")
        require(re.fullmatch("[0-9a-f]{32}", nonce), "no nonce of 128 bits", nonce)
        with self.lock:
            require(nonce not in self.nonces, "a nonce comes twice", nonce)
            self.nonces.add(nonce)

        operation, given = order["operation"], order["parameters"]
        meant = {name: tables.on_wire(operation, name, value) for name, value in given.items()}
        meant = {**tables.DEFAULTS.get(operation, {}), **meant}
        for name, value in meant.items():
            if isinstance(value, (dict, list)) and name in own:  # JSON, however it is written
                own[name] = json.loads(own[name])
        if operation in tables.STARTS and "ExecutionName" not in meant:
            made = own.get("ExecutionName", "")
            require(re.fullmatch("cw-[0-9a-f]{32}", made), "no made name", made)
            meant["ExecutionName"] = made
            # An answer about another execution is none.
            case.reply["Name"] = made
        require(own == meant, "other parameters than meant", own, meant)
        return "signature v1", operation, {}, case.reply


def made_status(case):
    return 201 if case.order["operation"] == "CreateWorkflow" else 200


def caller(arrived):
    """By what a request's case is known."""
    if arrived.path == "/":
        return "alibaba", parameters(arrived.query or arrived.body.decode()).get("AccessKeyId")
    if arrived.path == "/v3/auth/tokens":
        user = json.loads(arrived.body)["auth"]["identity"]["password"]["user"]
        return "password", user["password"]
    if "x-auth-token" in arrived.headers:
        return "token", arrived.headers["x-auth-token"]
    given = re.fullmatch("SDK-HMAC-SHA256 Access=(.*), SignedHeaders=.*, Signature=.*", arrived.headers.get("authorization", ""))
    return "huawei", given and given[1]


def check_time(text, form):
    then = datetime.strptime(text, form).replace(tzinfo=timezone.utc)
    off = abs((datetime.now(timezone.utc) - then).total_seconds())
    require(off < CLOCK_TOLERANCE_SECONDS, "a time that is not now", text)


def check_huawei_signature(arrived, case):
    key = case.order["auth"]["key"]
    headers = {name.title(): value for name, value in arrived.headers.items() if name not in ADDED_LATER}
    request = SdkRequest(
        method=arrived.method,
        host=headers["Host"],
        resource_path=arrived.path,
        query_params=list(parameters(arrived.query).items()),
        header_params=headers,
        body=arrived.body,
    )
    official = Signer(BasicCredentials(key["id"], key["secret"])).sign(request).header_params["Authorization"]
    found = arrived.headers["authorization"]
    require(found == official, "not the signature of huaweicloudsdkcore", found, official, arrived)
    check_time(arrived.headers["x-sdk-date"], "%Y%m%dT%H%M%SZ")
    token = arrived.headers.get("x-security-token")
    require(token == key["security_token"], "another security token", token)


def check_password(arrived, case):
    password = case.order["auth"]["password"]
    user = {"domain": {"name": password["domain"]}, "name": password["user"], "password": password["password"]}
    project_id, region = case.order["project_id"], case.order["region"]
    scope = {"project": {"id": project_id} if project_id is not None else {"name": region}}
    meant = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}}
    found = json.loads(arrived.body)
    require(found == meant, "another password request", found, meant)
    for name in ("authorization", "x-auth-token"):
        require(name not in arrived.headers, f"{name} on a request that has no credential yet")
    token = {"expires_at": "2099-01-01T00:00:00.000000Z", "project": {"id": case.project_id, "name": region}}
    return "password", "auth/tokens", {"X-Subject-Token": f"token-{case.number}"}, {"token": token}


# What a request of Huawei Cloud has by itself, beside the headers of its operation.
OWN_HEADERS = {"x-auth-token", "x-project-id", "x-sdk-date", "x-security-token"}


def check_function_graph(arrived, case):
    name, given = case.order["operation"], case.order["parameters"]
    operation = tables.HUAWEI[name]
    require(arrived.method == operation.method, "another method", arrived.method)

    def meant_in(place):
        parameters = operation.parameters.values()
        return {one.name: given[one.name] for one in parameters if one.place == place and one.name in given}

    def as_texts(found):
        return {one: tables.on_wire(name, one, value) for one, value in found.items()}

    segments = [unquote(segment, errors="strict") for segment in arrived.path.split("/")]
    named = {"{project_id}": case.project_id, **{f"{{{one}}}": value for one, value in meant_in("path").items()}}
    meant = [named.get(part, part) for part in operation.path.split("/")]
    require(segments == meant, "another path", arrived.path, meant)
    meant = as_texts(meant_in("query"))
    require(parameters(arrived.query) == meant, "another query", arrived.query, meant)
    meant = {one.lower(): value for one, value in as_texts(meant_in("header")).items()}
    found = {one: value for one, value in arrived.headers.items() if one.startswith("x-") and one not in OWN_HEADERS}
    require(found == meant, "other headers than meant", found, meant)
    require(arrived.headers.get("x-project-id") == case.project_id, "another project", arrived.headers)
    if not {one.place for one in operation.parameters.values()} & {"member", "body"}:
        require(arrived.body == b"", "a body", arrived.body)
        return
    require(arrived.headers.get("content-type") == "application/json", "another content type", arrived.headers)
    body = arrived.body.decode()
    found, meant = json.loads(body), given.get("body") or {**tables.DEFAULTS.get(name, {}), **meant_in("member")}
    for one in {"input", "output"} & set(meant):
        require(body.endswith(f'"{one}":{meant.pop(one)}}}'), "the JSON is not passed on as it is", body)
        found.pop(one)
    # What names no header is not written.
    meant = {one: value for one, value in meant.items() if (one, value) != ("headers", {})}
    require(found == meant, "another body", found, meant)
