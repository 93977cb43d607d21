"""The main job, once through: a router, a Python service, and a caller in Python and in Rust.

Starts `wampy router` on a free port, registers the `DateService` of wampy's first readme on it,
and asks for today's date by `client.rpc.get_todays_date()` in Python and by the example
`date_client` in Rust. Run it by `make demo`, which builds what it needs.
"""

import datetime
import os
import re
import subprocess
import sys
from pathlib import Path

from wampy.peers.clients import Client
from wampy.rpc import rpc

TARGET = Path(os.environ.get("CARGO_TARGET_DIR", "target"))
ROUTER = TARGET / "release" / "wampy"
RUST_CLIENT = TARGET / "debug" / "examples" / "date_client"


class DateService(Client):
    """A service that tells you today's date."""

    @rpc
    def get_todays_date(self):
        return datetime.date.today().isoformat()


def listening_url(router):
    """The URL that a starting router prints."""
    for line in router.stdout:
        print(f"  {line.rstrip()}")
        if found := re.search(r"ws://\S+", line):
            return found.group()
    sys.exit("the router ended without listening")


def main():
    print("Starting the router:")
    command = [ROUTER, "router", "--listen", "127.0.0.1:0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as router:
        try:
            url = listening_url(router)
            with DateService(url=url), Client(url=url) as client:
                answer = client.rpc.get_todays_date()
                print(f"Today's date, called from Python: {answer}")
                rust = subprocess.run(
                    [RUST_CLIENT, url], check=True, timeout=30, capture_output=True, text=True
                )
                print(f"Today's date, called from Rust:   {rust.stdout.strip()}")
        finally:
            router.terminate()


if __name__ == "__main__":
    main()
