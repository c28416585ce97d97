# SPDX-License-Identifier: Apache-2.0
"""Authorities for tests: a root, one below it, certificates of senders, and lists of what was revoked."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree
from signxml.algorithms import DigestAlgorithm, SignatureMethod
from signxml.signer import XMLSigner

from citybrain.doors.cap.tests.signing import BEGINS, ENDS

Key = ec.EllipticCurvePrivateKey


class Authority:
    """Makes certificates, its own by itself or by the one above it."""

    def __init__(self, name: str, above: "Authority | None" = None) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = _name(name)
        self.above = above
        by = above or self
        builder = _builder(self.name, self.key, by, BEGINS, ENDS)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        builder = builder.add_extension(_use(signs=False, certifies=True), critical=True)
        self.certificate = builder.sign(by.key, hashes.SHA256())

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    def sender(
        self, name: str, *, begins: datetime = BEGINS, ends: datetime = ENDS, signs: bool = True, ca: bool = False
    ) -> "Sender":
        """Somebody with a certificate of this authority."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_name(name), key, self, begins, ends)
        builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        builder = builder.add_extension(_use(signs=signs, certifies=not signs), critical=True)
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(f"{name}.example")]), critical=False)
        return Sender(key, builder.sign(self.key, hashes.SHA256()))

    def revoked(self, senders: Sequence["Sender"], at: datetime, lasts: timedelta = timedelta(days=7)) -> bytes:
        """Its list of what it revoked, as PEM."""
        builder = x509.CertificateRevocationListBuilder(self.name, at, at + lasts)
        for each in senders:
            entry = x509.RevokedCertificateBuilder(each.certificate.serial_number, at)
            builder = builder.add_revoked_certificate(entry.build())
        return builder.sign(self.key, hashes.SHA256()).public_bytes(Encoding.PEM)


class Sender:
    """A key with the certificate that an authority made for it."""

    def __init__(self, key: Key, certificate: x509.Certificate) -> None:
        self.key = key
        self.certificate = certificate

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    def signed(self, body: bytes, *between: Authority) -> bytes:
        """The document signed, with the certificate and those of authorities between in it."""
        signer = XMLSigner(signature_algorithm=SignatureMethod.ECDSA_SHA256, digest_algorithm=DigestAlgorithm.SHA256)
        chain = [self.pem.decode(), *(each.pem.decode() for each in between)]
        made: bytes = etree.tostring(signer.sign(etree.fromstring(body), key=self.key, cert=chain))
        return made


def written(folder: Path, sender: str, *roots: Authority, more: str = "") -> Path:
    """A file of the operator that trusts whom these authorities vouch for."""
    (folder / "ca").mkdir(exist_ok=True)
    for number, each in enumerate(roots):
        (folder / "ca" / f"{number}.pem").write_bytes(each.pem)
    path = folder / "cap.toml"
    path.write_text(f'[[source]]\nsender = "{sender}"\nauthorities = ["ca"]\n{more}\n', "utf-8")
    return path


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])


def _builder(name: x509.Name, key: Key, by: Authority, begins: datetime, ends: datetime) -> x509.CertificateBuilder:
    number = x509.random_serial_number()
    builder = x509.CertificateBuilder(by.name, name, key.public_key(), number, begins, ends)
    theirs = x509.AuthorityKeyIdentifier.from_issuer_public_key(by.key.public_key())
    ours = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return builder.add_extension(theirs, critical=False).add_extension(ours, critical=False)


def _use(*, signs: bool, certifies: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certifies,
        crl_sign=certifies,
        encipher_only=False,
        decipher_only=False,
    )
