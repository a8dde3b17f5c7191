"""Forged and twisted tokens (abuse cases 24 and 25)."""

import base64
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from adapters.system.tokens import JwtSigner
from core.access import Tokens
from core.errors import Invalid, Unauthenticated
from tests.support.access import HOME, SECRET, Access
from tests.support.clock import NOON

NOW = int(NOON.timestamp())
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PRIVATE = KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()
PUBLIC = (
    KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
)


def segment(value: object) -> str:
    """A part of a token."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def claims_of(token: str) -> dict[str, Any]:
    """What a token says, unverified."""
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


async def is_refused(access: Access, token: str) -> bool:
    """Whether the token opens nothing."""
    try:
        await access.sessions.actor(token, HOME)
    except Unauthenticated:
        pass
    else:
        return False
    try:
        await access.sessions.refresh(token)
    except Unauthenticated:
        return True
    return False


async def logged_in(access: Access) -> Tokens:
    """The tokens of a viewer."""
    await access.user("anna")
    return await access.login("anna")


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", "", None])
async def test_a_token_without_a_signature_is_refused(access: Access, algorithm: str | None) -> None:
    token = (await logged_in(access)).access
    header, claims, signature = token.split(".")
    for end in ("", signature):
        assert await is_refused(access, f"{segment({'alg': algorithm, 'typ': 'JWT'})}.{claims}.{end}")
    assert await is_refused(access, f"{header}.{claims}.")
    assert await is_refused(access, f"{header}.{claims}")


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
async def test_another_algorithm_is_refused_even_with_our_secret(access: Access, algorithm: str) -> None:
    claims = claims_of((await logged_in(access)).access)
    assert await is_refused(access, jwt.encode(claims, SECRET, algorithm=algorithm))


async def test_a_token_signed_with_a_foreign_secret_is_refused(access: Access) -> None:
    claims = claims_of((await logged_in(access)).access)
    for secret in (SECRET.lower(), SECRET + "\n", " " + SECRET, "x" * 32):
        assert await is_refused(access, jwt.encode(claims, secret, algorithm="HS256"))


async def test_a_token_signed_by_a_private_key_is_refused(access: Access) -> None:
    claims = claims_of((await logged_in(access)).access)
    assert await is_refused(access, jwt.encode(claims, PRIVATE, algorithm="RS256"))


async def test_a_changed_claim_is_refused(access: Access) -> None:
    header, claims, signature = (await logged_in(access)).access.split(".")
    changed = json.loads(base64.urlsafe_b64decode(claims + "==")) | {"role": "owner"}
    assert await is_refused(access, f"{header}.{segment(changed)}.{signature}")


@pytest.mark.parametrize(
    "extra",
    [
        {"kid": "../../../../dev/null"},
        {"kid": "' UNION SELECT 'x"},
        {"kid": "x"},
        {"jku": "https://evil.example/keys"},
        {"x5u": "https://evil.example/cert"},
        {"jwk": {"kty": "oct", "k": "eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHg"}},
        {"crit": ["b64"], "b64": False},
        {"typ": "at+jwt"},
    ],
)
async def test_a_header_other_than_ours_is_never_interpreted(access: Access, extra: dict[str, Any]) -> None:
    claims = claims_of((await logged_in(access)).access)
    for secret in ("x" * 32, "", SECRET):
        if secret:
            assert await is_refused(access, jwt.encode(claims, secret, algorithm="HS256", headers=extra))


@pytest.mark.parametrize("damage", ["", ".", "..", "...", "a.b.c", "\x00", "ä.ö.ü", "." * 4000, "e" * 5000])
async def test_rubbish_is_refused(access: Access, damage: str) -> None:
    assert await is_refused(access, damage)


async def test_a_header_nested_a_thousand_times_is_refused_like_any_other(access: Access) -> None:
    nested = base64.urlsafe_b64encode(b'{"alg":' + b"[" * 2000).rstrip(b"=").decode()
    assert await is_refused(access, f"{nested}.e30.e30")


async def test_what_was_added_to_a_good_token_makes_it_a_bad_one(access: Access) -> None:
    token = (await logged_in(access)).access
    for twisted in (token + " ", " " + token, token + ".", token + "=", token + "\n", token[:-1]):
        assert await is_refused(access, twisted)


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "short",
        "x" * 31,
        "x" * 64,
        "your-secret-key-change-in-production",
        "YOUR-SECRET-KEY-CHANGE-IN-PRODUCTION",
        "your-super-secret-jwt-key-for-iotistic",
        "changeme-changeme-changeme-changeme",
        PUBLIC,
        "\r\n " + PUBLIC,
        PRIVATE,
        "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQ anna@laptop",
    ],
)
def test_a_secret_that_can_be_guessed_or_is_a_key_file_stops_the_start(secret: str) -> None:
    with pytest.raises(Invalid) as refused:
        JwtSigner(secret)
    assert "JWT_SECRET" in refused.value.fields
    assert not secret or secret not in refused.value.message


NO_TIMES: tuple[object, ...] = (
    None,
    NOW + 900.0,
    float("inf"),
    float("nan"),
    str(NOW + 900),
    True,
    -1,
    [NOW + 900],
    {},
    2**63,
    10**400,
)
WRONG_TIMES: list[tuple[str, object]] = [(name, value) for name in ("exp", "iat") for value in NO_TIMES]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *WRONG_TIMES,
        ("exp", NOW),
        ("exp", 0),
        ("iat", NOW + 3600),
        ("nbf", NOW + 3600),
        ("nbf", str(NOW)),
        ("nbf", float(NOW)),
        ("nbf", None),
        ("nbf", -1),
        ("nbf", 2**63),
        ("iss", "somebody"),
        ("aud", "somewhere"),
        ("aud", ["iotistic-dashboard"]),
        ("type", "ACCESS"),
        ("type", None),
        ("userId", "1"),
        ("userId", 1.0),
        ("userId", True),
        ("userId", 2),
        ("sid", None),
        ("sid", ""),
        ("sid", 1),
        ("sid", "another"),
        ("jti", None),
    ],
)
async def test_a_claim_of_another_value_or_type_than_ours_is_refused_though_we_signed_it(
    access: Access, name: str, value: object
) -> None:
    good = claims_of((await logged_in(access)).access)
    assert not await is_refused(access, access.signer.sign(good))
    access.sessions._standing.clear()
    assert await is_refused(access, access.signer.sign(good | {name: value}))


@pytest.mark.parametrize("name", ["exp", "iat", "iss", "aud", "type", "userId", "sid", "jti"])
async def test_a_missing_claim_is_refused(access: Access, name: str) -> None:
    good = claims_of((await logged_in(access)).access)
    assert await is_refused(access, access.signer.sign({key: value for key, value in good.items() if key != name}))


async def test_a_clock_that_was_set_back_a_little_lets_people_in_and_far_back_does_not(access: Access) -> None:
    token = (await logged_in(access)).access
    access.clock.jump(NOON - timedelta(seconds=30))
    assert (await access.sessions.actor(token, HOME)).username == "anna"
    access.clock.jump(NOON - timedelta(hours=1))
    with pytest.raises(Unauthenticated):
        await access.sessions.actor(token, HOME)


SIGNER = JwtSigner(SECRET)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@given(claims=st.dictionaries(st.text(max_size=10), json_values, max_size=6))
def test_what_was_signed_is_read_back_as_it_was(claims: Mapping[str, Any]) -> None:
    plain = {name: value for name, value in claims.items() if name not in {"exp", "iat", "nbf", "iss", "aud"}}
    try:
        token = SIGNER.sign(plain)
        read = SIGNER.verify(token)
    except (Unauthenticated, TypeError):
        return
    assert read == plain


@given(token=st.text(max_size=300))
def test_no_text_but_ours_is_believed(token: str) -> None:
    with pytest.raises(Unauthenticated):
        SIGNER.verify(token)
