"""Botocore's description of the Cognito API as a judge: what a value breaks of its shape, in Cognito's words. It reads
the description itself, so that it is no echo of what the service was made from."""

import base64
import functools
import re
import sys
import unicodedata

import botocore.session

LETTERS_AND_SIGNS = r"\p{L}\p{M}\p{S}\p{N}\p{P}"
SEPARATORS = r"\p{Z}"
# Whose limits hold for inputs only: in answers `custom:` stands before them, and a standard one has 21 characters.
LIMITED_IN_INPUTS = {"CustomAttributeNameType"}


@functools.cache
def service():
    """The description."""
    return botocore.session.get_session().get_service_model("cognito-idp")


@functools.cache
def characters(kinds):
    """What Python's expressions have no class for: all characters of these kinds, for inside a class."""
    spans = []
    for code in range(sys.maxunicode + 1):
        if unicodedata.category(chr(code))[0] in kinds:
            if spans and spans[-1][1] == code - 1:
                spans[-1][1] = code
            else:
                spans.append([code, code])
    return "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in spans)


@functools.cache
def expression(pattern):
    """A pattern of Java's as Python has it."""
    if r"\p{" in pattern:
        pattern = pattern.replace(LETTERS_AND_SIGNS, characters("LMSNP")).replace(SEPARATORS, characters("Z"))
    return re.compile(pattern, re.ASCII)


def broken(shape, value):
    """The constraints that a value of the right type breaks by itself."""
    rules = shape.metadata
    of_number = shape.type_name in ("integer", "long")
    size, what = (value, "value") if of_number else (len(value), "length") if hasattr(value, "__len__") else (None, "")
    words = []
    if size is not None and size < rules.get("min", size):
        words.append(f"Member must have {what} greater than or equal to {rules['min']}")
    if size is not None and size > rules.get("max", size):
        words.append(f"Member must have {what} less than or equal to {rules['max']}")
    if "pattern" in rules and not expression(rules["pattern"]).fullmatch(value):
        words.append(f"Member must satisfy regular expression pattern: {rules['pattern']}")
    if rules.get("enum") and value not in rules["enum"]:
        words.append(f"Member must satisfy enum value set: [{', '.join(rules['enum'])}]")
    return words


TYPES = {
    "structure": dict, "map": dict, "list": list, "string": str, "boolean": bool, "integer": int, "long": int,
    "timestamp": (int, float), "float": (int, float), "double": (int, float), "blob": str,
}


def faults(shape, value, at="answer"):
    """Everything by which the JSON of an answer is not what the description says."""
    if shape.type_name == "structure" and shape.is_document_type:
        return
    right = isinstance(value, TYPES[shape.type_name])
    if not right or (isinstance(value, bool) and shape.type_name != "boolean"):
        yield f"{at} is {value!r}, no {shape.type_name}"
        return
    if shape.type_name == "blob":
        value = base64.b64decode(value, validate=True)
    if shape.name not in LIMITED_IN_INPUTS:
        yield from (f"{at} is {value!r}: {words}" for words in broken(shape, value))
    yield from inner_faults(shape, value, at)


def inner_faults(shape, value, at):
    """The same of what a value is made of."""
    if shape.type_name == "structure":
        yield from (f"{at} has {name}, which is unknown" for name in value.keys() - shape.members.keys())
        yield from (f"{at} has no {name}" for name in shape.metadata.get("required", []) if name not in value)
        for name in value.keys() & shape.members.keys():
            yield from faults(shape.members[name], value[name], f"{at}.{name}")
    elif shape.type_name == "list":
        for number, item in enumerate(value):
            yield from faults(shape.member, item, f"{at}[{number}]")
    elif shape.type_name == "map":
        for key, item in value.items():
            yield from faults(shape.key, key, f"{at} key {key}")
            yield from faults(shape.value, item, f"{at}.{key}")
