"""Topics as a tree of their levels (contract §4.16)."""

from collections.abc import Iterable

from core.monitoring.model import TopicView, Tree

MARKERS = frozenset(
    {"_name", "_topic", "_created", "_messagesCounter", "_topicsCounter", "_message", "_messageType", "_schema"}
)


def tree_of(topics: Iterable[TopicView]) -> Tree:
    """The levels below one root; each level counts what lies below it."""
    root = _node("", "", None)
    for topic in topics:
        path = [root]
        levels = topic.name.split("/")
        for depth, level in enumerate(levels):
            # A level contains no slash: a client that names one like a marker cannot take its place.
            key = f"/{level}" if level in MARKERS else level
            name = "/".join(levels[: depth + 1])
            path.append(path[-1].setdefault(key, _node(level, name, topic)))
        for node in path:
            node["_messagesCounter"] += topic.messages
            node["_topicsCounter"] += 1
            node["_created"] = min(node["_created"] or topic.first_at, topic.first_at)
        path[-1] |= {
            "_message": topic.sample.text,
            "_messageType": topic.sample.type.value,
            "_schema": topic.schema,
        }
    return root


def _node(name: str, topic: str, first: TopicView | None) -> Tree:
    created = first.first_at if first else None
    return {"_name": name, "_topic": topic, "_created": created, "_messagesCounter": 0, "_topicsCounter": 0}
