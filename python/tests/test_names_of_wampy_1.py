"""Every name that wampy 1.1.0 had, where it had it, with the arguments that it took."""

import importlib
import inspect
import re
import subprocess
import sys

import pytest

import wampy
from wampy import constants, errors
from wampy.message_handler import MessageHandler
from wampy.peers.clients import Client

# module: names
NAMES = {
    "wampy": ["configure_logging", "configure_async", "async_name"],
    "wampy.auth": ["compute_wcs"],
    "wampy.backends": ["async_adapter", "get_async_adapter"],
    "wampy.backends.errors": ["WampyTimeOut"],
    "wampy.config.defaults": ["async_name", "heartbeat", "heartbeat_timeout"],
    "wampy.constants": [
        "CROSSBAR_DEFAULT",
        "DEFAULT_HEARTBEAT_SECONDS",
        "DEFAULT_HEARTBEAT_TIMEOUT_SECONDS",
        "DEFAULT_HOST",
        "DEFAULT_PORT",
        "DEFAULT_REALM",
        "DEFAULT_ROLES",
        "DEFAULT_ROUTER_URL",
        "DEFAULT_TIMEOUT",
        "EVENTLET",
        "EVENT_LOOP_BACKENDS",
        "GEVENT",
        "NOT_AUTHORISED",
        "ROLES",
        "SUBSCRIBER",
        "WEBSOCKET_SUBPROTOCOLS",
        "WEBSOCKET_SUCCESS_STATUS",
        "WEBSOCKET_VERSION",
    ],
    "wampy.entrypoints": ["rpc", "subscribe"],
    "wampy.entrypoints.publishing": ["PublishProxy", "subscribe"],
    "wampy.entrypoints.rpc": ["RpcProxy", "register_rpc", "rpc"],
    "wampy.errors": [
        "ConnectionError",
        "IncompleteFrameError",
        "NoFrameReturnedError",
        "NotAuthorisedError",
        "RemoteError",
        "WampProtocolError",
        "WampyError",
        "WampyTimeOutError",
        "WebsocktProtocolError",
        "WelcomeAbortedError",
    ],
    "wampy.interfaces": ["Async", "Transport"],
    "wampy.message_handler": ["MessageHandler"],
    "wampy.mixins": ["ParseUrlMixin"],
    "wampy.peers": ["Client", "WebApplication", "WebClient"],
    "wampy.peers.clients": ["Client", "DefaultClient", "ServiceClient"],
    "wampy.peers.web": ["WebApplication", "WebClient"],
    "wampy.roles.callee": ["CalleeProxy", "callee", "register_rpc", "rpc"],
    "wampy.roles.caller": ["CallProxy", "RpcProxy"],
    "wampy.roles.publisher": ["PublishProxy"],
    "wampy.roles.subscriber": ["TopicSubscriber", "subscribe"],
    "wampy.serializers": ["json_serialize"],
    "wampy.session": ["Session"],
    "wampy.transports": ["SecureWebSocket", "WebSocket"],
    "wampy.transports.websocket": ["SecureWebSocket", "WebSocket"],
    "wampy.transports.websocket.frames": ["Close", "Frame", "FrameFactory", "Ping", "Pong", "Text"],
}


@pytest.mark.parametrize(
    ("module", "name"), [(module, name) for module, names in NAMES.items() for name in names]
)
def test_the_name_is_there(module, name):
    assert getattr(importlib.import_module(module), name) is not None


@pytest.mark.parametrize("module", NAMES)
def test_other_names_are_not(module):
    with pytest.raises(AttributeError, match="no_such_name"):
        importlib.import_module(module).no_such_name


@pytest.mark.parametrize(
    ("module", "name", "parameters"),
    [
        (
            "wampy.peers",
            "Client",
            "url cert_path ipv name realm roles call_timeout message_handler_cls",
        ),
        ("wampy.message_handler", "MessageHandler", "client"),
        (
            "wampy.session",
            "Session",
            "router_url message_handler ipv cert_path call_timeout realm roles client_name",
        ),
        ("wampy.transports", "WebSocket", "server_url ipv"),
        ("wampy.transports", "SecureWebSocket", "server_url certificate_path ipv"),
        ("wampy.errors", "IncompleteFrameError", "required_bytes"),
        ("wampy.auth", "compute_wcs", "key challenge"),
        ("wampy.messages", "Abort", "details uri"),
        ("wampy.messages", "Authenticate", "signature kwargs_dict"),
        ("wampy.messages", "Call", "procedure options args kwargs"),
        ("wampy.messages", "Cancel", "request_id options"),
        ("wampy.messages", "Challenge", "auth_method kwargs_dict"),
        (
            "wampy.messages",
            "Error",
            "request_type request_id details error args_list kwargs_dict",
        ),
        (
            "wampy.messages",
            "Event",
            "subscription_id publication_id details_dict publish_args publish_kwargs",
        ),
        ("wampy.messages", "Goodbye", "details reason"),
        ("wampy.messages", "Hello", "realm details"),
        (
            "wampy.messages",
            "Invocation",
            "request_id registration_id details call_args call_kwargs",
        ),
        ("wampy.messages", "Publish", "topic options args kwargs"),
        ("wampy.messages", "Register", "procedure options"),
        ("wampy.messages", "Registered", "request_id registration_id"),
        ("wampy.messages", "Result", "request_id details_dict yield_args yield_kwargs"),
        ("wampy.messages", "Subscribe", "topic options"),
        ("wampy.messages", "Subscribed", "request_id subscription_id"),
        ("wampy.messages", "Welcome", "session_id details_dict"),
        (
            "wampy.messages",
            "Yield",
            "invocation_request_id options result_args result_kwargs",
        ),
        ("wampy.roles.callee", "CalleeProxy", "procedure_names callback router"),
        ("wampy.roles.subscriber", "TopicSubscriber", "topics callback router"),
        ("wampy.peers", "WebClient", "name host port realm roles"),
    ],
)
def test_its_arguments_come_in_the_same_order(module, name, parameters):
    taken = list(inspect.signature(getattr(importlib.import_module(module), name)).parameters)
    assert taken[: len(parameters.split())] == parameters.split()


