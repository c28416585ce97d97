# SPDX-License-Identifier: Apache-2.0
"""Keys: what is encrypted opens at its own place alone, and a key that is missing is said."""

import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from citybrain.kernel.crypto import (
    AES,
    PROVIDERS,
    SM,
    KeyFileUnsafe,
    KeyFileUnusable,
    KeyInUse,
    KeyLost,
    KeyRing,
    NotAsEncrypted,
    Place,
    Use,
)

NOW = datetime(2026, 3, 1, tzinfo=UTC)
RINGS = {name: KeyRing.new(now=NOW, family=name) for name in PROVIDERS}
HERE = Place("case_person", "phone", 7)

families = st.sampled_from(sorted(RINGS))
places = st.builds(Place, st.text(max_size=9), st.text(max_size=9), st.one_of(st.integers(), st.text(max_size=9)))


def test_digests_are_those_of_the_standards() -> None:
    assert AES.digest(b"abc").hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert SM.digest(b"abc").hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"


def test_gcm_of_sm4_is_that_of_rfc_8998() -> None:
    key = bytes.fromhex("0123456789abcdeffedcba9876543210")
    plain = bytes.fromhex("a" * 16 + "b" * 16 + "c" * 16 + "d" * 16 + "e" * 16 + "f" * 16 + "e" * 16 + "a" * 16)
    bound = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
    sealed = SM.encrypt(key, bytes.fromhex("00001234567800000000abcd"), plain, bound)
    assert sealed.hex() == (
        "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735"
        "d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d"
        "83de3541e4c2b58177e065a9bf7b62ec"
    )


def test_gcm_of_aes_is_that_of_the_mcgrew_viega_test_case_16() -> None:
    key = bytes.fromhex("feffe9928665731c6d6a8f9467308308" * 2)
    plain = bytes.fromhex(
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
        "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
    )
    bound = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
    sealed = AES.encrypt(key, bytes.fromhex("cafebabefacedbaddecaf888"), plain, bound)
    assert sealed[-16:].hex() == "76fc6ece0f4e1768cddf8853bb2d551b"


@given(families, st.text(), places)
def test_what_is_encrypted_opens_at_its_place(family: str, plain: str, place: Place) -> None:
    ring = RINGS[family]
    assert ring.decrypt(ring.encrypt(plain, place), place) == plain


@given(families, st.text(), places, places)
def test_what_is_moved_to_another_place_does_not_open(family: str, plain: str, place: Place, other: Place) -> None:
    assume((place.table, place.column, str(place.row)) != (other.table, other.column, str(other.row)))
    ring = RINGS[family]
    with pytest.raises(NotAsEncrypted):
        ring.decrypt(ring.encrypt(plain, place), other)


@given(families, st.text(), st.data())
def test_a_changed_bit_anywhere_is_found(family: str, plain: str, data: st.DataObject) -> None:
    ring = RINGS[family]
    sealed = bytearray(ring.encrypt(plain, HERE))
    bit = data.draw(st.integers(min_value=0, max_value=len(sealed) * 8 - 1))
    sealed[bit // 8] ^= 1 << bit % 8
    with pytest.raises((NotAsEncrypted, KeyLost)):
        ring.decrypt(bytes(sealed), HERE)


@given(families, st.binary(max_size=60))
def test_bytes_that_nobody_encrypted_are_refused(family: str, junk: bytes) -> None:
    with pytest.raises((NotAsEncrypted, KeyLost)):
        RINGS[family].decrypt(junk, HERE)


@given(families, st.text())
def test_the_same_text_is_never_encrypted_to_the_same_bytes(family: str, plain: str) -> None:
    ring = RINGS[family]
    assert ring.encrypt(plain, HERE) != ring.encrypt(plain, HERE)


def test_after_a_rotation_old_values_open_and_new_ones_have_the_new_key() -> None:
    ring = KeyRing.new(now=NOW)
    old, old_mark = ring.encrypt("138", HERE), ring.mark("phone", "138")
    ring.rotate(now=NOW, family="sm", uses=tuple(Use))
    new = ring.encrypt("138", HERE)
    assert ring.decrypt(old, HERE) == ring.decrypt(new, HERE) == "138"
    assert (ring.is_current(old), ring.is_current(new)) == (False, True)
    assert ring.marks("phone", "138") == [ring.mark("phone", "138"), old_mark]


def test_what_was_made_with_a_lost_key_says_so_by_its_number() -> None:
    ring = KeyRing.new(now=NOW)
    old = ring.encrypt("138", HERE)
    lost = next(key.number for key in ring.keys if key.use is Use.DATA)
    ring.rotate(now=NOW)
    ring.forget([lost])
    with pytest.raises(KeyLost) as refusal:
        ring.decrypt(old, HERE)
    assert refusal.value.facts["numbers"] == [lost]


def test_a_key_that_is_used_for_what_is_new_cannot_be_forgotten() -> None:
    ring = KeyRing.new(now=NOW)
    with pytest.raises(KeyInUse):
        ring.forget([ring.keys[0].number])


def test_equal_identifiers_have_equal_marks_and_kinds_do_not_meet() -> None:
    ring = KeyRing.new(now=NOW)
    assert ring.mark("phone", "110") == ring.mark("phone", "110")
    assert ring.mark("phone", "110") != ring.mark("id_number", "110")
    assert ring.mark("phone", "110") != KeyRing.new(now=NOW).mark("phone", "110")


def test_the_file_is_for_its_owner_alone_and_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "data" / "keys.json"
    sealed = KeyRing.open(file, now=NOW).encrypt("张三", HERE)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert KeyRing.open(file, now=NOW).decrypt(sealed, HERE) == "张三"


def test_a_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    KeyRing.open(file, now=NOW)
    file.chmod(0o640)
    with pytest.raises(KeyFileUnsafe):
        KeyRing.open(file, now=NOW)


def test_a_broken_file_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    file.write_bytes(b"{")
    file.chmod(0o600)
    with pytest.raises(KeyFileUnusable):
        KeyRing.open(file, now=NOW)
    assert file.read_bytes() == b"{"


def test_another_family_is_taken_for_what_is_new(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    old = KeyRing.open(file, now=NOW).encrypt("张三", HERE)
    ring = KeyRing.open(file, now=NOW, family="sm")
    assert ring.family is SM
    assert ring.decrypt(old, HERE) == "张三"
    assert KeyRing.open(file, now=NOW, family="sm").keys == ring.keys


@given(st.binary(), st.binary())
def test_a_signature_is_good_for_what_was_signed_alone(data: bytes, other: bytes) -> None:
    ring = RINGS["aes"]
    number, signature = ring.sign(data)
    assert ring.is_signed(number, signature, data)
    assert ring.is_signed(number, signature, other) is (data == other)
