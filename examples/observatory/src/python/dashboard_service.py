"""dashboard-service: the page at /, /api/aggregate, /api/time-proxy, /health and /metrics."""

import asyncio
import contextlib
import os
import pathlib
import time

import httpx
from prometheus_client import Histogram
from starlette.responses import HTMLResponse, JSONResponse

from service import VERSION, log, serve, trace_headers

UPSTREAMS = {
    "time-service": (os.environ.get("TIME_SERVICE_URL", "http://time-service:5001"), "/api/time"),
    "system-info-service": (os.environ.get("SYSTEM_INFO_SERVICE_URL", "http://system-info-service:5002"), "/api/sysinfo"),
    "weather-service": (os.environ.get("WEATHER_SERVICE_URL", "http://weather-service:5003"), "/api/weather"),
}
AGGREGATE_SECONDS = 3
PROXY_SECONDS = 2
HEALTH_SECONDS = 1

PAGE = pathlib.Path(__file__).with_name("dashboard.html").read_text(encoding="utf-8")

seconds = Histogram(
    "dashboard_service_upstream_request_duration_seconds",
    "Time until an upstream had answered, or was given up.",
    ["upstream", "status"],
)
client: httpx.AsyncClient


class Unavailable(Exception):
    """An upstream that gave no answer of use; its text says why."""


async def ask(upstream, path, headers, limit):
    """The JSON that an upstream answers, within `limit` seconds altogether."""
    base, _ = UPSTREAMS[upstream]
    started = time.perf_counter()
    status = "error"
    try:
        # httpx's own timeouts are for each step; an upstream that drips would never reach them.
        answer = await asyncio.wait_for(client.get(f"{base}{path}", headers=headers), limit)
        status = str(answer.status_code)
        if answer.status_code != 200:
            raise Unavailable(f"it answered {answer.status_code}")
        return answer.json()
    except asyncio.TimeoutError:
        status = "timeout"
        raise Unavailable(f"no answer within {limit} s") from None
    except (httpx.HTTPError, ValueError) as error:
        raise Unavailable(str(error) or type(error).__name__) from None
    finally:
        seconds.labels(upstream, status).observe(time.perf_counter() - started)


async def page(_request):
    return HTMLResponse(PAGE)


async def aggregate(request):
    """Asks all three at the same time; what one cannot say is marked so, and the rest is there."""
    headers = trace_headers(request)

    async def one(upstream):
        try:
            return {"status": "ok", "data": await ask(upstream, UPSTREAMS[upstream][1], headers, AGGREGATE_SECONDS)}
        except Unavailable as error:
            log(upstream=upstream, error=str(error), request_id=headers.get("x-request-id"))
            return {"status": "unavailable", "error": str(error)}

    answers = dict(zip(UPSTREAMS, await asyncio.gather(*(one(upstream) for upstream in UPSTREAMS))))
    up = sum(answer["status"] == "ok" for answer in answers.values())
    status = "healthy" if up == len(answers) else "degraded" if up > 0 else "unavailable"
    body = {"status": status, "version": VERSION, "services": answers}
    return JSONResponse(body, 200 if up > 0 else 503)


async def time_proxy(request):
    try:
        return JSONResponse(await ask("time-service", "/api/time", trace_headers(request), PROXY_SECONDS))
    except Unavailable as error:
        return JSONResponse({"error": f"time-service is unavailable: {error}"}, 503)


async def health(_request):
    """Healthy as long as it runs itself: without its upstreams it is degraded, and shows so."""

    async def one(upstream):
        try:
            return str((await ask(upstream, "/health", {}, HEALTH_SECONDS))["status"])
        except (Unavailable, KeyError, TypeError):
            return "unavailable"

    states = dict(zip(UPSTREAMS, await asyncio.gather(*(one(upstream) for upstream in UPSTREAMS))))
    status = "healthy" if all(state == "healthy" for state in states.values()) else "degraded"
    return JSONResponse(
        {"status": status, "service": "dashboard-service", "version": VERSION, "dependencies": states}
    )


async def live(_request):
    """For probes, which say nothing of others."""
    return JSONResponse({"status": "healthy", "version": VERSION})


@contextlib.asynccontextmanager
async def lifespan(_app):
    global client
    async with httpx.AsyncClient(timeout=AGGREGATE_SECONDS) as client:
        yield


if __name__ == "__main__":
    serve(
        "dashboard_service",
        {
            "/": page,
            "/api/aggregate": aggregate,
            "/api/time-proxy": time_proxy,
            "/health": health,
            "/health/live": live,
        },
        5000,
        lifespan,
    )
