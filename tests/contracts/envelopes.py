"""What is promised of the public keys of devices."""

from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from core.errors import Invalid
from core.provisioning import Envelopes, signed_message
from tests.support.sealing import SealingDevice, base64, fingerprint, public_pem, rsa_key

MESSAGE = signed_message("ab", b"payload")


def pem_of(key: Any) -> str:
    """The public half of any key."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return str(key.public_key().public_bytes(serialization.Encoding.PEM, form).decode())


def private_pem(key: rsa.RSAPrivateKey) -> str:
    """The private half, which nobody should send."""
    form, secret = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, form, secret).decode()


def numbers_pem(n: int, e: int) -> str:
    """A public key of these numbers, sound or not."""
    return pem_of(type("Key", (), {"public_key": lambda _: rsa.RSAPublicNumbers(e, n).public_key()})())


GOOD = rsa_key()
N = GOOD.public_key().public_numbers().n
UNSOUND = {
    "512 bits": numbers_pem((1 << 511) | 1, 65_537),
    "1024 bits": pem_of(rsa_key(bits=1024)),
    "more than 4096 bits": numbers_pem((1 << 4096) | 1, 65_537),
    "exponent 3": numbers_pem(N, 3),
    "another exponent": numbers_pem(N, 65_539),
    "an even modulus": numbers_pem(N + 1, 65_537),
    "a modulus with a small factor": numbers_pem(N - N % 997, 65_537),
    "an elliptic curve": pem_of(generate_private_key(SECP256R1())),
    "Ed25519": pem_of(ed25519.Ed25519PrivateKey.generate()),
    "a private key": private_pem(GOOD),
    "a private key beside it": public_pem(GOOD) + private_pem(GOOD),
    "two keys": public_pem(GOOD) * 2,
    "text before it": "x" + public_pem(GOOD),
    "text after it": public_pem(GOOD) + "x",
    "no PEM": "MIIB",
    "nothing": "",
    "an empty PEM": "-----BEGIN PUBLIC KEY-----\n\n-----END PUBLIC KEY-----",
    "other base64": f"-----BEGIN PUBLIC KEY-----\n{base64(b'x' * 300)}\n-----END PUBLIC KEY-----",
    "a certificate": public_pem(GOOD).replace("PUBLIC KEY", "CERTIFICATE"),
    "a megabyte": public_pem(GOOD) + "\n" * 1_000_000,
    "NUL": public_pem(GOOD).replace("MII", "MI\0"),
}


class EnvelopesContract:
    """The tests."""

    @pytest.mark.parametrize("bits", [2048, 3072, 4096])
    def test_a_sound_key_is_known_by_its_fingerprint_however_it_is_written(
        self, envelopes: Envelopes, bits: int
    ) -> None:
        key = rsa_key(bits=bits)
        pem = public_pem(key)
        written = (pem, f"\n {pem} \n", pem.replace("\n", "\r\n"))
        assert {envelopes.public_key(text).fingerprint for text in written} == {fingerprint(key)}

    @pytest.mark.parametrize("pem", UNSOUND.values(), ids=UNSOUND)
    def test_abuse_10_an_unsound_key_is_refused_and_not_repeated(self, envelopes: Envelopes, pem: str) -> None:
        with pytest.raises(Invalid) as refusal:
            envelopes.public_key(pem)
        assert list(refusal.value.fields) == ["devicePublicKey"]
        assert "BEGIN PRIVATE" not in refusal.value.message
        assert "MII" not in refusal.value.message

    def test_who_sends_a_private_key_is_told_that_it_is_secret_no_more(self, envelopes: Envelopes) -> None:
        with pytest.raises(Invalid, match="new pair"):
            envelopes.public_key(UNSOUND["a private key"])

    def test_a_signature_of_this_message_by_this_key_is_one(self, envelopes: Envelopes) -> None:
        device = SealingDevice()
        key = envelopes.public_key(public_pem(device.key))
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), salt_length=32)
        signature = device.key.sign(MESSAGE, pss, hashes.SHA256())
        assert envelopes.is_signed(key, signature, MESSAGE)
        assert not envelopes.is_signed(key, signature, MESSAGE + b" ")
        assert not envelopes.is_signed(envelopes.public_key(public_pem(rsa_key(1))), signature, MESSAGE)

    def test_other_signatures_are_none(self, envelopes: Envelopes) -> None:
        key = envelopes.public_key(public_pem(GOOD))
        others = (
            GOOD.sign(MESSAGE, padding.PKCS1v15(), hashes.SHA256()),
            GOOD.sign(MESSAGE, padding.PSS(padding.MGF1(hashes.SHA256()), 0), hashes.SHA256()),
            GOOD.sign(MESSAGE, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA512()),
            b"",
            b"\0" * 256,
            b"\0" * 255 + b"\1",
            b"\xff" * 256,
            b"x" * 300,
        )
        assert not any(envelopes.is_signed(key, signature, MESSAGE) for signature in others)

    @pytest.mark.parametrize("content", [b"", b"x" * 100_000], ids=len)
    def test_what_is_sealed_for_a_device_only_that_device_opens(self, envelopes: Envelopes, content: bytes) -> None:
        device = SealingDevice()
        envelope = envelopes.sealed(envelopes.public_key(public_pem(device.key)), b'{"a": "' + content + b'"}')
        body = {
            "encKey": base64(envelope.wrapped_key),
            "iv": base64(envelope.nonce),
            "ct": base64(envelope.content),
            "tag": base64(envelope.tag),
        }
        assert device.opened(body) == {"a": content.decode()}
        with pytest.raises(ValueError, match="ecryption"):
            SealingDevice(key=rsa_key(1)).opened(body)

    def test_nothing_is_sealed_the_same_way_twice(self, envelopes: Envelopes) -> None:
        key = envelopes.public_key(public_pem(GOOD))
        one, other = envelopes.sealed(key, b"x"), envelopes.sealed(key, b"x")
        assert one.nonce != other.nonce
        assert one.wrapped_key != other.wrapped_key
        assert one.content != other.content or one.tag != other.tag
