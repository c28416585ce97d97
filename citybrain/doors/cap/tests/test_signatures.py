# SPDX-License-Identifier: Apache-2.0
"""Signatures (CAP 1.2 section 3.3.4.1): what is valid is believed, and nothing beside what was signed."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod

from citybrain.doors.cap.reading import read
from citybrain.doors.cap.tests.sample import WHOLE, plain
from citybrain.doors.cap.tests.signing import ENDS, FOREIGN, SENDER, Pair, pair, signed, trusting
from citybrain.doors.cap.trust import CODES, NOBODY, SignatureRefused, Signatures, Signed, Trust, load
from citybrain.kernel.crypto import KeyFileUnsafe
from citybrain.kernel.crypto.enveloped import CertificateUnusable, Checked, Signer, Verdict, certificates, check
from citybrain.kernel.errors import Invalid

NOW = datetime(2026, 6, 15, tzinfo=UTC)
SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}Signature"
CAP = "{urn:oasis:names:tc:emergency:cap:1.2}"
BODY = plain(head="<note>rain &amp; wind</note>")


def judged(trust: Trust, body: bytes, at: datetime = NOW) -> str:
    """The state of a message, or the code by which it is refused."""
    try:
        return trust.judge(read(body), body, at).state
    except Invalid as refusal:
        return refusal.code


METHODS = [
    ("rsa", SignatureMethod.RSA_SHA256),
    ("rsa", SignatureMethod.RSA_SHA512),
    ("rsa", SignatureMethod.SHA256_RSA_MGF1),
    ("p256", SignatureMethod.ECDSA_SHA256),
    ("p384", SignatureMethod.ECDSA_SHA384),
    ("p521", SignatureMethod.ECDSA_SHA512),
]


@pytest.mark.parametrize(("kind", "method"), METHODS, ids=[method.name for _, method in METHODS])
def test_strong_algorithms_are_verified(kind: str, method: SignatureMethod) -> None:
    body = signed(BODY, pair(kind), method)
    found = trusting(pair(kind)).judge(read(body), body, NOW)
    assert found == Signed("valid", pair(kind).certificate.fingerprint)


@pytest.mark.parametrize("canonical", list(CanonicalizationMethod), ids=lambda each: each.name)
def test_canonical_forms_with_comments_are_not_for_documents(canonical: CanonicalizationMethod) -> None:
    state = "cap.signature_unsupported" if "COMMENTS" in canonical.name else "valid"
    assert judged(trusting(pair("p256")), signed(BODY, pair("p256"), canonical=canonical)) == state


@pytest.mark.parametrize("method", [SignatureMethod.ECDSA_SHA224, SignatureMethod.ECDSA_SHA3_256])
def test_other_algorithms_are_not_accepted(method: SignatureMethod) -> None:
    assert judged(trusting(pair("p256")), signed(BODY, pair("p256"), method)) == "cap.signature_unsupported"


def test_a_weak_digest_under_a_strong_signature_is_not_accepted() -> None:
    body = signed(BODY, pair("p256"), digest=DigestAlgorithm.SHA224)
    assert judged(trusting(pair("p256")), body) == "cap.signature_unsupported"


@pytest.mark.parametrize(("name", "verdict"), [("rsa", "valid"), ("ec", "valid"), ("sha1", "unsupported")])
def test_what_another_program_signed_is_verified_and_sha_1_is_not(name: str, verdict: str) -> None:
    """xmlsec1 1.2.37 signed these, with one prefix for the signature and with comments around the message."""
    body = (FOREIGN / f"signed_{name}.cap").read_bytes()
    known = [*certificates(FOREIGN / "rsa.crt"), *certificates(FOREIGN / "ec.crt")]
    found = check(body, known, datetime(2027, 1, 1, tzinfo=UTC))
    assert found.verdict == verdict
    if verdict == "valid":
        assert read(found.signed).alert == read(body).alert
        changed = body.replace("滨江".encode(), "江滨".encode())
        assert check(changed, known, datetime(2027, 1, 1, tzinfo=UTC)) == Checked(Verdict.WRONG)


ONE, OTHER = pair("p256"), pair("p256", 1)
STATES: list[tuple[str, Callable[[], bytes], datetime, str]] = [
    ("none", lambda: BODY, NOW, "none"),
    ("of a known certificate", lambda: signed(BODY, ONE), NOW, "valid"),
    ("of an unknown certificate", lambda: signed(BODY, OTHER), NOW, "unknown"),
    ("of another kind of key", lambda: signed(BODY, pair("rsa"), SignatureMethod.RSA_SHA256), NOW, "unknown"),
    ("before its time", lambda: signed(BODY, ONE), NOW - timedelta(days=3000), "outdated"),
    ("after its time", lambda: signed(BODY, ONE), ENDS + timedelta(seconds=1), "outdated"),
    ("changed", lambda: signed(BODY, ONE).replace(b"Rain", b"Snow"), NOW, "wrong"),
    ("changed value", lambda: flipped(signed(BODY, ONE)), NOW, "wrong"),
    ("another in its name", lambda: in_the_name_of(ONE, signed(BODY, OTHER)), NOW, "wrong"),
]


def in_the_name_of(named: Pair, body: bytes) -> bytes:
    """The message with another certificate in it than the one that signed it."""
    theirs, ours = (b"\n".join(each.pem.strip().split(b"\n")[1:-1]) for each in (OTHER, named))
    assert theirs in body
    return body.replace(theirs, ours)


def flipped(body: bytes) -> bytes:
    at = body.index(b"SignatureValue>") + len(b"SignatureValue>")
    return body[:at] + (b"B" if body[at : at + 1] == b"A" else b"A") + body[at + 1 :]


@pytest.mark.parametrize(("what", "make", "at", "state"), STATES, ids=[each[0] for each in STATES])
def test_what_is_asked_of_a_sender_is_kept(what: str, make: Callable[[], bytes], at: datetime, state: str) -> None:
    body = make()
    refused = CODES.get(state, "")
    assert judged(trusting(ONE), body, at) == ("valid" if state == "valid" else refused)
    gentle = refused if state == "wrong" else state
    assert judged(trusting(ONE, asked=Signatures.CHECKED), body, at) == gentle
    ignored = "none" if state == "none" else "unchecked"
    assert judged(trusting(ONE, asked=Signatures.IGNORED), body, at) == ignored
    assert judged(NOBODY, body, at) == ignored


def test_senders_that_are_not_named_are_treated_as_the_others() -> None:
    body = signed(plain(sender="new@x"), ONE)
    assert judged(trusting(ONE), body) == "unchecked"
    assert judged(Trust(others=Signatures.CHECKED), body) == "unknown"
    assert judged(Trust(others=Signatures.REQUIRED), body) == "cap.signature_unknown"


def test_after_a_change_of_keys_both_are_valid() -> None:
    for each in (ONE, OTHER):
        assert judged(trusting(ONE, OTHER), signed(BODY, each)) == "valid"


# Each takes a true message apart and builds one that says something else beside the true signature.
def _moved(forged: etree._Element, true: etree._Element) -> etree._Element:
    forged.append(true.find(SIGNATURE))
    return forged


def _whole_inside(forged: etree._Element, true: etree._Element) -> etree._Element:
    holder = etree.SubElement(forged, SIGNATURE)
    etree.SubElement(holder, "{http://www.w3.org/2000/09/xmldsig#}Object").append(true)
    return forged


def _object_in_the_signature(forged: etree._Element, true: etree._Element) -> etree._Element:
    signature = true.find(SIGNATURE)
    forged.append(signature)
    etree.SubElement(signature, "{http://www.w3.org/2000/09/xmldsig#}Object").append(true)
    return forged


def _by_name(forged: etree._Element, true: etree._Element) -> etree._Element:
    signature = true.find(SIGNATURE)
    forged.append(signature)
    etree.SubElement(signature, "{http://www.w3.org/2000/09/xmldsig#}Object").append(true)
    true.set("Id", "true")
    signature.find(".//{*}Reference").set("URI", "#true")
    return forged


def _in_an_info(forged: etree._Element, true: etree._Element) -> etree._Element:
    forged.find(f"{CAP}info").append(true.find(SIGNATURE))
    return forged


def _two(forged: etree._Element, true: etree._Element) -> etree._Element:
    del forged
    true.append(etree.fromstring(etree.tostring(true.find(SIGNATURE))))
    return true


def _more_after(forged: etree._Element, true: etree._Element) -> etree._Element:
    true.append(forged.find(f"{CAP}info"))
    return true


def _only_a_reference(forged: etree._Element, true: etree._Element) -> etree._Element:
    signed_info = true.find(f"{SIGNATURE}/{{*}}SignedInfo")
    true.find(SIGNATURE).remove(signed_info)
    true.find(SIGNATURE).append(signed_info.find("{*}Reference"))
    return _moved(forged, true)


def _transform(forged: etree._Element, true: etree._Element) -> etree._Element:
    del forged
    transforms = true.find(f".//{SIGNATURE[:-9]}Transforms")
    etree.SubElement(transforms, f"{SIGNATURE[:-9]}Transform", Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116")
    return true


WRAPS = [
    _moved,
    _whole_inside,
    _object_in_the_signature,
    _by_name,
    _in_an_info,
    _two,
    _more_after,
    _only_a_reference,
    _transform,
]


@pytest.mark.parametrize("wrap", WRAPS, ids=lambda each: each.__name__.strip("_"))
@pytest.mark.parametrize("asked", [Signatures.REQUIRED, Signatures.CHECKED])
def test_nothing_is_believed_that_stands_beside_what_was_signed(
    wrap: Callable[[etree._Element, etree._Element], etree._Element], asked: Signatures
) -> None:
    forged, true = etree.fromstring(plain(severity="Minor")), etree.fromstring(signed(BODY, ONE))
    body = etree.tostring(wrap(forged, true))
    state = judged(trusting(ONE, asked=asked), body)
    assert state in {"cap.signature_wrong", "cap.signature_unsupported", "unsupported", "cap.rules_broken"}
    assert (state, asked) != ("unsupported", Signatures.REQUIRED)


def test_a_comment_in_a_text_changes_nothing() -> None:
    body = signed(BODY, ONE).replace(b"Rain", b"Ra<!-- x -->in")
    assert read(body).alert.infos[0].event == "Rain"
    assert judged(trusting(ONE), body) == "valid"
    hidden = signed(BODY, ONE).replace(b"<ds:DigestValue>", b"<ds:DigestValue><!-- x -->")
    assert judged(trusting(ONE), hidden) == "cap.signature_unsupported"


def test_documents_that_do_harm_do_none_here_either() -> None:
    for body in (b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', b"", b"<a", b"<a>" * 1000):
        assert check(body, [ONE.certificate], NOW).verdict in {Verdict.UNSUPPORTED, Verdict.NONE}
    true = signed(BODY, ONE)
    declared = b'<!DOCTYPE alert [<!ENTITY r "Rain">]>' + true.replace(b"Rain", b"&r;")
    assert check(declared, [ONE.certificate], NOW).verdict is not Verdict.VALID
    with pytest.raises(Invalid):
        read(declared)


TRUE = signed(WHOLE.replace("weather@city.example</sender>", f"{SENDER}</sender>").encode(), ONE)
SAID = read(TRUE).alert


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(TRUE) - 1), st.binary(max_size=4), st.integers(0, 30))
def test_no_change_of_a_message_goes_unseen(at: int, put: bytes, gone: int) -> None:
    body = TRUE[:at] + put + TRUE[at + gone :]
    try:
        message = read(body)
    except Invalid:
        return
    trust = trusting(ONE)
    if message.alert.sender != SENDER:
        return
    if judged(trust, body) == "valid":
        assert message.alert == SAID


@settings(max_examples=200, deadline=None)
@given(st.integers(0, TRUE.index(b"<ds:Signature") - 1), st.integers(1, 255))
def test_any_changed_byte_of_the_content_is_refused_or_says_the_same(at: int, by: int) -> None:
    body = TRUE[:at] + bytes([TRUE[at] ^ by]) + TRUE[at + 1 :]
    for asked in (Signatures.REQUIRED, Signatures.CHECKED):
        try:
            message = read(body)
            if message.alert.sender == SENDER:
                trusting(ONE, asked=asked).judge(message, body, NOW)
                assert message.alert == SAID
        except Invalid:
            pass


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_signature_taken_apart_has_a_verdict(data: st.DataObject) -> None:
    root = etree.fromstring(TRUE)
    parts = [each for each in root.find(SIGNATURE).iter()][1:]
    for part in data.draw(st.lists(st.sampled_from(parts), min_size=1, max_size=4)):
        act = data.draw(st.sampled_from(["remove", "empty", "double", "nameless", "move"]))
        parent = part.getparent()
        if act == "remove" and parent is not None:
            parent.remove(part)
        elif act == "double" and parent is not None:
            parent.append(etree.fromstring(etree.tostring(part)))
        elif act == "move":
            root.find(SIGNATURE).append(part)
        elif act == "empty":
            part.text = ""
        else:
            part.attrib.clear()
    body = etree.tostring(root)
    found = check(body, [ONE.certificate], NOW)
    assert found.verdict is not Verdict.VALID or read(found.signed).alert == SAID


@given(st.binary(max_size=300))
def test_any_bytes_have_a_verdict(body: bytes) -> None:
    assert check(body, [ONE.certificate], NOW).verdict is not Verdict.VALID


def test_what_the_city_signs_is_what_it_said() -> None:
    for kind in ("rsa", "p256", "p384"):
        body = pair(kind).signer.sign(BODY)
        assert read(body).alert == read(BODY).alert
        assert judged(trusting(pair(kind)), body) == "valid"


FILE = """
others = "checked"
[[source]]
sender = "s@x"
certificates = ["one.crt", "other.crt"]
[[source]]
sender = "quiet@x"
signatures = "ignored"
certificates = []
[signing]
key = "one.key"
certificate = "one.crt"
"""


def written(folder: Path, content: str = FILE) -> Path:
    ONE.write(folder, "one")
    OTHER.write(folder, "other")
    path = folder / "cap.toml"
    path.write_text(content, "utf-8")
    return path


def test_an_operator_says_whom_to_believe(tmp_path: Path) -> None:
    trust = load(written(tmp_path))
    assert judged(trust, signed(BODY, OTHER)) == "valid"
    assert judged(trust, BODY) == "cap.signature_none"
    assert judged(trust, plain(sender="quiet@x")) == "none"
    assert trust.signer is not None and trust.signer.certificate.fingerprint == ONE.certificate.fingerprint
    remarks = trust.remarks("new@x", "unknown", NOW)
    assert [each.code for each in remarks] == ["cap.signature_unknown"]
    assert load(None) is NOBODY


UNUSABLE = [
    ("[[source", "cap.file_unusable"),
    ("sourse = 1", "cap.file_unusable"),
    (FILE.replace('"checked"', '"perhaps"'), "cap.file_unusable"),
    (FILE.replace("quiet@x", "s@x"), "cap.sender_twice"),
    (FILE.replace('["one.crt", "other.crt"]', "[]"), "cap.sender_without_certificates"),
    (FILE.replace('"other.crt"', '"nothing.crt"'), "kernel.certificate_unusable"),
    (FILE.replace('"other.crt"', '"one.key"'), "kernel.certificate_unusable"),
    (FILE.replace('key = "one.key"', 'key = "one.crt"'), "kernel.key_file_unsafe"),
    (FILE.replace('key = "one.key"', 'key = "other.key"'), "kernel.key_of_another"),
]


@pytest.mark.parametrize(("content", "code"), UNUSABLE, ids=range(len(UNUSABLE)))
def test_a_file_that_cannot_be_used_is_told(tmp_path: Path, content: str, code: str) -> None:
    with pytest.raises((Invalid, KeyFileUnsafe)) as refused:
        load(written(tmp_path, content))
    assert refused.value.code == code


def test_a_weak_key_of_the_city_is_told(tmp_path: Path) -> None:
    pair("rsa").write(tmp_path, "weak")
    assert certificates(tmp_path / "weak.crt")
    with pytest.raises(CertificateUnusable) as refused:
        Signer.open(tmp_path / "weak.key", tmp_path / "weak.crt")
    assert refused.value.code == "kernel.key_weak"


def test_a_refusal_is_one_of_its_own() -> None:
    with pytest.raises(SignatureRefused):
        trusting(ONE).judge(read(BODY), BODY, NOW)
