# SPDX-License-Identifier: Apache-2.0
"""Certificates that are believed because an authority made them (RFC 5280): its chain, its name, and what it revoked.

Paths are built and checked by `cryptography.x509.verification`, which judges authorities as browsers do. A signer's own
certificate need not be one of a web server; it must be for signatures if it says what it is for, and be no authority.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from pathlib import Path

import msgspec
import structlog
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509.oid import NameOID
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    Policy,
    PolicyBuilder,
    Store,
    VerificationError,
)

from citybrain.kernel.crypto.enveloped import Certificate, CertificateUnusable, certificates, is_weak

LONGEST = 4
"""Authorities between a signer and the one that is believed: more than any public hierarchy has."""

PEM = b"-----BEGIN"
LISTS, CERTIFICATES = frozenset({".crl"}), frozenset({".pem", ".crt", ".cer"})

log = structlog.get_logger()


class Standing(StrEnum):
    """What authorities say of a certificate. `stale`: a list of what is revoked is missing, or its time is over."""

    TRUSTED = "trusted"
    REVOKED = "revoked"
    STALE = "stale"
    UNTRUSTED = "untrusted"


class RevocationList(msgspec.Struct, frozen=True, kw_only=True):
    """What a list says of itself; `revoked` is the number of its certificates."""

    made_at: datetime
    ends_at: datetime | None
    revoked: int


class Revocations:
    """Lists of revoked certificates in files, read again when a file changes: authorities make new ones every day."""

    def __init__(self, files: Sequence[Path]) -> None:
        self._files = files
        self._seen: dict[Path, tuple[int, int]] = {}
        self._lists: dict[Path, x509.CertificateRevocationList] = {}
        for file in files:
            self._read(file)

    @property
    def is_asked(self) -> bool:
        """Whether there are any: without them nobody asks what is revoked."""
        return bool(self._files)

    def of(self, issuer: x509.Certificate) -> list[x509.CertificateRevocationList]:
        """The lists that an authority signed; of a file that cannot be read any more, what it said before."""
        for file in self._files:
            try:
                self._read(file)
            except CertificateUnusable as problem:
                log.warning("revocations_not_read", code=problem.code, facts=problem.facts)
        return [each for each in self._lists.values() if _is_signed_by(each, issuer)]

    def _read(self, file: Path) -> None:
        try:
            found = file.stat()
            state = (found.st_mtime_ns, found.st_size)
            if self._seen.get(file) != state:
                body = file.read_bytes()
                self._lists[file] = x509.load_pem_x509_crl(body) if PEM in body else x509.load_der_x509_crl(body)
                self._seen[file] = state
        except (OSError, ValueError, UnsupportedAlgorithm) as problem:
            raise CertificateUnusable(
                "kernel.certificate_unusable", {"file": str(file), "why": str(problem)}
            ) from problem


NOTHING_REVOKED = Revocations(())


class Authorities:
    """Those whose word counts. Without any of them nobody is trusted."""

    def __init__(self, known: Iterable[Certificate] = (), revocations: Revocations = NOTHING_REVOKED) -> None:
        itself = [each.itself for each in known]
        self._roots = [each for each in itself if each.issuer == each.subject]
        self._between = [each for each in itself if each.issuer != each.subject]
        self._revocations = revocations

    @property
    def has_any(self) -> bool:
        """Whether somebody can be trusted at all."""
        return bool(self._roots)

    @property
    def known(self) -> list[tuple[Certificate, bool]]:
        """Those that are named, each with whether it is a root."""
        return [(Certificate(each), each.issuer == each.subject) for each in (*self._roots, *self._between)]

    @property
    def asks_revocations(self) -> bool:
        """Whether it is asked what they revoked."""
        return self._revocations.is_asked

    def newest_list_of(self, authority: Certificate) -> RevocationList | None:
        """The newest list that one of them signed, as its file is now."""
        found = self._revocations.of(authority.itself)
        if not found:
            return None
        newest = max(found, key=lambda each: each.last_update_utc)
        return RevocationList(made_at=newest.last_update_utc, ends_at=newest.next_update_utc, revoked=len(newest))

    def judge(self, leaf: Certificate, shown: Sequence[Certificate], at: datetime) -> Standing:
        """What they say of a signer's certificate; `shown` are others that came with it and may lie between."""
        if not self._roots or is_weak(leaf.itself.public_key()) or _is_authority(leaf.itself):
            return Standing.UNTRUSTED
        between = [*self._between, *(each.itself for each in shown if each.fingerprint != leaf.fingerprint)]
        policy = PolicyBuilder().store(Store(self._roots)).time(at).max_chain_depth(LONGEST)
        policy = policy.extension_policies(ca_policy=ExtensionPolicy.webpki_defaults_ca(), ee_policy=_SIGNERS)
        try:
            chain = policy.build_client_verifier().verify(leaf.itself, between).chain
        except (VerificationError, ValueError, UnsupportedAlgorithm):
            return Standing.UNTRUSTED
        return self.revoked(chain, at)

    def revoked(self, chain: Sequence[x509.Certificate], at: datetime) -> Standing:
        """Whether one of a chain, from the signer up, was revoked; each but the last was made by the one after it."""
        if not self._revocations.is_asked:
            return Standing.TRUSTED
        found = [self._of_one(each, issuer, at) for each, issuer in pairwise(chain)]
        return next((each for each in (Standing.REVOKED, Standing.STALE) if each in found), Standing.TRUSTED)

    def _of_one(self, each: x509.Certificate, issuer: x509.Certificate, at: datetime) -> Standing:
        lists = self._revocations.of(issuer)
        for listed in lists:
            entry = listed.get_revoked_certificate_by_serial_number(each.serial_number)
            if entry is not None and entry.revocation_date_utc <= at:
                return Standing.REVOKED
        current = [one for one in lists if one.next_update_utc is not None and at <= one.next_update_utc]
        return Standing.TRUSTED if current else Standing.STALE


