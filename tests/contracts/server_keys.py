"""What is promised of our own keys: what is sealed to one is opened, and all that is not is nothing."""

import os
from base64 import b64decode
from collections.abc import Mapping
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from core.errors import Invalid
from core.provisioning import Block, Envelope, Padding, ServerKey, ServerKeys
from tests.support.sealing import HASHES, oaep, oaep_encoded, raw_rsa, rsa_key, sealed_parts, server_key

CONTENT = b'{"deviceUuid": "x"}'
NAMES = {"RSA-OAEP": Padding.OAEP_SHA1, "RSA-OAEP-256": Padding.OAEP_SHA256}
each_padding = pytest.mark.parametrize("alg", HASHES)


def public(key: ServerKey) -> rsa.RSAPublicKey:
    """The key as a device reads it."""
    return server_key({"apiPublicKey": key.pem})


def an_envelope(key: ServerKey, content: bytes = CONTENT, **changes: Any) -> Envelope:
    """An envelope as a device makes it, with parts changed."""
    parts = {name: b64decode(part) for name, part in sealed_parts(public(key), content).items()}
    made = Envelope(
        key_id=key.id, wrapped_key=parts["encKey"], nonce=parts["iv"], content=parts["ct"], tag=parts["tag"]
    )
    return Envelope(
        **{
            name: changes.get(name, getattr(made, name))
            for name in ("key_id", "wrapped_key", "nonce", "content", "tag")
        }
    )


def invalid_blocks(key: rsa.RSAPublicKey, alg: str) -> Mapping[str, bytes]:
    """Blocks of the right size in which something is wrong, of each sort that OAEP knows (RFC 8017 §7.1.2)."""
    size, other = key.key_size // 8, next(name for name in HASHES if name != alg)
    good = key.encrypt(CONTENT, oaep(alg))
    modulus = key.public_numbers().n
    return {
        "first byte 1": raw_rsa(key, oaep_encoded(CONTENT, size, hash_name=alg, first=1)),
        "no marker": raw_rsa(key, oaep_encoded(CONTENT, size, hash_name=alg, marker=0)),
        "another marker": raw_rsa(key, oaep_encoded(CONTENT, size, hash_name=alg, marker=2)),
        "a label": key.encrypt(CONTENT, oaep(alg, label=b"label")),
        "a label by hand": raw_rsa(key, oaep_encoded(CONTENT, size, hash_name=alg, label=b"x")),
        "another hash": key.encrypt(CONTENT, oaep(other)),
        "another hash in MGF1": key.encrypt(CONTENT, padding.OAEP(padding.MGF1(HASHES[other]), HASHES[alg], None)),
        "PKCS #1 v1.5": key.encrypt(CONTENT, padding.PKCS1v15()),
        "no padding": raw_rsa(key, bytes(size - len(CONTENT)) + CONTENT),
        "zero": bytes(size),
        "one": bytes(size - 1) + b"\1",
        "the modulus": modulus.to_bytes(size, "big"),
        "the modulus less one": (modulus - 1).to_bytes(size, "big"),
        "past the modulus": b"\xff" * size,
        "the first bit": bytes([good[0] ^ 0x80]) + good[1:],
        "the last bit": good[:-1] + bytes([good[-1] ^ 1]),
        "a byte within": good[:100] + bytes([good[100] ^ 0xFF]) + good[101:],
        "reversed": good[::-1],
        "another key": rsa_key(1, key.key_size).public_key().encrypt(CONTENT, oaep(alg)),
        "chance": b"\0" + os.urandom(size - 1),
        "an empty message": key.encrypt(b"", oaep(alg)),
    }


