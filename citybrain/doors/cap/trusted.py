# SPDX-License-Identifier: Apache-2.0
"""What officers are told of whom the city believes: senders, their certificates, authorities and their lists."""

from collections.abc import Sequence
from datetime import datetime

from cryptography import x509

from citybrain.doors.cap.trust import Asked, Trust
from citybrain.kernel.crypto.chains import Authorities
from citybrain.kernel.crypto.enveloped import Certificate
from citybrain.kernel.records import Json


def shown(trust: Trust, at: datetime) -> dict[str, Json]:
    """All of it; certificates are public, keys and paths are not told."""
    return {
        "is_checked": trust.is_checked,
        "others": trust.others,
        "sources": [_source(sender, asked, at) for sender, asked in sorted(trust.sources.items())],
        "signing": None if trust.signer is None else _certificate(trust.signer.certificate, at),
    }


def _source(sender: str, asked: Asked, at: datetime) -> dict[str, Json]:
    return {
        "sender": sender,
        "signatures": asked.signatures,
        "names": sorted(asked.names),
        "certificates": [_certificate(each, at) for each in asked.certificates],
        "revocations": asked.authorities.asks_revocations,
        "authorities": [
            {**_certificate(each, at), "is_root": is_root, "list": _list(asked.authorities, each, at)}
            for each, is_root in asked.authorities.known
        ],
    }


def _certificate(certificate: Certificate, at: datetime) -> dict[str, Json]:
    """Whose it is, who made it, and its time; `standing` says where in its time we are."""
    itself = certificate.itself
    standing = "good" if certificate.is_valid_at(at) else "early" if at < certificate.begins_at else "over"
    return {
        "name": _named(itself.subject),
        "issuer": _named(itself.issuer),
        "fingerprint": certificate.fingerprint,
        "begins_at": certificate.begins_at,
        "ends_at": certificate.ends_at,
        "standing": standing,
    }


def _named(name: x509.Name) -> str:
    """The common name, or all that is said where there is none."""
    common = name.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(common[0].value) if common else name.rfc4514_string()


def _list(authorities: Authorities, each: Certificate, at: datetime) -> Json:
    """The newest list of what an authority revoked, or None when nothing is here or nobody asks."""
    found: Sequence[x509.CertificateRevocationList] = authorities.lists_of(each)
    if not found:
        return None
    newest = max(found, key=lambda one: one.last_update_utc)
    ends_at = newest.next_update_utc
    return {
        "made_at": newest.last_update_utc,
        "ends_at": ends_at,
        "revoked": len(newest),
        "is_current": ends_at is not None and at <= ends_at,
    }
