"""``wampy run``: the arguments, and what is started by them in which order.

What is absent: the apps' own life, see ``wampy.cli.apps``, and starting anew, see
``wampy.cli.reload``.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from wampy import errors
from wampy.cli import apps, exits
from wampy.constants import DEFAULT_PORT

if TYPE_CHECKING:
    from wampy.router import Router

__all__ = ["main"]

logger: logging.Logger = logging.getLogger("wampy.run")

#: Where wampy 1 looked for the configuration of its Crossbar.io.
CROSSBAR_CONFIG_DEFAULT = os.path.join("crossbar", "config.json")
#: The environment variable that stands for ``--url``, as for the other commands.
URL_VARIABLE = "WAMPY_URL"
#: How long handlers may go on when the apps are told to stop, in seconds.
GRACE = 10.0

_LEVELS = ("debug", "info", "warning", "error")
_EPILOG = """\
Each APP is a class of a module, which is imported from the current directory or from wherever
Python finds it: a subclass of wampy.Client, or anything like wampy.peers.Client.

Ctrl-C and SIGTERM take the apps' procedures and topics back and let handlers finish; a second
signal ends the command at once.

Without --url, --config and --router the apps connect to where their classes say, which by default
is ws://localhost:8080; or, if there is a file crossbar/config.json, to the router described there.

examples:
  wampy run date_service:DateService
  wampy run shop.stock:Stock shop.orders:Orders --url wss://wamp.example.com --realm shop
  wampy run date_service:DateService --router --reload

exit codes:
  0    a signal has ended it
  1    an app failed: it cannot be imported, or may not offer or listen to what it wants to
  2    the arguments make no sense: no such module, class or file
  3    no connection or session could be had, or one was lost for good
  4    time ran out
  130  interrupted before the apps had started, or twice
"""


def main(argv: Sequence[str]) -> int:
    """Run ``wampy run`` with ``argv``, what stands behind ``run``; returns the exit code."""
    arguments = _parser().parse_args(argv)
    logging.basicConfig(
        level=arguments.log.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    # The console script is not started from the directory of the apps.
    sys.path.insert(0, os.getcwd())
    router: Router | None = None
    try:
        router = _router(arguments)
        if router is not None:
            router.start()
            logger.info("the router listens at %s, realms %s", router.url, ", ".join(router.realms))
        if arguments.reload:
            return _run_anew(arguments, router)
        url, realm = _place(arguments, router)
        return apps.run(arguments.apps, url, realm, arguments.wait, arguments.grace)
    except exits.Failure as failure:
        return failure.tell()
    except errors.WampyError as error:
        return exits.Failure.of(error).tell()
    except KeyboardInterrupt:
        return exits.INTERRUPTED
    finally:
        if router is not None:
            router.stop()


def _run_anew(arguments: argparse.Namespace, router: Router | None) -> int:
    """Run the apps in a process of their own, anew after each change."""
    from wampy.cli import reload

    config = _config(arguments)

    def reconfigure() -> None:
        if router is not None:
            waiting = router.reload()
            if waiting:
                logger.warning("%s: what waits for the next start: %s", config, ", ".join(waiting))

    return reload.supervise(
        lambda: _child_arguments(arguments, *_place(arguments, router)),
        arguments.grace,
        config,
        reconfigure,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="wampy run",
        description="Run WAMP apps written in Python, all in one process.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("apps", nargs="+", metavar="APP", help="what to run: module:Class")
    where = parser.add_argument_group("where the router is")
    where.add_argument(
        "--url", help=f"its URL: ws://, wss://, rs://, rss://, unix:// [env: {URL_VARIABLE}]"
    )
    where.add_argument(
        "--config",
        metavar="FILE",
        help="the file that it is configured by, for its URL and realm: "
        "of `wampy router` (.toml) or a node of Crossbar.io (.json, .yaml)",
    )
    where.add_argument(
        "--router",
        action="store_true",
        help="in this process: start it, as FILE says if there is --config",
    )
    where.add_argument(
        "--listen",
        metavar="HOST:PORT",
        help=f"where to listen, with --router (default localhost:{DEFAULT_PORT})",
    )
    where.add_argument("--realm", metavar="NAME", help="the realm to join")
    parser.add_argument(
        "--wait", action="store_true", help="wait for a router that is not there yet"
    )
    parser.add_argument(
        "--reload",
        action="store_true",
        help="start the apps anew whenever a source file below the current directory "
        "or the file of --config changes",
    )
    parser.add_argument(
        "--grace",
        type=_seconds,
        default=GRACE,
        metavar="SECONDS",
        help=f"how long handlers may go on when the apps stop (default {GRACE:g})",
    )
    parser.add_argument(
        "--log", choices=_LEVELS, default="info", help="what to log to standard error"
    )
    return parser


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1
    if not 0 <= seconds <= 24 * 3600:
        raise argparse.ArgumentTypeError(f"{text} is no number of seconds up to a day")
    return seconds


def _router(arguments: argparse.Namespace) -> Router | None:
    """The router to start, if one is asked for."""
    from wampy.router import Router

    if arguments.url is not None and (arguments.config is not None or arguments.router):
        raise exits.Failure(
            exits.USAGE, "--url says where the router is, --config and --router too"
        )
    if arguments.listen is not None and (not arguments.router or arguments.config is not None):
        raise exits.Failure(exits.USAGE, "--listen goes with --router, and not with --config")
    if not arguments.router:
        return None
    if arguments.config is not None:
        from wampy.cli.config import router_by

        return router_by(arguments.config)
    host, port = _address(arguments.listen or f"localhost:{DEFAULT_PORT}")
    realm = {} if arguments.realm is None else {"realm": arguments.realm}
    return Router(host=host, port=port, **realm)


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not host or not port.isdecimal() or int(port) > 65535:
        raise exits.Failure(exits.USAGE, f"--listen takes HOST:PORT, not {text!r}")
    return host, int(port)


def _place(arguments: argparse.Namespace, router: Router | None) -> tuple[str | None, str | None]:
    """The URL and the realm of the router, as far as the arguments say so."""
    if router is not None:
        return router.url, arguments.realm or router.realm
    config = _config(arguments)
    if config is None or (arguments.config is None and not os.path.exists(config)):
        return _url(arguments), arguments.realm
    from wampy.cli.config import place_in

    url, realm = place_in(config)
    logger.info("by %s the router is at %s", config, url)
    return url, arguments.realm or realm


def _url(arguments: argparse.Namespace) -> str | None:
    """The URL that was given with the command."""
    given: str | None = arguments.url
    return given or os.environ.get(URL_VARIABLE)


def _config(arguments: argparse.Namespace) -> str | None:
    """The configuration file that counts; the one of wampy 1 may be missing."""
    given: str | None = arguments.config
    if given is not None or arguments.router or _url(arguments) is not None:
        return given
    return CROSSBAR_CONFIG_DEFAULT


def _child_arguments(
    arguments: argparse.Namespace, url: str | None, realm: str | None
) -> list[str]:
    """The arguments of the process that runs the apps until they change."""
    given = [*arguments.apps, "--grace", str(arguments.grace), "--log", arguments.log]
    if url is not None:
        given += ["--url", url]
    if realm is not None:
        given += ["--realm", realm]
    return [*given, "--wait"] if arguments.wait else given
