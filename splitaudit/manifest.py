"""A dataset's manifest: TOML to frozen dataclasses, with every mistake reported at once."""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from splitaudit.errors import InputError, SplitauditError

PLACEHOLDER = re.compile(r"\{([A-Za-z_]\w*)\}")
_FOLDER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_SECTIONS = ("dataset", "tables", "media")
# Key -> whether it must be there. All of these hold text.
_DATASET = {"name": True, "title": False, "homepage": False, "license": False, "note": False}
_TABLE = {"path": True, "split": False, "format": False}


@dataclass(frozen=True)
class ManifestTable:
    """One file that lists items.

    Parameters
    ----------
    path
        Relative to the dataset's root.
    split
        The split of every row; None where a column says it.
    format
        "lines" (one id a line) or None: told by the ending.
    columns
        Ours -> theirs.
    """

    path: str
    split: str | None = None
    format: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Manifest:
    """What a manifest says.

    Parameters
    ----------
    name
        Safe as a folder name.
    tables
        In the manifest's order, at least one.
    audio
        Template of an item's sound, such as "audio/{id}.wav"; None where a column `path` says it.
    confined
        Whether it may read nothing outside the dataset's root, as every shipped one.
    """

    name: str
    tables: tuple[ManifestTable, ...]
    audio: str | None = None
    confined: bool = False
    title: str = ""
    homepage: str = ""
    license: str = ""
    note: str = ""


def shipped() -> dict[str, Path]:
    """Return the manifests that come with the package, by name.

    They lie beside the package in a source checkout and inside it in an installed wheel.
    """
    package = Path(__file__).parent
    inside, beside = package / "data_manifests", package.parent / "data_manifests"
    folder = inside if inside.is_dir() else beside
    return {file.stem: file for file in sorted(folder.glob("*.toml"))}


def nearest(word: str, choices: Iterable[str]) -> list[str]:
    """Return at most three of `choices` that are spelt much like `word`, the nearest first."""
    return difflib.get_close_matches(word, list(choices), n=3, cutoff=0.6)


def did_you_mean(near: Iterable[str]) -> str:
    """Return the question that follows a sentence; empty where there is nothing to propose."""
    proposed = " or ".join(map(repr, near))
    return f"; did you mean {proposed}?" if proposed else ""


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
    manifest, problems = _manifest(content, confined)
    if problems:
        raise InputError(where, problems)
    return manifest


def _manifest(content: dict[str, object], confined: bool) -> tuple[Manifest, list[str]]:
    problems = _unknown(content, _SECTIONS, "")
    dataset, found = _texts(content.get("dataset"), _DATASET, "dataset")
    problems += found
    name = dataset.get("name", "")
    if name and not _FOLDER_NAME.fullmatch(name):
        problems.append(f"dataset.name: expected letters, digits, '.', '_' and '-', found {name!r}")
    tables, found = _tables(content.get("tables"), confined)
    problems += found
    audio, found = _audio(content.get("media", {}), confined)
    problems += found
    rest = {key: text for key, text in dataset.items() if key != "name"}
    return Manifest(name, tables, audio, confined, **rest), problems


def _tables(value: object, confined: bool) -> tuple[tuple[ManifestTable, ...], list[str]]:
    if not isinstance(value, list) or not value:
        return (), ["tables: expected at least one [[tables]]"]
    tables, problems = [], []
    for number, entry in enumerate(value, start=1):
        where = f"tables[{number}]"
        columns: dict[str, str] = {}
        if isinstance(entry, dict) and "columns" in entry:
            columns, found = _columns(entry["columns"], f"{where}.columns")
            problems += found
            entry = {key: part for key, part in entry.items() if key != "columns"}
        texts, found = _texts(entry, _TABLE, where, also=("columns",))
        problems += found + _leaving(texts.get("path"), f"{where}.path", confined)
        if texts.get("format", "lines") != "lines":
            problems.append(
                f"{where}.format: expected 'lines' or nothing (then the ending tells), "
                f"found {texts['format']!r}"
            )
        tables.append(
            ManifestTable(texts.get("path", ""), texts.get("split"), texts.get("format"), columns)
        )
    return tuple(tables), problems


def _columns(value: object, where: str) -> tuple[dict[str, str], list[str]]:
    if not isinstance(value, dict):
        return {}, [f'{where}: expected {{ ours = "theirs" }}, found {value!r}']
    return _texts(value, dict.fromkeys(value, False), where)


def _audio(media: object, confined: bool) -> tuple[str | None, list[str]]:
    if not isinstance(media, dict):
        return None, [f"media: expected [media.audio], found {media!r}"]
    problems = _unknown(media, ("audio",), "media.")
    if "audio" not in media:
        return None, problems
    texts, found = _texts(media["audio"], {"path": True}, "media.audio")
    template = texts.get("path")
    if template and re.search(r"[{}]", PLACEHOLDER.sub("", template)):
        found.append(f"media.audio.path: expected only {{column}} in braces, found {template!r}")
    elif template and not PLACEHOLDER.search(template):
        found.append(f"media.audio.path: expected a {{column}} such as {{id}}, found {template!r}")
    return template, problems + found + _leaving(template, "media.audio.path", confined)


def _leaving(path: str | None, where: str, confined: bool) -> list[str]:
    if confined and path and leaves_root(path):
        return [f"{where}: expected a path inside the dataset's folder, found {path!r}"]
    return []


def leaves_root(path: str) -> bool:
    """Return whether a path, as written, is absolute or steps upwards."""
    return os.path.isabs(path) or ".." in path.split("/")


def _texts(
    value: object, keys: Mapping[str, bool], where: str, also: tuple[str, ...] = ()
) -> tuple[dict[str, str], list[str]]:
    """Return the texts of a TOML table and what is wrong with it."""
    if not isinstance(value, dict):
        found = "nothing" if value is None else repr(value)
        return {}, [f"{where}: expected a table of keys, found {found}"]
    problems = _unknown(value, (*keys, *also), f"{where}.")
    problems += [
        f"{where}.{key}: missing (expected text)"
        for key, needed in keys.items()
        if needed and key not in value
    ]
    wrong = [
        key for key in keys if key in value and not (isinstance(value[key], str) and value[key])
    ]
    problems += [f"{where}.{key}: expected text, found {value[key]!r}" for key in wrong]
    return {key: value[key] for key in keys if key in value and key not in wrong}, problems


def _unknown(value: Mapping[str, object], keys: Iterable[str], where: str) -> list[str]:
    keys = tuple(keys)
    return [
        f"{where}{key}: unknown key{did_you_mean(nearest(key, keys))}"
        for key in value
        if key not in keys
    ]
