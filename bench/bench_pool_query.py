# SPDX-License-Identifier: Apache-2.0
"""Questions to a pool of many entities in memory: how long one takes, without HTTP and without writing the answer.

A question is first asked for its count, which fills the columns it needs (`.first`; others run in between), then many
times with changing values.
`python bench/bench_pool_query.py [--entities 1000000] [--rounds 200]`
"""

import argparse
import asyncio
import gc
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random

import msgspec
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from citybrain.kernel.entities.document import AttributeType, Document, Instance
from citybrain.kernel.entities.documents import Documents
from citybrain.kernel.entities.query import read_query
from citybrain.kernel.entities.search import find
from citybrain.kernel.ld.context import CORE

AT = "2026-01-01T00:00:00Z"
TYPES = ("AirQualityObserved", "TrafficFlowObserved", "Streetlight", "ParkingSpot")

Params = Mapping[str, str]


def filled(entities: int, random: Random) -> Documents:
    """A city of half a degree in each direction: four types, six attributes each, about 900 bytes an entity."""
    documents = Documents()
    shelf = documents._shelf("")  # as the database would be read, which is not what is measured here
    for number in range(entities):
        type = TYPES[number % len(TYPES)]
        document = _entity(f"urn:ngsi-ld:{type}:{number:07}", type, number, random)
        shelf.add(document.id, number + 1, document.types, msgspec.json.encode(document))
    return documents


def _entity(id: str, type: str, number: int, random: Random) -> Document:
    place = {"type": "Point", "coordinates": [106.3 + random.random() / 2, 29.3 + random.random() / 2]}
    values: Mapping[str, tuple[AttributeType, object]] = {
        "value": (AttributeType.PROPERTY, round(random.uniform(0, 1000), 2)),
        "name": (AttributeType.PROPERTY, f"{type} {number}"),
        "street": (AttributeType.PROPERTY, f"street {random.randrange(5000)}"),
        "location": (AttributeType.GEO_PROPERTY, place),
        "owner": (AttributeType.RELATIONSHIP, f"urn:ngsi-ld:Organization:{random.randrange(100)}"),
        "isOpen": (AttributeType.PROPERTY, random.random() < 0.5),
    }
    attributes: dict[str, tuple[Instance, ...]] = {
        name: (Instance(type=kind, value=value, observed_at=AT, created_at=AT, modified_at=AT),)
        for name, (kind, value) in values.items()
    }
    return Document(id=id, types=(type,), created_at=AT, modified_at=AT, attributes=attributes)


def _near(random: Random, metres: int) -> Params:
    at = f"[{106.3 + random.random() / 2},{29.3 + random.random() / 2}]"
    return {"georel": f"near;maxDistance=={metres}", "geometry": "Point", "coordinates": at}


QUESTIONS: Mapping[str, tuple[bool, Callable[[Random], Params]]] = {
    "first_page.by_type": (False, lambda random: {"type": random.choice(TYPES)}),
    "first_page.q_number.dense": (False, lambda random: {"type": TYPES[0], "q": f"value>{random.uniform(0, 900)}"}),
    "first_page.q_number.sparse": (
        False,
        lambda random: {"type": TYPES[0], "q": f"value>{random.uniform(999.7, 999.9)}"},
    ),
    "first_page.q_text": (False, lambda random: {"q": f'street=="street {random.randrange(5000)}"'}),
    "first_page.q_text.unique": (False, lambda random: {"q": f'name=="{TYPES[1]} {random.randrange(10**5) * 4 + 1}"'}),
    "first_page.q_relationship_and_number": (
        False,
        lambda random: {"q": f"owner==urn:ngsi-ld:Organization:{random.randrange(100)};value<{random.uniform(1, 2)}"},
    ),
    "first_page.geo_near_1_km": (False, lambda random: _near(random, 1000)),
    "first_page.geo_near_1_km.by_type": (False, lambda random: {"type": TYPES[2], **_near(random, 1000)}),
    "count.by_type": (True, lambda random: {"type": random.choice(TYPES)}),
    "count.q_number": (True, lambda random: {"q": f"value>{random.uniform(0, 900)}"}),
    "count.geo_near_10_km": (True, lambda random: _near(random, 10_000)),
    "ordered.by_number": (False, lambda random: {"type": random.choice(TYPES), "orderBy": "value;desc"}),
}


async def main() -> None:
    """Print `name value unit`."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--entities", type=int, default=1_000_000)
    arguments.add_argument("--rounds", type=int, default=200)
    chosen = arguments.parse_args()
    random = Random(7)
    documents = filled(chosen.entities, random)
    gc.collect()
    gc.freeze()
    for name, (count, ask) in QUESTIONS.items():
        first = await _asked(documents, ask(random), count=True)
        seconds = [await _asked(documents, ask(random), count=count) for _ in range(chosen.rounds)]
        print(f"pool_query.{name}.first {first * 1000:.1f} ms")
        print(f"pool_query.{name}.p50 {np.percentile(seconds, 50) * 1000:.2f} ms")
        print(f"pool_query.{name}.p99 {np.percentile(seconds, 99) * 1000:.2f} ms", flush=True)


async def _asked(documents: Documents, params: Params, *, count: bool) -> float:
    begun = time.perf_counter()
    await find(documents, "", read_query(params, CORE), limit=20, count=count)
    return time.perf_counter() - begun


if __name__ == "__main__":
    asyncio.run(main())
