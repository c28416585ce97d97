# SPDX-License-Identifier: Apache-2.0
"""What officers are told of whom the city believes: senders, their certificates, authorities and their lists."""

from datetime import datetime

import msgspec

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
    standing = "good" if certificate.is_valid_at(at) else "early" if at < certificate.begins_at else "over"
    return {
        "name": certificate.name,
        "issuer": certificate.issuer_name,
        "fingerprint": certificate.fingerprint,
        "begins_at": certificate.begins_at,
        "ends_at": certificate.ends_at,
        "standing": standing,
    }


def _list(authorities: Authorities, each: Certificate, at: datetime) -> Json:
    """The newest list of what an authority revoked, or None when nothing is here or nobody asks."""
    newest = authorities.newest_list_of(each)
    if newest is None:
        return None
    return {**msgspec.structs.asdict(newest), "is_current": newest.ends_at is not None and at <= newest.ends_at}
