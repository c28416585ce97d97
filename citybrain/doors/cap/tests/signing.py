# SPDX-License-Identifier: Apache-2.0
"""Keys and certificates for tests, and what is signed with them."""

from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
from signxml.signer import XMLSigner

from citybrain.doors.cap.trust import Asked, Signatures, Trust
from citybrain.kernel.crypto.enveloped import Certificate, Signer

FOREIGN = Path(__file__).with_name("signed")
SENDER = "s@x"
BEGINS, ENDS = datetime(2024, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)
Private = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


class Pair:
    """A key with its certificate."""

    def __init__(self, key: Private, name: str) -> None:
        self.key = key
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        builder = x509.CertificateBuilder(subject, subject, key.public_key(), 7, BEGINS, ENDS)
        self.certificate = Certificate(builder.sign(key, hashes.SHA256()))
        self.pem = self.certificate.itself.public_bytes(Encoding.PEM)
        self.signer = Signer(key, [self.certificate])

    def write(self, folder: Path, name: str) -> None:
        """Both as files, as an operator has them."""
        (folder / f"{name}.crt").write_bytes(self.pem)
        key = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (folder / f"{name}.key").write_bytes(key)
        (folder / f"{name}.key").chmod(0o600)


@cache
def pair(kind: str, number: int = 0) -> Pair:
    """A pair of `rsa`, `p256`, `p384` or `p521`; another number is another pair."""
    curves = {"p256": ec.SECP256R1(), "p384": ec.SECP384R1(), "p521": ec.SECP521R1()}
    key: Private = rsa.generate_private_key(65537, 2048) if kind == "rsa" else ec.generate_private_key(curves[kind])
    return Pair(key, f"{kind} {number}")


def signed(
    body: bytes,
    by: Pair,
    method: SignatureMethod = SignatureMethod.ECDSA_SHA256,
    digest: DigestAlgorithm = DigestAlgorithm.SHA256,
    canonical: CanonicalizationMethod = CanonicalizationMethod.CANONICAL_XML_1_0,
) -> bytes:
    """The document as others may sign it."""
    signer = XMLSigner(signature_algorithm=method, digest_algorithm=digest, c14n_algorithm=canonical)
    made: bytes = etree.tostring(signer.sign(etree.fromstring(body), key=by.key, cert=[by.pem.decode()]))
    return made


def trusting(*pairs: Pair, asked: Signatures = Signatures.REQUIRED, sender: str = SENDER) -> Trust:
    """Trust in these certificates, of one sender."""
    return Trust({sender: Asked(asked, tuple(each.certificate for each in pairs))})
