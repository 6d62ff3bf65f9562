/**
 * Stands for AWS: turns HTTP requests into events of API Gateway's payload 2.0, calls the handler, one at a time, and
 * answers what it gives. `node lambda_host.js FUNCTION.cjs` prints its URL.
 */
import { createServer } from "node:http";
import { createRequire } from "node:module";
import process from "node:process";

const { handler } = createRequire(import.meta.url)(process.argv[2]);
let turn = Promise.resolve();

createServer(async (request, response) => {
  const parts = [];
  for await (const part of request) parts.push(part);
  const body = Buffer.concat(parts), url = new URL(request.url, "http://host");
  const event = {
    ...{ version: "2.0", routeKey: "$default", rawPath: url.pathname, rawQueryString: url.search.slice(1) },
    headers: request.headers,
    requestContext: { http: { method: request.method, path: url.pathname, protocol: "HTTP/1.1" } },
    ...(body.length > 0
      ? { body: body.toString("base64"), isBase64Encoded: true }
      : { isBase64Encoded: false }),
  };
  turn = turn.then(() => handler(event, {}));
  const { statusCode, headers, body: answer } = await turn;
  response.writeHead(statusCode, headers).end(answer);
}).listen(0, function () {
  console.log(JSON.stringify({ url: `http://127.0.0.1:${this.address().port}/` }));
});
