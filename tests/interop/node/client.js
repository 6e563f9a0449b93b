// The official Node clients: reads a call from standard input, one JSON object a line, and prints
// what came of it in the same order, one line a call: `answer` and a JSON object. Other lines are
// the clients' own.

"use strict";

const readline = require("node:readline");
const Fnf = require("@alicloud/fnf-2019-03-15");
const { BasicCredentials } = require("@huaweicloud/huaweicloud-sdk-core");
const functiongraph = require("@huaweicloud/huaweicloud-sdk-functiongraph/v2/public-api");

const small = (name) => name[0].toLowerCase() + name.slice(1);

// What is thrown is not always an `Error`.
const words = (error) => (error?.message ? `${error.name}: ${error.message}` : String(error));

// One client an endpoint and key, as their users have it: connections are kept.
const clients = new Map();

function known(call, make) {
  const id = JSON.stringify([call.endpoint, call.key, call.project_id]);
  if (!clients.has(id)) {
    clients.set(id, make());
  }
  return clients.get(id);
}

async function alibaba({ operation, parameters, reads, timeout, ...call }) {
  const client = known(call, () => {
    const { id, secret, security_token } = call.key;
    return new Fnf({ endpoint: call.endpoint, accessKeyId: id, accessKeySecret: secret, securityToken: security_token });
  });
  const method = client[small(operation)];
  try {
    // What is missing, and what it has no method for, goes by way of the generic client.
    const generic = () => client.request(operation, parameters, { method: reads ? "GET" : "POST", timeout });
    if (method === undefined) {
      return { status: 200, fields: await generic() };
    }
    const answer = async () => method.call(client, parameters, { timeout });
    const fields = await answer().catch((error) => (error instanceof TypeError ? generic() : Promise.reject(error)));
    return { status: 200, fields };
  } catch (error) {
    const data = error.data ?? {};
    return { status: error.entry?.response.statusCode, code: data.Code, message: data.Message, request_id: data.RequestId, error: words(error) };
  }
}

async function huawei({ operation, parameters, body, ...call }) {
  const client = known(call, () => {
    const credentials = new BasicCredentials();
    credentials.withAk(call.key.id).withSk(call.key.secret).withProjectId(call.project_id);
    if (call.key.security_token) {
      credentials.withSecurityToken(call.key.security_token);
    }
    return functiongraph.FunctionGraphClient.newBuilder().withCredential(credentials).withEndpoint(call.endpoint).build();
  });
  const request = new functiongraph[`${operation}Request`]();
  Object.assign(request, parameters, body ? { body } : {});
  try {
    const { httpStatusCode, ...fields } = await client[small(operation)](request);
    return { status: httpStatusCode, fields };
  } catch (error) {
    return { status: error.httpStatusCode, code: error.errorCode, message: error.errorMsg, request_id: error.requestId, error: words(error) };
  }
}

(async () => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const call = JSON.parse(line);
    const answer = await (call.cloud === "alibaba" ? alibaba(call) : huawei(call));
    process.stdout.write(`answer ${JSON.stringify(answer)}\n`);
  }
})();
