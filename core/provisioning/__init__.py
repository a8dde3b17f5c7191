"""Provisioning: the keys that let devices enrol, and their enrolment."""

from core.provisioning.challenges import Challenge, Challenges
from core.provisioning.enrolment import Enrolments
from core.provisioning.events import (
    DeviceKeyExchanged,
    DevicePreregistered,
    DeviceRegistered,
    PendingDeviceClaimed,
    ProvisioningKeyCreated,
    ProvisioningKeyRevoked,
    RegistrationRefused,
)
from core.provisioning.keys import (
    API_KEY_CREATE,
    API_KEY_READ,
    API_KEY_REVOKE,
    DEFAULT_FLEET,
    NewProvisioningKey,
    ProvisioningKeys,
)
from core.provisioning.model import Enrolment, Flaw, Proof, ProvisioningKey, Registration
from core.provisioning.ports import (
    AttemptLimiter,
    Envelopes,
    Issuer,
    ProvisioningKeyStore,
    ServerKeys,
    UsedChallenges,
)
from core.provisioning.preregistration import ExpectedDevice, Preregistration, Preregistrations
from core.provisioning.sealed import (
    ENVELOPE,
    Block,
    DevicePublicKey,
    Envelope,
    Padding,
    Sealed,
    ServerKey,
    Signed,
    signed_message,
)
from core.provisioning.settings import KEY_GRACE, KEY_LIFETIME, LEGACY, SETTINGS
from core.provisioning.v2 import NOT_ACCEPTED, Offer, SealedEnrolments, Welcome

__all__ = [
    "API_KEY_CREATE",
    "API_KEY_READ",
    "API_KEY_REVOKE",
    "DEFAULT_FLEET",
    "ENVELOPE",
    "KEY_GRACE",
    "KEY_LIFETIME",
    "LEGACY",
    "NOT_ACCEPTED",
    "SETTINGS",
    "AttemptLimiter",
    "Block",
    "Challenge",
    "Challenges",
    "DeviceKeyExchanged",
    "DevicePreregistered",
    "DevicePublicKey",
    "DeviceRegistered",
    "Enrolment",
    "Enrolments",
    "Envelope",
    "Envelopes",
    "ExpectedDevice",
    "Flaw",
    "Issuer",
    "NewProvisioningKey",
    "Offer",
    "Padding",
    "PendingDeviceClaimed",
    "Preregistration",
    "Preregistrations",
    "Proof",
    "ProvisioningKey",
    "ProvisioningKeyCreated",
    "ProvisioningKeyRevoked",
    "ProvisioningKeyStore",
    "ProvisioningKeys",
    "Registration",
    "RegistrationRefused",
    "Sealed",
    "SealedEnrolments",
    "ServerKey",
    "ServerKeys",
    "Signed",
    "UsedChallenges",
    "Welcome",
    "signed_message",
]
