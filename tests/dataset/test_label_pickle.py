"""Labels by id are read from a pickle, and nothing that it asks for is run."""

import collections
import os
import pickle

import pytest

from splitaudit.dataset.label_pickle import read_labels


def labels():
    found = collections.defaultdict(list)
    found["a"] += ["dog", "rain"]
    found["b"] += []
    return found


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("kind", [lambda x: x, dict])
def test_labels_by_id(protocol, kind):
    content = pickle.dumps(kind(labels()), protocol)
    assert read_labels(content) == {"a": ["dog", "rain"], "b": []}


class Hostile:
    def __reduce__(self):
        return os.mkdir, ("ran",)


class Odd:
    pass


HOSTILE = {
    "runs a command": {"a": [Hostile()]},
    "an object": {"a": Odd()},
    "a counter": {"a": collections.Counter("a")},
    "an ordered dictionary": collections.OrderedDict(a=["x"]),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_asks_for_any_other_class_is_not_read(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    content = pickle.dumps(HOSTILE[name])
    with pytest.raises(ValueError, match=r"it asks for \w+"):
        read_labels(content)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (["a"], "expected a dictionary, found list"),
        ({"a": "dog"}, "expected texts and lists of texts"),
        ({1: ["dog"]}, "expected texts and lists of texts"),
        ({"a": [1]}, "expected a list of texts for 'a'"),
    ],
)
def test_other_values_are_refused(value, reason):
    with pytest.raises(ValueError, match=reason):
        read_labels(pickle.dumps(value))


@pytest.mark.parametrize("content", [b"", b"\x80", b"no pickle", b"\x80\x05K\x01", b"(" * 100_000])
def test_what_is_no_pickle_is_refused(content):
    with pytest.raises(ValueError):  # noqa: PT011  the reason is pickle's own
        read_labels(content)


def test_a_truncated_pickle_is_refused():
    whole = pickle.dumps(dict(labels()))
    for length in range(len(whole)):
        with pytest.raises(ValueError):  # noqa: PT011
            read_labels(whole[:length])
