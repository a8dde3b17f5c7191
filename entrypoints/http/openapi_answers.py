"""Which statuses a route answers: what it says itself, and what its guard, its path and its body imply."""

from collections.abc import Iterator, Mapping

import msgspec
from attrs import evolve

from entrypoints.http.declarations import JSON, UNDECLARED, Answer, Body
from entrypoints.http.routing import Caller, Route

FIRST_REFUSAL = 400
BODILESS = {101, 204, 304}
RETRY_AFTER = {"Retry-After": "Seconds to wait before trying again"}


class Refused(msgspec.Struct, rename="camel"):
    """Why something was refused."""

    error: str
    message: str
    fields: dict[str, str] = {}
    required: list[str] = []
    missing: list[str] = []
    user_role: str | None = None
    hint: str = ""


REFUSALS: Mapping[int, Answer] = {
    400: Answer("What was sent is wrong; `fields` says for each field why", Refused),
    401: Answer(
        "Nobody we know; the same words for every reason",
        Refused,
        headers={"WWW-Authenticate": "How to authenticate"},
    ),
    402: Answer("More than the licence allows", Refused),
    403: Answer("Not theirs to do; `missing` names the permissions", Refused),
    404: Answer("There is no such thing", Refused),
    409: Answer("It cannot be done to the thing as it is now", Refused),
    412: Answer("It was changed in between", Refused),
    413: Answer("The body is too large, or expands too far", Refused),
    429: Answer("Too many tries", Refused, headers=RETRY_AFTER),
    503: Answer("Not now: something we need does not answer or is full", Refused, headers=RETRY_AFTER),
}


def body_of(route: Route) -> Body | None:
    """The body of a route, if it has one."""
    if route.body is None or route.body is UNDECLARED:
        return None
    return route.body if isinstance(route.body, Body) else Body(kind=route.body)


def answers_of(route: Route) -> dict[int, Answer]:
    """Every status that a route answers, the lowest first."""
    told = {status: _worded(status, answer) for status, answer in route.answers.items()}
    if not any(status < FIRST_REFUSAL for status in told):
        told[200] = Answer("It is done, or here it is")
    implied = {status: REFUSALS[status] for status in _implied(route)}
    return dict(sorted((implied | told).items()))


def _worded(status: int, answer: Answer | str) -> Answer:
    if isinstance(answer, Answer):
        return answer
    if status in REFUSALS:
        return evolve(REFUSALS[status], summary=answer)
    if status >= FIRST_REFUSAL:
        return Answer(answer, Refused)
    return Answer(answer, media=None if status in BODILESS else JSON)


def _implied(route: Route) -> Iterator[int]:
    """The refusals that every route of this kind knows; Unavailable can happen wherever we look something up."""
    body = body_of(route)
    if body or route.query or "{" in route.path:
        yield 400
    if body:
        yield 413
    if "{" in route.path:
        yield 404
    if route.allow.caller is not Caller.ANYONE:
        yield 401
        if route.allow.caller is not Caller.USER or route.allow.permission:
            yield 403
    if not (route.root and route.allow.caller is Caller.ANYONE):
        yield 503
