# SPDX-License-Identifier: Apache-2.0
"""SenML packs in JSON (RFC 8428): records with base fields become plain ones."""

from collections.abc import Iterator, Sequence

import msgspec

from citybrain.kernel.errors import Invalid
from citybrain.kernel.records import Json

NEWEST_VERSION = 10  # RFC 8428 section 4.4: a pack of a newer version must not be read
RELATIVE_BELOW_S = 2**28  # RFC 8428 section 4.5.3: smaller times count from the present


class UnusablePack(Invalid):
    """The payload is not a SenML pack that can be read."""


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """A resolved record. `time_s` counts from 1970, or from the present when below 2**28. A record has one value."""

    name: str
    time_s: float
    unit: str
    value: Json


class _Raw(msgspec.Struct, frozen=True):
    bn: str = ""
    bt: float = 0.0
    bu: str = ""
    bv: float | None = None
    bs: float | None = None
    bver: int = NEWEST_VERSION
    n: str = ""
    u: str = ""
    v: float | None = None
    vs: str | None = None
    vb: bool | None = None
    vd: str | None = None
    s: float | None = None
    t: float = 0.0


class _Base(msgspec.Struct):
    name: str = ""
    time_s: float = 0.0
    unit: str = ""
    value: float = 0.0
    sum: float | None = None


_decoder = msgspec.json.Decoder(list[_Raw])


def read(payload: bytes) -> Sequence[Record]:
    """The records of a pack, resolved in order (RFC 8428 sections 4.1 to 4.6). Refuses what is none, and all of it."""
    try:
        raw = _decoder.decode(payload)
        unknown = _must_understand(payload)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise UnusablePack("mqtt.senml_unusable", {"why": str(error)}) from error
    if unknown:
        raise UnusablePack("mqtt.senml_unusable", {"why": f"field {unknown} must be understood and is not"})
    return tuple(_resolved(raw))


def _must_understand(payload: bytes) -> str | None:
    """A field whose name ends in `_` must be understood (section 4.4); we know none such."""
    if b'_"' not in payload:
        return None
    records = msgspec.json.decode(payload)
    return next((name for record in records for name in record if name.endswith("_")), None)


def _resolved(raw: Sequence[_Raw]) -> Iterator[Record]:
    base = _Base()
    for number, each in enumerate(raw):
        if each.bver > NEWEST_VERSION:
            raise UnusablePack("mqtt.senml_unusable", {"why": f"version {each.bver} is newer than {NEWEST_VERSION}"})
        base.name = each.bn or base.name
        base.time_s = each.bt or base.time_s
        base.unit = each.bu or base.unit
        base.value = base.value if each.bv is None else each.bv
        base.sum = base.sum if each.bs is None else each.bs
        values = [value for value in (_number(each, base), each.vs, each.vb, each.vd) if value is not None]
        name = base.name + each.n
        if len(values) > 1 or (values and not name):
            raise UnusablePack("mqtt.senml_unusable", {"why": f"record {number} has no name, or more than one value"})
        value: Json = values[0] if values else _sum(each, base)
        if value is not None:
            yield Record(name=name, time_s=base.time_s + each.t, unit=each.u or base.unit, value=value)


def _number(record: _Raw, base: _Base) -> float | None:
    return None if record.v is None else record.v + base.value


def _sum(record: _Raw, base: _Base) -> float | None:
    """A record may hold the integrated sum alone (section 4.5.5)."""
    return None if record.s is None else record.s + (base.sum or 0.0)
