"""A part of a TOML file that is being read: what it should hold, and every mistake in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from splitaudit.dataset.manifest.suggestions import did_you_mean, nearest


@dataclass(frozen=True)
class Section:
    """A table of keys.

    Parameters
    ----------
    where
        Its place in the file, such as "tables[1]"; empty for the whole.
    content
        What stands there.
    faults
        Sentences, one a mistake; those found are added.
    """

    where: str
    content: Mapping[str, object]
    faults: list[str]

    def place(self, key: str) -> str:
        """Return where a key of this section stands."""
        return f"{self.where}.{key}" if self.where else key

    def fault(self, key: str, expected: str) -> None:
        """Note that something else stands at a key than was expected."""
        found = repr(self.content[key]) if key in self.content else "nothing"
        self.faults.append(f"{self.place(key)}: expected {expected}, found {found}")

    def reject_unknown(self, *keys: str) -> None:
        """Note each key that is none of these."""
        for key in self.content:
            if key not in keys:
                meant = did_you_mean(nearest(key, keys))
                self.faults.append(f"{self.place(key)}: unknown key{meant}")

    def text(self, key: str, *, needed: bool = False) -> str:
        """Return the text at a key, empty where there is none."""
        value = self.content.get(key)
        if isinstance(value, str) and value:
            return value
        if key in self.content:
            self.fault(key, "text")
        elif needed:
            self.faults.append(f"{self.place(key)}: missing (expected text)")
        return ""

    def flag(self, key: str) -> bool:
        """Return whether `true` stands at a key; false where nothing does."""
        value = self.content.get(key, False)
        if not isinstance(value, bool):
            self.fault(key, "true or false")
        return value is True

    def texts(self, key: str) -> tuple[str, ...]:
        """Return the text at a key, or the list of them; one at least must stand there."""
        value = self.content.get(key)
        found = value if isinstance(value, list) else [value]
        if found and all(isinstance(text, str) and text for text in found):
            return tuple(map(str, found))
        self.fault(key, "a column, or a list of columns")
        return ()

    def choice(
        self, key: str, choices: Mapping[str, object] | tuple[str, ...], default: str
    ) -> str:
        """Return the text at a key, one of some."""
        value = self.text(key) or default
        if value not in choices and value != default:
            self.fault(key, f"one of {', '.join(choices)}")
            return default
        return value

    def numbers(self, key: str) -> dict[str, float]:
        """Return the numbers at a key by name."""
        part = self.section(key)
        found = {}
        for name, value in part.content.items() if part else ():
            if isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0:
                found[name] = float(value)
            elif part:
                part.fault(name, "a number")
        return found

    def pairs(self, key: str) -> dict[str, str]:
        """Return the texts at a key by name."""
        value = self.content.get(key, {})
        if not isinstance(value, dict):
            self.fault(key, '{ ours = "theirs" }')
            return {}
        part = Section(self.place(key), value, self.faults)
        return {name: text for name in value if (text := part.text(name))}

    def section(self, key: str) -> Section | None:
        """Return the table at a key, None where there is none."""
        value = self.content.get(key)
        if isinstance(value, dict):
            return Section(self.place(key), value, self.faults)
        if key in self.content:
            self.fault(key, "a table of keys")
        return None

    def named(self, key: str) -> dict[str, Section]:
        """Return the tables below a key by name, as of [keys.tape]."""
        part = self.section(key)
        parts = {name: part.section(name) for name in part.content} if part else {}
        return {name: found for name, found in parts.items() if found}

    def listed(self, key: str) -> list[Section]:
        """Return the tables of a list, as of [[tables]]."""
        value = self.content.get(key, [])
        if not isinstance(value, list):
            self.fault(key, f"[[{key}]]")
            return []
        found = []
        for number, entry in enumerate(value, start=1):
            where = f"{self.place(key)}[{number}]"
            if isinstance(entry, dict):
                found.append(Section(where, entry, self.faults))
            else:
                self.faults.append(f"{where}: expected a table of keys, found {entry!r}")
        return found
