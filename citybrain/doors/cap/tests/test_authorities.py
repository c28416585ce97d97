# SPDX-License-Identifier: Apache-2.0
"""Whom an authority vouches for is believed, in that name alone, and only until it is revoked."""

from base64 import b64decode
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from citybrain.doors.cap.reading import read
from citybrain.doors.cap.tests.authority import Authority, Sender, written
from citybrain.doors.cap.tests.sample import plain
from citybrain.doors.cap.tests.signing import BEGINS, SENDER
from citybrain.doors.cap.trust import SignatureRefused, Trust, load
from citybrain.kernel.crypto.enveloped import CertificateUnusable

NOW = datetime(2026, 6, 15, tzinfo=UTC)
BODY = plain()
ROOT = Authority("Root of the country")
BELOW = Authority("Weather authority", ROOT)
STRANGER = Authority("Somebody's own root")
OURS = BELOW.sender(SENDER)


def judged(trust: Trust, body: bytes, at: datetime = NOW) -> str:
    try:
        return trust.judge(read(body), body, at).state
    except SignatureRefused as refusal:
        return refusal.verdict


def test_a_chain_up_to_a_known_root_is_believed(tmp_path: Path) -> None:
    trust = load(written(tmp_path, SENDER, ROOT))
    body = OURS.signed(BODY, BELOW)
    told = trust.judge(read(body), body, NOW)
    assert told.state == "valid"
    assert len(told.by) == 64


def test_an_authority_between_may_lie_in_the_folder_instead_of_the_message(tmp_path: Path) -> None:
    assert judged(load(written(tmp_path, SENDER, ROOT, BELOW)), OURS.signed(BODY)) == "valid"


# fmt: off
UNBELIEVED = [
    ("the chain has a gap",              OURS.signed(BODY), NOW, "unknown"),
    ("another root",                     STRANGER.sender(SENDER).signed(BODY, STRANGER), NOW, "unknown"),
    ("a name that is not the sender's",  BELOW.sender("other@x").signed(BODY, BELOW), NOW, "unknown"),
    ("the authority signed it itself",   Sender(BELOW.key, BELOW.certificate).signed(BODY, ROOT), NOW, "unknown"),
    ("an authority of the same name",    BELOW.sender(SENDER, ca=True, signs=False).signed(BODY, BELOW), NOW,
     "unknown"),
    ("not made for signatures",          BELOW.sender(SENDER, signs=False).signed(BODY, BELOW), NOW, "unknown"),
    ("its time is over",                 BELOW.sender(SENDER, ends=NOW - timedelta(days=1)).signed(BODY, BELOW), NOW,
     "outdated"),
    ("its time has not come",            BELOW.sender(SENDER, begins=NOW + timedelta(days=1)).signed(BODY, BELOW), NOW,
     "outdated"),
    ("the root's time is over",          OURS.signed(BODY, BELOW), datetime(2031, 1, 1, tzinfo=UTC), "outdated"),
    ("changed afterwards",               OURS.signed(BODY, BELOW).replace(b"Rain", b"Snow"), NOW, "wrong"),
    ("not signed",                       BODY, NOW, "none"),
]
# fmt: on


@pytest.mark.parametrize(("what", "body", "at", "verdict"), UNBELIEVED, ids=[each[0] for each in UNBELIEVED])
def test_what_no_authority_vouches_for_is_not_believed(
    tmp_path: Path, what: str, body: bytes, at: datetime, verdict: str
) -> None:
    assert judged(load(written(tmp_path, SENDER, ROOT)), body, at) == verdict


def test_a_sender_below_a_sender_is_no_authority(tmp_path: Path) -> None:
    """Who has a certificate cannot make others."""
    below = Authority("no authority", BELOW)
    below.key, below.certificate, below.name = OURS.key, OURS.certificate, OURS.certificate.subject
    forged = below.sender(SENDER)
    body = forged.signed(BODY, below, BELOW)
    assert judged(load(written(tmp_path, SENDER, ROOT)), body) == "wrong"
    assert judged(load(written(tmp_path, SENDER, ROOT)), forged.signed(BODY, BELOW)) == "unknown"


def test_a_sender_may_be_named_otherwise_in_its_certificate(tmp_path: Path) -> None:
    body = BELOW.sender("centre").signed(BODY, BELOW)
    for number, (name, verdict) in enumerate((("centre", "valid"), ("centre.example", "valid"), ("cent", "unknown"))):
        folder = tmp_path / str(number)
        folder.mkdir()
        assert judged(load(written(folder, SENDER, ROOT, more=f'names = ["{name}"]')), body) == verdict


LISTED = 'revocations = ["crl"]'


