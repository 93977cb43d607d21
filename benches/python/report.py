"""The page of the comparison of Python clients.

What is absent: measuring; see `compare`.
"""

import statistics

import machine

#: What each cell is, the key of its result, its unit, and whether less is better.
CELLS = {
    "round-trip": ("Round trip of a call, one at a time", "us", "µs", True),
    "calls": ("Calls, 64 at a time from tasks", "rate", "calls/s", False),
    "events": ("Events received", "rate", "events/s", False),
    "publish": ("Events published, unacknowledged", "rate", "events/s", False),
    "callee": ("Calls answered by a Python procedure, 64 at a time", "rate", "calls/s", False),
    "memory": ("Memory of one more client in a process", "kib", "KiB", True),
}

#: Cell, payload, ours, the other, and the ratio that is to be reached.
TARGETS = (
    ("calls", "small", "wampy.aio", "autobahn", ">=", 5.0),
    ("calls", "record", "wampy.aio", "autobahn", ">=", 5.0),
    ("events", "small", "wampy", "autobahn", ">=", 3.0),
    ("events", "small", "wampy.aio", "autobahn", ">=", 3.0),
    ("events", "record", "wampy", "autobahn", ">=", 3.0),
    ("events", "record", "wampy.aio", "autobahn", ">=", 3.0),
    ("round-trip", "small", "wampy", "wampy 1.1.0", "<=", 0.5),
)

#: The most that ``import wampy`` may take, in milliseconds.
IMPORT_MS_MAX = 30

HOW = """\
## How it is measured

Every client runs in a process of its own, over one router (`wampy router --lenient`), on loopback.
At the other end is one program in Rust (`benches/python/peer`) that echoes, floods, counts and
calls; it and the router are the same for all. Each cell is measured once in each round, the clients
by turns; shown is the median of the rounds, with the smallest and the largest in brackets, and
ratios are those of two cells of one round.

**The payload** is one positional argument. `small` is a list of a number and 16 letters, `record` a
map of ten entries with lists and a map in it. Every answer and every event is checked for its
number, so that nothing is lost, doubled or out of order.

**Events** come as fast as the client takes them: it tells the publisher every 512 of them how
many it has had, and no more than 4096 are on their way, so that no queue loses any. The time is
that from the first event to the last. **Publishing** ends when the other end has had all.

**Each at its fastest:** before the rounds each client is tried over WebSocket and over RawSocket,
autobahn with each of its serializers (MessagePack by msgpack and CBOR by cbor2, both in C; its JSON
is the standard library's, because this version does not work with ujson) and with its native
extensions, and the asyncio clients on asyncio's own loop and on uvloop. The fastest of these at
calls is what its cells of calls are measured with, the fastest at events what those of events are.
wampy 1.1.0 has only JSON over WebSocket.

**Import times** are those within a running interpreter, after the bytecode has been written.
**Memory** is what the resident set grows by with each of 100 further joined clients in one
process.
"""


def page(rounds, fastest, imports, versions, arguments):
    """The whole page."""
    parts = [
        "# Benchmarks of Python clients\n",
        "`make bench-python` runs this and rewrites this page; [benchmarks.md](benchmarks.md)"
        "\nhas the routers.\n",
        "## Targets\n",
        *targets(rounds, imports),
        HOW,
        "## The clients\n",
        *clients(fastest, versions),
        "## Results\n",
        *results(rounds),
        "## Import time\n",
        *import_table(imports),
        "## Machine\n",
        machine.description(),
        f"{arguments.rounds} rounds of {arguments.seconds:g} s for each cell.\n",
    ]
    return "\n".join(parts)


def targets(rounds, imports):
    """What was aimed at, and what was found."""
    yield "| target | payload | met | found |\n| --- | --- | --- | ---: |"
    for cell, payload, ours, theirs, how, bound in TARGETS:
        found = ratios(rounds, (cell, payload), ours, theirs)
        if not found:
            continue
        middle = statistics.median(found)
        met = middle >= bound if how == ">=" else middle <= bound
        sign = "≥" if how == ">=" else "≤"
        what, _, unit, _ = CELLS[cell]
        name = f"{what} ({unit}): {ours} {sign} {bound:g} × {theirs}"
        yield f"| {name} | {payload} | {verdict(met)} | {spread(found, 2)} |"
    taken = imports.get("wampy", {}).get("import wampy")
    if taken:
        met = statistics.median(taken) < IMPORT_MS_MAX
        name = f"`import wampy` < {IMPORT_MS_MAX} ms"
        yield f"| {name} | | {verdict(met)} | {spread(taken, 1)} |"
    yield ""


def verdict(met):
    """Whether a target is met, in words."""
    return "met" if met else "**not met**"


def ratios(rounds, cell, ours, theirs):
    """Ours over theirs, round by round."""
    key = CELLS[cell[0]][1]
    both = (one.get(cell, {}) for one in rounds)
    return [one[ours][key] / one[theirs][key] for one in both if ours in one and theirs in one]


def spread(values, digits):
    """The median, and the extremes in brackets."""
    shown = [f"{value:,.{digits}f}" for value in (statistics.median(values), *ends(values))]
    return f"**{shown[0]}** ({shown[1]}–{shown[2]})"


def ends(values):
    """The smallest and the largest."""
    return min(values), max(values)


def clients(fastest, versions):
    """Which clients there are, and how each is run."""
    yield "| client | version | Python | calls over | events over |"
    yield "| --- | --- | --- | --- | --- |"
    for name, (version, python) in versions.items():
        ways = fastest[name]
        yield f"| {name} | {version} | {python} | {ways['calls']} | {ways['events']} |"
    yield ""


def results(rounds):
    """One table for each cell."""
    for cell, payload in rounds[0] if rounds else ():
        what, key, unit, less_is_better = CELLS[cell]
        yield f"### {what}, {payload} payload\n"
        yield f"| client | {unit} | over autobahn | over wampy 1.1.0 |"
        yield "| --- | ---: | ---: | ---: |"
        for name in rounds[0][cell, payload]:
            values = [one[cell, payload][name][key] for one in rounds]
            digits = 0 if statistics.median(values) >= 100 else 1
            over = [ratios(rounds, (cell, payload), name, of) for of in ("autobahn", "wampy 1.1.0")]
            shown = [f"{statistics.median(one):.2f} ×" if one else "" for one in over]
            yield f"| {name} | {spread(values, digits)} | {' | '.join(shown)} |"
        yield f"\n{'Less' if less_is_better else 'More'} is better.\n"


def import_table(imports):
    """What imports take."""
    yield "| client | import | ms |\n| --- | --- | ---: |"
    for name, taken in imports.items():
        for statement, values in taken.items():
            yield f"| {name} | `{statement}` | {spread(values, 1)} |"
    yield ""
