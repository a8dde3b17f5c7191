"""What RabbitMQ's rabbitmq_auth_backend_http asks, as a form, for clients that come by MQTT; the answer is one word.

RabbitMQ translates MQTT into its own words: a topic into a routing key, a subscription into a queue that is bound to
the exchange of all topics. Only what it asks about topics is about rights of ours.
"""

import re
from typing import Final

from aiohttp import web

from core.mqtt import Access, BrokerQuestions
from entrypoints.http.declarations import Answer, Body, Secret
from entrypoints.http.mosquitto_auth import LONGEST_BODY, form_of, vouched_for
from entrypoints.http.routing import SECRET, Route

EXCHANGE: Final = "amq.topic"
FORM: Final = "application/x-www-form-urlencoded"
PLAIN: Final = "text/plain"
_QUEUE = re.compile(r"mqtt-subscription-(?P<client>.+)qos[01]", re.DOTALL)
_TOPICS = str.maketrans({".": "/", "/": ".", "*": "+"})
_ASKED = {"write": Access.WRITE, "read": Access.SUBSCRIBE}


def topic_of(routing_key: str) -> str:
    """The topic or filter that stands behind a routing key: `iot.device.*.state` is `iot/device/+/state`."""
    return routing_key.translate(_TOPICS)


class RabbitMqAuthRoutes:
    """Handlers. As for Mosquitto, the broker sends the secret as `?secret=…`."""

    def __init__(self, questions: BrokerQuestions, secret: str) -> None:
        self._questions = questions
        self._secret = secret

    async def user(self, request: web.Request) -> web.Response:
        """May this user log in? Nobody gets a tag, which would make an administrator."""
        asked = await self._asked(request)
        return _answer(
            await self._questions.authenticate(
                username=asked.get("username", ""),
                password=asked.get("password", ""),
                client_id=asked.get("client_id", ""),
            )
        )

    async def vhost(self, request: web.Request) -> web.Response:
        """May this user be here? Whoever logged in may."""
        asked = await self._asked(request)
        return _answer(await self._questions.is_active(asked.get("username", "")))

    async def resource(self, request: web.Request) -> web.Response:
        """May this user use an exchange or a queue? The one of all topics, and queues of subscriptions of its own."""
        asked = await self._asked(request)
        username, name, permission = (asked.get(key, "") for key in ("username", "name", "permission"))
        fits = False
        if asked.get("resource") == "queue":
            queue = _QUEUE.fullmatch(name)
            fits = queue is not None and self._questions.may_be_called(username, queue["client"])
        elif asked.get("resource") == "exchange":
            fits = name == EXCHANGE and permission in _ASKED
        return _answer(fits and await self._questions.is_active(username))

    async def topic(self, request: web.Request) -> web.Response:
        """May this user publish to a topic, or subscribe to a filter?"""
        asked = await self._asked(request)
        username, access = asked.get("username", ""), _ASKED.get(asked.get("permission", ""))
        if access is None or asked.get("name") != EXCHANGE:
            return _answer(False)  # noqa: FBT003 - the answer itself
        return _answer(
            await self._questions.permits(
                username=username,
                # RabbitMQ does not always say: a device has no other, and rows of people that name %c do not fit then.
                client_id=asked.get("variable_map.client_id") or username,
                topic=topic_of(asked.get("routing_key", "")),
                access=access,
            )
        )

    async def _asked(self, request: web.Request) -> dict[str, str]:
        vouched_for(request, self._secret)
        return await form_of(request)


def _answer(allowed: bool) -> web.Response:  # noqa: FBT001 - the answer itself
    return web.Response(text="allow" if allowed else "deny", content_type=PLAIN)


def rabbitmq_auth_routes(questions: BrokerQuestions, secret: str) -> list[Route]:
    """The routes that RabbitMQ calls; people and devices have no business there."""
    own = RabbitMqAuthRoutes(questions, secret)
    asked = {"user": own.user, "vhost": own.vhost, "resource": own.resource, "topic": own.topic}
    return [
        Route(
            method="POST",
            path=f"/rabbitmq-auth/{name}",
            handler=handler,
            allow=SECRET,
            summary=f"RabbitMQ asks: {name}",
            root=True,
            body_limit=LONGEST_BODY,
            body=Body(kind=dict[str, str], media=(FORM,)),
            answers={200: Answer("allow or deny", str, media=PLAIN), 403: Answer("The secret is wrong")},
            secrets=(Secret.BROKER_SECRET,),
        )
        for name, handler in asked.items()
    ]
