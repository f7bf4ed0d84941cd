"""The keys of the local control plane: one authority, what it signs, and the key that signs service account tokens."""

import datetime as dt
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from recon_dev.state import write_private

VALID_FOR = dt.timedelta(days=3650)


@dataclass(frozen=True)
class KeyPair:
    """Files of a certificate and its private key."""

    certificate: Path
    key: Path


@dataclass(frozen=True)
class Pki:
    """Files of all keys of one control plane."""

    authority: KeyPair
    server: KeyPair
    """Shown by etcd and the API server, for 127.0.0.1."""
    etcd_client: KeyPair
    admin: KeyPair
    """Group system:masters: may do anything."""
    controller_manager: KeyPair
    """User system:kube-controller-manager, to whom the API server's own roles give what it needs."""
    service_accounts: KeyPair
    """Its `certificate` is a bare public key."""


def ensure_pki(folder: Path) -> Pki:
    """Return the keys in the folder; make all of them anew where one is missing."""
    names = ("ca", "server", "etcd-client", "admin", "controller-manager", "service-accounts")
    pki = Pki(*(KeyPair(folder / f"{name}.crt", folder / f"{name}.key") for name in names))
    if not all(path.exists() for pair in vars(pki).values() for path in (pair.certificate, pair.key)):
        _make(pki)
    return pki


def _make(pki: Pki) -> None:
    ca_key = ec.generate_private_key(ec.SECP256R1())
    ca_name = _name("recon-dev")
    ca = _certificate(ca_name, ca_key).add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    _save(pki.authority, ca.issuer_name(ca_name).sign(ca_key, hashes.SHA256()), ca_key)
    loopback = x509.SubjectAlternativeName(
        [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    )
    # etcd dials itself with its serving certificate, so that one is a client's too.
    both = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
    client = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
    for pair, name, usage in (
        (pki.server, _name("127.0.0.1"), both),
        (pki.etcd_client, _name("kube-apiserver"), client),
        (pki.admin, _name("admin", organization="system:masters"), client),
        (pki.controller_manager, _name("system:kube-controller-manager"), client),
    ):
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _certificate(name, key).issuer_name(ca_name).add_extension(usage, critical=False)
        if usage is both:
            builder = builder.add_extension(loopback, critical=False)
        _save(pair, builder.sign(ca_key, hashes.SHA256()), key)
    _save_service_account_key(pki.service_accounts)


def _name(common_name: str, *, organization: str = "") -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    if organization:
        attributes.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
    return x509.Name(attributes)


def _certificate(subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder().subject_name(subject).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    return builder.not_valid_before(now - dt.timedelta(hours=1)).not_valid_after(now + VALID_FOR)


def _save(pair: KeyPair, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
    write_private(pair.certificate, certificate.public_bytes(serialization.Encoding.PEM).decode())
    _save_key(pair.key, key)


def _save_service_account_key(pair: KeyPair) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    write_private(pair.certificate, public.decode())
    _save_key(pair.key, key)


def _save_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    write_private(path, pem.decode())
