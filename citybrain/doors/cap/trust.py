# SPDX-License-Identifier: Apache-2.0
"""Whose signatures are checked and by which certificates, and what the city signs with: a file of the operator."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from pathlib import Path

import msgspec

from citybrain.doors.cap.problems import Problem
from citybrain.doors.cap.reading import Message, read
from citybrain.kernel.controllers import mapping
from citybrain.kernel.crypto.enveloped import Certificate, CertificateUnusable, Checked, Signer, Verdict, certificates
from citybrain.kernel.crypto.enveloped import check as check_signature
from citybrain.kernel.errors import Invalid
from citybrain.kernel.records import Facts

UNCHECKED = "unchecked"
# What is told of a signature that is not what it should be.
CODES: Mapping[str, str] = {
    Verdict.NONE: "cap.signature_none",
    Verdict.WRONG: "cap.signature_wrong",
    Verdict.OUTDATED: "cap.signature_outdated",
    Verdict.UNKNOWN: "cap.signature_unknown",
    Verdict.UNSUPPORTED: "cap.signature_unsupported",
}


class Signatures(StrEnum):
    """What is done with the signatures of a sender: only valid ones are taken; those that are wrong are refused and
    all else is taken and told; nobody looks at them."""

    REQUIRED = "required"
    CHECKED = "checked"
    IGNORED = "ignored"


class SignatureRefused(Invalid):
    """A message whose signature is not what the operator asks of its sender."""


class Source(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A sender of the file, and PEM files with the certificates that it signs with."""

    sender: str
    certificates: tuple[str, ...]
    signatures: Signatures = Signatures.REQUIRED


class Own(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The city's own key and its certificate, PEM files."""

    key: str
    certificate: str


class File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What stands in the file. `others` are the senders that it does not name."""

    others: Signatures = Signatures.IGNORED
    source: tuple[Source, ...] = ()
    signing: Own | None = None


class Signed(msgspec.Struct, frozen=True):
    """How a message is signed: a verdict or `unchecked`, and the fingerprint of the certificate when it is valid."""

    state: str
    by: str = ""


class Trust:
    """Whom to believe. Without a file nothing is checked, and nothing signed."""

    def __init__(
        self,
        sources: Mapping[str, tuple[Signatures, tuple[Certificate, ...]]] | None = None,
        *,
        others: Signatures = Signatures.IGNORED,
        signer: Signer | None = None,
    ) -> None:
        self._sources = sources or {}
        self._others = others
        self.signer = signer

    def judge(self, message: Message, body: bytes, at: datetime) -> Signed:
        """How a message is signed. Refuses `SignatureRefused`.

        A message that is valid says what was signed: both are read, and must say the same.
        """
        sender = message.alert.sender
        asked, known = self._sources.get(sender, (self._others, ()))
        if asked is Signatures.IGNORED:
            return Signed(UNCHECKED if message.signed else Verdict.NONE.value)
        found = check_signature(body, known, at) if message.signed else Checked(Verdict.NONE)
        if message.signed and found.verdict is Verdict.NONE:
            found = Checked(Verdict.UNSUPPORTED)
        if found.verdict is Verdict.VALID and read(found.signed).alert != message.alert:
            found = Checked(Verdict.WRONG)
        if found.verdict is Verdict.WRONG or (asked is Signatures.REQUIRED and found.verdict is not Verdict.VALID):
            raise SignatureRefused(CODES[found.verdict], {"sender": sender, "at": at.isoformat()})
        return Signed(found.verdict.value, found.by if found.verdict is Verdict.VALID else "")

    def remarks(self, sender: str, state: str, at: datetime) -> list[Problem]:
        """What is told of a message that was taken although its signature is not valid."""
        asked, _ = self._sources.get(sender, (self._others, ()))
        if asked is Signatures.IGNORED or state not in CODES:
            return []
        facts: Facts = {"sender": sender, "at": at.isoformat()}
        return [Problem(code=CODES[state], path="/alert", facts=facts)]


NOBODY = Trust()


def load(path: Path | None) -> Trust:
    """Read the file with the certificates and keys that it names; paths in it begin at its folder.

    Refuses a file, a certificate or a key that cannot be used.
    """
    if path is None:
        return NOBODY
    found = mapping.read(path, File, "cap")
    sources = {}
    for each in found.source:
        if each.sender in sources:
            raise mapping.UnusableMapping("cap.sender_twice", {"path": str(path), "sender": each.sender})
        known = tuple(one for name in each.certificates for one in certificates(path.parent / name))
        if not known and each.signatures is not Signatures.IGNORED:
            raise CertificateUnusable("cap.sender_without_certificates", {"path": str(path), "sender": each.sender})
        sources[each.sender] = (each.signatures, known)
    own = found.signing
    signer = Signer.open(path.parent / own.key, path.parent / own.certificate) if own else None
    return Trust(sources, others=found.others, signer=signer)
