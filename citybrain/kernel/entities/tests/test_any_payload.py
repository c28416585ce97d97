# SPDX-License-Identifier: Apache-2.0
"""Whatever is sent is either taken or refused with a reason, and what is kept never holds a null of the standard."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from citybrain.kernel.entities import verbs
from citybrain.kernel.entities.document import NULL, VALUE_KEY, AttributeType, Document
from citybrain.kernel.entities.fragment import read_attribute_fragment, read_entity, read_fragment
from citybrain.kernel.entities.refusals import BadRequestData
from citybrain.kernel.entities.represent import represent
from citybrain.kernel.entities.shape import Format, Shape
from citybrain.kernel.entities.values import Nulls
from citybrain.kernel.ld.context import CORE

AT = "2026-01-01T00:00:00Z"
LATER = datetime(2026, 1, 2, tzinfo=UTC)

KEYS = [
    *(
        "id",
        "@id",
        "type",
        "@type",
        "scope",
        "@context",
        "datasetId",
        "observedAt",
        "unitCode",
        "expiresAt",
        "objectType",
    ),
    *("valueType", "lang", "previousValue", "entity", "instanceId", "createdAt", "dataset", "location", "ngsildproof"),
    *("coordinates", "a", "b", "speed", "9bad", "my attr", "en", "@none", ""),
    *sorted({*VALUE_KEY.values()}),
]
TEXTS = [NULL, "@none", "urn:a:b", "urn:a:c", AT, "Point", "en", "x", "", *map(str, AttributeType)]
anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-200, 200)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(TEXTS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=25,
)
payloads = st.dictionaries(st.sampled_from(KEYS), anything, max_size=5)
BEFORE = read_entity(
    {
        "id": "urn:a:b",
        "type": "Bus",
        "scope": "/a",
        "a": {"type": "Property", "value": {"a": 1, "b": {"a": 2}}, "b": {"object": "urn:a:b"}, "observedAt": AT},
        "b": [{"object": "urn:a:b"}, {"object": "urn:a:c", "datasetId": "urn:a:b"}],
        "speed": {"languageMap": {"en": "x"}, "a": 1},
        "location": {"type": "Point", "coordinates": [1, 2]},
    },
    CORE,
    AT,
)


def is_sound(document: Document) -> bool:
    """It holds no null, survives being written down, and is read back from what is shown of it."""
    kept = msgspec.json.decode(msgspec.json.encode(document), type=Document)
    assert kept == document
    for shape in (Shape(), Shape(format=Format.CONCISE)):
        shown = represent(document, CORE, shape)
        assert read_entity(shown, CORE, AT).attributes.keys() == document.attributes.keys()
    return NULL not in msgspec.json.encode(document).decode()


@given(payload=anything | payloads)
def test_any_payload_is_an_entity_or_refused(payload: Any) -> None:
    whole = {"id": "urn:a:b", "type": "Bus", **payload} if isinstance(payload, dict) else payload
    try:
        document = read_entity(whole, CORE, AT)
    except BadRequestData as refusal:
        assert refusal.code.startswith("kernel.")
    else:
        assert is_sound(document)


@given(payload=payloads, nulls=st.sampled_from(Nulls), simplified=st.booleans())
def test_any_fragment_leaves_a_sound_entity_or_is_refused(payload: Any, nulls: Nulls, simplified: bool) -> None:
    try:
        fragment = read_fragment(payload, CORE, nulls=nulls, simplified=simplified)
        changes = [
            verbs.append(BEFORE, fragment, overwrite=True, tenant="", at=LATER).change
            if nulls is Nulls.REFUSED
            else None,
            verbs.update(BEFORE, fragment, tenant="", at=LATER).change if nulls is not Nulls.MERGE else None,
            verbs.merge(BEFORE, fragment, tenant="", at=LATER),
        ]
    except BadRequestData as refusal:
        assert refusal.code.startswith("kernel.")
    else:
        assert all(is_sound(change.after) for change in changes if change and change.after)


@given(payload=payloads, name=st.sampled_from(["a", "b", "speed", "location", "c"]))
def test_any_partial_update_leaves_a_sound_entity_or_is_refused(payload: Any, name: str) -> None:
    try:
        part = read_attribute_fragment(name, payload, CORE)
        change = verbs.partial_update(BEFORE, name, part, tenant="", at=LATER)
    except (BadRequestData, verbs.NoSuchAttribute) as refusal:
        assert refusal.code.startswith("kernel.")
    else:
        assert change.after is not None
        assert is_sound(change.after)
