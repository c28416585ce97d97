# SPDX-License-Identifier: Apache-2.0
"""XML signatures that stand within what they sign (XMLDSig, enveloped): made, and checked against known certificates.

Only one shape is accepted: one signature, a child of the root, over the whole document. What its sender says of its key
is not believed; keys are those that the caller knows. Whoever uses a document uses `Checked.signed` of it, so that
nobody slips something in beside what was signed.
"""

import stat
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from itertools import islice
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
from signxml.exceptions import InvalidDigest, InvalidSignature, SignXMLException
from signxml.signer import XMLSigner
from signxml.verifier import SignatureConfiguration, XMLVerifier

from citybrain.kernel.crypto.keyring import OTHERS_MAY, KeyFileUnsafe
from citybrain.kernel.errors import Invalid

XMLDSIG = "http://www.w3.org/2000/09/xmldsig#"
ENVELOPED = f"{XMLDSIG}enveloped-signature"
# What others sign with cannot be chosen here; the city's own keys have 128 bits of security (NIST SP 800-57).
SMALLEST_RSA, SMALLEST_OWN_RSA = 2048, 3072
SMALLEST_CURVE = 256
# A chain is a handful; what brings more is meant to keep us busy.
MOST_SHOWN = 10
_HASHES = ("SHA256", "SHA384", "SHA512")
METHODS = frozenset(
    SignatureMethod[name] for hash in _HASHES for name in (f"RSA_{hash}", f"ECDSA_{hash}", f"{hash}_RSA_MGF1")
)
DIGESTS = frozenset(DigestAlgorithm[hash] for hash in _HASHES)
# Comments are never signed here: a reference to the whole document leaves them out (XMLDSig 1.1 section 4.4.3.3).
TRANSFORMS = frozenset(
    {
        CanonicalizationMethod.CANONICAL_XML_1_0.value,
        CanonicalizationMethod.CANONICAL_XML_1_1.value,
        CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0.value,
    }
)
_NOT_READABLE = (SignXMLException, UnsupportedAlgorithm, ValueError, TypeError, KeyError, etree.LxmlError)


class CertificateUnusable(Invalid):
    """A file with certificates or a key that cannot be used; the facts say why."""


class Verdict(StrEnum):
    """What came of checking a signature; of several certificates the one that stands first counts.

    `revoked` and `stale` are said by those who know authorities: the certificate is no longer good, or it is not known
    whether it is.
    """

    VALID = "valid"
    OUTDATED = "outdated"
    REVOKED = "revoked"
    STALE = "stale"
    WRONG = "wrong"
    UNKNOWN = "unknown"
    UNSUPPORTED = "unsupported"
    NONE = "none"


class Checked(msgspec.Struct, frozen=True):
    """A verdict; when it is valid, exactly what was signed and the fingerprint of the certificate of whoever did."""

    verdict: Verdict
    signed: bytes = b""
    by: str = ""


class Certificate:
    """A certificate that is believed because somebody put it here."""

    def __init__(self, certificate: x509.Certificate) -> None:
        self.itself = certificate
        self.fingerprint = certificate.fingerprint(hashes.SHA256()).hex()

    @property
    def begins_at(self) -> datetime:
        """Since when it is valid."""
        return self.itself.not_valid_before_utc

    @property
    def ends_at(self) -> datetime:
        """Until when."""
        return self.itself.not_valid_after_utc

    @property
    def name(self) -> str:
        """Whose it is."""
        return _named(self.itself.subject)

    @property
    def issuer_name(self) -> str:
        """Who made it."""
        return _named(self.itself.issuer)

    @property
    def is_elliptic(self) -> bool:
        """Whether its key is one of a curve, else it is RSA."""
        return isinstance(self.itself.public_key(), EllipticCurvePublicKey)

    def is_valid_at(self, at: datetime) -> bool:
        """Whether a moment lies within its time."""
        return self.begins_at <= at <= self.ends_at


