"""What mosquitto-go-auth asks over HTTP (contract §10.1): JSON or form, answered for all its response modes."""

from hmac import compare_digest
from urllib.parse import parse_qsl

import msgspec
from aiohttp import web

from core.errors import Forbidden
from core.mqtt import BrokerQuestions
from entrypoints.http.addresses import from_this_machine
from entrypoints.http.declarations import JSON, Answer, Body, Secret
from entrypoints.http.requests import actor_of, body_bytes, decoded
from entrypoints.http.routing import SECRET, Route

LONGEST_BODY = 256 * 1024
# Made once: brokers ask more often than anybody else.
_YES = msgspec.json.encode({"ok": True, "success": True, "error": ""})
_NO = msgspec.json.encode({"ok": False, "success": False, "error": "denied"})
_AS_JSON = {"Content-Type": "application/json; charset=utf-8"}
_ACCESSES = {1, 2, 4, "1", "2", "4"}


class Question(msgspec.Struct):
    """The fields of all three questions."""

    username: str = ""
    password: str = ""
    clientid: str = ""
    topic: str = ""
    acc: int | str = 0


class Verdict(msgspec.Struct):
    """Yes or no, in the words of all response modes of the broker's plugin."""

    ok: bool
    success: bool
    error: str


class MosquittoAuthRoutes:
    """Handlers. The broker sends the secret as `?secret=…`; where none is set, it must run on this machine.

    Open to everybody, these questions would be a way to try passwords.
    """

    def __init__(self, questions: BrokerQuestions, secret: str) -> None:
        self._questions = questions
        self._secret = secret

    async def user(self, request: web.Request) -> web.Response:
        """May this user log in?"""
        question = await self._question(request)
        return _answer(
            await self._questions.authenticate(
                username=question.username, password=question.password, client_id=question.clientid
            )
        )

    async def superuser(self, request: web.Request) -> web.Response:
        """May this user do everything?"""
        question = await self._question(request)
        return _answer(await self._questions.is_superuser(question.username))

    async def acl(self, request: web.Request) -> web.Response:
        """May this client do this one thing?"""
        question = await self._question(request)
        access = int(question.acc) if question.acc in _ACCESSES else 0
        return _answer(
            await self._questions.permits(
                username=question.username, client_id=question.clientid, topic=question.topic, access=access
            )
        )

    async def _question(self, request: web.Request) -> Question:
        vouched_for(request, self._secret)
        if request.content_type == "application/x-www-form-urlencoded":
            form = await form_of(request)
            return msgspec.convert({key: form[key] for key in form if key in Question.__struct_fields__}, Question)
        return decoded(await body_bytes(request), Question)


def vouched_for(request: web.Request, secret: str) -> None:
    """See to it that a broker of ours asks. Forbidden."""
    given = request.query.get("secret", "")
    if secret and not compare_digest(given.encode(), secret.encode()):
        raise Forbidden("the secret of MOSQUITTO_AUTH_SECRET is missing from the address")
    if not secret and not from_this_machine(request, actor_of(request).address):
        raise Forbidden("set MOSQUITTO_AUTH_SECRET to let a broker on another machine ask")


async def form_of(request: web.Request) -> dict[str, str]:
    """The fields of a form; what is no UTF-8 stands for nothing that we know."""
    body = await body_bytes(request)
    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))


def _answer(allowed: bool) -> web.Response:  # noqa: FBT001 - the answer itself
    """Status for the mode `status`, `ok` for the mode `json`; the same words whatever was wrong."""
    return (
        web.Response(body=_YES, headers=_AS_JSON) if allowed else web.Response(status=403, body=_NO, headers=_AS_JSON)
    )


def mosquitto_auth_routes(questions: BrokerQuestions, secret: str) -> list[Route]:
    """The routes that a broker calls; people and devices have no business there."""
    own = MosquittoAuthRoutes(questions, secret)
    asked = {"user": own.user, "superuser": own.superuser, "acl": own.acl}
    return [
        Route(
            method=method,
            path=f"/mosquitto-auth/{name}",
            handler=handler,
            allow=SECRET,
            summary=f"The broker asks: {name}",
            root=True,
            body_limit=LONGEST_BODY,
            body=Body(kind=Question, media=(JSON, "application/x-www-form-urlencoded")),
            answers={200: Answer("Yes", Verdict), 403: Answer("No, or the secret is wrong")},
            secrets=(Secret.BROKER_SECRET,),
        )
        for name, handler in asked.items()
        for method in ("POST", "GET", "PUT")
    ]
