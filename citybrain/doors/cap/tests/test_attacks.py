# SPDX-License-Identifier: Apache-2.0
"""XML that is built to do harm is refused by a code of its own, at once; and no bytes make the reader fail."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citybrain.doors.cap import markup
from citybrain.doors.cap.reading import read
from citybrain.doors.cap.tests.sample import WHOLE, plain
from citybrain.kernel.errors import Invalid

MANY = b" ".join(b'b%d=""' % n for n in range(100))
INCLUSION = b'<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="/etc/passwd"/>'
LOLS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
BOMB = f'<!DOCTYPE alert [<!ENTITY l0 "ha">{LOLS}]><alert>&l11;</alert>'
ATTACKS: list[tuple[str, bytes, str]] = [
    ("a bomb of entities", BOMB.encode(), "doctype"),
    ("a file by an entity", b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', "doctype"),
    ("an address by a DTD", b'<!DOCTYPE a SYSTEM "http://127.0.0.1:1/a.dtd"><a/>', "doctype"),
    ("parameter entities", b'<!DOCTYPE a [<!ENTITY % p SYSTEM "http://127.0.0.1:1/">%p;]><a/>', "doctype"),
    ("the same in UTF-16", BOMB.encode("utf-16"), "doctype"),
    ("depth", b"<a>" * 100_000, "too_deep"),
    ("breadth", b"<a>" + b"<b/>" * 100_000, "too_many_elements"),
    ("attributes", b"<a " + MANY + b"/>", "too_many_attributes"),
    ("size", b" " * (markup.LARGEST_BYTES + 1), "too_large"),
    ("an entity that is not", plain(head="<note>&x;</note>"), "not_xml"),
    ("an encoding that is not", b'<?xml version="1.0" encoding="rot-999"?><a/>', "encoding_unknown"),
    ("a wide encoding", '<?xml version="1.0" encoding="gb18030"?><a>雨</a>'.encode("gb18030"), "encoding_unknown"),
    ("nothing", b"", "not_xml"),
    ("two roots", b"<a/><a/>", "not_xml"),
    ("half a letter", b"<a>\xe9\x9b</a>", "not_xml"),
    ("an inclusion", INCLUSION, "namespace_unknown"),
]


@pytest.mark.parametrize(("what", "body", "code"), ATTACKS, ids=[each[0] for each in ATTACKS])
def test_an_attack_is_refused_by_its_code(what: str, body: bytes, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        read(body)
    assert refused.value.code == f"cap.{code}", what


def taken_or_refused(body: bytes) -> None:
    try:
        read(body)
    except Invalid as refusal:
        assert refusal.code.startswith("cap.")


@given(st.binary(max_size=400))
def test_any_bytes_are_refused_and_nothing_worse(body: bytes) -> None:
    taken_or_refused(body)


@settings(max_examples=300)
@given(st.integers(0, len(WHOLE.encode()) - 1), st.binary(max_size=6), st.integers(0, 40))
def test_a_warning_with_damage_is_taken_or_refused_and_nothing_worse(at: int, put: bytes, gone: int) -> None:
    body = WHOLE.encode()
    taken_or_refused(body[:at] + put + body[at + gone :])
