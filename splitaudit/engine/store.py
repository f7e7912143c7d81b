"""What lies on the disk: atomic writes, and facts about bytes kept in parts.

A part is a Parquet file of facts, written once under a name made from what it was computed from,
and never changed. So a killed run leaves whole parts or none, two runs at once write the same bytes
under the same name, and whatever is there need not be computed again.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import secrets
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from splitaudit.errors import SplitauditError

_TEMPORARY = ".tmp"
_STALE_S = 24 * 3600  # a temporary file this old belongs to a run that was killed


def digest(*parts: object) -> str:
    """Return 32 hexadecimal digits that change when any of `parts` does."""
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


@contextlib.contextmanager
def explain_write_errors(path: Path) -> Iterator[None]:
    """Say in one sentence that `path` cannot be written, and why.

    Raises
    ------
    SplitauditError
        Where the disk is full or the folder cannot be written.
    """
    try:
        yield
    except OSError as error:
        raise _write_error(error, path) from error


@contextlib.contextmanager
def atomic_replace(path: Path) -> Iterator[Path]:
    """Yield a free path beside `path`; what is made there takes its place when the block ends well.

    A file takes the place of a file or a link. A folder comes where there is none.

    Raises
    ------
    SplitauditError
        As of `explain_write_errors`.
    """
    temporary = path.with_name(f"{path.stem[:40]}-{secrets.token_hex(8)}{_TEMPORARY}")
    with explain_write_errors(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            yield temporary
            temporary.replace(path)
        finally:
            _remove(temporary)


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def _write_error(error: OSError, path: Path) -> SplitauditError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT) or "No space left" in str(error):
        return SplitauditError(
            f"the disk is full: {path.parent} cannot take {path.name}; free some space and run "
            "the same command again, what was computed so far is kept"
        )
    reason = error.strerror or str(error)
    return SplitauditError(f"cannot write {path}: {reason}; choose another folder")


def write_table(table: pa.Table, path: Path) -> None:
    """Write a table as Parquet, all or nothing."""
    with atomic_replace(path) as temporary:
        pq.write_table(
            table, temporary, compression="zstd", use_dictionary=_string_columns(table.schema)
        )


def _string_columns(schema: pa.Schema) -> list[str]:
    return [field.name for field in schema if pa.types.is_string(field.type)]


def write_text(text: str, path: Path) -> None:
    """Write a text file, all or nothing."""
    with atomic_replace(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


class Parts:
    """The facts of one kind: rows with a `key`, in parts below one folder.

    Parameters
    ----------
    folder
        Made when the first part is written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, keys: Sequence[str]) -> Path:
        """Return where the part with the facts of `keys` belongs."""
        return self.folder / f"{digest(*keys)}.parquet"

    def known(self, keys: pa.Array) -> pa.Array:
        """Return which of `keys` have facts, a boolean array."""
        have = [self._read(part, ["key"])["key"] for part in self._parts()]
        chunks = [chunk for column in have for chunk in column.chunks]
        return pc.is_in(keys, value_set=pa.chunked_array(chunks, pa.string()).combine_chunks())

    def read(self, keys: pa.Array, schema: pa.Schema) -> pa.Table:
        """Return the facts of `keys`, one row a key, in the order of the keys' sorting."""
        table = pa.concat_tables([schema.empty_table(), *self.parts_of(keys, schema)])
        order = pc.sort_indices(table["key"])
        table = table.take(order)
        # Two runs at once may have computed a fact twice, in differently cut parts.
        return _deduplicate_keys(table) if table.num_rows > 1 else table

    def parts_of(self, keys: pa.Array, schema: pa.Schema) -> Iterator[pa.Table]:
        """Yield the facts of `keys` part by part; what was computed twice comes twice."""
        for part in self._parts():
            table = self._read(part, schema.names)
            yield table.filter(pc.is_in(table["key"], value_set=keys)).cast(schema)

    def _parts(self) -> list[Path]:
        return sorted(self.folder.glob("*.parquet"))

    @staticmethod
    def _read(part: Path, columns: list[str]) -> pa.Table:
        return pq.read_table(part, columns=columns, partitioning=None)

    def sweep(self) -> None:
        """Remove what killed runs left half written."""
        for path in self.folder.glob("*" + _TEMPORARY):
            with contextlib.suppress(OSError):
                if time.time() - path.stat().st_mtime > _STALE_S:
                    path.unlink()


def _deduplicate_keys(table: pa.Table) -> pa.Table:
    keys = table["key"].combine_chunks()
    new = pc.not_equal(keys[1:], keys[:-1])
    return table.filter(pa.concat_arrays([pa.array([True]), new]))


def to_json(value: Any) -> str:
    """Return JSON that people may read too."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def read_json(path: Path) -> Any:
    """Return what a JSON file holds."""
    return json.loads(path.read_text(encoding="utf-8"))
