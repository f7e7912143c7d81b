"""When two captions say the same: as they stand, or without what does not matter."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping

GENERIC = 20  # > items with one caption: it says little, and joins nothing by itself
_APOSTROPHES = dict.fromkeys(map(ord, "'\u2019\u2018`"))
_NOT_WORDS = re.compile(r"[\W_]+")
_BRACKETED = re.compile(r"\([^)]*\)|\[[^\]]*\]")
_HEAD_END = re.compile(r" - |[:;,.(]")
# Words that number takes of one scene.
_NUMBER_WORDS = frozenset(
    re.findall(
        r"\w+",
        "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
        "sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty hundred "
        "first second third fourth fifth sixth i ii iii iv v vi vii viii ix x",
    )
)


def exact(caption: str) -> str:
    """Return a caption without the space around it."""
    return caption.strip()


def text(caption: str) -> str:
    """Return the words of a caption: NFKC, case folded, apostrophes dropped, one space between."""
    folded = unicodedata.normalize("NFKC", caption).casefold().translate(_APOSTROPHES)
    return _NOT_WORDS.sub(" ", folded).strip()


def numberless(caption: str) -> str:
    """Return the words of a caption that number nothing: "take two" and "take 3" are one."""
    return " ".join(word for word in text(caption).split() if not _is_number(word))


def core(caption: str) -> str:
    """Return the words outside of brackets that number nothing."""
    return numberless(_BRACKETED.sub(" ", caption))


def prefix(caption: str) -> str:
    """Return the words that number nothing before the first dash, colon, comma, stop or bracket."""
    return numberless(_HEAD_END.split(caption, maxsplit=1)[0])


def _is_number(word: str) -> bool:
    return word in _NUMBER_WORDS or any(letter.isdigit() for letter in word)


NORMALISERS: Mapping[str, Callable[[str], str]] = {
    "exact": exact,
    "text": text,
    "numberless": numberless,
    "core": core,
    "prefix": prefix,
}
NEAR = "near"  # nearly alike, of which pairs are told instead of what is left
RULES = (*NORMALISERS, NEAR)
