"""TOML to a manifest, with every mistake reported at once."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path

from splitaudit.captions import NORMALISERS
from splitaudit.captions import RULES as CAPTION_RULES
from splitaudit.errors import InputError, SplitauditError
from splitaudit.keys import Key
from splitaudit.manifest.model import Attribute, Join, Manifest, ManifestTable, Source
from splitaudit.manifest.paths import PLACEHOLDER, leaves_root
from splitaudit.manifest.section import Section
from splitaudit.schema import KEY_RELATIONS, SAME_SOURCE

FORMATS = ("lines", "label_pickle")
_FOLDER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def read_manifest(file: Path, *, confined: bool) -> Manifest:
    """Read and check a manifest.

    Parameters
    ----------
    file
        The TOML file.
    confined
        True for a shipped manifest: none of its paths may leave the dataset's root.

    Raises
    ------
    InputError
        Every mistake at once: the key and what was expected.
    SplitauditError
        Where the file cannot be read.
    """
    where = os.fsencode(file).decode("utf-8", "backslashreplace")
    try:
        content = tomllib.loads(file.read_bytes().decode("utf-8"))
    except OSError as error:
        raise SplitauditError(f"cannot read {where}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(where, [f"not valid TOML: {error}"]) from error
    whole = Section("", content, [])
    manifest = _manifest(whole, confined)
    if whole.faults:
        raise InputError(where, whole.faults)
    return manifest


def _manifest(whole: Section, confined: bool) -> Manifest:
    whole.only("dataset", "sources", "tables", "media", "attributes", "keys", "captions", "split")
    dataset = whole.section("dataset") or _absent(whole, "dataset")
    dataset.only("name", "title", "homepage", "license", "note")
    sources = tuple(_source(part) for part in whole.listed("sources"))
    tables = tuple(_table(part, confined) for part in whole.listed("tables"))
    if all(table.join for table in tables):
        whole.faults.append("tables: expected at least one [[tables]] that lists items")
    audio = _audio(whole, confined)
    attributes = [_attribute(name, part) for name, part in whole.named("attributes").items()]
    keys = []
    for name, part in whole.named("keys").items():
        keys.append(_key(name, part))
        if "pattern" in part.content:
            attributes.append(_pattern(name, part))
    return Manifest(
        _name(dataset),
        tables,
        audio,
        tuple(attributes),
        tuple(keys),
        _captions(whole),
        _ratios(whole),
        sources,
        confined,
        **{key: dataset.text(key) for key in ("title", "homepage", "license", "note")},
    )


def _absent(whole: Section, key: str) -> Section:
    if key not in whole.content:
        whole.fault(key, "a table of keys")
    return Section(key, {"name": "unnamed"}, whole.faults)


def _name(dataset: Section) -> str:
    name = dataset.text("name", needed=True)
    if name and not _FOLDER_NAME.fullmatch(name):
        dataset.fault("name", "letters, digits, '.', '_' and '-'")
    return name


def _source(part: Section) -> Source:
    part.only("path", "url", "sha256", "note")
    found = Source(
        _inside(part, "path", True), part.text("url"), part.text("sha256"), part.text("note")
    )
    if found.sha256 and not _SHA256.fullmatch(found.sha256):
        part.fault("sha256", "64 hexadecimal digits")
    if not found.url and not found.note:
        part.faults.append(f"{part.where}: expected a url, or a note that says where it comes from")
    return found


def _table(part: Section, confined: bool) -> ManifestTable:
    part.only("path", "split", "format", "columns", "join")
    path, split = _inside(part, "path", confined), part.text("split")
    form = part.text("format")
    if form and form not in FORMATS:
        known = " or ".join(map(repr, FORMATS))
        part.fault("format", f"{known} or nothing (then the ending tells)")
    join = _join(part)
    if join and split:
        part.faults.append(f"{part.where}: expected a split or a join, found both")
    return ManifestTable(path, split or None, form or None, part.pairs("columns"), join)


def _join(part: Section) -> Join | None:
    joined = part.section("join")
    if not joined:
        return None
    joined.only("id", "strip")
    return Join(joined.text("id", needed=True), joined.text("strip"))


def _audio(whole: Section, confined: bool) -> str | None:
    media = whole.content.get("media", {})
    if not isinstance(media, dict):
        whole.fault("media", "[media.audio]")
        return None
    part = Section("media", media, whole.faults)
    part.only("audio")
    audio = part.section("audio")
    if not audio:
        return None
    audio.only("path")
    template = _inside(audio, "path", confined)
    if template and re.search(r"[{}]", PLACEHOLDER.sub("", template)):
        audio.fault("path", "only {column} in braces")
    elif template and not PLACEHOLDER.search(template):
        audio.fault("path", "a {column} such as {id}")
    return template or None


def _attribute(name: str, part: Section) -> Attribute:
    part.only("from", "pattern")
    return _pattern(name, part)


def _pattern(name: str, part: Section) -> Attribute:
    """What a pattern takes from a column."""
    column, pattern = part.text("from", needed=True), part.text("pattern", needed=True)
    try:
        groups = re.compile(pattern).groups
    except re.error:
        groups = 0
    if pattern and groups != 1:
        part.fault("pattern", "a regular expression with one group (...)")
    return Attribute(name, column, pattern)


def _key(name: str, part: Section) -> Key:
    part.only("from", "pattern", "normalise", "relation", "within", "policy")
    columns = (name,) if "pattern" in part.content else part.texts("from")
    normalise = part.pairs("normalise")
    rules = Section(part.place("normalise"), normalise, part.faults)
    rules.only(*columns)
    for column in normalise:
        rules.choice(column, tuple(NORMALISERS), "")
    relation = part.choice("relation", KEY_RELATIONS, SAME_SOURCE)
    return Key(name, columns, normalise, relation, part.numbers("within"), part.text("policy"))


def _captions(whole: Section) -> tuple[str, ...]:
    """The rules by which captions are equal; none where nothing is said."""
    part = whole.section("captions")
    if not part:
        return ()
    part.only("rules")
    rules = part.texts("rules")
    if any(rule not in CAPTION_RULES for rule in rules):
        part.fault("rules", f"some of {', '.join(CAPTION_RULES)}")
    return rules


def _ratios(whole: Section) -> dict[str, float]:
    split = whole.section("split")
    if not split:
        return {}
    split.only("ratios")
    return split.numbers("ratios")


def _inside(part: Section, key: str, confined: bool) -> str:
    """A path, which must not leave the dataset's folder where it is confined to it."""
    path = part.text(key, needed=True)
    if confined and path and leaves_root(path):
        part.fault(key, "a path inside the dataset's folder")
    return path
