"""The references on our own server: bare bytes, and a minimal Flask view of them.

Run: `python -m benchmarks.applications bare|flask BODY PORT`.
"""

import sys
from pathlib import Path

from deadringer.mockserver.server.run import bind, serve

TYPE = "application/json"


def bare(body: bytes):
    """Return the least a WSGI application can be on this server; kept answers need less."""
    head = [("Content-Type", TYPE), ("Content-Length", str(len(body)))]
    whole = [body]

    def application(environ, start_response):
        start_response("200 OK", head)
        return whole

    return application


def minimal_flask(body: bytes):
    """Return the least a Flask application can be."""
    from flask import Flask, Response

    app = Flask("minimal")

    @app.get("/v1/workflows/<workflow_id>/executions/<run_id>")
    def answer(workflow_id, run_id):
        return Response(body, mimetype=TYPE)

    return app


if __name__ == "__main__":
    kind, path, port = sys.argv[1:]
    make = {"bare": bare, "flask": minimal_flask}[kind]
    application = make(Path(path).read_bytes())
    serve(application, bind("127.0.0.1", int(port)), lambda *_refusal: b"{}")
