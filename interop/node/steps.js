// What the Node scenario scripts share: the command line, the payloads, and one JSON line per step.
//
// The counterpart of ../clients/steps.py, line for line the same contract. Absent on purpose:
// anything about WAMP. Each script speaks WAMP through its own client library only.

import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";

export const ERROR_URI = "interop.error.failed";
export const ERROR_ARGS = ["broken", 7];
export const ERROR_KWARGS = { retry: false, why: "zażółć" };
export const ALL_STEPS = [
  "echo", "error", "missing", "publish", "own_event", "own_procedure", "progress", "cancel",
];
/** Topics to publish to, and what a serving script subscribes to. */
export const TOPICS = ["exact", "deep.er", "deeper", "wide.er", "unheard"].map((end) => "interop.topic." + end);
export const SUBSCRIPTIONS = [
  ["exact", "interop.topic.exact"], ["prefix", "interop.topic.deep"], ["wildcard", "interop.topic..er"],
];

const split = (list) => new Set(list.split(",").filter(Boolean));

/** Read `serve|drive --url URL ...`. */
export function parseCommandLine() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      url: { type: "string" },
      realm: { type: "string", default: "realm1" },
      serializer: { type: "string", default: "json" },
      prefix: { type: "string", default: "interop." },
      steps: { type: "string", default: ALL_STEPS.join(",") },
      payloads: { type: "string", default: "" },
    },
  });
  if (!["serve", "drive"].includes(positionals[0]) || !values.url) {
    throw new Error("usage: serve|drive --url URL [--serializer json|msgpack|cbor] ...");
  }
  return { ...values, role: positionals[0], steps: split(values.steps), payloads: split(values.payloads) };
}

/** Turn the JSON stand-ins `$bytes` and `$repeat` into the values that they stand for. */
export function fromPlain(value) {
  if (Array.isArray(value)) return value.map(fromPlain);
  if (value === null || typeof value !== "object") return value;
  if ("$bytes" in value) return Buffer.from(value.$bytes, "hex");
  if ("$repeat" in value) return value.$repeat.repeat(value.times);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fromPlain(item)]));
}

/** Turn what a client library delivered into JSON; bytes become `{"$bytes": hex}`. */
export function toPlain(value) {
  if (ArrayBuffer.isView(value)) {
    return { $bytes: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("hex") };
  }
  if (value instanceof ArrayBuffer) return { $bytes: Buffer.from(value).toString("hex") };
  if (value instanceof Map) return toPlain(Object.fromEntries(value));
  if (Array.isArray(value)) return value.map(toPlain);
  // JSON numbers of any size are for the test to compare; `Number` is what the scenario needs.
  if (typeof value === "bigint") return Number(value);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toPlain(item)]));
}

/** The payloads called `names` (all when empty), with bytes and repetitions expanded. */
export function loadPayloads(names) {
  const payloads = JSON.parse(readFileSync(new URL("../payloads.json", import.meta.url), "utf8"));
  return payloads
    .filter((payload) => names.size === 0 || names.has(payload.name))
    .map(({ name, args, kwargs }) => ({ name, args: fromPlain(args), kwargs: fromPlain(kwargs) }));
}

/** Print one step. */
export function report(step, fields = {}) {
  process.stdout.write(JSON.stringify({ ...toPlain(fields), step }) + "\n");
}

/** Resolve when the test closes standard input, which asks a serving script to leave. */
export function endOfInput() {
  return new Promise((resolve) => process.stdin.on("end", resolve).resume());
}

/** A promise together with the function that resolves it. */
export function deferred() {
  let resolve;
  const promise = new Promise((resolvePromise) => { resolve = resolvePromise; });
  return { promise, resolve };
}
