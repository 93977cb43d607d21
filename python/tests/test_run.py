"""``wampy run``: apps from the command line, as somebody starts them in the directory of an app."""

import signal
import subprocess
import sys
import threading

import pytest
from running import crossbar

import wampy
from wampy import errors


def test_several_apps_run_in_one_process(command, router, start, seen):
    running = command("date_service:DateService", "date_service:Greeter", "--url", router.url)
    running.says("date_service:Greeter listens to com.example.news")
    running.says("date_service:DateService offers com.example.version")
    running.says(f"date_service:DateService joined realm1 at {router.url}")
    caller = start()
    caller.subscribe("com.example.heard", seen.add)
    assert caller.call("com.example.version") == 1
    assert caller.call("com.example.greet", "Ada") == "hello, Ada"
    caller.publish("com.example.news", "tea")
    assert seen.take(1) == ["tea"]
    assert caller.call("wamp.session.count") == 3


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_handlers_finish(command, router, start, seen, until, number):
    running = command("date_service:DateService", "--url", router.url)
    running.says("offers com.example.slow")
    caller, answers = start(), []
    caller.subscribe("com.example.entered", lambda: seen.add("entered"))
    calling = threading.Thread(target=lambda: answers.append(caller.call("com.example.slow", 1)))
    calling.start()
    seen.take(1)
    running.tell(number)
    running.says(f"{signal.Signals(number).name}: stopping")
    until(lambda: caller.call("wamp.registration.lookup", "com.example.version") is None)
    calling.join(20)
    assert answers == ["done"]
    assert running.ends() == 0
    assert caller.call("wamp.session.count") == 1


def test_handlers_have_a_limit(command, router, start, seen):
    running = command("date_service:DateService", "--url", router.url, "--grace", "0.2")
    running.says("offers com.example.slow")
    caller = start()
    caller.subscribe("com.example.entered", lambda: seen.add("entered"))
    failures = []

    def ask():
        with pytest.raises(errors.Error) as caught:
            caller.call("com.example.slow", 15)
        failures.append(caught.value)

    calling = threading.Thread(target=ask)
    calling.start()
    seen.take(1)
    running.tell()
    running.says("1 handlers have not finished within 0.2 seconds")
    assert running.ends(10) == 0
    calling.join(10)
    assert len(failures) == 1


def test_a_second_signal_ends_it_at_once(command, router, start, seen):
    running = command("date_service:DateService", "--url", router.url, "--grace", "60")
    running.says("offers com.example.slow")
    caller = start()
    caller.subscribe("com.example.entered", lambda: seen.add("entered"))

    def ask():
        with pytest.raises(errors.Error):
            caller.call("com.example.slow", 15)

    threading.Thread(target=ask).start()
    seen.take(1)
    running.tell(signal.SIGINT)
    running.says("SIGINT: stopping")
    running.tell(signal.SIGINT)
    assert running.ends(10) == 130


@pytest.mark.parametrize("file", ["wampy.toml", "node.json"])
def test_a_router_in_the_same_process(command, directory, file):
    (directory / "wampy.toml").write_text('listen = ["localhost:0"]\n\n[[realms]]\nname = "shop"\n')
    (directory / "node.json").write_text(crossbar(0, realm="shop"))
    running = command("date_service:DateService", "--router", "--config", file)
    running.says("offers com.example.version")
    line = next(line for line in running.text.splitlines() if "listens at" in line)
    url = line.split("listens at ")[1].split(",")[0]
    with wampy.Client(url=url, realm="shop") as caller:
        assert caller.call("com.example.version") == 1
    running.tell()
    assert running.ends() == 0


def test_a_router_that_listens_where_it_is_told(command, free_port):
    running = command("date_service:DateService", "--router", "--listen", f"localhost:{free_port}")
    running.says("offers com.example.version")
    with wampy.Client(url=f"ws://localhost:{free_port}") as caller:
        assert caller.call("com.example.version") == 1


