"""Type hints, results, exceptions and proxies on an event loop: the same as without one."""

from __future__ import annotations

import dataclasses
import datetime
import logging
from collections.abc import AsyncIterator, Iterator
from typing import Protocol

import pytest
from loops import until

import wampy.aio
from wampy import callee, errors, subscribe


@dataclasses.dataclass
class Line:
    article: str
    day: datetime.date


@wampy.define("com.aio.error.sold_out")
class SoldOut(Exception):
    def __init__(self, article):
        super().__init__(f"no {article}")
        self.article = article


class Service:
    def __init__(self):
        self.news = []
        self.closed = 0

    @callee(name="com.aio.order")
    async def order(self, line: Line, *, count: int = 1) -> Line:
        assert isinstance(line, Line)
        return Line(line.article * count, line.day)

    @callee(name="com.aio.plain", details=True)
    def plain(self, day: datetime.date, details):
        return day.year, "caller" in details

    @callee(name="com.aio.size")
    async def size(self):
        return wampy.Result(3, 4, unit="cm")

    @callee(name="com.aio.lines")
    async def lines(self, count: int):
        try:
            for number in range(count):
                yield Line(str(number), datetime.date(2026, 1, 1))
        finally:
            self.closed += 1

    @callee(name="com.aio.pairs")
    async def pairs(self):
        yield wampy.Result(1, 2)

    @callee(name="com.aio.sell")
    async def sell(self, article):
        raise SoldOut(article)

    @callee(name="com.aio.fail")
    async def fail(self):
        raise ValueError("no")

    @callee(name="com.aio.fail.openly", traceback=True)
    async def fail_openly(self):
        raise ValueError("no")

    @callee(name="com.aio.wrong")
    async def wrong(self, n):
        return len(n)

    @subscribe(topic="com.aio.sold")
    async def sold(self, line: Line, meta):
        self.news.append((line, meta["topic"]))


@pytest.fixture
def with_service(on_loop, router):
    """Run a coroutine function with a caller and the service."""

    def run(main, **options):
        async def both():
            async with (
                wampy.aio.connect(router=router, **options) as session,
                wampy.aio.connect(router=router) as caller,
            ):
                service = Service()
                await session.register_all(service)
                await main(caller, service)

        on_loop(both)

    return run


LINE = Line("tea", datetime.date(2026, 5, 14))


def test_arguments_and_results(with_service):
    async def main(caller, _):
        answer = await caller.call("com.aio.order", LINE, count=2)
        assert wampy.convert(answer, Line) == Line("teatea", LINE.day)
        assert await caller.call("com.aio.plain", LINE.day) == [2026, False]
        size = await caller.call("com.aio.size")
        assert size == wampy.Result(3, 4, unit="cm")
        parts = [part async for part in caller.call_progressive("com.aio.pairs")]
        assert parts[0] == wampy.Result(1, 2)

    with_service(main)


@pytest.mark.parametrize(
    ("procedure", "args", "problem"),
    [
        ("com.aio.order", ["x"], "argument line: expected Line, not str 'x'"),
        ("com.aio.order", [], "missing a required argument: 'line'"),
        ("com.aio.plain", ["x"], "argument day: expected date"),
        ("com.aio.lines", ["x"], "argument count: expected int"),
        ("com.aio.size", [1], "too many positional arguments"),
    ],
)
def test_a_mismatch_is_the_callers_error(with_service, caplog, procedure, args, problem):
    async def main(caller, _):
        with pytest.raises(errors.InvalidArgumentError) as caught:
            await caller.call(procedure, *args)
        assert problem in caught.value.args[0]

    with_service(main)
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_exceptions_of_the_program(with_service, caplog):
    async def main(caller, _):
        with pytest.raises(SoldOut) as caught:
            await caller.call("com.aio.sell", "tea")
        assert (caught.value.args, caught.value.article) == (("no tea",), "tea")
        assert isinstance(caught.value, wampy.Error)
        assert not caplog.records
        with pytest.raises(wampy.Error) as caught:
            await caller.call("com.aio.wrong", 3)
        assert caught.value.remote_type == "TypeError"

    with_service(main)


def test_tracebacks_are_told_where_the_callee_says_so(with_service):
    async def closed(caller, _):
        with pytest.raises(wampy.Error) as caught:
            await caller.call("com.aio.fail")
        assert caught.value.remote_traceback is None
        with pytest.raises(wampy.Error) as caught:
            await caller.call("com.aio.fail.openly")
        assert "in fail_openly" in caught.value.remote_traceback
        assert "wampy/aio" not in caught.value.remote_traceback

    async def opened(caller, _):
        with pytest.raises(wampy.Error) as caught:
            await caller.call("com.aio.fail")
        assert "in fail" in caught.value.remote_traceback

    with_service(closed)
    with_service(opened, tracebacks=True)


def test_events(with_service, caplog):
    async def main(caller, service):
        await caller.publish("com.aio.sold", 3)
        await caller.publish("com.aio.sold", LINE)
        await until(lambda: service.news)
        assert service.news == [(LINE, "com.aio.sold")]

    with_service(main)
    assert "argument line: expected Line, not int 3" in caplog.text


class Shop(Protocol):
    async def order(self, line: Line, *, count: int = 1) -> Line: ...

    def lines(self, count: int) -> AsyncIterator[Line]: ...

    @callee(name="com.aio.plain")
    async def elsewhere(self, day: datetime.date) -> tuple[int, bool]: ...


def test_a_proxy(with_service):
    async def main(caller, service):
        shop = caller.proxy(Shop, prefix="com.aio.")
        assert await shop.order(LINE) == LINE
        with pytest.raises(TypeError, match=r"Shop.order: missing"):
            await shop.order()
        assert [line.article async for line in shop.lines(3)] == ["0", "1", "2"]
        assert await shop.elsewhere(LINE.day) == (2026, False)
        disclosed = caller.with_options(disclose_me=True).proxy(Shop, prefix="com.aio.")
        assert await disclosed.elsewhere(LINE.day) == (2026, True)
        lines = shop.lines(10_000)
        assert (await lines.__anext__()).article == "0"
        await lines.aclose()
        await until(lambda: service.closed == 2)

    with_service(main)


class Plain(Protocol):
    def order(self) -> int: ...


class PlainParts(Protocol):
    def lines(self) -> Iterator[int]: ...


class AwaitedParts(Protocol):
    async def lines(self) -> AsyncIterator[int]: ...


@pytest.mark.parametrize(
    ("interface", "problem"),
    [
        (Plain, "Plain.order is not `async`"),
        (PlainParts, "PlainParts.lines is not `async`"),
        (AwaitedParts, "write `def`, not `async def`"),
        (Service, "no interface"),
    ],
)
def test_what_is_no_interface_is_refused(with_service, interface, problem):
    async def main(caller, _):
        with pytest.raises(errors.ConfigurationError, match=problem):
            caller.proxy(interface)

    with_service(main)