def _named(name: x509.Name) -> str:
    """The common name, or all that is said where there is none."""
    common = name.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(common[0].value) if common else name.rfc4514_string()


def certificates(path: Path) -> list[Certificate]:
    """The certificates of a PEM file. Refuses files without any, and keys that are too weak."""
    try:
        found = x509.load_pem_x509_certificates(path.read_bytes())
        made = [Certificate(each) for each in found]
        keys = [each.itself.public_key() for each in made]
    except (OSError, ValueError, UnsupportedAlgorithm) as problem:
        raise _unusable(path, problem) from problem
    for key in keys:
        _refuse_weak(path, key)
    return made


class Signer:
    """A key of the city's own with the certificate that others know it by."""

    def __init__(self, key: RSAPrivateKey | EllipticCurvePrivateKey, chain: Sequence[Certificate]) -> None:
        self._key = key
        self._chain = [each.itself.public_bytes(Encoding.PEM).decode() for each in chain]
        self.certificate = chain[0]

    @classmethod
    def open(cls, key_file: Path, certificate_file: Path) -> "Signer":
        """Read both files. Refuses a key that others may read, and one that does not belong to the certificate."""
        chain = certificates(certificate_file)
        try:
            if stat.S_IMODE(key_file.stat().st_mode) & OTHERS_MAY:
                raise KeyFileUnsafe("kernel.key_file_unsafe", {"file": str(key_file)})
            key = load_pem_private_key(key_file.read_bytes(), password=None)
        except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as problem:
            raise _unusable(key_file, problem) from problem
        if not isinstance(key, RSAPrivateKey | EllipticCurvePrivateKey):
            raise _unusable(key_file, "RSA, EC")
        _refuse_weak(key_file, key.public_key(), SMALLEST_OWN_RSA)
        if key.public_key() != chain[0].itself.public_key():
            raise CertificateUnusable("kernel.key_of_another", {"key": str(key_file), "file": str(certificate_file)})
        return cls(key, chain)

    def sign(self, body: bytes) -> bytes:
        """The document with a signature at its end; otherwise it says the same."""
        family = "ECDSA" if isinstance(self._key, EllipticCurvePrivateKey) else "RSA"
        signer = XMLSigner(
            signature_algorithm=SignatureMethod[f"{family}_SHA256"],
            digest_algorithm=DigestAlgorithm.SHA256,
            c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
        )
        made = signer.sign(_tree(body), key=self._key, cert=self._chain)
        whole: bytes = etree.tostring(made.getroottree(), encoding="UTF-8", xml_declaration=True)
        return whole + b"\n"


def check(body: bytes, known: Sequence[Certificate], at: datetime) -> Checked:
    """Whether one of the known certificates signed the document. No bytes make it fail.

    `wrong`: a known one signed something else, or whoever signed it says nothing of another key. `unknown`: whoever
    signed it shows a certificate that is not known. `outdated`: it is not valid at `at`. `unsupported`: another shape
    or weaker algorithms than are accepted here.
    """
    try:
        root = _tree(body)
        found = list(root.iter(f"{{{XMLDSIG}}}Signature"))
        if not found:
            return Checked(Verdict.NONE)
        if not _is_plain(root, found):
            return Checked(Verdict.UNSUPPORTED)
        is_elliptic = _method(found[0]).name.startswith("ECDSA")
        fingerprints = frozenset(each.fingerprint for each in _shown(found[0]))
    except _NOT_READABLE:
        return Checked(Verdict.UNSUPPORTED)
    fitting = [each for each in known if each.is_elliptic == is_elliptic]
    tried = [_check(body, each, at, fingerprints) for each in fitting]
    return min(tried, key=lambda each: list(Verdict).index(each.verdict), default=Checked(Verdict.UNKNOWN))


