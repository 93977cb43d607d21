// One session over a WebSocket of the npm package `ws`, which compresses with zlib: what was agreed
// upon, and how many bytes a large event took each way.
//
// Speaks WAMP by itself, in JSON, because the client libraries do not show their WebSocket. Prints
// one JSON line.

import { parseArgs } from "node:util";
import { WebSocket } from "ws";

const { values } = parseArgs({
  options: {
    url: { type: "string" },
    // The option of `ws` that says what is offered: true, false or an object.
    offer: { type: "string", default: "true" },
  },
});
const TEXT = "zażółć gęślą jaźń ".repeat(20000);
const SUBSCRIBED = 33, PUBLISHED = 17, EVENT = 36, WELCOME = 2, GOODBYE = 6;

const socket = new WebSocket(values.url, ["wamp.2.json"], {
  perMessageDeflate: JSON.parse(values.offer),
});
const send = (message) => socket.send(JSON.stringify(message));
const bytes = () => [socket._socket.bytesWritten, socket._socket.bytesRead];
const seen = new Set();
let before, event;

const answers = {
  [WELCOME]: () => send([32, 1, {}, "com.example.compressed"]),
  [SUBSCRIBED]: () => {
    before = bytes();
    const options = { acknowledge: true, exclude_me: false };
    send([16, 2, options, "com.example.compressed", [TEXT]]);
  },
  [PUBLISHED]: () => {},
  [EVENT]: (message) => { event = message[4][0]; },
  [GOODBYE]: () => socket.close(),
};

socket.on("open", () => {
  send([1, "realm1", { roles: { publisher: {}, subscriber: {} } }]);
});
socket.on("message", (data, isBinary) => {
  if (isBinary) throw new Error("binary message in a JSON session");
  const message = JSON.parse(data);
  const answer = answers[message[0]];
  if (!answer) throw new Error(`unexpected: ${data}`);
  answer(message);
  seen.add(message[0]);
  if (message[0] !== GOODBYE && seen.has(PUBLISHED) && seen.has(EVENT)) {
    const after = bytes();
    console.log(JSON.stringify({
      extensions: socket.extensions,
      is_same: event === TEXT,
      text_bytes: Buffer.byteLength(TEXT),
      sent_bytes: after[0] - before[0],
      received_bytes: after[1] - before[1],
    }));
    send([GOODBYE, {}, "wamp.close.close_realm"]);
  }
});
