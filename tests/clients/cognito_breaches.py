"""Inputs of Cognito's operations that break one constraint each, with the words that refuse them: made from botocore's
description, so that an operation that is new is tried like the others."""

import cognito_shapes

# One of these keeps each pattern of the description, and one breaks it.
RIGHT = [
    "us-east-1_aB3dEf6hI", "a", "000000", "us-east-1_0a1b2c3d", "x" * 24, "a@b.c", "https://a.example", "a b", "+15550100",
    "arn:aws:iam::123456789012:role/x", "arn:aws:s3:::x", "Your code is {####}", "{##click##} here", "cognito:default",
    "tkn" + "a" * 25, "import-a", "terms-of-use", "Level1", "0a", "1" * 20,
    "00000000-0000-4000-8000-000000000000", "",
]
WRONG = ["", " ", "\x01", "é", "\n", "a b\x01", "nothing", "_", "x.", "\x01" * 6, "\x01" * 20, "\x01" * 24, "\x01" * 28]
LONGEST_SHOWN = 256


def text(shape):
    """A text that keeps its shape."""
    if shape.metadata.get("enum"):
        return shape.metadata["enum"][0]
    least = shape.metadata.get("min", 0)
    found = [one for one in [*RIGHT, "a" * least, "1" * least] if not cognito_shapes.broken(shape, one)]
    assert found, f"no example keeps {shape.name}: {shape.metadata}"
    return found[0]


def right(shape):
    """The least value that keeps its shape."""
    kind, least = shape.type_name, shape.metadata.get("min", 0)
    if kind == "structure":
        return {name: right(shape.members[name]) for name in sorted(shape.metadata.get("required", []))}
    if kind == "list":
        return [right(shape.member)] * least
    if kind == "map":
        return {text(shape.key): right(shape.value)} if least else {}
    return {"string": lambda: text(shape), "boolean": lambda: True, "blob": lambda: b"x" * least}.get(kind, lambda: least)()


def secret(shape):
    """Whether a shape may be shown, and all that is inside."""
    inner = {"structure": lambda: shape.members.values(), "list": lambda: [shape.member],
             "map": lambda: [shape.key, shape.value]}.get(shape.type_name, lambda: [])()
    return shape.metadata.get("sensitive", False) or any(secret(part) for part in inner)


def shown(value):
    """A value as Java prints it."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={shown(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(shown, value)) + "]"
    return str(value).lower() if isinstance(value, bool) else str(value)


class Place:
    """Where a value stands, and whether it may be repeated."""

    def __init__(self, path="", hidden=False):
        self.path, self.hidden = path, hidden

    def below(self, name, shape):
        return Place(f"{self.path}.{name}" if self.path else name, self.hidden or shape.metadata.get("sensitive", False))

    def says(self, value, words, hidden=False):
        """One violation in Cognito's words."""
        if self.hidden or hidden:
            what = ""
        elif value is None:
            what = " null"
        else:
            whole = shown(value)
            what = f" '{whole if len(whole) <= LONGEST_SHOWN else whole[:LONGEST_SHOWN] + '...'}'"
        return f"Value{what} at '{self.path}' failed to satisfy constraint: {words}"


def outside(shape):
    """One less than the least and one more than the most, of those that there are; nothing has a negative length."""
    rules = shape.metadata
    least = [rules["min"] - 1] if "min" in rules and (rules["min"] > 0 or shape.type_name in ("integer", "long")) else []
    return least + ([rules["max"] + 1] if "max" in rules else [])


def wrong_scalars(shape):
    """Values of the right type that break a constraint of their shape; each constraint is broken by one at least."""
    rules = shape.metadata
    unit = {"integer": 1, "long": 1, "string": "a", "blob": b"x"}.get(shape.type_name)
    tried = [unit * size for size in outside(shape)] if unit else []
    if rules.get("enum"):
        tried.append("NO_SUCH_THING")
    if "pattern" in rules:
        words = f"Member must satisfy regular expression pattern: {rules['pattern']}"
        only = [one for one in WRONG if cognito_shapes.broken(shape, one) == [words]]
        # What is anything at all can not be broken, and what may not be empty breaks its length as well.
        tried += only[:1] or [one for one in WRONG if words in cognito_shapes.broken(shape, one)][:1]
    return [value for value in tried if cognito_shapes.broken(shape, value)]


def breaches(shape, at):
    """Values that break something of a shape or within it, each with the violations that are to be named."""
    yield from ((value, [at.says(value, words) for words in cognito_shapes.broken(shape, value)]) for value in wrong_scalars(shape))
    yield from {"structure": of_structure, "list": of_list, "map": of_map}.get(shape.type_name, lambda *_: [])(shape, at)


def of_structure(shape, at):
    if shape.is_document_type:
        return
    whole = right(shape)
    for name, member in shape.members.items():
        place = at.below(name[0].lower() + name[1:], member)
        if name in whole:
            yield {key: value for key, value in whole.items() if key != name}, [place.says(None, "Member must not be null")]
        for value, words in breaches(member, place):
            yield {**whole, name: value}, words


def sizes(shape, at, make):
    """Too few and too many."""
    for count in outside(shape):
        value = make(count)
        yield value, [at.says(value, words, secret(shape)) for words in cognito_shapes.broken(shape, value)]


def of_list(shape, at):
    yield from sizes(shape, at, lambda count: [right(shape.member)] * count)
    filler = [right(shape.member)] * (shape.metadata.get("min", 1) - 1)
    if shape.member.type_name in ("structure", "list", "map"):
        for value, violations in breaches(shape.member, at.below("1.member", shape.member)):
            yield [value, *filler], violations
        return
    for value in wrong_scalars(shape.member):
        yield [value, *filler], inner(shape, at, [value, *filler], "Member", [value], shape.member)


def inner(shape, at, whole, who, values, member):
    """What the keys, the values or the members break of a list or a map, which is named as a whole."""
    words = dict.fromkeys(words for value in values for words in cognito_shapes.broken(member, value))
    return [at.says(whole, f"{who} must satisfy constraint: [{', '.join(words)}]", secret(shape))] if words else []


def of_map(shape, at):
    key, value = text(shape.key), right(shape.value)
    for entries, violations in sizes(shape, at, lambda count: {f"{key}{number}": value for number in range(count)}):
        yield entries, violations + inner(shape, at, entries, "Map keys", entries, shape.key)
    for bad in wrong_scalars(shape.key):
        yield {bad: value}, inner(shape, at, {bad: value}, "Map keys", [bad], shape.key)
    if shape.value.type_name in ("structure", "list", "map"):
        for bad, violations in breaches(shape.value, at.below(f"{key}.member", shape.value)):
            yield {key: bad}, violations
        return
    for bad in wrong_scalars(shape.value):
        yield {key: bad}, inner(shape, at, {key: bad}, "Map value", [bad], shape.value)


def message(violations):
    """All that a call breaks, as Cognito tells it."""
    count = f"{len(violations)} validation error{'s' * (len(violations) > 1)} detected: "
    return count + "; ".join(violations)
