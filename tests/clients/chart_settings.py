"""The settings of the program as the chart's values: names and defaults from `cognate config`, types from its source.

Run it after a change of the settings, with the binary built: python tests/clients/chart_settings.py
"""

import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).parent.parent.parent
VALUES = ROOT / "helm" / "values.yaml"
SCHEMA = ROOT / "helm" / "values.schema.json"
HEAD = "# From here on made by tests/clients/chart_settings.py: the settings of the program."

# What is right in a container where the program's own default is right for a first look.
IN_A_CONTAINER = {"http.listen": "0.0.0.0:8080", "log.format": "json"}
# What the chart mounts, and says to the program itself.
OWN = {"data"}

TEXT = {"type": "string"}
NUMBER = {"type": "integer", "minimum": 0}
URL = {"type": "string", "pattern": r"^$|^[a-z]+://\S+$"}
SHAPES = {
    "bool": {"type": "boolean"}, "u16": NUMBER, "u32": NUMBER, "u64": NUMBER, "usize": NUMBER, "i64": NUMBER,
    "Period": {"$ref": "#/$defs/duration"}, "Url": URL, "String": TEXT, "PathBuf": TEXT,
    "SocketAddr": {"type": "string", "pattern": r"^([0-9]+(\.[0-9]+){3}|\[[0-9a-fA-F:]+\]):[0-9]+$"},
    "List": {"type": "array", "items": TEXT},
}
NARROWER = {
    "http.public_url": {"type": "string", "pattern": r"^$|^https?://[^\s?#]+$"},
    "http.allowed_origins": {"type": "array", "items": {"type": "string", "pattern": r"^\*$|^https?://[^/\s]+$"}},
    "http.trusted_proxies": {"type": "array", "items": {"type": "string", "pattern": r"^[0-9a-fA-F.:]+/[0-9]+$"}},
    "hooks.functions": {"type": "array", "items": {"type": "string", "pattern": r"^[^=\s]+=https?://[^\s,]+$"}},
    "hooks.allowed_networks": {"type": "array", "items": {"type": "string", "pattern": r"^[0-9a-fA-F.:]+/[0-9]+$"}},
    "http.body_limit": {"type": "integer", "minimum": 1}, "http.max_connections": {"type": "integer", "minimum": 1},
    "directory.connections": {"type": "integer", "minimum": 1}, "password.memory_kib": {"type": "integer", "minimum": 8},
    "cognito.account": {"type": "string", "pattern": r"^[0-9]{12}$"},
    "cognito.issuer_style": {"enum": ["self", "aws"]},
    "password.iterations": {"type": "integer", "minimum": 1}, "password.parallelism": {"type": "integer", "minimum": 1},
}


def sources():
    return [ROOT / "src" / "config.rs", *sorted((ROOT / "src" / "config").glob("*.rs"))]


def types():
    """Setting → its type in the source, without Option and without what a list holds."""
    found = {}
    for source in sources():
        for section, body in re.findall(r'\w+\("(\w+)\."\) \{(.*?)\n    \}', source.read_text(encoding="utf-8"), re.S):
            for field, kind in re.findall(r"^ +(\w+): ([\w<>]+) = ", body, re.M):
                found[f"{section}.{field}"] = re.sub(r"^Option<(.*)>$|^(List)<.*$", r"\1\2", kind)
    return found


def words(kind):
    """The words of an enumeration of the source."""
    for source in sources():
        body = re.search(rf'rename_all = "lowercase"\)\]\npub enum {kind} \{{(.*?)\n\}}', source.read_text(encoding="utf-8"), re.S)
        if body:
            return [word.lower() for word in re.findall(r"^    (\w+),", body[1], re.M)]
    raise SystemExit(f"{__file__}: what is a {kind} in JSON? Add it to SHAPES.")


def settings(binary):
    rows = subprocess.run([binary, "config", "--json"], capture_output=True, text=True, check=True).stdout
    return {row["name"]: row for row in json.loads(rows)}


def secrets(rows):
    """Settings that a file can hold: they come from Secrets, and are no values of `config`."""
    return [name for name in rows if rows.get(f"{name}_file", {}).get("about") == f"File that holds {name}."]


def open_settings(rows):
    """Section → settings that are values of `config`."""
    hidden = {*OWN, *secrets(rows), *(f"{name}_file" for name in secrets(rows))}
    sections = {}
    for name in rows:
        if name not in hidden:
            sections.setdefault(name.split(".")[0], []).append(name)
    return sections


def value(name, row, kind):
    default = IN_A_CONTAINER.get(name, row["default"])
    if SHAPES.get(kind) is NUMBER:
        return int(default or 0)
    if kind == "bool":
        return default == "true"
    if kind == "List":
        return [item for item in default.split(",") if item]
    return default


def shape(name, kind):
    return NARROWER.get(name) or SHAPES.get(kind) or {"enum": words(kind)}


def values_text(rows):
    """The end of values.yaml."""
    kinds = types()
    lines = [
        HEAD, "",
        "# Settings that are secrets. Each from a Secret of yours (existingSecret, and the key in it), which is better; or",
        "# as a value here, from which the chart makes a Secret: it is in the release, and whoever reads that reads it.",
        "secrets:",
    ]
    for name in secrets(rows):
        flat = name.replace(".", "_")
        lines += [f"  # {name}: {rows[name]['about']}", f"  {flat}:", '    existingSecret: ""', f"    key: {flat}", '    value: ""']
    lines += ["", "# Everything else that `cognate config` lists, in its words. What is empty has the program's default.", "config:"]
    for section, names in open_settings(rows).items():
        lines.append(f"  {section}:")
        for name in names:
            shown = json.dumps(value(name, rows[name], kinds[name]), ensure_ascii=False)
            lines += [f"    # {rows[name]['about']}", f"    {name.split('.')[1]}: {shown}"]
    return "\n".join(lines) + "\n"


def schema_parts(rows):
    """The schemas of `config` and `secrets`."""
    kinds = types()
    closed = lambda properties: {"type": "object", "additionalProperties": False, "properties": properties}  # noqa: E731
    config = {
        section: closed({name.split(".")[1]: shape(name, kinds[name]) for name in names})
        for section, names in open_settings(rows).items()
    }
    return {
        "config": closed(config),
        "secrets": closed({name.replace(".", "_"): {"$ref": "#/$defs/secret"} for name in secrets(rows)}),
    }


def written(rows):
    """Both files as they should be."""
    head = VALUES.read_text(encoding="utf-8").split(HEAD)[0]
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    schema["properties"].update(schema_parts(rows))
    return head + values_text(rows), json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def main():
    from service import BINARY

    values, schema = written(settings(sys.argv[1] if len(sys.argv) > 1 else BINARY))
    VALUES.write_text(values, encoding="utf-8")
    SCHEMA.write_text(schema, encoding="utf-8")


if __name__ == "__main__":
    main()
