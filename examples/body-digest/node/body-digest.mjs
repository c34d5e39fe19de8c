// body-digest.mjs [CONTENT-DIGEST] < BODY says whether the body is the one that was signed: docs/body-digest.md.

// docs: begin
import { createHash } from "node:crypto";

const MEMBER =
  /^[ \t]*([a-z][a-z0-9-]*)=:((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?):(?:;[a-z]+(?:=[a-z]+)?)*[ \t]*$/;

/** value: of the one Content-Digest field, undefined without one. body: a Buffer with all of it, as it came. */
export function bodyIsAsSigned(value, body) {
  const digest = createHash("sha256").update(body).digest("base64");
  const members = (value ?? "").split(",").map((member) => MEMBER.exec(member));
  if (members.includes(null)) return false;
  const ours = members.filter((m) => m[1] === "sha-256");
  return ours.length === 1 && ours[0][2] === digest;
}
// docs: end

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const right = bodyIsAsSigned(process.argv[2], Buffer.concat(chunks));
console.log(right ? "as signed" : "not as signed");
process.exitCode = right ? 0 : 1;
