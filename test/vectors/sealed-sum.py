"""Writes sealed-sum.json: masks and secret shares computed apart from the product (python3, cryptography)."""

import hashlib
import hmac
import json
import pathlib

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes


def hkdf(secret, info, length=32):
    prk = hmac.new(bytes(32), secret, hashlib.sha256).digest()
    return hmac.new(prk, info + b"\x01", hashlib.sha256).digest()[:length]


def mask(seed, info, length):
    key = hkdf(seed, b"fedcredit/mask\0" + info)
    stream = Cipher(algorithms.AES(key), modes.CTR(bytes(16))).encryptor()
    words = []
    while len(words) < length:
        block = int.from_bytes(stream.update(bytes(16)), "little")
        words += [block >> 42 * w & 2**42 - 1 for w in range(3)]
    return words[:length]


def multiply(a, b):
    """In GF(2^8) with x^8 + x^4 + x^3 + x + 1."""
    product = 0
    while b:
        if b & 1:
            product ^= a
        a = a << 1 ^ (0x11B if a & 0x80 else 0)
        b >>= 1
    return product


def share(secret, slopes, x):
    """Values at x of the polynomials secret + slopes[0]·x + slopes[1]·x² + …, then x."""
    check = hashlib.sha256(b"fedcredit/share-check\0" + secret).digest()[:16]
    out = bytearray()
    for i, value in enumerate(secret + check):
        power = 1
        for slope in slopes:
            power = multiply(power, x)
            value ^= multiply(slope[i], power)
        out.append(value)
    return bytes(out) + bytes([x])


seed = bytes(range(32))
secret = hashlib.sha256(b"secret").digest()
slopes = [hashlib.sha384(label).digest() for label in (b"slope 1", b"slope 2")]
vectors = {
    "source": "test/vectors/sealed-sum.py: RFC 5869, SP 800-38A and Shamir 1979 as protocol, by another implementation",
    "mask": {"seed": seed.hex(), "info": "round 1", "words": mask(seed, b"round 1", 10)},
    "shares": {
        "threshold": 3,
        "secret": secret.hex(),
        "shares": [share(secret, slopes, x).hex() for x in (1, 7, 200, 255)],
    },
}
path = pathlib.Path(__file__).with_suffix(".json")
path.write_text(json.dumps(vectors, indent=2) + "\n")
