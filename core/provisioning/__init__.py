"""Provisioning: the keys that let devices enrol, and their enrolment."""

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
from core.provisioning.model import Enrolment, ProvisioningKey, Registration
from core.provisioning.ports import AttemptLimiter, Issuer, ProvisioningKeyStore
from core.provisioning.preregistration import ExpectedDevice, Preregistration, Preregistrations

__all__ = [
    "API_KEY_CREATE",
    "API_KEY_READ",
    "API_KEY_REVOKE",
    "DEFAULT_FLEET",
    "AttemptLimiter",
    "DeviceKeyExchanged",
    "DevicePreregistered",
    "DeviceRegistered",
    "Enrolment",
    "Enrolments",
    "ExpectedDevice",
    "Issuer",
    "NewProvisioningKey",
    "PendingDeviceClaimed",
    "Preregistration",
    "Preregistrations",
    "ProvisioningKey",
    "ProvisioningKeyCreated",
    "ProvisioningKeyRevoked",
    "ProvisioningKeyStore",
    "ProvisioningKeys",
    "Registration",
    "RegistrationRefused",
]
