"""Loops are compiled, and kept where they can be."""

from splitaudit.engine.compiled import compiled


def test_what_cannot_be_kept_is_compiled_all_the_same():
    scope = {}
    exec("def double(x):\n    return 2 * x\n", scope)  # of no file, so there is no place beside it
    double = compiled(scope["double"])
    assert double(21) == 42
    assert double.signatures
