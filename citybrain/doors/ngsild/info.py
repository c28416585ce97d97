# SPDX-License-Identifier: Apache-2.0
"""Who this context source is (CIM 009 clauses 5.15.1, 6.33)."""

from collections.abc import Sequence
from datetime import timedelta

from citybrain.doors.ngsild.answers import json_answer
from citybrain.doors.ngsild.media import accepted
from citybrain.doors.ngsild.params import read_params
from citybrain.doors.ngsild.served import Served
from citybrain.kernel.asgi import Answer, Request, Route
from citybrain.kernel.clock import monotonic_s
from citybrain.kernel.entities.times import text_of


def routes(city: Served) -> Sequence[Route]:
    """`/info/sourceIdentity`."""
    began_s = monotonic_s()

    async def identity(request: Request) -> Answer:
        """The identity of one tenant: each has an alias of its own, by which a loop is seen in a Via header."""
        read_params(request, ())
        media = accepted(request)
        context = await city.context(request)
        tenant = city.new_tenant(request)
        alias = city.alias(tenant)
        body = {
            "id": f"urn:ngsi-ld:ContextSourceIdentity:{alias}",
            "type": "ContextSourceIdentity",
            "contextSourceAlias": alias,
            "contextSourceUptime": duration(timedelta(seconds=monotonic_s() - began_s)),
            "contextSourceTimeAt": text_of(city.now()),
        }
        return json_answer(body, context, media=media)

    return [Route("GET", "/info/sourceIdentity", identity)]


def duration(passed: timedelta) -> str:
    """A duration as ISO 8601 writes it, in days and seconds."""
    days = f"{passed.days}D" if passed.days else ""
    return f"P{days}T{passed.seconds + passed.microseconds / 1e6:.3f}S"
