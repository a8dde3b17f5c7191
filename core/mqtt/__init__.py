"""MQTT: topics, who may use them, and what passes between the broker and the use cases."""

from core.mqtt.account import MqttAccount
from core.mqtt.accounts import MQTT_ACCOUNTS, MqttAccounts
from core.mqtt.acl import Rule, device_of, device_rules, device_username, is_plain, may_be_called, permits
from core.mqtt.endpoint import Endpoint
from core.mqtt.messages import DeviceMessageHandler, DeviceMessages
from core.mqtt.model import Access, BrokerStatistics, Message
from core.mqtt.ports import Broker, Gatekeeper, Inbox, MqttAccountStore
from core.mqtt.revocation import Revocation
from core.mqtt.topics import (
    DeviceTopic,
    covers,
    device_topic,
    matches,
    parse_device_topic,
    topic_filter,
    topic_name,
    without_share,
)

__all__ = [
    "MQTT_ACCOUNTS",
    "Access",
    "Broker",
    "BrokerStatistics",
    "DeviceMessageHandler",
    "DeviceMessages",
    "DeviceTopic",
    "Endpoint",
    "Gatekeeper",
    "Inbox",
    "Message",
    "MqttAccount",
    "MqttAccountStore",
    "MqttAccounts",
    "Revocation",
    "Rule",
    "covers",
    "device_of",
    "device_rules",
    "device_topic",
    "device_username",
    "is_plain",
    "matches",
    "may_be_called",
    "parse_device_topic",
    "permits",
    "topic_filter",
    "topic_name",
    "without_share",
]
