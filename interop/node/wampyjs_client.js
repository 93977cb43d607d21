// wampy.js (the npm package `wampy`) as caller, callee, publisher and subscriber.
//
// WebSocket only, with JSON, MessagePack or CBOR.

import { Wampy } from "wampy";
import { CborSerializer } from "wampy/CborSerializer.js";
import { JsonSerializer } from "wampy/JsonSerializer.js";
import { MsgpackSerializer } from "wampy/MsgpackSerializer.js";
import { WebSocket } from "ws";
import * as steps from "./steps.js";

const SERIALIZERS = { json: JsonSerializer, msgpack: MsgpackSerializer, cbor: CborSerializer };

const payload = (args, kwargs = {}) => ({ argsList: args, argsDict: kwargs });

async function serve(session, { prefix }) {
  const released = steps.deferred();
  const procedures = {
    echo: ({ argsList = [], argsDict = {} }) => payload(argsList, argsDict),
    fail: () => {
      throw { error: steps.ERROR_URI, details: {}, argsList: steps.ERROR_ARGS, argsDict: steps.ERROR_KWARGS };
    },
    count: ({ argsList: [stop], details, result_handler: progress }) => {
      for (let number = 0; details.receive_progress && number < stop; number += 1) {
        progress({ argsList: [number], options: { progress: true } });
      }
      return payload([stop]);
    },
    slow: () => released.promise,
    release: () => released.resolve(payload(["late"])),
  };
  for (const [name, procedure] of Object.entries(procedures)) {
    await session.register(prefix + name, procedure);
  }
  for (const [on, topic] of steps.SUBSCRIPTIONS) {
    const onEvent = ({ details, argsList = [], argsDict = {} }) =>
      steps.report("event", { on, topic: details.topic ?? null, args: argsList, kwargs: argsDict });
    await session.subscribe(topic, onEvent, { match: on });
  }
  steps.report("ready");
  await steps.endOfInput();
}

const drivers = {
  async echo({ session, prefix, payloads }) {
    for (const { name, args, kwargs } of steps.loadPayloads(payloads)) {
      const result = await session.call(prefix + "echo", payload(args, kwargs));
      steps.report("echo", { name, args: result.argsList ?? [], kwargs: result.argsDict ?? {} });
    }
  },
  async error({ session, prefix }) {
    await expectError("error", session, prefix + "fail");
  },
  async missing({ session, prefix }) {
    await expectError("missing", session, prefix + "nobody.registered.this");
  },
  // wampy.js asks for an acknowledgement of every publication.
  async publish({ session }) {
    const publish = async (topic, message, args, kwargs) => {
      const { publicationId } = await session.publish(topic, message);
      steps.report("published", { topic, args, kwargs, publication: publicationId });
    };
    for (const topic of steps.TOPICS) {
      const kwargs = { note: { topic } };
      await publish(topic, payload([1, "zwei"], kwargs), [1, "zwei"], kwargs);
    }
    await publish("interop.topic.exact", ["list"], ["list"], {});
    await publish("interop.topic.exact", undefined, [], {});
  },
  // wampy.js drops `exclude_me: false`, so a second session publishes. Its events do not tell their
  // publication id; that the acknowledgement brought an id is all that `same` can say.
  async own_event({ session }) {
    const arrived = steps.deferred();
    const { subscriptionKey } = await session.subscribe("interop.topic.own", arrived.resolve);
    const publisher = newSession();
    await publisher.connect();
    const { publicationId } = await publisher.publish("interop.topic.own", payload([5], { five: "5" }));
    const event = await arrived.promise;
    await publisher.disconnect();
    await session.unsubscribe(subscriptionKey);
    steps.report("own_event", { args: event.argsList, kwargs: event.argsDict, same: publicationId > 0 });
  },
  async own_procedure({ session, prefix }) {
    await session.register(prefix + "own", ({ argsList: [a, b] }) => payload([a + b]));
    const result = await session.call(prefix + "own", [2, 3]);
    await session.unregister(prefix + "own");
    await expectError("own_procedure", session, prefix + "own");
    steps.report("own_result", { value: result.argsList[0] });
  },
  async progress({ session, prefix }) {
    const values = [];
    const result = await session.call(prefix + "count", [3], {
      progress_callback: ({ argsList }) => values.push(argsList[0]),
    });
    steps.report("progress", { values, result: result.argsList[0] });
  },
  async cancel({ session, prefix }) {
    const pending = session.call(prefix + "slow");
    const ended = pending.then((value) => ({ value }), (error) => ({ uri: error.errorUri }));
    const { reqId } = session.getOpStatus();
    // Calls of one caller reach one callee in order: after this answer `slow` has been invoked.
    await session.call(prefix + "echo");
    session.cancel(reqId, { mode: "kill" });
    // A callee that cannot be interrupted answers late: the router has to drop that answer.
    await session.call(prefix + "release");
    const outcome = await ended;
    steps.report("canceled", { canceled: !("value" in outcome), uri: outcome.uri });
    const alive = await session.call(prefix + "echo", ["still here"]);
    steps.report("after_cancel", { value: alive.argsList[0] });
  },
};

async function expectError(step, session, procedure) {
  try {
    steps.report(step, { result: await session.call(procedure) });
  } catch (error) {
    steps.report(step, { uri: error.errorUri, args: error.argsList ?? [], kwargs: error.argsDict ?? {} });
  }
}

async function drive(session, { prefix, payloads, steps: chosen }) {
  for (const step of steps.ALL_STEPS.filter((name) => chosen.has(name))) {
    await drivers[step]({ session, prefix, payloads });
  }
}

function newSession() {
  return new Wampy(options.url, {
    realm: options.realm,
    ws: WebSocket,
    serializer: new SERIALIZERS[options.serializer](),
    autoReconnect: false,
    uriValidation: "loose",
  });
}

const options = steps.parseCommandLine();
const session = newSession();
await session.connect();
steps.report("joined", { session: session.getSessionId(), serializer: options.serializer });
try {
  await (options.role === "serve" ? serve : drive)(session, options);
} finally {
  await session.disconnect();
}
steps.report("left", { reason: null });
