"""Provisioning v2: the seed's key exchange and sealed registration (contract §2.11; contrib/provisioning-v2.md)."""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from aiohttp import web

from core.errors import Invalid
from core.ids import device_uuid
from core.provisioning import ENVELOPE, Block, Envelope, Offer, Padding, Sealed, Signed, Welcome
from core.services import Services
from entrypoints.http.declarations import Secret
from entrypoints.http.requests import actor_of, body_as
from entrypoints.http.responses import encoded, json
from entrypoints.http.routing import ANYONE, SECRET, Route

BODY_LIMIT = 64 * 1024


class SealedKeyExchangeBody(msgspec.Struct, rename="camel"):
    """POST /provisioning/v2/key-exchange. The seed's `provisioningApiKey` is not read: it must not travel in clear."""

    device_uuid: str
    device_public_key: str | None = None


class SealedRegisterBody(msgspec.Struct, rename="camel"):
    """POST /provisioning/v2/register: `encryptedPayload` is a single block, the fields beside `v` are an envelope."""

    encrypted_payload: str | None = None
    alg: Literal["RSA-OAEP", "RSA-OAEP-256", "RSA-OAEP-256+A256GCM"] | None = None
    key_id: str | None = None
    v: Literal[2] | None = None
    enc_key: str | None = None
    iv: str | None = None
    ct: str | None = None
    tag: str | None = None
    device_public_key: str | None = None
    signature: str | None = None

    def sealed(self) -> Sealed:
        """What the device has sealed. Raises Invalid when that is neither one block nor one envelope."""
        if (self.v is None) == (self.encrypted_payload is None):
            raise Invalid("send either encryptedPayload or an envelope with v: 2", field="encryptedPayload")
        if self.alg is not None and (self.v is None) == (self.alg == ENVELOPE):
            raise Invalid(f"alg is {ENVELOPE} for an envelope, else it says how the block is padded", field="alg")
        if self.v is None:
            padding = Padding(self.alg) if self.alg else None
            content = _bytes("encryptedPayload", self.encrypted_payload)
            return Block(content=content, key_id=self.key_id, padding=padding)
        if not self.key_id:
            raise Invalid("keyId is required: the one that the key exchange answered", field="keyId")
        return Envelope(
            key_id=self.key_id,
            wrapped_key=_bytes("encKey", self.enc_key),
            nonce=_bytes("iv", self.iv),
            content=_bytes("ct", self.ct),
            tag=_bytes("tag", self.tag),
        )

    def signed(self) -> Signed | None:
        """With what the device signed it; None when it brings neither key nor signature."""
        if self.device_public_key is None and self.signature is None:
            return None
        if self.device_public_key is None:
            raise Invalid("devicePublicKey is required", field="devicePublicKey")
        return Signed(public_key=self.device_public_key, signature=_bytes("signature", self.signature))


class ProvisioningV2Routes:
    """Handlers."""

    def __init__(self, services: Services) -> None:
        self._enrolments = services.sealed_enrolments

    async def exchange(self, request: web.Request) -> web.Response:
        """Tell our public key, and a challenge. With `devicePublicKey` the challenge is bound to that key."""
        body = await body_as(request, SealedKeyExchangeBody)
        offer = await self._enrolments.offer(device_uuid(body.device_uuid, "deviceUuid"), body.device_public_key)
        return json(offer_as_json(offer))

    async def register(self, request: web.Request) -> web.Response:
        """Enrol a device with what it has sealed; the answer is sealed too if the device has shown a key."""
        body = await body_as(request, SealedRegisterBody)
        welcome = await self._enrolments.register(actor_of(request), body.sealed(), body.signed())
        return json(self._answer(welcome))

    def _answer(self, welcome: Welcome) -> Mapping[str, Any]:
        bundle = bundle_as_json(welcome)
        if welcome.device_key is None:
            return bundle
        return envelope_as_json(self._enrolments.sealed_for(welcome.device_key, encoded(bundle)))


def offer_as_json(offer: Offer) -> dict[str, Any]:
    """The seed's fields of both calls, and what it takes to make them sound."""
    return {
        "success": True,
        "apiPublicKey": offer.key.pem,
        "keyId": offer.key.id,
        "alg": [ENVELOPE, Padding.OAEP_SHA256.value, Padding.OAEP_SHA1.value],
        "maxPayloadBytes": {padding.value: room for padding, room in offer.key.largest.items()},
        "challenge": offer.challenge.text,
        "expiresAt": offer.challenge.expires_at,
    }


def bundle_as_json(welcome: Welcome) -> dict[str, Any]:
    """All that the device is given, by the seed's names."""
    device, grants = welcome.enrolment.device, dict(welcome.enrolment.grants)
    mqtt = dict(grants.get("mqtt", {}))
    broker = mqtt.pop("broker", None)
    return {
        "device": {"deviceId": device.id, "uuid": device.uuid, "deviceName": device.name},
        "mqtt": {"brokerUrl": broker, **mqtt},
        "api": {"endpoint": welcome.endpoint, "deviceApiKey": welcome.api_key, "tlsConfig": None},
        "vpn": grants.get("vpn"),
        "payloadSha256": welcome.payload_digest,
    }


def envelope_as_json(envelope: Envelope) -> dict[str, Any]:
    """An envelope for a device, as it stands in a body."""
    parts = {"encKey": envelope.wrapped_key, "iv": envelope.nonce, "ct": envelope.content, "tag": envelope.tag}
    return {"v": 2, "alg": ENVELOPE, **{name: b64encode(part).decode() for name, part in parts.items()}}


def _bytes(field: str, text: str | None) -> bytes:
    """The bytes of a field in base64, with padding (RFC 4648 §4)."""
    if text is None:
        raise Invalid(f"{field} is required", field=field)
    try:
        return b64decode(text, validate=True)
    except ValueError as error:
        raise Invalid(f"{field} must be base64 with padding", field=field) from error


def provisioning_v2_routes(services: Services) -> list[Route]:
    """The routes of provisioning v2."""
    own = ProvisioningV2Routes(services)
    return [
        Route(
            method="POST",
            path="/provisioning/v2/key-exchange",
            handler=own.exchange,
            allow=ANYONE,
            summary="Get the key and the challenge for a sealed registration (agents)",
            body=SealedKeyExchangeBody,
            answers={200: "The key, and a challenge that is good for a while"},
            body_limit=BODY_LIMIT,
        ),
        Route(
            method="POST",
            path="/provisioning/v2/register",
            handler=own.register,
            allow=SECRET,
            summary="Register a device with a sealed payload (agents)",
            body=SealedRegisterBody,
            answers={
                200: "What the device needs from now on, sealed if it has shown a key",
                401: "Something inside is wrong; the same words whatever it is",
                402: "No more devices may be in service",
                409: "The device is registered with another key",
                429: "Too many wrong payloads",
            },
            secrets=(Secret.IN_THE_BODY,),
            body_limit=BODY_LIMIT,
        ),
    ]
