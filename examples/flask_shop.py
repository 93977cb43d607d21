"""A web front of services: Flask views that call WAMP procedures, publish and listen.

    wampy router
    flask --app examples/flask_shop run

One client serves all threads of the server. It connects when it is first used, so in a server that
forks workers each has a session of its own. What is absent: the service that knows prices; for the
time being this is one:

    wampy register com.shop.price --exec "echo 3"
"""

import os

from flask import Flask, Response, jsonify, request

import wampy


class Front(wampy.Client):
    """The shop's client: it remembers what has been sold."""

    def __init__(self, url: str | None = None) -> None:
        super().__init__(url=url, call_timeout=5)
        self.sold: dict[str, int] = {}

    @wampy.subscribe(topic="com.shop.sold")
    def on_sold(self, article: str, count: int) -> None:
        self.sold[article] = self.sold.get(article, 0) + count


def create_app(url: str | None = None) -> Flask:
    """The application; `url` is where the router is, or `WAMPY_URL` says so."""
    app = Flask(__name__)
    front = Front(url or os.environ.get("WAMPY_URL"))

    @app.get("/price/<article>")
    def price(article: str) -> Response:
        return jsonify(article=article, price=front.call("com.shop.price", article))

    @app.post("/orders")
    def order() -> tuple[Response, int]:
        wanted = request.get_json()
        # Acknowledged: when the view answers, the router has the event.
        publication = front.publish(
            "com.shop.sold",
            wanted["article"],
            wanted["count"],
            options={"acknowledge": True, "exclude_me": False},
        )
        return jsonify(publication=publication), 201

    @app.get("/sold")
    def sold() -> Response:
        front.start()  # A started client stays as it is.
        return jsonify(front.sold)

    @app.errorhandler(wampy.Error)
    def refused(error: wampy.Error) -> tuple[Response, int]:
        """The callee or the router said no: who asked learns why."""
        return jsonify(error=error.uri, args=error.args), 400

    @app.errorhandler(wampy.WampyError)
    def unavailable(error: wampy.WampyError) -> tuple[Response, int]:
        """No answer in time, or no router."""
        return jsonify(error=type(error).__name__, message=str(error)), 503

    return app
