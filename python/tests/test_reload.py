"""``wampy run --reload``: the apps start anew when their sources or the configuration change."""

import signal
import sys
import time

from running import SERVICE, crossbar

import wampy


def test_reload_starts_anew_when_a_source_changes(command, directory, router, start, until):
    (directory / ".venv").mkdir()
    running = command("date_service:DateService", "--url", router.url, "--reload")
    running.says("offers com.example.version")
    caller = start()
    assert caller.call("com.example.version") == 1
    (directory / ".venv" / "other.py").write_text("")
    (directory / "date_service.py").write_text(SERVICE.replace("return 1", "return 2"))
    running.says("date_service.py changed: starting anew")
    running.says("offers com.example.version", times=2)
    assert caller.call("com.example.version") == 2
    # What cannot be imported waits for the next change.
    (directory / "date_service.py").write_text("class DateService(:")
    running.says("SyntaxError")
    (directory / "date_service.py").write_text(SERVICE.replace("return 1", "return 3"))
    running.says("offers com.example.version", times=3)
    assert caller.call("com.example.version") == 3
    (directory / "further.py").write_text("")
    running.says("further.py changed: starting anew")
    running.says("offers com.example.version", times=4)
    assert ".venv" not in running.text.replace(sys.prefix, "")
    running.tell(signal.SIGINT)
    assert running.ends() == 0
    until(lambda: caller.call("wamp.session.count") == 1)


def test_a_router_stays_while_its_apps_are_reloaded(command, directory, free_port):
    address = f"localhost:{free_port}"
    running = command("date_service:DateService", "--router", "--listen", address, "--reload")
    running.says("offers com.example.version")
    with wampy.Client(url=f"ws://{address}") as caller:
        session = caller.session.id
        (directory / "date_service.py").write_text(SERVICE.replace("return 1", "return 2"))
        running.says("offers com.example.version", times=2)
        assert caller.call("com.example.version") == 2
        assert caller.session.id == session
    running.tell()
    assert running.ends() == 0


def test_a_signal_while_what_is_reloaded_has_failed(command, directory):
    (directory / "date_service.py").write_text("class DateService(:")
    running = command("date_service:DateService", "--reload")
    running.says("SyntaxError")
    time.sleep(0.2)
    running.tell()
    assert running.ends() == 1


OTHER_REALM = '[[realms]]\nname = "realm1"\n[[realms]]\nname = "shop"\n'


def test_reload_starts_anew_when_the_configuration_changes(command, directory):
    with wampy.Router(realms=["realm1", "shop"]) as router:
        config = directory / "wampy.toml"
        config.write_text(f'listen = ["127.0.0.1:{router.port}"]\n[[realms]]\nname = "realm1"\n')
        running = command("date_service:DateService", "--config", "wampy.toml", "--reload")
        running.says("DateService joined realm1")
        # Mistakes change nothing.
        config.write_text('lisen = ["127.0.0.1:1"]\n')
        running.says("the configuration stays as it was: ")
        running.says("wampy.toml:1: lisen: there is no such key")
        with wampy.Client(router=router) as caller:
            assert caller.call("com.example.version") == 1
        config.write_text(f'listen = ["127.0.0.1:{router.port}"]\n[[realms]]\nname = "shop"\n')
        running.says("wampy.toml changed: starting anew")
        running.says("DateService joined shop")
        with wampy.Client(router=router, realm="shop") as caller:
            assert caller.call("com.example.version") == 1
        running.tell()
        assert running.ends() == 0


def test_reload_sees_the_configuration_of_wampy_1_come(command, directory, router):
    with wampy.Router(realm="shop") as another:
        url = f"ws://127.0.0.1:{router.port}"
        source = directory / "date_service.py"
        service = SERVICE.replace(
            "class DateService(wampy.Client):",
            f"class DateService(wampy.Client):\n    def __init__(self, url={url!r}, **more):\n"
            "        super().__init__(url=url, **more)\n",
        )
        source.write_text(service)
        running = command("date_service:DateService", "--reload")
        running.says(f"joined realm1 at {url}")
        (directory / "crossbar").mkdir()
        (directory / "crossbar" / "config.json").write_text(crossbar(another.port, "shop"))
        running.says(f"joined shop at ws://127.0.0.1:{another.port}")


def test_a_router_reads_its_configuration_again(command, directory, free_port):
    config, listen = directory / "wampy.toml", f'listen = ["127.0.0.1:{free_port}"]\n'
    config.write_text(f'{listen}[[realms]]\nname = "realm1"\n')
    arguments = ("--router", "--config", "wampy.toml", "--reload")
    running = command("date_service:DateService", *arguments)
    running.says("offers com.example.version")
    with wampy.Client(url=f"ws://127.0.0.1:{free_port}") as caller:
        session = caller.session.id
        config.write_text("listen = 7\n")
        running.says("the configuration stays as it was: ")
        config.write_text(f"compress = true\n{listen}{OTHER_REALM}")
        running.says("offers com.example.version", times=2)
        assert caller.call("com.example.version") == 1
        assert caller.session.id == session
        with wampy.Client(url=caller.url, realm="shop") as shopper:
            assert shopper.call("wamp.session.count") == 1
        config.write_text(f'{listen}store = "kept"\n{OTHER_REALM}')
        running.says("wampy.toml: what waits for the next start: store")
        running.says("offers com.example.version", times=3)
    running.tell()
    assert running.ends() == 0
