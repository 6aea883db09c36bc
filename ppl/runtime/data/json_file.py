"""JSON data: one object, a key per name. CmdStan's files load as they are."""

from __future__ import annotations

import json
from typing import Any

from ppl.runtime.data.problems import DataProblem, Problems
from ppl.runtime.data.raw import CONSTANTS, Constant, Raw


def read_json(text: str, source: str, problems: Problems) -> list[Raw]:
    """The entries of the object in ``text``. A key written twice is an error (E703), as JSON readers keep either."""

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        seen = dict(items)
        if len(seen) < len(items):
            for name in {k for i, (k, _) in enumerate(items) if k in (k2 for k2, _ in items[:i])}:
                problems.add(
                    DataProblem("E703", name, "the key occurs twice", "each name once", source, "delete one of them")
                )
        return seen

    if not text.strip():
        problems.add(DataProblem("E702", source, "the file is empty", 'a JSON object such as {"y": [1.5, 2.0]}'))
        return []
    try:
        value = json.loads(text, object_pairs_hook=pairs, parse_constant=parse_constant)
    except json.JSONDecodeError as e:
        found = f"is not JSON: {e.msg} at line {e.lineno}, column {e.colno}"
        problems.add(DataProblem("E702", source, found, 'a JSON object such as {"y": [1.5, 2.0]}'))
        return []
    except RecursionError:
        problems.add(DataProblem("E702", source, "is nested too deeply", "arrays of a few axes"))
        return []
    except ValueError as e:  # an integer of more than 4300 digits
        problems.add(DataProblem("E706", source, f"has a number that is too large: {e}", "64-bit numbers"))
        return []
    if not isinstance(value, dict):
        found = f"holds a JSON {'array' if isinstance(value, list) else 'scalar'} at the top"
        problems.add(DataProblem("E702", source, found, "an object with a key per name", help='write {"y": …}'))
        return []
    return [Raw(name, v, source) for name, v in value.items()]


def parse_constant(word: str) -> Constant:
    """NaN, Infinity, -Infinity: JSON's usual extensions."""
    return CONSTANTS[word.lower()]
