// autobahn-js as caller, callee, publisher and subscriber.
//
// WebSocket for `ws://` URLs with JSON, MessagePack or CBOR; RawSocket for `rs://` URLs and
// long-polling for `http://` URLs, where autobahn-js has JSON only.

import autobahn from "autobahn";
import serializers from "autobahn/lib/serializer.js";
import { WebSocket } from "ws";
import * as steps from "./steps.js";
import { XMLHttpRequest } from "./xhr.js";

// autobahn-js takes the WebSocket that browsers and newer Node versions have built in.
globalThis.WebSocket ??= WebSocket;
globalThis.XMLHttpRequest ??= XMLHttpRequest;

const SERIALIZERS = {
  json: serializers.JSONSerializer,
  msgpack: serializers.MsgpackSerializer,
  cbor: serializers.CBORSerializer,
};

async function serve(session, { prefix }) {
  const released = steps.deferred();
  const procedures = {
    echo: (args, kwargs) => new autobahn.Result(args, kwargs),
    fail: () => { throw new autobahn.Error(steps.ERROR_URI, steps.ERROR_ARGS, steps.ERROR_KWARGS); },
    count: ([stop], kwargs, details) => {
      for (let number = 0; details.progress && number < stop; number += 1) details.progress([number]);
      return stop;
    },
    slow: () => released.promise,
    release: () => {
      released.resolve("late");
      return true;
    },
  };
  for (const [name, procedure] of Object.entries(procedures)) {
    await session.register(prefix + name, procedure);
  }
  for (const [on, topic] of steps.SUBSCRIPTIONS) {
    const onEvent = (args, kwargs, { topic: published, publication }) =>
      steps.report("event", { on, topic: published ?? null, publication, args: args ?? [], kwargs: kwargs ?? {} });
    await session.subscribe(topic, onEvent, { match: on });
  }
  steps.report("ready");
  await steps.endOfInput();
}

// autobahn-js hands over a bare value unless keywords or several values came back.
function results(value, sentNothing) {
  if (value instanceof autobahn.Result) return { args: value.args, kwargs: value.kwargs };
  return { args: value === null && sentNothing ? [] : [value], kwargs: {} };
}

const drivers = {
  async echo({ session, prefix, payloads }) {
    for (const { name, args, kwargs } of steps.loadPayloads(payloads)) {
      const value = await session.call(prefix + "echo", args, kwargs);
      steps.report("echo", { name, ...results(value, args.length === 0) });
    }
  },
  async error({ session, prefix }) {
    await expectError("error", session, prefix + "fail");
  },
  async missing({ session, prefix }) {
    await expectError("missing", session, prefix + "nobody.registered.this");
  },
  async publish({ session }) {
    const publish = async (topic, args, kwargs, acknowledge) => {
      const acknowledgement = session.publish(topic, args, kwargs, { acknowledge });
      const publication = acknowledge ? (await acknowledgement).id : null;
      steps.report("published", { topic, args: args ?? [], kwargs: kwargs ?? {}, publication });
    };
    for (const topic of steps.TOPICS) await publish(topic, [1, "zwei"], { note: { topic } }, true);
    await publish("interop.topic.exact", ["unacknowledged"], undefined, false);
    await publish("interop.topic.exact", undefined, undefined, false);
  },
  async own_event({ session }) {
    const arrived = steps.deferred();
    const subscription = await session.subscribe("interop.topic.own", (args, kwargs, details) =>
      arrived.resolve({ args, kwargs, publication: details.publication }));
    const publication = await session.publish(
      "interop.topic.own", [5], { five: "5" }, { acknowledge: true, exclude_me: false },
    );
    const event = await arrived.promise;
    await subscription.unsubscribe();
    steps.report("own_event", { args: event.args, kwargs: event.kwargs, same: event.publication === publication.id });
  },
  async own_procedure({ session, prefix }) {
    const registration = await session.register(prefix + "own", ([a, b]) => a + b);
    const value = await session.call(prefix + "own", [2, 3]);
    await registration.unregister();
    await expectError("own_procedure", session, prefix + "own");
    steps.report("own_result", { value });
  },
  async progress({ session, prefix }) {
    const values = [];
    const result = await session
      .call(prefix + "count", [3], {}, { receive_progress: true })
      .then((value) => value, (error) => { throw error; }, (number) => values.push(number));
    steps.report("progress", { values, result });
  },
  async cancel({ session, prefix }) {
    const pending = session.call(prefix + "slow");
    const ended = pending.then((value) => ({ value }), (error) => ({ uri: error.error }));
    // Calls of one caller reach one callee in order: after this answer `slow` has been invoked.
    await session.call(prefix + "echo");
    pending.cancel({ mode: "kill" });
    // A callee that cannot be interrupted answers late: the router has to drop that answer.
    await session.call(prefix + "release");
    const outcome = await ended;
    steps.report("canceled", { canceled: !("value" in outcome), uri: outcome.uri });
    steps.report("after_cancel", { value: await session.call(prefix + "echo", ["still here"]) });
  },
};

async function expectError(step, session, procedure) {
  try {
    steps.report(step, { result: await session.call(procedure) });
  } catch (error) {
    steps.report(step, { uri: error.error, args: error.args ?? [], kwargs: error.kwargs ?? {} });
  }
}

async function drive(session, { prefix, payloads, steps: chosen }) {
  for (const step of steps.ALL_STEPS.filter((name) => chosen.has(name))) {
    await drivers[step]({ session, prefix, payloads });
  }
}

function transport({ url, serializer }) {
  if (url.startsWith("ws")) return { type: "websocket", url };
  if (serializer !== "json") throw new Error("autobahn-js has RawSocket and long-polling with JSON only");
  if (url.startsWith("http")) return { type: "longpoll", url };
  const { hostname, port } = new URL(url.replace("rs://", "http://"));
  return { type: "rawsocket", host: hostname, port: Number(port) };
}

const options = steps.parseCommandLine();
const connection = new autobahn.Connection({
  realm: options.realm,
  transports: [transport(options)],
  serializers: [new SERIALIZERS[options.serializer]()],
  max_retries: 0,
});
connection.onopen = async (session, details) => {
  steps.report("joined", { session: session.id, serializer: options.serializer });
  try {
    await (options.role === "serve" ? serve : drive)(session, options);
  } catch (error) {
    console.error(error);
    process.exitCode = 1;
  }
  connection.close();
};
connection.onclose = (reason, details) => {
  steps.report("left", { reason: details.reason });
  if (reason !== "closed") process.exitCode = 1;
  return true;
};
connection.open();
