"""Values that stand for a missing one: `unknown`, `N/A`, `-`. They join nothing, and are named."""

from __future__ import annotations

import re
import shlex
import unicodedata
from dataclasses import dataclass

import pandas as pd

_AROUND = " \t'\"`<>[](){}#*_\u00a0\u3000"  # what stands around a word, as in <unknown> and _none_
_BETWEEN = re.compile(r"[\s_-]+")
_WORDS = """
unknown | unk | n/a | na | n.a. | n.a | n/d | n.d. | none | null | nil | nan | nat
missing | empty | undefined | undef | unspecified | unassigned | unidentified | unnamed
untitled | unlabeled | unlabelled | not found | not available | not applicable
not specified | not given | not known | not provided | not set | not recorded | no data
no value | no answer | no name | tbd | to be defined | -1 | inconnu | inconnue
non renseigné | non renseigne | non disponible | aucun | aucune | néant | sans objet
unbekannt | unbekannter | keine angabe | keine angaben | k.a. | k. a. | nicht verfügbar
nicht angegeben | nicht gefunden | kein | keine | keiner | desconocido | desconocida
ninguno | ninguna | sin datos | no disponible | no encontrado | s/d | desconhecido
desconhecida | nenhum | nenhuma | não disponível | não informado | indefinido
sconosciuto | sconosciuta | ignoto | nessuno | nessuna | non specificato | onbekend
geen | niet beschikbaar | okänd | okänt | saknas | ukendt | ukjent | ingen | tuntematon
nieznany | nieznana | nieznane | brak | brak danych | neznámý | neznámá | neznámé
neznámo | ismeretlen | nincs | necunoscut | неизвестно | неизвестен | неизвестный
неизвестная | нет | нет данных | не указано | не найдено | отсутствует | невідомо
невідомий | немає | άγνωστο | άγνωστος | bilinmiyor | bilinmeyen | yok | 未知 | 不明
不详 | 不詳 | 无 | 無 | 暂无 | 未定 | 未設定 | なし | 該当なし | 없음 | 미상
알 수 없음 | 알수없음 | غير معروف | مجهول | لا يوجد | לא ידוע | אין | अज्ञात | không rõ
không có | tidak diketahui | tidak ada
"""
WORDS = frozenset(word.strip() for line in _WORDS.splitlines() for word in line.split("|")) - {""}

# A value far more frequent than the rest stands for a missing one where it also looks like none of
# them. Where it looks like them it may be a large source, so it joins, and is named.
FREQUENT_ITEMS = 20  # > items that have it
FREQUENT_RATIO = 10  # >= times the items of the next value that looks like most
FREQUENT_OTHERS = 20  # >= other values, or none of them is usual
USUAL_SHARE = 0.05  # >= of the values have its form: it looks like them
USUAL_COVERAGE = 0.9  # >= of the values look so, or no form is odd: random ids have many
MAX_SHOWN = 5  # values named in a note
_LETTERS = re.compile(r"[^\W\d_]+")
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True)
class Override:
    """What a user says of the values of a key.

    Parameters
    ----------
    missing
        These stand for a missing value.
    real
        These do not, whatever they look like.
    """

    missing: tuple[str, ...] = ()
    real: tuple[str, ...] = ()

    def __or__(self, other: Override) -> Override:
        """Return what is said here and there."""
        return Override(self.missing + other.missing, self.real + other.real)


NOTHING_SAID = Override()


def is_placeholder(value: str) -> bool:
    """Return whether a value is a word for a missing one, or holds no letter and no digit.

    Examples
    --------
    >>> [is_placeholder(value) for value in ("<UNKNOWN>", "not_found", "--", "Nancy", "0")]
    [True, True, True, False, False]
    """
    plain = unicodedata.normalize("NFKC", value).casefold().strip(_AROUND)
    words = _BETWEEN.sub(" ", plain).replace(" / ", "/").strip()
    return plain in WORDS or words in WORDS or not any(map(str.isalnum, words))


def find_placeholders(values: pd.Series, said: Override) -> tuple[dict[str, int], dict[str, int]]:
    """Return the values that stand for missing ones, and those that perhaps do, with their items.

    Parameters
    ----------
    values
        Of a column, one an item, none missing.
    said
        What the user says of them.
    """
    counts = values.value_counts()
    words = [value for value in counts.index if value in said.missing or is_placeholder(value)]
    certain = {value: int(counts[value]) for value in words if value not in said.real}
    left = counts.drop([*certain, *(set(said.real) & {*counts.index})])
    odd, usual = _outstanding(left)
    return certain | odd, usual


def _outstanding(counts: pd.Series) -> tuple[dict[str, int], dict[str, int]]:
    """The values far more frequent than the rest: those of another form, and those of theirs."""
    frequent = counts[counts > FREQUENT_ITEMS]
    if frequent.empty or len(counts) <= FREQUENT_OTHERS:
        return {}, {}
    forms = pd.Series([_form(value) for value in counts.index], counts.index)
    usual = forms.map(forms.value_counts(normalize=True)) >= USUAL_SHARE
    if usual.mean() < USUAL_COVERAGE:
        usual[:] = True
    most, *others = sorted(counts[usual], reverse=True) or [0]
    odd = frequent[~usual[frequent.index] & (frequent >= FREQUENT_RATIO * most)]
    next_one = others[0] if others else 0
    large = frequent[usual[frequent.index] & (frequent >= FREQUENT_RATIO * next_one)]
    return _as_counts(odd), _as_counts(large)


def _as_counts(counts: pd.Series) -> dict[str, int]:
    return {str(value): int(count) for value, count in counts.items()}


def _form(value: str) -> str:
    """How a value looks: `s12` is `a9`, `Jane Doe` is `a a`, and a number of nothing but 0 is 0."""
    digits = _DIGITS.sub(lambda found: "9" if found[0].strip("0") else "0", value)
    return _LETTERS.sub("a", digits)


def describe(key: str, found: dict[str, int], perhaps: dict[str, int]) -> list[str]:
    """Return sentences that name the values of a key which join nothing, and which may be none."""
    told = []
    if found:
        told.append(
            f"key {key}: {_list_values(found)}: a place holder joins nothing; if one is a value, "
            f"say --real {_quote(key, found)}"
        )
    if perhaps:
        told.append(
            f"key {key}: {_list_values(perhaps)}: far more frequent than the rest, and joins; if "
            f"it is a place holder, say --missing {_quote(key, perhaps)}"
        )
    return told


def _quote(key: str, values: dict[str, int]) -> str:
    return shlex.quote(f"{key}={next(iter(values))}")


def _list_values(found: dict[str, int]) -> str:
    named = [f"{value!r} ({_count_items(count)})" for value, count in found.items()]
    more = [f"{len(named) - MAX_SHOWN:,} others"] if len(named) > MAX_SHOWN else []
    *first, last = [*named[:MAX_SHOWN], *more]
    return f"{', '.join(first)} and {last}" if first else last


def _count_items(count: int) -> str:
    return "1 item" if count == 1 else f"{count:,} items"


def describe_captions(captions: pd.Series) -> list[str]:
    """Return a sentence that names those of some captions which stand for missing ones."""
    found = _as_counts(captions[captions.map(is_placeholder).astype(bool)].value_counts())
    return [f"captions: {_list_values(found)}: a place holder joins nothing"] if found else []
