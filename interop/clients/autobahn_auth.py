"""autobahn-python (asyncio) proves who it is, says what came of it, and leaves.

`autobahn_auth.py --url URL --serializer json|msgpack|cbor --authentication JSON`, where the JSON is
what autobahn's `Component` takes: `{"wampcra": {"authid": "joe", "secret": "..."}}`. Prints a line
of JSON: `{"joined": {"authid": ..., "authrole": ..., "authmethod": ...}}` or
`{"refused": REASON, "message": ...}`.
"""

import argparse
import asyncio
import contextlib
import json

import txaio
from autobahn.asyncio.component import Component


async def main(arguments):
    transport = {
        "type": "websocket",
        "url": arguments.url,
        "serializers": [arguments.serializer],
        "max_retries": 0,
    }
    component = Component(
        transports=[transport],
        realm="realm1",
        authentication=json.loads(arguments.authentication),
    )
    outcome = asyncio.get_running_loop().create_future()

    @component.on_join
    async def joined(session, details):
        who = {name: getattr(details, name) for name in ("authid", "authrole", "authmethod")}
        outcome.set_result({"joined": who})
        await session.leave()

    @component.on_leave
    async def left(session, details):
        if not outcome.done():
            outcome.set_result({"refused": details.reason, "message": details.message})

    # What ends a component that was refused is an exception, too; its reason was seen above.
    with contextlib.suppress(Exception):
        await component.start(loop=asyncio.get_running_loop())
    print(json.dumps(await asyncio.wait_for(outcome, 10)), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--serializer", default="json")
    parser.add_argument("--authentication", required=True)
    txaio.start_logging(level="critical")
    asyncio.run(main(parser.parse_args()))
