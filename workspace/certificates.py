"""Client certificates as people paste them: PEM blocks of the certificate, its chain, and the key."""

import re
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from django.utils.translation import gettext as _

_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----", re.DOTALL)


@dataclass(frozen=True)
class ClientCertificate:
    """The `chain` begins with the certificate itself; both are PEM."""

    chain: str
    key: str
    expires_at: datetime


def read(pem: str) -> ClientCertificate:
    """What these PEM blocks hold. Raises ValueError, with a sentence, where they don't belong together."""
    found = _KEY.search(pem)
    if not found:
        raise ValueError(_("There is no private key in it: paste the blocks of certificate and key."))
    try:
        key = load_pem_private_key(found[0].encode(), password=None)
        chain = x509.load_pem_x509_certificates(_KEY.sub("", pem).encode())
    except (ValueError, TypeError) as error:
        raise ValueError(_("This can't be read as PEM without a passphrase: %(error)s") % {"error": error}) from error
    same = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    if chain[0].public_key().public_bytes(*same) != key.public_key().public_bytes(*same):
        raise ValueError(_("The key does not belong to the first certificate."))
    blocks = "".join(certificate.public_bytes(Encoding.PEM).decode() for certificate in chain)
    return ClientCertificate(blocks, found[0], chain[0].not_valid_after_utc)
