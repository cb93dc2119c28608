# SPDX-License-Identifier: GPL-2.0
"""The part of JSON Schema that docs/*.schema.json use, checked with the standard library."""

TYPES = {"object": dict, "array": list, "string": str, "boolean": bool}


def is_of_type(value, name):
    if name == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    if name == "number":
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return isinstance(value, TYPES[name])


def check_object(value, schema, root, where):
    known = schema.get("properties", {})
    for key in schema.get("required", []):
        if key not in value:
            yield f"{where}: {key} is missing"
    for key, part in value.items():
        if key in known:
            yield from problems(part, known[key], root, f"{where}.{key}")
        elif schema.get("additionalProperties") is False:
            yield f"{where}: {key} is not known"
        elif isinstance(schema.get("additionalProperties"), dict):
            yield from problems(part, schema["additionalProperties"], root, f"{where}.{key}")


def problems(value, schema, root=None, where="$"):
    """What is wrong with a value, in words; nothing if it fits."""
    root = root or schema
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        yield from problems(value, root["definitions"][name], root, where)
        return
    if "type" in schema and not is_of_type(value, schema["type"]):
        yield f"{where}: {value!r} is no {schema['type']}"
        return
    if "const" in schema and value != schema["const"]:
        yield f"{where}: is {value!r}, not {schema['const']!r}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{where}: {value!r} is none of {schema['enum']}"
    if "minimum" in schema and value < schema["minimum"]:
        yield f"{where}: {value} is below {schema['minimum']}"
    if "maximum" in schema and value > schema["maximum"]:
        yield f"{where}: {value} is above {schema['maximum']}"
    if isinstance(value, dict):
        yield from check_object(value, schema, root, where)
    for number, part in enumerate(value if isinstance(value, list) else []):
        yield from problems(part, schema.get("items", {}), root, f"{where}[{number}]")