def test_the_place_of_the_router_by_its_configuration(command, directory, router, start):
    (directory / "wampy.toml").write_text(
        f'listen = ["127.0.0.1:{router.port}"]\n[[realms]]\nname = "realm1"\n'
    )
    (directory / "node.json").write_text(crossbar(router.port))
    (directory / "node.yaml").write_text(crossbar(router.port))
    (directory / "crossbar").mkdir()
    (directory / "crossbar" / "config.json").write_text(crossbar(router.port))
    for arguments in (
        ["--config", "wampy.toml"],
        ["--config", "node.json"],
        ["--config", "node.yaml"],
        [],
    ):
        running = command("date_service:DateService", *arguments)
        running.says("offers com.example.version")
        running.says(f"router is at ws://127.0.0.1:{router.port}")
        assert start().call("com.example.version") == 1
        running.tell()
        assert running.ends() == 0


@pytest.mark.parametrize(
    ("transport", "url"),
    [
        ({}, "ws://127.0.0.1:8080"),
        ({"type": "rawsocket"}, "rs://127.0.0.1:8080"),
        ({"endpoint": {"type": "tcp", "port": 9, "tls": {"key": "k"}}}, "wss://localhost:9"),
        ({"endpoint": {"type": "unix", "path": "/run/x.sock"}}, "unix:///run/x.sock"),
        ({"type": "web", "paths": {"/": {"type": "static"}, "ws": {"type": "websocket"}}},
         "ws://127.0.0.1:8080/ws"),
        ({"endpoint": {"type": "tcp", "port": 9, "interface": "::"}}, "ws://[::1]:9"),
    ],
)  # fmt: skip
def test_transports_of_crossbar(tmp_path, transport, url):
    from wampy.cli.config import place_in

    (tmp_path / "config.json").write_text(crossbar(8080, **transport))
    assert place_in(str(tmp_path / "config.json")) == (url, "realm1")


def test_apps_stay_while_their_router_is_away(command, free_port, until):
    first = wampy.Router(port=free_port).start()
    running = command("date_service:DateService", "--url", f"ws://localhost:{free_port}")
    running.says("offers com.example.version")
    first.stop()
    running.says("DateService has lost its connection")
    with wampy.Router(port=free_port) as second, wampy.Client(router=second) as caller:
        running.says("DateService is back")
        assert caller.call("com.example.version") == 1
        running.tell()
        assert running.ends() == 0


def test_a_signal_while_the_router_is_away(command, free_port):
    with wampy.Router(port=free_port):
        running = command("date_service:DateService", "--url", f"ws://localhost:{free_port}")
        running.says("offers com.example.version")
    running.says("has lost its connection")
    running.tell()
    assert running.ends(10) == 0


def test_an_app_that_the_router_refuses_after_its_restart(command, free_port):
    with wampy.Router(port=free_port):
        running = command("date_service:DateService", "--url", f"ws://localhost:{free_port}")
        running.says("offers com.example.version")
    with wampy.Router(port=free_port, realm="another"):
        assert running.ends() == 3
    assert "wampy run: DateService has lost its session" in running.text
    assert "no_such_realm" in running.text


def test_an_app_may_wait_for_its_router(command, free_port):
    running = command("date_service:Greeter", "--url", f"ws://localhost:{free_port}", "--wait")
    running.says("date_service:Greeter waits for its router")
    with wampy.Router(port=free_port) as router:
        running.says("offers com.example.greet")
        with wampy.Client(router=router) as caller:
            assert caller.call("com.example.greet", "Bo") == "hello, Bo"
        running.tell()
        assert running.ends() == 0


