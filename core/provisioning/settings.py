"""How long our keys live, and whether clients of the seed's first form are let in."""

from datetime import timedelta

from core.settings import AnySetting, Setting, boolean, seconds

LEGACY = Setting(
    name="PROVISIONING_V2_LEGACY",
    read=boolean,
    default=False,
    summary="Whether v2 takes registrations without challenge and signature, whose answer is not sealed",
)
KEY_LIFETIME = Setting(
    name="PROVISIONING_V2_KEY_LIFETIME",
    read=seconds,
    default=timedelta(days=90),
    summary="After how long the server key of v2 is followed by a new one",
)
KEY_GRACE = Setting(
    name="PROVISIONING_V2_KEY_GRACE",
    read=seconds,
    default=timedelta(days=7),
    summary="How long a server key of v2 is still honoured once it has been followed by a new one",
)

SETTINGS: tuple[AnySetting, ...] = (LEGACY, KEY_LIFETIME, KEY_GRACE)
