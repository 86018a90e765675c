"""What both Python services have: metrics, a log a line, and a clean start and end."""

import json
import os
import sys
import time

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Histogram, generate_latest
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

# Headers that tie a request to the one that caused it; passed on to whoever is asked.
TRACE = (
    "x-request-id",
    "traceparent",
    "tracestate",
    "b3",
    "x-b3-traceid",
    "x-b3-spanid",
    "x-b3-parentspanid",
    "x-b3-sampled",
    "x-b3-flags",
)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
VERSION = os.environ.get("VERSION", "1.0.0")


def log(**entry):
    print(json.dumps({"time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), **entry}), flush=True)


def trace_headers(request):
    return {name: request.headers[name] for name in TRACE if name in request.headers}


class Metrics:
    """Counts requests; a layer around the application, so that errors are counted, too."""

    def __init__(self, app, prefix, endpoints):
        self._app = app
        self._endpoints = endpoints
        self._requests = Counter(
            f"{prefix}_http_requests_total", "Requests answered.", ["endpoint", "method", "status"]
        )
        self._seconds = Histogram(
            f"{prefix}_http_request_duration_seconds", "Time to answer.", ["endpoint", "method"]
        )

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http" or scope["path"] == "/metrics":
            return await self._app(scope, receive, send)
        started = time.perf_counter()
        status = 500

        async def watch(message):
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watch)
        finally:
            # What nobody declared shares a label, or a client could make as many series as it likes.
            endpoint = scope["path"] if scope["path"] in self._endpoints else "other"
            method = scope["method"] if scope["method"] in METHODS else "other"
            self._requests.labels(endpoint, method, str(status)).inc()
            self._seconds.labels(endpoint, method).observe(time.perf_counter() - started)


async def _metrics(_request):
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


async def _not_found(_request, _error):
    return JSONResponse({"error": "not found"}, 404)


async def _not_allowed(_request, error):
    return JSONResponse({"error": "only GET is answered"}, 405, headers=error.headers)


def serve(prefix, routes, default_port, lifespan=None):
    """Serves `routes` (path to coroutine) on HOST and PORT until SIGTERM."""
    app = Starlette(
        routes=[Route(path, answer) for path, answer in routes.items()] + [Route("/metrics", _metrics)],
        exception_handlers={404: _not_found, 405: _not_allowed},
        lifespan=lifespan,
    )
    host = os.environ.get("HOST", "127.0.0.1")
    port = int(os.environ.get("PORT", default_port))
    config = uvicorn.Config(
        Metrics(app, prefix, frozenset(routes)),
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=5,
    )
    log(listening=f"{host}:{port}", version=VERSION)
    server = uvicorn.Server(config)
    server.run()
    sys.exit(0 if server.started else 1)
