"""Provisioning v2: a device seals what it registers with, and gets a sealed answer (contract §2.11).

Nothing of it travels in clear: neither the provisioning key nor what the device is given.
"""

from hashlib import sha256

from attrs import field, frozen

from core.actor import Actor
from core.errors import Invalid, Unauthenticated
from core.ids import DeviceUuid, Ids
from core.provisioning.challenges import Challenge, Challenges
from core.provisioning.enrolment import Enrolments
from core.provisioning.model import Enrolment, Flaw, Proof
from core.provisioning.payload import DECOY, Payload, read_payload
from core.provisioning.ports import Envelopes, ServerKeys
from core.provisioning.sealed import Block, DevicePublicKey, Envelope, Sealed, ServerKey, Signed, signed_message
from core.provisioning.settings import LEGACY
from core.settings import Settings

NOT_ACCEPTED = (
    "the registration was not accepted: begin again with a key exchange, and if that does not help, "
    "ask an operator for a new provisioning key"
)
_NO_CONTENT = b"nothing could be read"


@frozen(kw_only=True)
class Offer:
    """What a device needs to seal a registration: our key, and a challenge that is good for one of them."""

    key: ServerKey
    challenge: Challenge


@frozen(kw_only=True)
class Welcome:
    """A device that has enrolled by v2, and what the answer is made of."""

    enrolment: Enrolment
    api_key: str = field(repr=False)
    endpoint: str
    payload_digest: str
    device_key: DevicePublicKey | None


class SealedEnrolments:
    """Registers devices by v2. Whatever is wrong inside a payload is refused in the same words after the same steps."""

    def __init__(
        self,
        *,
        enrolments: Enrolments,
        server_keys: ServerKeys,
        envelopes: Envelopes,
        challenges: Challenges,
        settings: Settings,
        ids: Ids,
    ) -> None:
        self._enrolments = enrolments
        self._server_keys = server_keys
        self._envelopes = envelopes
        self._challenges = challenges
        self._ids = ids
        self._legacy = settings[LEGACY]
        self._endpoint = ""

    def reachable_at(self, url: str) -> None:
        """From now on tell new devices that this is our address."""
        self._endpoint = url

    async def offer(self, uuid: DeviceUuid, public_key: str | None) -> Offer:
        """What to seal a registration with. With a public key it is good for this key alone.

        Nothing is kept of it: whoever asks writes nothing. Raises Invalid for a key that is no sound RSA key.
        """
        fingerprint = self._envelopes.public_key(public_key).fingerprint if public_key is not None else ""
        return Offer(key=await self._server_keys.current(), challenge=self._challenges.issue(uuid, fingerprint))

    async def register(self, actor: Actor, sealed: Sealed, signed: Signed | None) -> Welcome:
        """Enrol the device that sealed this; it gets a new API key each time.

        Raises Invalid for what can be seen from outside to be no registration; for all that is wrong inside
        Unauthenticated, always in the same words. Else as `Enrolments.register`.
        """
        device_key = self._shown(sealed, signed)
        content = await self._server_keys.open(sealed)
        payload = read_payload(content or _NO_CONTENT)
        read, api_key = payload or DECOY, self._ids.secret()
        challenge, flaw = self._judged(content, read, device_key, signed)
        if content is None or payload is None:
            flaw = Flaw.UNREADABLE if content is None else Flaw.MALFORMED
        proof = Proof(fingerprint=device_key.fingerprint if device_key else None, challenge=challenge)
        wanted = read.registration(api_key=api_key, address=actor.address, proof=proof)
        try:
            enrolment = await self._enrolments.register(actor, read.secret, wanted, flaw=flaw)
        except Unauthenticated as refusal:
            raise Unauthenticated(NOT_ACCEPTED, context=refusal.context) from refusal
        return Welcome(
            enrolment=enrolment,
            api_key=api_key,
            endpoint=self._endpoint,
            payload_digest=sha256(content or b"").hexdigest(),
            device_key=device_key,
        )

    def sealed_for(self, device_key: DevicePublicKey, answer: bytes) -> Envelope:
        """The answer, for this device alone."""
        return self._envelopes.sealed(device_key, answer)

    async def renew_keys(self) -> None:
        """Make a new server key when its time has come, and forget those that are honoured no more."""
        await self._server_keys.renew()

    def _shown(self, sealed: Sealed, signed: Signed | None) -> DevicePublicKey | None:
        """The key that the device shows; None for a legacy client, which has none."""
        if signed is not None:
            if not sealed.key_id:
                raise Invalid("keyId is required: the one that the key exchange answered", field="keyId")
            return self._envelopes.public_key(signed.public_key)
        if not self._legacy or not isinstance(sealed, Block):
            raise Invalid("devicePublicKey and signature are required", field="devicePublicKey")
        return None

    def _judged(
        self, content: bytes | None, payload: Payload, device_key: DevicePublicKey | None, signed: Signed | None
    ) -> tuple[Challenge | None, Flaw | None]:
        """The challenge that the registration uses up, and what is wrong with it or with the signature."""
        if device_key is None or signed is None:
            return None, None
        challenge = self._challenges.recognised(payload.challenge, payload.uuid, device_key.fingerprint)
        message = signed_message(device_key.fingerprint, content or _NO_CONTENT)
        is_signed = self._envelopes.is_signed(device_key, signed.signature, message)
        flaw = None if is_signed and challenge else Flaw.STALE if is_signed else Flaw.UNSIGNED
        # One of the same kind where there is none, so that the same is done with it.
        return challenge or self._challenges.issue(payload.uuid, device_key.fingerprint), flaw
