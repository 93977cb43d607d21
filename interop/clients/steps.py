"""What the Python scripts share: the command line, the payloads, and one JSON line per step.

Every script here, in Python or in Node, takes the same command line and prints the same lines, so
that any of them can serve and any of them can drive. The README beside this folder lists the steps.

Absent on purpose: anything about WAMP. Each script speaks WAMP through its own client library only.
"""

import argparse
import json
import pathlib
import sys
import threading

PAYLOADS = pathlib.Path(__file__).resolve().parent.parent / "payloads.json"
ERROR_URI = "interop.error.failed"
ERROR_ARGS = ["broken", 7]
ERROR_KWARGS = {"retry": False, "why": "zażółć"}
ALL_STEPS = (
    "echo",
    "error",
    "missing",
    "publish",
    "own_event",
    "own_procedure",
    "progress",
    "cancel",
)
# Topics to publish to, and what a serving script with pattern subscriptions subscribes to.
TOPICS = tuple(
    "interop.topic." + end for end in ("exact", "deep.er", "deeper", "wide.er", "unheard")
)
SUBSCRIPTIONS = (
    ("exact", "interop.topic.exact"),
    ("prefix", "interop.topic.deep"),
    ("wildcard", "interop.topic..er"),
)

_print_lock = threading.Lock()


def parse_command_line():
    """Read `serve|drive --url URL ...`; `steps` becomes a set of step names."""
    parser = argparse.ArgumentParser()
    parser.add_argument("role", choices=["serve", "drive"])
    parser.add_argument("--url", required=True)
    parser.add_argument("--realm", default="realm1")
    parser.add_argument("--serializer", default="json", choices=["json", "msgpack", "cbor"])
    parser.add_argument("--batched", action="store_true", help="over a WebSocket with batches")
    parser.add_argument("--prefix", default="interop.", help="what procedure URIs begin with")
    parser.add_argument("--steps", default=",".join(ALL_STEPS), help="what to drive")
    parser.add_argument(
        "--payloads", default="", help="names of the payloads to echo; empty for all"
    )
    arguments = parser.parse_args()
    arguments.steps = set(filter(None, arguments.steps.split(",")))
    arguments.payloads = set(filter(None, arguments.payloads.split(",")))
    return arguments


def from_plain(value):
    """Turn the JSON stand-ins `$bytes` and `$repeat` into the values that they stand for."""
    if isinstance(value, dict):
        if set(value) == {"$bytes"}:
            return bytes.fromhex(value["$bytes"])
        if set(value) == {"$repeat", "times"}:
            return value["$repeat"] * value["times"]
        return {key: from_plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [from_plain(item) for item in value]
    return value


def to_plain(value):
    """Turn what a client library delivered into JSON; bytes become `{"$bytes": hex}`."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        return {"$bytes": bytes(value).hex()}
    if isinstance(value, dict):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_plain(item) for item in value]
    return value


def load_payloads(names):
    """The payloads called `names` (all when empty), as (name, args, kwargs)."""
    with open(str(PAYLOADS), encoding="utf-8") as file:
        payloads = json.load(file)
    return [
        (payload["name"], from_plain(payload["args"]), from_plain(payload["kwargs"]))
        for payload in payloads
        if not names or payload["name"] in names
    ]


def report(step, **fields):
    """Print one step. Flushed at once, because the test waits for lines of a running process."""
    line = json.dumps(dict(fields, step=step), default=to_plain)
    with _print_lock:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


def wait_for_end_of_input():
    """Block until the test closes standard input, which asks a serving script to leave."""
    while sys.stdin.readline():
        pass
