# SPDX-License-Identifier: Apache-2.0
"""Whose signatures are checked and by which certificates, and what the city signs with: a file of the operator."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from functools import cache
from pathlib import Path

import msgspec

from citybrain.doors.cap.problems import Problem
from citybrain.doors.cap.reading import Message, read
from citybrain.kernel.controllers import mapping
from citybrain.kernel.crypto.chains import Authorities, Revocations, Standing, names_of, read_certificates, read_lists
from citybrain.kernel.crypto.enveloped import Certificate, CertificateUnusable, Checked, Signer, Verdict, shown
from citybrain.kernel.crypto.enveloped import check as check_signature
from citybrain.kernel.errors import Invalid
from citybrain.kernel.records import Facts

UNCHECKED = "unchecked"
# What is told of a signature that is not what it should be.
CODES: Mapping[str, str] = {
    Verdict.NONE: "cap.signature_none",
    Verdict.WRONG: "cap.signature_wrong",
    Verdict.OUTDATED: "cap.signature_outdated",
    Verdict.REVOKED: "cap.signature_revoked",
    Verdict.STALE: "cap.signature_stale",
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
    """A message whose signature is not what the operator asks of its sender; `verdict` is that on its signature."""

    @property
    def verdict(self) -> str:
        return next(verdict for verdict, code in CODES.items() if code == self.code)


class Source(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A sender of the file, and PEM files with the certificates that it signs with.

    Or files and folders with `authorities`, of which any may have made its certificate, with one of the `names` (its
    own if nothing is said) and named in none of the lists in `revocations`.
    """

    sender: str
    certificates: tuple[str, ...] = ()
    authorities: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    revocations: tuple[str, ...] = ()
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


class Asked(msgspec.Struct, frozen=True):
    """What is asked of a sender, and by what its signatures are checked."""

    signatures: Signatures
    certificates: tuple[Certificate, ...] = ()
    authorities: Authorities = Authorities()
    names: frozenset[str] = frozenset()

    def check(self, body: bytes, at: datetime) -> Checked:
        """By certificates that are known, or that an authority made for this sender."""
        found = check_signature(body, self.certificates, at)
        if found.verdict is Verdict.VALID or not self.authorities.has_any:
            return found
        brought = shown(body)
        tried = [self._by_authority(each, brought, body, at) for each in brought if self.names & names_of(each)]
        return min((found, *tried), key=lambda each: list(Verdict).index(each.verdict))

    def _by_authority(self, each: Certificate, brought: Sequence[Certificate], body: bytes, at: datetime) -> Checked:
        """The verdict on a certificate that came with a message; one whose time is over is judged within it."""
        standing = self.authorities.judge(each, brought, min(max(at, each.begins_at), each.ends_at))
        if standing is Standing.UNTRUSTED:
            return Checked(Verdict.UNKNOWN)
        checked = check_signature(body, [each], at)
        return Checked(WORSE[standing]) if checked.verdict is Verdict.VALID and standing in WORSE else checked


# What becomes of a signature that fits, by a certificate that is no longer good, or of which that is not known.
WORSE: Mapping[Standing, Verdict] = {Standing.REVOKED: Verdict.REVOKED, Standing.STALE: Verdict.STALE}


class Trust:
    """Whom to believe. Without a file nothing is checked, and nothing signed."""

    def __init__(
        self,
        sources: Mapping[str, Asked] | None = None,
        *,
        others: Signatures = Signatures.IGNORED,
        signer: Signer | None = None,
    ) -> None:
        self._sources = sources or {}
        self._others = others
        self.is_checked = sources is not None
        self.signer = signer

    @property
    def sources(self) -> Mapping[str, Asked]:
        """What is asked of each sender that is named."""
        return self._sources

    @property
    def others(self) -> Signatures:
        """What is asked of those that are not."""
        return self._others

    def judge(self, message: Message, body: bytes, at: datetime) -> Signed:
        """How a message is signed. Refuses `SignatureRefused`.

        A message that is valid says what was signed: both are read, and must say the same.
        """
        sender = message.alert.sender
        source = self._sources.get(sender, Asked(self._others))
        asked = source.signatures
        if asked is Signatures.IGNORED:
            return Signed(UNCHECKED if message.signed else Verdict.NONE.value)
        found = source.check(body, at) if message.signed else Checked(Verdict.NONE)
        if message.signed and found.verdict is Verdict.NONE:
            found = Checked(Verdict.UNSUPPORTED)
        if found.verdict is Verdict.VALID and read(found.signed).alert != message.alert:
            found = Checked(Verdict.WRONG)
        if found.verdict is Verdict.WRONG or (asked is Signatures.REQUIRED and found.verdict is not Verdict.VALID):
            raise SignatureRefused(CODES[found.verdict], {"sender": sender, "at": at.isoformat()})
        return Signed(found.verdict.value, found.by if found.verdict is Verdict.VALID else "")

    def remarks(self, sender: str, state: str, at: datetime) -> list[Problem]:
        """What is told of a message that was taken although its signature is not valid."""
        asked = self._sources.get(sender, Asked(self._others)).signatures
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
        sources[each.sender] = _asked(path, each)
    own = found.signing
    signer = Signer.open(path.parent / own.key, path.parent / own.certificate) if own else None
    return Trust(sources, others=found.others, signer=signer)


@cache
def at_start(path: Path | None) -> Trust:
    """What counts in this process: the file as it was when it was first asked for. A new start reads it anew."""
    return load(path)


def _asked(path: Path, source: Source) -> Asked:
    """What a source of the file asks, with the files that it names."""
    folder = path.parent
    known = tuple(one for name in source.certificates for one in read_certificates(folder / name))
    made_by = [one for name in source.authorities for one in read_certificates(folder / name)]
    lists = Revocations([file for name in source.revocations for file in read_lists(folder / name)])
    authorities = Authorities(made_by, lists)
    facts = {"path": str(path), "sender": source.sender}
    if made_by and not authorities.has_any:
        raise CertificateUnusable("cap.sender_without_root", facts)
    if not known and not made_by and source.signatures is not Signatures.IGNORED:
        raise CertificateUnusable("cap.sender_without_certificates", facts)
    return Asked(source.signatures, known, authorities, frozenset(source.names or (source.sender,)))
