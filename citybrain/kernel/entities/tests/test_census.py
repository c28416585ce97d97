# SPDX-License-Identifier: Apache-2.0
import asyncio
from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from citybrain.kernel.entities import verbs
from citybrain.kernel.entities.census import census
from citybrain.kernel.entities.document import AttributeType, Document, Instance
from citybrain.kernel.entities.documents import Documents
from citybrain.kernel.entities.tests.test_search import NOON, Elsewhere, entity, opened, put

TYPES = st.lists(st.sampled_from("TUV"), min_size=1, max_size=2, unique=True)
VALUES = st.sampled_from(
    [
        5,
        Instance(type=AttributeType.RELATIONSHIP, value="urn:e:1"),
        (1, Instance(type=AttributeType.VOCAB_PROPERTY, value="v")),
    ]
)
ENTITIES = st.lists(st.tuples(TYPES, st.dictionaries(st.sampled_from("xyz"), VALUES)), max_size=8)


def naive(documents: Documents) -> Counter[Any]:
    """What looking at every entity tells."""
    return Counter(_make(each.types, each.attributes) for each in documents.scan(""))


def _make(types: tuple[str, ...], attributes: Any) -> Any:
    kinds = {name: frozenset(each.type for each in instances) for name, instances in attributes.items()}
    return types, tuple(sorted(kinds.items()))


async def counted(documents: Documents) -> Counter[Any]:
    return Counter(
        {(group.types, tuple(sorted(group.attributes.items()))): group.count for group in await census(documents, "")}
    )


@settings(deadline=None)
@given(ENTITIES, ENTITIES, st.sets(st.integers(0, 7)))
def test_a_census_counts_what_looking_at_every_entity_counts_also_after_changes(
    first: list[Any], then: list[Any], gone: set[int]
) -> None:
    async def run() -> None:
        documents = opened()
        await put(documents, *(entity(n, *types, **held) for n, (types, held) in enumerate(first)))
        assert await counted(documents) == naive(documents)
        for number in gone & set(range(len(first))):
            await documents.apply([verbs.delete(_there(documents, number), tenant="", at=NOON)])
        for number, (types, held) in enumerate(then):
            new = entity(number, *types, **held)
            before = documents.get("", new.id)
            await documents.apply(
                [verbs.replace(before, new, tenant="", at=NOON) if before else verbs.create("", new, NOON)]
            )
        assert await counted(documents) == naive(documents)

    asyncio.run(run())


def _there(documents: Documents, number: int) -> Document:
    found = documents.get("", f"urn:e:{number:04}")
    assert found is not None
    return found


async def test_what_is_observed_elsewhere_is_counted_as_it_is_shown() -> None:
    documents = opened()
    await put(documents, entity(1), entity(2))
    documents.observed = Elsewhere()
    [group] = await census(documents, "")
    assert (group.types, set(group.attributes), group.count) == (("T",), {"y"}, 2)
