"""The references: constant bytes on plain uvicorn, and a minimal Flask view on our own server.

Run: `python -m benchmarks.applications asgi|flask BODY PORT`.
"""

import sys
from pathlib import Path

import uvicorn

from deadringer.mockserver.server import bind, serve

TYPE = "application/json"


def constant(body: bytes):
    """Return a minimal ASGI application; cached responses do not use ASGI."""
    head = [(b"content-type", TYPE.encode()), (b"content-length", str(len(body)).encode())]
    start = {"type": "http.response.start", "status": 200, "headers": head}
    whole = {"type": "http.response.body", "body": body}

    async def application(scope, receive, send):
        await send(start)
        await send(whole)

    return application


def minimal_flask(body: bytes):
    """Return a minimal Flask application."""
    from flask import Flask, Response

    app = Flask("minimal")

    @app.get("/v1/workflows/<workflow_id>/executions/<run_id>")
    def execution(workflow_id, run_id):
        return Response(body, mimetype=TYPE)

    return app


if __name__ == "__main__":
    kind, path, port = sys.argv[1:]
    content = Path(path).read_bytes()
    if kind == "asgi":
        uvicorn.run(
            constant(content),
            port=int(port),
            http="httptools",
            lifespan="off",
            log_level="error",
            access_log=False,
            timeout_keep_alive=600,  # the driver leaves some connections idle at low rates
        )
    else:
        listeners = bind("127.0.0.1", int(port))
        serve(minimal_flask(content), listeners, lambda *_refusal: b"{}")
