"""What the measured clients have in common: command line, payloads, counting, and the report.

Each client script measures one cell and prints one JSON line. What is absent: judging; see
``benches/python/compare``.
"""

import argparse
import json
import os
import statistics
import sys
import time

#: How many unanswered calls there are at a time where they are pipelined.
IN_FLIGHT = 64
#: After how many events the publisher is told how many have come.
ACKNOWLEDGED_EVERY = 512
#: How many events are published between two looks at the clock.
PUBLISHED_AT_ONCE = 64
#: How many calls are made before those that count.
WARM_UP = 200
#: How many clients are there before memory is measured, and how many more until it is again.
CLIENTS_BEFORE, CLIENTS = 5, 100
#: How long any call of a measurement may take, in seconds.
PATIENCE = 60

TEXT = "0123456789abcdef"
RECORD = {
    "symbol": "ACME",
    "name": "A Company that Makes Everything",
    "price": 101.25,
    "volume": 120_000,
    "open": True,
    "note": None,
    "tags": ["industry", "anvils"],
    "bids": [[101.0, 300], [100.75, 1200], [100.5, 40]],
    "venue": {"id": 7, "city": "Zürich"},
}


class Payload:
    """The one positional argument of everything that is sent; each has a number."""

    def __init__(self, kind):
        self.make, self.number = {
            "small": (lambda number: [number, TEXT], lambda value: value[0]),
            "record": (lambda number: {"number": number, **RECORD}, lambda value: value["number"]),
        }[kind]


def arguments(description, **options):
    """The command line: cell, URL, seconds, kind of payload, and options of the client."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("cell")
    parser.add_argument("url")
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--payload", choices=("small", "record"), default="small")
    for name, choices in options.items():
        parser.add_argument(f"--{name}", choices=choices, default=choices[0])
    parsed = parser.parse_args()
    parsed.kind = parsed.payload
    parsed.payload = Payload(parsed.kind)
    return parsed


def check_echo(value, number, payload):
    """End the measurement if an answer is another's."""
    if payload.number(value) != number:
        raise SystemExit(f"call {number} was answered with {value!r}")


class Events:
    """Counts the events of a flood, and sees that none is missing or out of order."""

    def __init__(self, payload, acknowledge):
        self._number = payload.number
        self._acknowledge = acknowledge
        self.count = 0
        self._first = self._last = 0.0
        self.problem = None

    def take(self, value):
        """Count an event."""
        count = self.count
        if self._number(value) != count and self.problem is None:
            self.problem = f"event {self._number(value)} came as number {count}"
        if count == 0:
            self._first = time.perf_counter()
        self.count = count + 1
        if self.count % ACKNOWLEDGED_EVERY == 0:
            self._acknowledge(self.count)
            self._last = time.perf_counter()

    def is_over(self, published):
        """Whether all of them have come, or something went wrong."""
        return self.count >= published or self.problem is not None

    def report(self, published):
        """Print how many came in how many seconds, up to the last that was acknowledged."""
        if self.problem or self.count != published:
            raise SystemExit(self.problem or f"{self.count} of {published} events came")
        counted = self.count - self.count % ACKNOWLEDGED_EVERY
        rate(counted, self._last - self._first)


def rate(count, seconds):
    """Print so many in so many seconds."""
    print(json.dumps({"rate": count / seconds, "count": count, "seconds": seconds}))


def times(seconds):
    """Print what single calls took, in microseconds."""
    cuts = statistics.quantiles(seconds, n=100)
    print(json.dumps({"us": cuts[49] * 1e6, "p99_us": cuts[98] * 1e6, "count": len(seconds)}))


def memory(before, after):
    """Print what one client more takes, in KiB."""
    print(json.dumps({"kib": (after - before) / 1024 / CLIENTS}))


def leave():
    """End the process at once; what a client does on its way out is not measured."""
    sys.stdout.flush()
    os._exit(0)


def resident():
    """How many bytes of memory this process has in use."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