class ServerKeysContract:
    """The tests."""

    async def test_the_same_key_is_told_each_time(self, server_keys: ServerKeys) -> None:
        assert await server_keys.current() == await server_keys.current()

    @each_padding
    async def test_a_block_is_opened_up_to_the_size_that_is_told(self, server_keys: ServerKeys, alg: str) -> None:
        key = await server_keys.current()
        largest = b"x" * key.largest[NAMES[alg]]
        for content in (b"x", CONTENT, largest):
            block = public(key).encrypt(content, oaep(alg))
            for named in (NAMES[alg], None):
                assert await server_keys.open(Block(content=block, key_id=key.id, padding=named)) == content
            assert await server_keys.open(Block(content=block)) == content
        with pytest.raises(ValueError, match="Encryption failed"):
            public(key).encrypt(largest + b"x", oaep(alg))

    @each_padding
    async def test_abuse_8_a_block_in_which_something_is_wrong_is_nothing(
        self, server_keys: ServerKeys, alg: str
    ) -> None:
        key = await server_keys.current()
        for what, block in invalid_blocks(public(key), alg).items():
            opened = await server_keys.open(Block(content=block, key_id=key.id, padding=NAMES[alg]))
            assert not opened, what

    async def test_a_block_that_was_made_by_hand_as_it_should_be_is_opened(self, server_keys: ServerKeys) -> None:
        """Or those made wrong on purpose would prove nothing."""
        key = await server_keys.current()
        for alg, name in NAMES.items():
            block = raw_rsa(public(key), oaep_encoded(CONTENT, public(key).key_size // 8, hash_name=alg))
            assert await server_keys.open(Block(content=block, key_id=key.id, padding=name)) == CONTENT

    async def test_what_cannot_be_a_block_is_refused_in_words_that_help(self, server_keys: ServerKeys) -> None:
        """Contract 12.4 item 60; abuse case 8: cut off, leading zeros lost or added, too long."""
        key = await server_keys.current()
        good = public(key).encrypt(CONTENT, oaep())
        for block in (b"", b"\0", good[:-1], good[1:], b"\0" + good, good * 2, b"x" * 10_000):
            with pytest.raises(Invalid, match="envelope") as refusal:
                await server_keys.open(Block(content=block, key_id=key.id))
            assert list(refusal.value.fields) == ["encryptedPayload"]

    @pytest.mark.parametrize("content", [b"x", CONTENT, b"x" * 16_384], ids=len)
    async def test_an_envelope_is_opened(self, server_keys: ServerKeys, content: bytes) -> None:
        key = await server_keys.current()
        assert await server_keys.open(an_envelope(key, content)) == content

    async def test_an_envelope_in_which_any_bit_is_changed_is_nothing(self, server_keys: ServerKeys) -> None:
        key = await server_keys.current()
        good = an_envelope(key)
        for name in ("wrapped_key", "nonce", "content", "tag"):
            part = getattr(good, name)
            for place in (0, len(part) // 2, len(part) - 1):
                bent = part[:place] + bytes([part[place] ^ 1]) + part[place + 1 :]
                changes = {each: getattr(good, each) for each in ("wrapped_key", "nonce", "content", "tag")}
                assert await server_keys.open(an_envelope(key, **(changes | {name: bent}))) is None, name
        cut = an_envelope(key, content=good.content[:-1], wrapped_key=good.wrapped_key, nonce=good.nonce, tag=good.tag)
        assert await server_keys.open(cut) is None

    async def test_an_envelope_whose_key_is_wrapped_otherwise_is_nothing(self, server_keys: ServerKeys) -> None:
        key = await server_keys.current()
        for secret, form in (
            (os.urandom(32), oaep("RSA-OAEP")),
            (os.urandom(32), padding.PKCS1v15()),
            (os.urandom(16), oaep()),
            (os.urandom(33), oaep()),
            (b"", oaep()),
        ):
            wrapped = public(key).encrypt(secret, form)
            assert await server_keys.open(an_envelope(key, wrapped_key=wrapped)) is None

    @pytest.mark.parametrize(
        ("part", "value", "field"),
        [("nonce", b"x" * 11, "iv"), ("tag", b"x" * 15, "tag"), ("wrapped_key", b"x", "encKey")],
    )
    async def test_parts_of_another_size_are_refused_by_their_name(
        self, server_keys: ServerKeys, part: str, value: bytes, field: str
    ) -> None:
        with pytest.raises(Invalid) as refusal:
            await server_keys.open(an_envelope(await server_keys.current(), **{part: value}))
        assert list(refusal.value.fields) == [field]

    async def test_what_is_sealed_to_an_unknown_key_is_nothing(self, server_keys: ServerKeys) -> None:
        key = await server_keys.current()
        block = public(key).encrypt(CONTENT, oaep())
        for unknown in ("", "0" * 16, "../../etc/passwd", key.id.upper() + "x", "\0"):
            assert await server_keys.open(Block(content=block, key_id=unknown)) is None
            assert await server_keys.open(an_envelope(key, key_id=unknown)) is None
