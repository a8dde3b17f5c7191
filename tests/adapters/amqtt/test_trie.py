"""The trie finds what looking at everything would find."""

from hypothesis import given
from hypothesis import strategies as st

from adapters.amqtt.trie import Trie
from core.mqtt import matches

level = st.sampled_from(["a", "b", "", "$s"])
topics = st.lists(level, min_size=1, max_size=4).map("/".join).filter(bool)
patterns = st.builds(
    lambda levels, rest: "/".join([*levels, *rest]),
    st.lists(level | st.just("+"), max_size=3),
    st.sampled_from([[], ["#"]]),
).filter(bool)


@given(st.lists(st.tuples(patterns, st.integers(0, 3)), max_size=12), topics)
def test_a_topic_finds_the_filters_that_match_it(entries: list[tuple[str, int]], topic: str) -> None:
    trie: Trie[int, str] = Trie()
    for pattern, key in entries:
        trie.put(pattern, key, pattern)
    expected = sorted({(key, pattern) for pattern, key in entries if matches(pattern, topic)})
    assert sorted(trie.matching(topic)) == expected


@given(st.lists(topics, max_size=12), patterns)
def test_a_filter_finds_the_topics_that_it_matches(stored: list[str], pattern: str) -> None:
    trie: Trie[None, str] = Trie()
    for topic in stored:
        trie.put(topic, None, topic)
    found = [topic for _, topic in trie.matched_by(pattern)]
    assert sorted(found) == sorted({topic for topic in stored if matches(pattern, topic)})


@given(st.lists(st.tuples(patterns, st.integers(0, 2)), max_size=10), st.data())
def test_what_was_taken_out_leaves_nothing_behind(entries: list[tuple[str, int]], data: st.DataObject) -> None:
    trie: Trie[int, int] = Trie()
    for number, (pattern, key) in enumerate(entries):
        trie.put(pattern, key, number)
    wanted = set(entries)
    assert len(trie) == len(wanted)
    for pattern, key in data.draw(st.permutations(sorted(wanted))):
        assert trie.get(pattern, key) is not None
        assert trie.pop(pattern, key) is not None
        assert trie.pop(pattern, key) is None
    assert len(trie) == 0
    assert not trie._root.below


def test_wildcards_at_every_level_cost_no_more_than_their_filters() -> None:
    trie: Trie[int, int] = Trie()
    for number in range(100):
        trie.put("/".join("+" if place % 100 == number else "a" for place in range(128)), number, number)
    assert len(list(trie.matching("/".join("a" * 128)))) == 100