def test_a_signal_while_an_app_waits(command, free_port):
    running = command("date_service:Greeter", "--url", f"ws://localhost:{free_port}", "--wait")
    running.says("waits for its router")
    running.tell(signal.SIGINT)
    assert running.ends(10) == 130


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["date_service"], 2, "'date_service' is no app: it is written module:Class"),
        (["nothing:Here"], 2, "there is no module nothing; looked in"),
        (["date_service.sub:Here"], 2, "there is no module date_service.sub"),
        (["date_service:Wrong"], 2, "no class Wrong; it has DateService, Greeter, Picky, Failing"),
        (["date_service:NoClient"], 2, "date_service:NoClient is no subclass of wampy.Client"),
        (["date_service:Failing"], 1, "RuntimeError: on purpose"),
        (["broken:App"], 1, "ModuleNotFoundError: No module named 'missing_dependency'"),
        (["syntax:App"], 1, "SyntaxError"),
        ([".relative:App"], 2, "'.relative' is no name of a module"),
        (["date_service:Greeter", "--url", "http//x"], 2, "http//x"),
        (["date_service:Greeter", "--config", "nothing.toml"], 2, "there is no file nothing.toml"),
        (
            ["date_service:Greeter", "--config", "date_service.py"],
            2,
            "date_service.py is no configuration",
        ),
        (["date_service:Greeter", "--url", "ws://x", "--router"], 2, "--url says where"),
        (["date_service:Greeter", "--listen", "localhost:1"], 2, "--listen goes with --router"),
        (["date_service:Greeter", "--router", "--listen", "8080"], 2, "HOST:PORT, not '8080'"),
        (["date_service:Greeter", "--grace", "-1"], 2, "no number of seconds"),
        (["date_service:Greeter", "--grace", "soon"], 2, "soon is no number of seconds"),
        (["./date_service.py:Greeter"], 2, "is a file; a module is written date_service"),
        ([], 2, "the following arguments are required: APP"),
    ],
)
def test_what_makes_no_sense_is_said(command, directory, arguments, code, words):
    (directory / "broken.py").write_text("import missing_dependency")
    (directory / "syntax.py").write_text("class App(:")
    running = command(*arguments)
    assert running.ends() == code, running.text
    assert words in running.text


def test_a_class_that_takes_no_url(command, router):
    running = command("date_service:Picky", "--url", router.url)
    assert running.ends() == 2
    assert "date_service:Picky cannot be made with url" in running.text


def test_no_router(command, free_port):
    running = command("date_service:DateService", "--url", f"ws://localhost:{free_port}")
    assert running.ends() == 3
    assert "wampy run: date_service:DateService cannot start" in running.text
    assert "Traceback" not in running.text


def test_an_app_that_cannot_register(command, router, start):
    holder = start()
    holder.register(print, "com.example.greet")
    running = command("date_service:DateService", "date_service:Greeter", "--url", router.url)
    assert running.ends() == 1
    assert "date_service:Greeter cannot start: com.example.greet" in running.text
    assert "procedure_already_exists" in running.text
    # The other app has left again.
    assert holder.call("wamp.session.count") == 1


def test_an_occupied_port(command, router):
    address = f"localhost:{router.port}"
    running = command("date_service:DateService", "--router", "--listen", address)
    assert running.ends() == 3
    assert str(router.port) in running.text


@pytest.mark.parametrize("arguments", [["--help"], ["help"]])
def test_the_command_is_listed(arguments):
    listed = subprocess.run(
        [sys.executable, "-m", "wampy", *arguments], capture_output=True, text=True, check=True
    )
    assert "  run " in listed.stdout


@pytest.mark.parametrize("arguments", [["run", "--help"], ["help", "run"]])
def test_the_help_says_exit_codes(arguments):
    told = subprocess.run(
        [sys.executable, "-m", "wampy", *arguments], capture_output=True, text=True, check=True
    )
    assert "module:Class" in told.stdout
    assert "exit codes:" in told.stdout


def test_the_stand_alone_command_says_who_can_run_apps(capfd):
    from wampy import _wampy

    assert _wampy.main(["wampy", "run", "date_service:DateService", "--reload"]) == 2
    assert "needs the Python package" in capfd.readouterr().err
