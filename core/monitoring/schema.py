"""What messages look like, told from samples in the words of JSON Schema."""

from collections.abc import Mapping
from itertools import islice
from typing import Any

# The keys are `type` (a word, or a list of them), `properties` of objects and `items` of lists.
Schema = Mapping[str, Any]

DEEPEST = 6
MOST_PROPERTIES = 64
MOST_ITEMS = 20
LONGEST_NAME = 128
# Of one schema, however many samples it was made of: clients choose the names.
MOST_NODES = 200


def schema_of(value: object) -> Schema:
    """The schema of a JSON value; what lies too deep, or is too much, is left out, so that it stays small."""
    return _schema(value, DEEPEST, [MOST_NODES])


def merged(one: Schema, other: Schema) -> Schema:
    """A schema for what either describes. A schema that has become too large grows no more."""
    both = _merged(one, other)
    return both if nodes_of(both) <= MOST_NODES else one


def nodes_of(schema: Schema) -> int:
    """How many types it names."""
    below = sum(nodes_of(each) for each in schema.get("properties", {}).values())
    return 1 + below + (nodes_of(schema["items"]) if "items" in schema else 0)


def _schema(value: object, depth: int, left: list[int]) -> Schema:
    """`left` holds how many types may still be named."""
    left[0] -= 1
    schema: dict[str, Any] = {"type": _type(value)}
    if depth > 1 and isinstance(value, Mapping):
        below: dict[str, Schema] = {}
        for name in islice(value, MOST_PROPERTIES):
            if left[0] <= 0:
                break
            if len(name) <= LONGEST_NAME:
                below[name] = _schema(value[name], depth - 1, left)
        schema["properties"] = below
    if depth > 1 and isinstance(value, list) and value and left[0] > 0:
        schema["items"] = _items(value[:MOST_ITEMS], depth - 1, left)
    return schema


def _items(items: list[Any], depth: int, left: list[int]) -> Schema:
    schema = _schema(items[0], depth, left)
    for item in items[1:]:
        # They mostly look alike, and then take no room; but looking at each takes time.
        if left[0] <= 0:
            break
        schema = _merged(schema, _schema(item, depth, left))
    return schema


def _type(value: object) -> str:
    # bool comes first, for in Python it is an int.
    for kind, word in ((bool, "boolean"), (int, "integer"), (float, "number"), (str, "string"), (list, "array")):
        if isinstance(value, kind):
            return word
    return "null" if value is None else "object"


def _merged(one: Schema, other: Schema) -> Schema:
    schema: dict[str, Any] = {"type": _types(one, other)}
    if "properties" in one or "properties" in other:
        schema["properties"] = _properties(one.get("properties", {}), other.get("properties", {}))
    if "items" in one and "items" in other:
        schema["items"] = _merged(one["items"], other["items"])
    elif "items" in one or "items" in other:
        schema["items"] = one.get("items", other.get("items"))
    return schema


def _types(one: Schema, other: Schema) -> str | list[str]:
    types = _listed(one["type"]) | _listed(other["type"])
    if "number" in types:
        types.discard("integer")
    return next(iter(types)) if len(types) == 1 else sorted(types)


def _listed(types: str | list[str]) -> set[str]:
    return {types} if isinstance(types, str) else set(types)


def _properties(one: Mapping[str, Schema], other: Mapping[str, Schema]) -> dict[str, Schema]:
    both = {name: _merged(schema, other[name]) if name in other else schema for name, schema in one.items()}
    for name, schema in other.items():
        if name not in both and len(both) < MOST_PROPERTIES:
            both[name] = schema
    return both
