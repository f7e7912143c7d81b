"""Splits that no group crosses: the old one repaired, or a new one by ratio and seed."""

from splitaudit.split.plan import digest, entering_eval
from splitaudit.split.regroup import LABEL, regroup, unmet
from splitaudit.split.repair import drop, lower_bound, repair

__all__ = ["LABEL", "digest", "drop", "entering_eval", "lower_bound", "regroup", "repair", "unmet"]
