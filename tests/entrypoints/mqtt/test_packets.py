"""MQTT as bytes: what we say, and what we make of what is said to us."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrypoints.mqtt import packets
from entrypoints.mqtt.packets import V5, V311, Hello, Malformed, Publish

HELLO = Hello(client_id="c", username="u", password="p", keep_alive=30, expiry=60, receive_maximum=500)


def frame(first: int, body: bytes) -> bytes:
    return packets._packet(first, body)


def test_a_connect_of_version_5_asks_for_a_session_that_lasts_and_says_how_much_may_come() -> None:
    assert packets.connect(HELLO, V5).hex(" ") == (
        "10 1c 00 04 4d 51 54 54 05 c0 00 1e 08 11 00 00 00 3c 21 01 f4 00 01 63 00 01 75 00 01 70"
    )


def test_a_connect_of_version_3_1_1_has_no_properties() -> None:
    assert packets.connect(HELLO, V311).hex(" ") == "10 13 00 04 4d 51 54 54 04 c0 00 1e 00 01 63 00 01 75 00 01 70"


def test_nobody_has_neither_name_nor_password() -> None:
    nobody = Hello(client_id="c", username="", keep_alive=30, clean=True, receive_maximum=1)
    assert packets.connect(nobody, V311).hex(" ") == "10 0d 00 04 4d 51 54 54 04 02 00 1e 00 01 63"


@pytest.mark.parametrize(("version", "options"), [(V5, 0x21), (V311, 0x01)])
def test_subscriptions_are_of_qos_1_and_want_no_retained_messages_where_one_can_say_so(
    version: int, options: int
) -> None:
    assert packets.subscribe(7, ["a/+"], version)[-1] == options


@pytest.mark.parametrize(
    ("body", "shares"),
    [
        (b"\x01\x00", False),  # an answer of 3.1.1
        (b"\x01\x00\x00", True),
        (b"\x01\x00\x02\x2a\x00", False),
        (b"\x01\x00\x02\x2a\x01", True),
        (b"\x01\x00\x0d\x26\x00\x01a\x00\x01b\x22\x00\x0a\x12\x00\x00", True),
        (b"\x01\x00\x0c\x26\x00\x01a\x00\x01b\x0b\x80\x01\x2a\x00", False),
    ],
)
def test_a_welcome_says_whether_the_broker_shares_subscriptions(body: bytes, shares: bool) -> None:
    welcome = packets.welcome(body, V5)
    assert (welcome.shares, welcome.session_present, welcome.code) == (shares, True, 0)


@given(
    topic=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=50),
    payload=st.binary(max_size=300),
    packet_id=st.integers(0, 0xFFFF),
    properties=st.sampled_from([b"\x00", b"\x05\x02\x00\x00\x00\x3c"]),
    version=st.sampled_from([V5, V311]),
)
def test_a_message_is_what_was_published(
    topic: str, payload: bytes, packet_id: int, properties: bytes, version: int
) -> None:
    body = packets._text(topic) + (packet_id.to_bytes(2, "big") if packet_id else b"")
    body += (properties if version == V5 else b"") + payload
    first = 0x30 | (0x02 if packet_id else 0)
    assert packets.published(first, body, version) == Publish(topic, payload, packet_id, retained=False)


@given(bodies=st.lists(st.binary(max_size=400)), cut=st.integers(0, 10))
def test_packets_come_whole_however_the_stream_is_cut(bodies: list[bytes], cut: int) -> None:
    stream = bytearray(b"".join(frame(0x30, body) for body in bodies))
    kept = stream[: max(0, len(stream) - cut)]
    found, start = [], 0
    while (framed := packets.framed(kept, start)) is not None:
        _, begin, start = framed
        found.append(bytes(kept[begin:start]))
    assert found == bodies[: len(found)]
    assert len(found) == len(bodies) or cut


@given(first=st.integers(0, 255), body=st.binary(max_size=40), version=st.sampled_from([V5, V311]))
def test_nonsense_is_malformed_and_nothing_worse(first: int, body: bytes, version: int) -> None:
    for read in (packets.published, lambda _, body, version: packets.welcome(body, version)):
        try:
            read(first, body, version)
        except Malformed:
            continue


def test_a_length_without_an_end_is_malformed() -> None:
    with pytest.raises(Malformed):
        packets.framed(bytearray(b"\x30\xff\xff\xff\xff\xff"), 0)


@pytest.mark.parametrize(("version", "body"), [(V5, b"\x00\x07\x00\x01\x80"), (V311, b"\x00\x07\x01\x80")])
def test_an_answer_names_its_question_and_has_a_code_for_each_filter(version: int, body: bytes) -> None:
    assert packets.answered(body, version) == (7, b"\x01\x80")
