# SPDX-License-Identifier: Apache-2.0
"""Subscriptions to registrations of context sources: the same operations on another path (CIM 009 clause 5.11)."""

from collections.abc import Sequence

from citybrain.doors.ngsild.served import Served
from citybrain.doors.ngsild.subscriptions import routes_of
from citybrain.kernel.asgi import Route
from citybrain.kernel.subscriptions.subscription import Kind


def routes(city: Served) -> Sequence[Route]:
    """`/csourceSubscriptions`."""
    return routes_of(city, "/csourceSubscriptions", Kind.SOURCES)
