"""``client.proxy``: methods of an interface that call, and what type checkers say of it."""

from __future__ import annotations

import abc
import dataclasses
import datetime
import inspect
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Generator, Iterator
from typing import NamedTuple, Protocol

import pytest

import wampy
from wampy import errors
from wampy.peers import Client
from wampy.roles.callee import callee


@dataclasses.dataclass
class Report:
    city: str
    day: datetime.date
    degrees: float


class Span(NamedTuple):
    low: float
    high: float


class Weather(Protocol):
    """What the service offers."""

    def report(self, city: str, day: datetime.date, *, rounded: bool = False) -> Report:
        """The report of a city for a day."""
        ...

    def cities(self) -> list[str]: ...

    def span(self, city: str) -> Span: ...

    def week(self, city: str, days: int = 3) -> Iterator[Report]: ...

    def count(self, to: int) -> Generator[int, None, str]: ...

    def wrong(self) -> Report: ...

    def plain(self, value, more=...): ...

    @callee(name="org.else.where")
    def elsewhere(self) -> str: ...


class Service(Client):
    closed = 0

    @callee(name="com.weather.report")
    def report(self, city: str, day: datetime.date, *, rounded: bool = False) -> Report:
        return Report(city, day, 21.0 if rounded else 21.4)

    @callee(name="com.weather.cities")
    def cities(self):
        return ["Ulm", "Bonn"]

    @callee(name="com.weather.span")
    def span(self, city):
        return wampy.Result(1, 2.5)

    @callee(name="com.weather.week")
    def week(self, city: str, days: int = 28):
        try:
            for number in range(days):
                yield Report(city, datetime.date(2026, 1, 1 + number), number)
        finally:
            self.closed += 1

    @callee(name="com.weather.count")
    def count(self, to):
        yield from range(to)
        return "done"

    @callee(name="com.weather.wrong")
    def wrong(self):
        return {"city": "Ulm", "day": 3, "degrees": 1}

    @callee(name="com.weather.plain")
    def plain(self, value):
        return [value]

    @callee(name="org.else.where", details=True)
    def elsewhere(self, details):
        return "known" if "caller" in details else "unknown"


@pytest.fixture
def weather(start):
    start(Service)
    return start().proxy(Weather, prefix="com.weather.")


def test_methods_call_and_results_have_their_types(weather):
    day = datetime.date(2026, 5, 14)
    assert weather.report("Ulm", day) == Report("Ulm", day, 21.4)
    assert weather.report(city="Ulm", day=day, rounded=True) == Report("Ulm", day, 21.0)
    assert weather.cities() == ["Ulm", "Bonn"]
    assert weather.span("Ulm") == Span(1.0, 2.5)
    assert weather.plain({"a": 1}) == [{"a": 1}]


def test_a_decorator_names_the_procedure_and_options_go_along(start, weather):
    assert weather.elsewhere() == "unknown"
    disclosed = start().with_options(disclose_me=True).proxy(Weather, prefix="com.weather.")
    assert disclosed.elsewhere() == "known"


def test_results_in_parts(weather):
    assert [report.degrees for report in weather.week("Ulm")] == [0.0, 1.0, 2.0]
    counting = weather.count(2)
    assert [next(counting), next(counting)] == [0, 1]
    with pytest.raises(StopIteration) as end:
        next(counting)
    assert end.value.value == "done"


def test_leaving_the_parts_early_cancels_the_call(start, until):
    service = start(Service)
    weather = start().proxy(Weather, prefix="com.weather.")
    reports = weather.week("Ulm", 28)
    assert next(reports).degrees == 0.0
    reports.close()
    until(lambda: service.closed == 1)


@pytest.mark.parametrize(
    ("args", "kwargs", "problem"),
    [
        ((), {}, "Weather.report: missing a required argument: 'city'"),
        (("Ulm", 1, 2), {}, "Weather.report: too many positional arguments"),
        (("Ulm", 1), {"round": 2}, "got an unexpected keyword argument 'round'"),
    ],
)
def test_arguments_are_checked_before_anything_is_sent(make, args, kwargs, problem):
    client = make()
    with pytest.raises(TypeError, match=problem):
        client.proxy(Weather).report(*args, **kwargs)
    assert client.session is None


def test_a_result_of_another_type_says_where(weather):
    with pytest.raises(errors.ConversionError) as caught:
        weather.wrong()
    assert str(caught.value) == (
        'com.weather.wrong: result["day"]: expected date (RFC 3339), not int 3'
    )
    assert caught.value.procedure == "com.weather.wrong"


