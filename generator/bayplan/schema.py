"""A JSON Schema that is asked often: a quick test passes what is sound, jsonschema explains the rest.

The test is made of the same schema, so there is one truth. Where it fails, jsonschema goes into those parts alone that
are not sound: one mistake among ten thousand services costs what it costs among ten.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator
from jsonschema.validators import extend

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jsonschema.exceptions import ValidationError

Test = Callable[[Any], bool]
Part = Mapping[str, Any]

_CLASSES: Mapping[str, tuple[type, ...]] = {
    "array": (list,),
    "boolean": (bool,),
    "integer": (int,),
    "null": (type(None),),
    "number": (int, float),
    "object": (dict,),
    "string": (str,),
}


class Schema:
    """A JSON Schema (draft 2020-12), ready to be asked about plain data: dicts, lists and scalars.

    Raises:
        ValueError: if the schema has a keyword that no test is written for.
    """

    def __init__(self, schema: dict[str, Any], validator: Any = Draft202012Validator) -> None:
        self._definitions: Part = schema.get("$defs", {})
        self._tests: dict[str, Test] = {}
        self._sound = self.test(schema)
        self._follow = validator.VALIDATORS["$ref"]
        asked: Any = extend(validator, {"$ref": self._unless_sound})  # type: ignore[no-untyped-call]
        self._asked = asked(schema)

    def faults(self, data: Any) -> Iterator[ValidationError]:
        """Yield all that jsonschema has against the data."""
        if not self._sound(data):
            yield from self._asked.iter_errors(data)

    def _unless_sound(self, asked: Any, reference: str, data: Any, part: Part) -> Iterator[ValidationError]:
        """Go into what a `$ref` leads to only if something is wrong there."""
        if not self.holds(reference, data):
            yield from self._follow(asked, reference, data, part)

    def test(self, part: Any) -> Test:
        """Return the test of a part of the schema: a map, or true or false."""
        if isinstance(part, bool):
            return lambda _: part
        asked = [keyword for keyword in part if keyword in Draft202012Validator.VALIDATORS]
        unknown = set(asked) - _TESTS.keys()
        if unknown:
            raise ValueError(f"no test is written for the keyword {', '.join(sorted(unknown))}")
        tests = [make(self, part) for make in dict.fromkeys(_TESTS[keyword] for keyword in asked)]
        return tests[0] if len(tests) == 1 else _every(tests)

    def definition(self, reference: str) -> Test:
        """Return the test of a definition, which may lead back to itself."""
        holds = partial(self.holds, reference)
        if reference not in self._tests:
            self._tests[reference] = holds
            self._tests[reference] = self.test(self._definitions[reference.removeprefix("#/$defs/")])
        return holds

    def holds(self, reference: str, data: Any) -> bool:
        """Whether data is as a definition wants it."""
        return self._tests[reference](data)


def _every(tests: list[Test]) -> Test:
    def test(data: Any) -> bool:
        for one in tests:  # noqa: SIM110 - all() of a generator takes twice as long
            if not one(data):
                return False
        return True

    return test


# --- one test for keywords that belong together; like them, it passes data of other types ---


def _type(_: Schema, part: Part) -> Test:
    names = [part["type"]] if isinstance(part["type"], str) else part["type"]
    classes = frozenset(one for name in names for one in _CLASSES[name])
    if "number" in names:  # what is no number of any size is left to the one who explains
        return lambda data: type(data) in classes and (type(data) is not float or math.isfinite(data))
    if "integer" in names:  # 1.0 is one, too
        return lambda data: type(data) in classes or (isinstance(data, float) and data.is_integer())
    return lambda data: type(data) in classes


def _enum(_: Schema, part: Part) -> Test:
    words = frozenset(part["enum"])
    return lambda data: (data is None or isinstance(data, str)) and data in words


def _text(_: Schema, part: Part) -> Test:
    search = re.compile(part.get("pattern", "")).search
    least, most = part.get("minLength", 0), part.get("maxLength", math.inf)
    return lambda data: not isinstance(data, str) or (least <= len(data) <= most and search(data) is not None)


def _number(_: Schema, part: Part) -> Test:
    least, most, above = part.get("minimum"), part.get("maximum"), part.get("exclusiveMinimum")

    def test(data: Any) -> bool:
        if isinstance(data, bool) or not isinstance(data, int | float):
            return True
        low = (least is not None and data < least) or (above is not None and data <= above)
        return not low and (most is None or data <= most)

    return test


def _length(_: Schema, part: Part) -> Test:
    least, most, once = part.get("minItems", 0), part.get("maxItems"), part.get("uniqueItems", False)

    def test(data: Any) -> bool:
        if not isinstance(data, list):
            return True
        fits = least <= len(data) and (most is None or len(data) <= most)
        return fits and not (once and len({str(one) for one in data}) < len(data))

    return test


def _items(of: Schema, part: Part) -> Test:
    first, rest = [of.test(inner) for inner in part.get("prefixItems", ())], of.test(part.get("items", True))

    def test(data: Any) -> bool:
        if not isinstance(data, list):
            return True
        return all(one(item) for one, item in zip(first, data, strict=False)) and all(map(rest, data[len(first) :]))

    return test


def _keys(of: Schema, part: Part) -> Test:
    least, required = part.get("minProperties", 0), frozenset(part.get("required", ()))
    name = of.test(part.get("propertyNames", True))
    return lambda data: (
        not isinstance(data, dict) or (len(data) >= least and required <= data.keys() and all(map(name, data)))
    )


def _values(of: Schema, part: Part) -> Test:
    alike = [(re.compile(key).search, of.test(inner)) for key, inner in part.get("patternProperties", {}).items()]
    other = of.test(part.get("additionalProperties", True))

    def by_pattern(key: str) -> list[Test]:
        return [test for search, test in alike if search(key)]

    known = {key: [of.test(inner), *by_pattern(key)] for key, inner in part.get("properties", {}).items()}

    def test(data: Any) -> bool:
        if not isinstance(data, dict):
            return True
        for key, value in data.items():
            for one in known.get(key) or by_pattern(key) or (other,):
                if not one(value):
                    return False
        return True

    return test


def _reference(of: Schema, part: Part) -> Test:
    return of.definition(part["$ref"])


def _any(of: Schema, part: Part) -> Test:
    tests = [of.test(inner) for inner in part["anyOf"]]
    return lambda data: any(test(data) for test in tests)


def _one(of: Schema, part: Part) -> Test:
    tests = [of.test(inner) for inner in part["oneOf"]]
    return lambda data: sum(test(data) for test in tests) == 1


def _if(of: Schema, part: Part) -> Test:
    given, then, otherwise = of.test(part["if"]), of.test(part.get("then", True)), of.test(part.get("else", True))
    return lambda data: then(data) if given(data) else otherwise(data)


_TESTS: Mapping[str, Callable[[Schema, Part], Test]] = {
    "type": _type,
    "enum": _enum,
    **dict.fromkeys(("pattern", "minLength", "maxLength"), _text),
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum"), _number),
    **dict.fromkeys(("minItems", "maxItems", "uniqueItems"), _length),
    **dict.fromkeys(("items", "prefixItems"), _items),
    **dict.fromkeys(("minProperties", "required", "propertyNames"), _keys),
    **dict.fromkeys(("properties", "patternProperties", "additionalProperties"), _values),
    "$ref": _reference,
    "anyOf": _any,
    "oneOf": _one,
    "if": _if,
}
"""Keyword → what makes its test; keywords that are made together share one."""