def test_the_methods_of_a_message_handler():
    kinds = (
        "abort authenticate challenge close error event goodbye invocation message registered "
        "result subscribed welcome"
    )
    for kind in kinds.split():
        assert callable(getattr(MessageHandler, f"handle_{kind}"))
    assert list(inspect.signature(MessageHandler.process_result).parameters) == [
        "self",
        "message_obj",
        "result",
        "exc",
    ]


def test_what_a_client_has(start):
    of_clients = (
        "url cert_path ipv name realm roles call_timeout message_handler session _session "
        "subscription_map registration_map request_ids is_pinging call rpc publish start stop "
        "send_message recv_message _make_rpc make_rpc _register_roles register_roles"
    )
    of_sessions = (
        "id session_id url realm roles client_name call_timeout message_handler connection "
        "registration_map subscription_map request_ids begin end send_message recv_message "
        "_register_procedure _subscribe_to_topic"
    )
    client = start()
    assert [name for name in of_clients.split() if not hasattr(client, name)] == []
    assert [name for name in of_sessions.split() if not hasattr(client.session, name)] == []


def test_errors_are_still_caught_as_they_were():
    for name in NAMES["wampy.errors"]:
        assert issubclass(getattr(errors, name), errors.WampyError)
    assert issubclass(errors.ConfigurationError, ValueError)
    assert issubclass(errors.ConnectionRefusedError, ConnectionRefusedError)


def test_defaults_have_the_values_they_had():
    assert constants.DEFAULT_TIMEOUT == 10
    assert constants.EVENT_LOOP_BACKENDS == ["eventlet", "gevent"]
    assert (constants.CROSSBAR_DEFAULT, constants.WEBSOCKET_SUBPROTOCOLS) == (
        "ws://localhost:8080",
        "wamp.2.json",
    )


IMPORTS = "; ".join(f"import {module}" for module in NAMES)
QUIET = """
import logging, sys, threading
before = threading.active_count()
{imports}
assert not logging.getLogger().handlers
assert threading.active_count() == before
patched = [name for name in ("gevent", "eventlet") if name in sys.modules]
assert not patched, patched
"""


def test_no_import_has_effects(python):
    process = python(QUIET.format(imports=IMPORTS))
    assert process.wait(20) == 0, process.stderr.read()


def test_configure_logging(python):
    process = python("import wampy; wampy.configure_logging()")
    assert process.wait(20) == 0
    assert process.stderr.read().endswith("INFO:logging configured\n")


@pytest.mark.parametrize("name", ["threads", None])
def test_configure_async_with_threads_does_nothing(name, monkeypatch):
    if name:
        monkeypatch.setattr(wampy, "async_name", name)
    wampy.configure_async()
    assert wampy.async_name == "threads"


@pytest.mark.parametrize(
    ("variable", "value", "complaint"),
    [
        ("WAMPY_ASYNC_NAME", "twisted", "WAMPY_ASYNC_NAME must be one of .*, not 'twisted'"),
        ("WEBSOCKET_HEARTBEAT", "often", "WEBSOCKET_HEARTBEAT must be a number of seconds"),
        ("HEARTBEAT_TIMEOUT_SECONDS", "-1", "HEARTBEAT_TIMEOUT_SECONDS must be a number"),
    ],
)
def test_what_makes_no_sense_in_the_environment_is_named(variable, value, complaint):
    code = "import wampy\nimport wampy.config.defaults"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={variable: value},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert done.returncode == 1
    assert re.search(complaint, done.stderr), done.stderr


def test_the_environment_is_read(python, monkeypatch):
    monkeypatch.setenv("WAMPY_ASYNC_NAME", "gevent")
    monkeypatch.setenv("WEBSOCKET_HEARTBEAT", "1.5")
    code = "import wampy; from wampy.config.defaults import heartbeat as seconds\n"
    process = python(code + "print(wampy.async_name, seconds)")
    assert process.communicate(timeout=20)[0] == "gevent 1.5\n"


def test_a_client_takes_only_one_router_and_one_handler():
    with pytest.raises(errors.ConfigurationError, match="not both"):
        Client(message_handler=MessageHandler(), message_handler_cls=MessageHandler)
    with pytest.raises(errors.ConfigurationError, match="is no wampy"):
        Client(message_handler="handler")
