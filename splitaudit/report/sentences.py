"""The sentences and spellings that the screen and the HTML report have in common."""

from __future__ import annotations

import re
from itertools import combinations
from typing import Any

from splitaudit.dataset.split_names import shorten
from splitaudit.report.summary import count_copies
from splitaudit.schema import AUDITED, DEGENERATE

# Control characters, line separators, lone surrogates and the marks that turn the direction of
# writing: whatever would let a file name rearrange the line it stands in.
_INVISIBLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
_SHORT_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def escape_invisible(text: str) -> str:
    r"""Return `text` with each unseen character as an escape, such as ``\n`` or ``\u202e``."""
    return _INVISIBLE.sub(lambda match: _SHORT_ESCAPES.get(match[0]) or _escape(match[0]), text)


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def format_time(seconds: float) -> str:
    """Return a time as mm:ss.mmm, with hours in front where there are any."""
    total = round(seconds * 1000)
    minutes, milliseconds = divmod(total, 60_000)
    hours, minutes = divmod(minutes, 60)
    text = f"{minutes:02d}:{milliseconds // 1000:02d}.{milliseconds % 1000:03d}"
    return f"{hours}:{text}" if hours else text


def pluralise(number: int, thing: str) -> str:
    """Return "1 item", "1,200 items"."""
    return f"{number:,} {thing}" + ("" if number == 1 else "s")


def headline(summary: dict[str, Any]) -> str:
    """Say the verdict in one sentence, without the verdict's own word and without a full stop."""
    if summary["verdict"] == "leaks":
        return _worst_leak(summary)
    if summary["verdict"] == "duplicates":
        pairs = count_copies(summary)
        return f"{pluralise(pairs, 'pair')} of copies, and {_why_no_leak(summary)}"
    if summary["verdict"] == "incomplete":
        return _why_incomplete(summary)
    if len(summary["splits"]) < 2:
        return "there is only one split, so nothing can leak; it was audited for duplicates"
    if summary["verdict"] == "weak":
        return _worst_weakness(summary)
    *names, last = map(escape_invisible, summary["splits"])
    return f"no leak found between {', '.join(names)} and {last}"


def _why_no_leak(summary: dict[str, Any]) -> str:
    """Why no item is one of test that stands in train."""
    if not summary["splits_known"]:
        return "no split is known, so it was audited for duplicates only"
    if len(summary["splits"]) < 2:
        return "there is only one split, so nothing can leak"
    return "no split is evaluated against another"


def _worst_leak(summary: dict[str, Any]) -> str:
    leaking = [pair for pair, entry in summary["leaks"].items() if entry["pairs"]]
    one, other = headline_pair(leaking, list(summary["splits"]))
    items, size = summary["leaks"][f"{one}|{other}"]["items"], summary["splits"][one]
    are = "is" if items == 1 else "are"
    evaluated, train = map(escape_invisible, (one, other))
    return f"{items:,} of {size:,} {evaluated} items {are} already in {train}"


def _why_incomplete(summary: dict[str, Any]) -> str:
    parts = summary["coverage"].values()
    if any(part["audited"] < max(part["items"], summary["splits_known"]) for part in parts):
        return _least_covered(summary)
    if "unplaced" in summary:
        return _unplaced(summary["unplaced"], sum(summary["splits"].values()))
    return f"no copies found, but {_why_no_leak(summary)}"


def _unplaced(left: dict[str, int], items: int) -> str:
    names = ", ".join(shorten([escape_invisible(name) for name in left]))
    count = sum(left.values())
    belong = "belongs" if count == 1 else "belong"
    return f"no leak found, but {count:,} of {items:,} items {belong} to no split ({names})"


def _least_covered(summary: dict[str, Any]) -> str:
    parts = summary["coverage"]
    check = min(parts, key=lambda name: parts[name]["audited"] / max(parts[name]["items"], 1))
    audited, items = parts[check]["audited"], parts[check]["items"]
    return f"no leak found, but only {audited:,} of {items:,} items could be audited for {check}"


def _worst_weakness(summary: dict[str, Any]) -> str:
    one, other = headline_pair(list(summary["weak"]), list(summary["splits"]))
    reasons = summary["weak"][f"{one}|{other}"]["by_reason"]
    reason = max(reasons, key=lambda name: reasons[name]["items"])
    items, size = reasons[reason]["items"], summary["splits"][one]
    one_item = items == 1
    if reason.startswith(("key:", "caption:")):
        name = reason.removeprefix("key:").partition(":")[0]
        what = f"{'has' if one_item else 'have'} the same {escape_invisible(name)} as"
    else:
        what = f"{'shares' if one_item else 'share'} material with"
    who = f"{items:,} of {size:,} {escape_invisible(one)} items"
    return f"no leak found, but {who} {what} {escape_invisible(other)} items"


def headline_pair(pairs: list[str], order: list[str]) -> tuple[str, str]:
    """Return the pair of splits to speak of first: test|train before test|val before val|train."""
    places = {f"{one}|{other}": (one, other) for one, other in combinations(order, 2)}
    held = [places[pair] for pair in pairs]
    return min(held, key=lambda pair: (order.index(pair[0]), -order.index(pair[1])))


def coverage_sentences(summary: dict[str, Any]) -> list[str]:
    """Say for each check how many items were audited, and what became of the others."""
    undecided = summary.get("undecided", {})
    return [
        _coverage_sentence(check, part) + _undecided_words(undecided.get(check))
        for check, part in summary["coverage"].items()
    ]


def _undecided_words(counts: dict[str, int] | None) -> str:
    return f"; {pluralise(counts['pairs'], 'pair')} could not be compared" if counts else ""


def _coverage_sentence(check: str, part: dict[str, Any]) -> str:
    others = {name: n for name, n in part["by_status"].items() if name not in AUDITED}
    why = ", ".join(f"{n:,} {status}" for status, n in others.items())
    sentence = f"{check}: {part['audited']:,} of {part['items']:,} items audited"
    sentence += f": {why}" if why else ""
    empty = part["by_status"].get(DEGENERATE, 0)
    what = "of one colour" if check == "image" else "silent or steady"
    return sentence + (f" ({empty:,} {what}: nothing to match)" if empty else "")