def with_lists(folder: Path, **lists: bytes) -> Path:
    (folder / "crl").mkdir(exist_ok=True)
    for name, body in lists.items():
        (folder / "crl" / f"{name}.crl").write_bytes(body)
    return written(folder, SENDER, ROOT, more=LISTED)


def test_what_was_revoked_is_not_believed_and_neither_is_what_nobody_knows_of(tmp_path: Path) -> None:
    body, other = OURS.signed(BODY, BELOW), BELOW.sender(SENDER)
    day = timedelta(days=1)
    root, good = ROOT.revoked([], NOW - day), BELOW.revoked([other], NOW - day)
    assert judged(load(with_lists(tmp_path, root=root, below=good)), body) == "valid"
    assert judged(load(with_lists(tmp_path, root=root, below=good)), other.signed(BODY, BELOW)) == "revoked"
    over = BELOW.revoked([], NOW - 30 * day)
    assert judged(load(with_lists(tmp_path, root=root, below=over)), body) == "stale"
    forged = Authority("Weather authority", ROOT).revoked([], NOW - day)
    assert judged(load(with_lists(tmp_path, root=root, below=forged)), body) == "stale"
    revoked = ROOT.revoked([Sender(BELOW.key, BELOW.certificate)], NOW - day)
    assert judged(load(with_lists(tmp_path, root=revoked, below=good)), body) == "revoked"
    (tmp_path / "crl" / "below.crl").unlink()
    assert judged(load(with_lists(tmp_path, root=root)), body) == "stale"


def test_a_list_that_was_over_still_says_what_it_revoked(tmp_path: Path) -> None:
    lists = {
        "root": ROOT.revoked([], NOW - timedelta(days=1)),
        "below": BELOW.revoked([OURS], NOW - timedelta(days=60)),
    }
    assert judged(load(with_lists(tmp_path, **lists)), OURS.signed(BODY, BELOW)) == "revoked"


def test_a_new_list_counts_without_a_start_and_a_broken_one_leaves_the_old(tmp_path: Path) -> None:
    body, day = OURS.signed(BODY, BELOW), timedelta(days=1)
    root = ROOT.revoked([], NOW - day)
    trust = load(with_lists(tmp_path, root=root, below=BELOW.revoked([], NOW - day)))
    assert judged(trust, body) == "valid"
    (tmp_path / "crl" / "below.crl").write_bytes(b"-----BEGIN half a list")
    with capture_logs() as logs:
        assert judged(trust, body) == "valid"
    assert {each["event"] for each in logs} == {"revocations_not_read"}
    listed = BELOW.revoked([OURS, *(BELOW.sender("x") for _ in range(3))], NOW - day)
    (tmp_path / "crl" / "below.crl").write_bytes(listed)
    assert judged(trust, body) == "revoked"


def test_a_list_may_be_binary(tmp_path: Path) -> None:
    lines = BELOW.revoked([OURS], NOW - timedelta(days=1)).split(b"\n")[1:-2]
    binary = b64decode(b"".join(lines))
    root = ROOT.revoked([], NOW - timedelta(days=1))
    assert judged(load(with_lists(tmp_path, root=root, below=binary)), OURS.signed(BODY, BELOW)) == "revoked"


def test_before_it_was_revoked_it_was_good(tmp_path: Path) -> None:
    at = NOW + timedelta(days=2)
    lists = {"root": ROOT.revoked([], BEGINS, timedelta(days=3000)), "below": BELOW.revoked([OURS], at)}
    assert judged(load(with_lists(tmp_path, **lists)), OURS.signed(BODY, BELOW), at + timedelta(days=1)) == "revoked"
    assert judged(load(with_lists(tmp_path, **lists)), OURS.signed(BODY, BELOW), NOW) == "valid"


@pytest.mark.parametrize(
    ("break_it", "code"),
    [
        (lambda folder: (folder / "ca" / "0.pem").write_bytes(BELOW.pem), "cap.sender_without_root"),
        (lambda folder: (folder / "ca" / "0.pem").unlink(), "cap.sender_without_certificates"),
        (lambda folder: (folder / "ca" / "0.pem").write_bytes(b"no certificate"), "kernel.certificate_unusable"),
        (lambda folder: (folder / "crl" / "root.crl").write_bytes(b"no list"), "kernel.certificate_unusable"),
    ],
)
def test_authorities_that_cannot_be_used_are_told_at_the_start(tmp_path: Path, break_it: object, code: str) -> None:
    path = with_lists(tmp_path, root=ROOT.revoked([], NOW))
    break_it(tmp_path)  # type: ignore[operator]
    with pytest.raises(CertificateUnusable) as refused:
        load(path)
    assert refused.value.code == code
