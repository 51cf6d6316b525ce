"""Makes src/api/cognito/model.json from botocore's description of the Cognito API: what the input of each of its
operations must be, without a word of documentation. `python tests/clients/cognito_model.py` writes it anew;
test_cognito_model.py holds that nobody changed either side alone."""

import json
from pathlib import Path

from botocore.loaders import Loader

PLACE = Path(__file__).parents[2] / "src/api/cognito/model.json"

# Java has ASCII in mind where Rust's regular expressions have Unicode, and looks back where those can not.
CLASSES = {r"\w": "0-9A-Za-z_", r"\s": r"\t\n\x0B\x0C\r ", r"\d": "0-9"}
REWRITTEN = {
    r"[\S]+": r"[^\t\n\x0B\x0C\r ]+",
    r"^[0-9A-Za-z\.\-_]*(?<!\.)$": r"(?:[0-9A-Za-z\.\-_]*[0-9A-Za-z\-_])?",
}
# What of a shape has to do with its input; the rest describes it or its owner.
KEPT = ("min", "max", "pattern", "enum", "sensitive", "required", "document")
IGNORED = {"type", "documentation", "members", "member", "key", "value", "deprecated", "deprecatedMessage", "box"}
SCALARS = {"string", "integer", "long", "boolean", "blob", "timestamp"}


def rust(pattern):
    """The pattern as Rust's regular expressions have it; it is meant for the whole text."""
    if pattern in REWRITTEN:
        return REWRITTEN[pattern]
    inside = False
    out = []
    at = 0
    while at < len(pattern):
        piece = pattern[at : at + 2] if pattern[at] == "\\" else pattern[at]
        assert piece not in (r"\S", r"\W", r"\D", r"\b", r"\B"), pattern
        assert not pattern.startswith(("(?<", "(?=", "(?!"), at), pattern
        assert not (inside and piece in ("[", "&&")), pattern
        if piece in CLASSES:
            piece_out = CLASSES[piece] if inside else f"[{CLASSES[piece]}]"
        else:
            piece_out = piece
            inside = piece == "[" or (inside and piece != "]")
        out.append(piece_out)
        at += len(piece)
    return "".join(out)


def compact(shape):
    """A shape without what nobody checks."""
    assert set(shape) <= IGNORED | set(KEPT), sorted(shape)
    kept = {"type": shape["type"], **{name: shape[name] for name in KEPT if shape.get(name)}}
    if shape.get("min") == 0:
        kept["min"] = 0
    if shape["type"] == "structure":
        kept["members"] = {name: member["shape"] for name, member in sorted(shape["members"].items())}
    elif shape["type"] == "list":
        kept["member"] = shape["member"]["shape"]
    elif shape["type"] == "map":
        kept["key"], kept["value"] = shape["key"]["shape"], shape["value"]["shape"]
    else:
        assert shape["type"] in SCALARS, shape["type"]
    return kept


def neighbours(shape):
    """Names of the shapes that a compact shape is made of."""
    return [*shape.get("members", {}).values(), *(shape[part] for part in ("member", "key", "value") if part in shape)]


def reachable(service):
    """Every shape that an input is made of; none is made of itself."""
    found = {}

    def visit(name, above):
        assert name not in above, f"{name} is made of itself"
        if name not in found:
            found[name] = compact(service["shapes"][name])
        for neighbour in neighbours(found[name]):
            visit(neighbour, (*above, name))

    for operation in service["operations"].values():
        visit(operation["input"]["shape"], ())
    return found


def model():
    service = Loader().load_service_model("cognito-idp", "service-2")
    assert service["metadata"]["jsonVersion"] == "1.1"
    shapes = reachable(service)
    operations = {
        name: {"input": operation["input"]["shape"], "signed": operation.get("authtype") != "none"}
        for name, operation in sorted(service["operations"].items())
    }
    patterns = {shape["pattern"] for shape in shapes.values() if "pattern" in shape}
    return {
        "operations": operations,
        "shapes": dict(sorted(shapes.items())),
        "patterns": {pattern: rust(pattern) for pattern in sorted(patterns)},
    }


def text():
    """One line an operation, a shape or a pattern, so that a new model is a readable change."""
    def section(name, rows):
        lines = (f"    {json.dumps(key)}: {json.dumps(value, separators=(', ', ': '))}" for key, value in rows.items())
        return f"  {json.dumps(name)}: {{\n" + ",\n".join(lines) + "\n  }"

    return "{\n" + ",\n".join(section(name, rows) for name, rows in model().items()) + "\n}\n"


if __name__ == "__main__":
    PLACE.write_text(text())
