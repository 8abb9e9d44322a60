"""Calls an ASGI application in this process, without a server and without a port."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx


def get(app: Any, paths: Sequence[str]) -> list[httpx.Response]:
    """GET each path, in order; an exception in the application becomes the answer 500."""

    async def calls() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://lab") as client:
            return [await client.get(path) for path in paths]

    # In a notebook this thread runs an event loop already, so the calls get a thread with a loop of their own.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, calls()).result()
