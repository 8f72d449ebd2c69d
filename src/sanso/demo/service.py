"""The demo's application: an ASGI service with three routes. `python -m sanso.demo.service PORT`."""

from __future__ import annotations

import asyncio
import hashlib
import random
import sys
import time

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from sanso.demo import faults
from sanso.demo.child import live_as_long_as_the_parent
from sanso.sdk import Telemetry


def create_service(telemetry: Telemetry, started: float) -> Starlette:
    """The routes; `started` is a reading of `time.monotonic`."""

    async def pay(_: Request) -> Response:
        hashlib.pbkdf2_hmac("sha256", b"card", b"salt", 300)
        await asyncio.sleep(random.uniform(0.002, 0.012))
        if faults.error_burst(time.monotonic() - started) and random.random() < 0.5:
            return PlainTextResponse("no connection to the bank", status_code=503)
        return PlainTextResponse("paid")

    async def search(_: Request) -> Response:
        slow = faults.slow_route(time.monotonic() - started)
        await asyncio.sleep(random.lognormvariate(-1.0, 0.4) if slow else random.lognormvariate(-4.0, 0.5))
        return PlainTextResponse("found")

    async def report(request: Request) -> Response:
        with telemetry.task("render report"):
            await asyncio.sleep(random.uniform(0.02, 0.08))
            return PlainTextResponse(f"report {request.path_params['number']}")

    return Starlette(routes=[Route("/pay", pay), Route("/search", search), Route("/report/{number:int}", report)])


def main(port: int) -> None:
    """Serve until the parent ends."""
    telemetry = Telemetry(service="demo-shop")
    app = telemetry.asgi(create_service(telemetry, time.monotonic()))
    live_as_long_as_the_parent(telemetry.close)
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="critical", access_log=False)


if __name__ == "__main__":
    main(int(sys.argv[1]))