def test_errors_of_the_callee_come_through(weather):
    with pytest.raises(errors.InvalidArgumentError, match="argument day: expected date"):
        weather.report("Ulm", "yesterday")


def test_a_proxy_reads_like_its_interface(weather):
    assert repr(weather) == "<Weather at com.weather.>"
    assert weather.report.__doc__ == "The report of a city for a day."
    assert list(inspect.signature(weather.report).parameters) == ["city", "day", "rounded"]


class Abstract(abc.ABC):
    @abc.abstractmethod
    def cities(self) -> list[str]: ...

    def first(self) -> str:
        return self.cities()[0]


def test_an_abstract_class_keeps_what_it_does_itself(start):
    start(Service)
    proxy = start().proxy(Abstract, prefix="com.weather.")
    assert isinstance(proxy, Abstract)
    assert proxy.first() == "Ulm"


class WithAttribute(Protocol):
    unit: str

    def cities(self) -> list[str]: ...


class WithProperty(Protocol):
    @property
    def unit(self) -> str: ...


class Awaited(Protocol):
    async def cities(self) -> list[str]: ...


class AwaitedParts(Protocol):
    def week(self) -> AsyncIterator[Report]: ...


@pytest.mark.parametrize(
    ("interface", "problem"),
    [
        (Service("ws://localhost"), "a class"),
        (Report, "no interface"),
        (int, "no interface"),
        (WithAttribute, "WithAttribute.unit is no method"),
        (WithProperty, "WithProperty.unit is no method"),
        (Awaited, "Awaited.cities is `async`"),
        (AwaitedParts, "AwaitedParts.week is `async`"),
    ],
)
def test_what_is_no_interface_is_refused(make, interface, problem):
    with pytest.raises(errors.ConfigurationError, match=problem):
        make().proxy(interface)


def test_a_prefix_is_text(make):
    with pytest.raises(errors.ConfigurationError, match="prefix"):
        make().proxy(Weather, prefix=3)


PROGRAM = """
import datetime
from collections.abc import Iterator
from typing import Protocol

import wampy

class Weather(Protocol):
    def degrees(self, city: str, day: datetime.date) -> float: ...
    def week(self, city: str) -> Iterator[float]: ...

client = wampy.Client()
weather = client.proxy(Weather, prefix="com.weather.")
reveal_type(weather)
reveal_type(client.with_options(timeout=3).proxy(Weather))
reveal_type(weather.degrees("Ulm", datetime.date.today()))
reveal_type(wampy.convert(client.call("x"), datetime.date))
weather.degrees(3)
for degree in weather.week("Ulm"):
    degree.upper()

@wampy.define("com.x")
class Problem(Exception):
    code: int

reveal_type(Problem().code)
"""


@pytest.mark.skipif("WAMPY_ONLY_THE_WHEEL" in os.environ, reason="needs type checkers")
@pytest.mark.parametrize("checker", ["mypy", "pyright"])
def test_type_checkers_know_the_interface(tmp_path, checker):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM, encoding="utf-8")
    options = ["--strict", "--no-incremental"] if checker == "mypy" else None
    options = options or ["--pythonpath", sys.executable]
    done = subprocess.run(
        [sys.executable, "-m", checker, *options, str(program)],
        check=False,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=300,
    )
    shown = done.stdout.replace('"', "'")
    told = [line for line in shown.splitlines() if "program.py:" in line]
    lines = PROGRAM.splitlines()

    def about(text):
        number = lines.index(next(line for line in lines if text in line)) + 1
        return [line for line in told if f"program.py:{number}:" in line]

    for line in ("reveal_type(weather)", "with_options(timeout=3).proxy"):
        assert about(line)[0].rstrip("'").endswith("Weather"), shown + done.stderr
    assert about('degrees("Ulm"')[0].rstrip("'").endswith("float")
    assert about("convert(")[0].rstrip("'").endswith("date")
    assert about("Problem().code")[0].rstrip("'").endswith("int")
    assert about("weather.degrees(3)")
    assert about("degree.upper()")
    problems = [line for line in told if "error" in line and "reveal" not in line]
    numbers = {line.split("program.py:")[1].split(":")[0] for line in problems}
    wrong = {str(lines.index(line) + 1) for line in ("weather.degrees(3)", "    degree.upper()")}
    assert numbers == wrong, shown