def read_certificates(path: Path) -> list[Certificate]:
    """The certificates of a PEM file, or of all such files of a folder. Refuses what cannot be used."""
    return [each for file in _files(path, CERTIFICATES) for each in certificates(file)]


def read_lists(path: Path) -> list[Path]:
    """The file of a list, or all such files of a folder."""
    return list(_files(path, LISTS))


def names_of(certificate: Certificate) -> frozenset[str]:
    """Whom a certificate is of: its common names, and the addresses, hosts and URIs of its subject."""
    itself = certificate.itself
    named = {str(each.value) for each in itself.subject.get_attributes_for_oid(NameOID.COMMON_NAME)}
    named |= {str(each.value) for each in itself.subject.get_attributes_for_oid(NameOID.EMAIL_ADDRESS)}
    try:
        other = itself.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return frozenset(named)
    kinds = (x509.RFC822Name, x509.DNSName, x509.UniformResourceIdentifier)
    return frozenset(named | {str(value) for kind in kinds for value in other.get_values_for_type(kind)})


def _files(path: Path, endings: frozenset[str]) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    yield from sorted(each for each in path.iterdir() if each.suffix.lower() in endings)


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False
    except ValueError:
        return True


def _is_signed_by(listed: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    if listed.issuer != issuer.subject:
        return False
    try:
        return listed.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]
    except (TypeError, ValueError, UnsupportedAlgorithm):
        return False


def _for_signatures(policy: Policy, certificate: x509.Certificate, use: x509.KeyUsage | None) -> None:
    """If it says what it is for, that is signatures (RFC 5280 section 4.2.1.3)."""
    if use is not None and not (use.digital_signature or use.content_commitment):
        raise ValueError("not for signatures")


_SIGNERS = ExtensionPolicy.permit_all().may_be_present(x509.KeyUsage, Criticality.AGNOSTIC, _for_signatures)
