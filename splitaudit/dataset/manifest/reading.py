"""TOML to a manifest, with every mistake reported at once."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path

from splitaudit.dataset.manifest.model import Attribute, Manifest, Source
from splitaudit.dataset.manifest.paths import PLACEHOLDER
from splitaudit.dataset.manifest.section import Section
from splitaudit.dataset.manifest.tables import parse_part, parse_path, parse_table
from splitaudit.errors import InputError, SplitauditError
from splitaudit.metadata.captions import NORMALISERS
from splitaudit.metadata.captions import RULES as CAPTION_RULES
from splitaudit.metadata.keys import Key
from splitaudit.metadata.placeholders import Override
from splitaudit.schema import KEY_RELATIONS, SAME_SOURCE

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
    whole.reject_unknown(
        "dataset", "sources", "tables", "media", "attributes", "keys", "captions", "split", "splits"
    )
    dataset = whole.section("dataset") or _missing_section(whole, "dataset")
    dataset.reject_unknown("name", "title", "homepage", "license", "note")
    sources = tuple(_source(part) for part in whole.listed("sources"))
    tables = tuple(parse_table(part, confined) for part in whole.listed("tables"))
    if all(table.join for table in tables):
        whole.faults.append("tables: expected at least one [[tables]] that lists items")
    media = _media(whole, confined)
    attributes = [_attribute(name, part) for name, part in whole.named("attributes").items()]
    keys = []
    for name, part in whole.named("keys").items():
        keys.append(_key(name, part))
        if "pattern" in part.content:
            attributes.append(_pattern(name, part))
    return Manifest(
        _name(dataset),
        tables,
        media.get("audio"),
        media.get("video"),
        tuple(attributes),
        tuple(keys),
        _captions(whole),
        _ratios(whole),
        whole.pairs("splits"),
        sources,
        confined,
        **{key: dataset.text(key) for key in ("title", "homepage", "license", "note")},
    )


def _missing_section(whole: Section, key: str) -> Section:
    if key not in whole.content:
        whole.fault(key, "a table of keys")
    return Section(key, {"name": "unnamed"}, whole.faults)


def _name(dataset: Section) -> str:
    name = dataset.text("name", needed=True)
    if name and not _FOLDER_NAME.fullmatch(name):
        dataset.fault("name", "letters, digits, '.', '_' and '-'")
    return name


def _source(part: Section) -> Source:
    part.reject_unknown("path", "url", "sha256", "note")
    found = Source(
        parse_path(part, "path", True), part.text("url"), part.text("sha256"), part.text("note")
    )
    if found.sha256 and not _SHA256.fullmatch(found.sha256):
        part.fault("sha256", "64 hexadecimal digits")
    if not found.url and not found.note:
        part.faults.append(f"{part.where}: expected a url, or a note that says where it comes from")
    return found


def _media(whole: Section, confined: bool) -> dict[str, str]:
    """The template of an item's sound or film, by its kind."""
    media = whole.content.get("media", {})
    if not isinstance(media, dict):
        whole.fault("media", "[media.audio]")
        return {}
    part = Section("media", media, whole.faults)
    part.reject_unknown("audio", "video")
    parts = {kind: found for kind in ("audio", "video") if (found := part.section(kind))}
    if len(parts) > 1:
        part.faults.append("media: expected [media.audio] or [media.video], found both")
    return {kind: _template(found, confined) for kind, found in parts.items()}


def _template(part: Section, confined: bool) -> str:
    part.reject_unknown("path")
    template = parse_path(part, "path", confined)
    if template and re.search(r"[{}]", PLACEHOLDER.sub("", template)):
        part.fault("path", "only {column} in braces")
    elif template and not PLACEHOLDER.search(template):
        part.fault("path", "a {column} such as {id}")
    return template


def _attribute(name: str, part: Section) -> Attribute:
    part.reject_unknown("from", "pattern")
    return _pattern(name, part)


def _pattern(name: str, part: Section) -> Attribute:
    """What a pattern takes from a column."""
    found = parse_part(part)
    return Attribute(name, found.column, found.pattern)


def _key(name: str, part: Section) -> Key:
    part.reject_unknown(
        *("from", "pattern", "normalise", "relation", "within", "policy", "missing", "real")
    )
    columns = (name,) if "pattern" in part.content else part.texts("from")
    normalise = part.pairs("normalise")
    rules = Section(part.place("normalise"), normalise, part.faults)
    rules.reject_unknown(*columns)
    for column in normalise:
        rules.choice(column, tuple(NORMALISERS), "")
    relation = part.choice("relation", KEY_RELATIONS, SAME_SOURCE)
    said = Override(
        *(part.texts(key) if key in part.content else () for key in ("missing", "real"))
    )
    policy = part.text("policy")
    return Key(name, columns, normalise, relation, part.numbers("within"), policy, said)


def _captions(whole: Section) -> tuple[str, ...]:
    """The rules by which captions are equal; none where nothing is said."""
    part = whole.section("captions")
    if not part:
        return ()
    part.reject_unknown("rules")
    rules = part.texts("rules")
    if any(rule not in CAPTION_RULES for rule in rules):
        part.fault("rules", f"some of {', '.join(CAPTION_RULES)}")
    return rules


def _ratios(whole: Section) -> dict[str, float]:
    split = whole.section("split")
    if not split:
        return {}
    split.reject_unknown("ratios")
    return split.numbers("ratios")
