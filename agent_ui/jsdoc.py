"""The protocol as the page reads it: JSDoc types and names, written from the one JSON schema.

In: the schema of `agent_ui.schema`. Out: the text of `static/js/protocol.js`.
Not known here: what any field means; `python -m agent_ui.jsdoc` writes the file anew.
"""

from pathlib import Path
from typing import Any

from agent_ui.schema import schema

PROTOCOL_FILE = Path(__file__).parent / "static" / "js" / "protocol.js"

_HEAD = """\
// Written by `python -m agent_ui.jsdoc` from agent_ui/events.py. Do not edit: a test compares the two.
"""
_ENUMS = {"MARK": "Mark", "PARTY": "Party", "CALL_STATE": "CallState"}
_PLAIN = {"integer": "number", "number": "number", "string": "string", "boolean": "boolean", "null": "null"}


def protocol_source() -> str:
    """Return the module: names of events, commands, marks and parties, then one typedef per model."""
    document = schema()
    models = {name: model for name, model in document["$defs"].items() if name != "JsonValue"}
    unions = document["properties"]
    events = {**_mapping(unions["CallListEvent"]), **_mapping(unions["ScreenEvent"])}
    parts = [
        _HEAD,
        _names("EVENT", sorted(events)),
        _names("COMMAND", sorted(_mapping(unions["ScreenCommand"]))),
        *(_names(constant, models[name]["enum"]) for constant, name in _ENUMS.items()),
        *(_typedef(name, model) for name, model in sorted(models.items())),
        *(f"/** @typedef {{{_type(union)}}} {name} */\n" for name, union in unions.items()),
    ]
    return "\n".join(parts)


def _mapping(union: dict[str, Any]) -> dict[str, str]:
    mapping: dict[str, str] = union["discriminator"]["mapping"]
    return mapping


def _names(constant: str, values: list[str]) -> str:
    lines = [f'  {value.replace(".", "_").upper()}: "{value}",' for value in values]
    return "\n".join([f"export const {constant} = Object.freeze({{", *lines, "});", ""])


def _typedef(name: str, model: dict[str, Any]) -> str:
    said = " ".join(model.get("description", "").split())
    if "enum" in model:
        return f"/** {said}\n * @typedef {{{_type(model)}}} {name}\n */\n"
    fields = [f" * @property {{{_type(field)}}} {key}" for key, field in model["properties"].items()]
    return "\n".join([f"/** {said}", f" * @typedef {{Object}} {name}", *fields, " */", ""])


def _type(field: dict[str, Any]) -> str:
    match field:
        case {"$ref": str(path)}:
            name = path.rsplit("/", 1)[-1]
            written = "*" if name == "JsonValue" else name
        case {"const": value}:
            written = f'"{value}"'
        case {"enum": values}:
            written = "|".join(f'"{value}"' for value in values)
        case {"anyOf": several} | {"oneOf": several}:
            written = "|".join(_type(one) for one in several)
        case {"type": "array"}:
            written = f"Array<{_type(field['items'])}>"
        case {"type": "object"}:
            written = f"Object<string, {_type(field['additionalProperties'])}>"
        case _:
            written = _PLAIN[field["type"]]
    return written


if __name__ == "__main__":
    PROTOCOL_FILE.write_text(protocol_source(), encoding="utf-8")