def _check(body: bytes, known: Certificate, at: datetime, shown: frozenset[str]) -> Checked:
    """The verdict on one certificate; of its time is judged here, so that it is told apart from the rest."""
    expected = SignatureConfiguration(
        location="./",
        signature_methods=METHODS,
        digest_algorithms=DIGESTS,
        ignore_ambiguous_key_info=True,
        verification_time=known.itself.not_valid_before_utc,
    )
    try:
        found = XMLVerifier().verify(body, x509_cert=known.itself, parser=_parser(), expect_config=expected)
    except InvalidDigest:
        return Checked(Verdict.WRONG)
    except InvalidSignature:
        return Checked(Verdict.UNKNOWN if shown and known.fingerprint not in shown else Verdict.WRONG)
    except _NOT_READABLE:
        return Checked(Verdict.UNSUPPORTED)
    assert not isinstance(found, list)
    verdict = Verdict.VALID if known.is_valid_at(at) else Verdict.OUTDATED
    return Checked(verdict, found.signed_data, known.fingerprint)


def _is_plain(root: etree._Element, found: Sequence[etree._Element]) -> bool:
    """Whether there is one signature, at the end of the root, over the whole document and nothing else."""
    signature = found[0]
    if len(found) != 1 or signature.getparent() is not root or root[-1] is not signature:
        return False
    if any(not isinstance(each.tag, str) for each in signature.iter()):
        return False
    references = list(signature.iter(f"{{{XMLDSIG}}}Reference"))
    if len(references) != 1 or references[0].get("URI") != "":
        return False
    transforms = [each.get("Algorithm") for each in references[0].iter(f"{{{XMLDSIG}}}Transform")]
    if transforms[:1] != [ENVELOPED] or len(transforms) > 2:
        return False
    return all(each in TRANSFORMS for each in transforms[1:])


def _method(signature: etree._Element) -> SignatureMethod:
    named = signature.find(f"./{{{XMLDSIG}}}SignedInfo/{{{XMLDSIG}}}SignatureMethod")
    found = None if named is None else SignatureMethod(named.get("Algorithm"))
    if found not in METHODS:
        raise ValueError(found)
    return found


def shown(body: bytes) -> list[Certificate]:
    """The certificates that the signature of a document brings along, believed by nobody yet; none of bytes that are
    no document."""
    try:
        found = list(_tree(body).iter(f"{{{XMLDSIG}}}Signature"))
        return [each for signature in found[:1] for each in _shown(signature)]
    except _NOT_READABLE:
        return []


def _shown(signature: etree._Element) -> list[Certificate]:
    """The certificates that a signature brings along: said by its sender."""
    found = []
    for each in islice(signature.iter(f"{{{XMLDSIG}}}X509Certificate"), MOST_SHOWN):
        pem = f"-----BEGIN CERTIFICATE-----\n{(each.text or '').strip()}\n-----END CERTIFICATE-----\n"
        found.append(Certificate(x509.load_pem_x509_certificate(pem.encode())))
    return found


def _tree(body: bytes) -> etree._Element:
    return etree.fromstring(body, _parser())


def _parser() -> etree.XMLParser:
    """Expands and fetches nothing, and stops at what is built to be large."""
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)


def is_weak(key: object, rsa: int = SMALLEST_RSA) -> bool:
    """Whether a key is of another kind than RSA or a curve, or smaller than is accepted."""
    if isinstance(key, RSAPublicKey):
        return key.key_size < rsa
    return not isinstance(key, EllipticCurvePublicKey) or key.key_size < SMALLEST_CURVE


def _refuse_weak(path: Path, key: object, rsa: int = SMALLEST_RSA) -> None:
    if not is_weak(key, rsa):
        return
    raise CertificateUnusable("kernel.key_weak", {"file": str(path), "rsa": rsa, "curve": SMALLEST_CURVE})


def _unusable(path: Path, why: object) -> CertificateUnusable:
    return CertificateUnusable("kernel.certificate_unusable", {"file": str(path), "why": str(why)})
