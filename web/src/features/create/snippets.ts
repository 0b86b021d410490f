/** An order as code that is ready to run. */
import type { Order } from "../../api/types";

export interface Snippet {
  name: string;
  code: string;
}

export function snippets(functionsUrl: string, order: Order, idempotencyKey: string): Snippet[] {
  const body = { ...order, idempotencyKey };
  return [
    { name: "cURL", code: curl(functionsUrl, order, idempotencyKey) },
    { name: "Python", code: python(functionsUrl, order, idempotencyKey) },
    { name: "JavaScript", code: javascript(body) },
    { name: "Dart", code: dart(body) },
  ];
}

function curl(functionsUrl: string, order: Order, key: string): string {
  const json = indented(order, 2, 2).replaceAll("'", "'\\''");
  return `curl -X POST ${functionsUrl}/createGenerationRequest \\
  -H "Authorization: Bearer $ID_TOKEN" \\
  -H "Content-Type: application/json" \\
  -H "Idempotency-Key: ${key}" \\
  -d '${json}'`;
}

function python(functionsUrl: string, order: Order, key: string): string {
  return `import os

import requests

response = requests.post(
    "${functionsUrl}/createGenerationRequest",
    headers={
        "Authorization": f"Bearer {os.environ['ID_TOKEN']}",
        "Idempotency-Key": "${key}",
    },
    json=${indented(order, 4)},
    timeout=90,
)
print(response.status_code, response.json())`;
}

function javascript(body: object): string {
  return `import { getFunctions, httpsCallable } from "firebase/functions";

const create = httpsCallable(getFunctions(), "createGenerationRequest");
const { data } = await create(${unquoted(indented(body, 0, 2))});
console.log(data.imageUrl);`;
}

function dart(body: object): string {
  const literal = indented(body, 0, 2).replaceAll("$", "\\$");
  return `import 'package:cloud_functions/cloud_functions.dart';

final create = FirebaseFunctions.instance
    .httpsCallable('createGenerationRequest');
final result = await create.call(${literal});
print(result.data['imageUrl']);`;
}

function indented(value: object, by: number, step = 4): string {
  // An order has only strings, which Python and Dart write as JSON does.
  return JSON.stringify(value, null, step).replaceAll("\n", `\n${" ".repeat(by)}`);
}

const unquoted = (json: string): string => json.replace(/^(\s*)"(\w+)":/gm, "$1$2:");

export type Token = { kind: "string" | "comment" | "keyword" | "plain"; text: string };

/** Splits code into parts to be colored. One pattern is enough for all four languages. */
export function tokens(code: string): Token[] {
  const pattern =
    /("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|\b(import|from|const|final|await|print|curl|as)\b/g;
  const found: Token[] = [];
  let end = 0;
  for (const match of code.matchAll(pattern)) {
    if (match.index > end) found.push({ kind: "plain", text: code.slice(end, match.index) });
    found.push({ kind: match[1] === undefined ? "keyword" : "string", text: match[0] });
    end = match.index + match[0].length;
  }
  if (end < code.length) found.push({ kind: "plain", text: code.slice(end) });
  return found;
}
