#!/usr/bin/env python3
"""Random JSON Schemas against python3-jsonschema: schemas_test.py RANDOM_TEXTS [N_SCHEMAS]

What the grammar of a schema can write must be valid by it; and what is valid, written as json.dumps() does with three
settings of white space, must be accepted. Instances are made from the schema by a generator of this file.
"""
import json
import random
import re
import subprocess
import sys

import jsonschema

WORDS = ["a", "b", "name", "x y", "é", 'q"', "\\", "中文", "tab\t", "key", "ab", ""]
PATTERNS = {  # and what matches
    "^[a-c]{2,4}$": ["ab", "abca"],
    "^\\d+(\\.\\d+)?$": ["1", "23.5"],
    "b": ["b", "abc", "\nb\"\\"],
    "^(yes|no)": ["yes", "no\tdoubt"],
    '["\\\\]$': ['"', 'a\\'],
    "^.{0,3}$": ["", "é中"],
}
FORMATS = {
    "date": (r"\d{4}-\d\d-\d\d", ["2024-02-29", "1999-12-31"]),
    "time": (r"\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", ["12:30:00Z", "00:00:00.5+01:00"]),
    "date-time": (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", ["2024-02-29T12:30:00Z"]),
    "uuid": (r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", ["123e4567-e89b-12d3-a456-426614174000"]),
}
DEFS = {
    "tree": {"type": "object", "properties": {"v": {"type": "integer"}, "sub": {"type": "array", "items": {"$ref": "#/$defs/tree"}}},
             "required": ["v"]},
    "list": {"anyOf": [{"type": "null"}, {"type": "object", "properties": {"next": {"$ref": "#/$defs/list"}}, "required": ["next"],
                                          "additionalProperties": False}]},
}


CHECKER = jsonschema.FormatChecker(formats=())
for name, (pattern, _) in FORMATS.items():
    CHECKER.checks(name)(lambda value, p=pattern: not isinstance(value, str) or re.fullmatch(p, value) is not None)


def bounds(rng, schema, low_key, high_key, largest):
    low = rng.randint(0, largest)
    if rng.random() < 0.5:
        schema[low_key] = low
    if rng.random() < 0.5:
        schema[high_key] = low + rng.randint(0, largest)
    return schema


def random_string(rng):
    kind = rng.randrange(4)
    if kind == 0:
        return bounds(rng, {"type": "string"}, "minLength", "maxLength", 6)
    if kind == 1:
        return {"type": "string", "pattern": rng.choice(list(PATTERNS))}
    if kind == 2:
        return {"type": "string", "format": rng.choice(list(FORMATS))}
    return {"type": "string"}


def random_number(rng):
    schema = {"type": rng.choice(["integer", "number"])}
    low = rng.choice([rng.randint(-20, 20), rng.randint(-10**6, 10**6), rng.randint(-10**12, 10**12)])
    if rng.random() < 0.5:
        schema[rng.choice(["minimum", "exclusiveMinimum"])] = low
    if rng.random() < 0.5:
        schema[rng.choice(["maximum", "exclusiveMaximum"])] = low + rng.choice([2, 7, 100, 12345])
    return schema


def random_array(rng, depth):
    schema = bounds(rng, {"type": "array"}, "minItems", "maxItems", 3)
    if rng.random() < 0.7:
        schema["items"] = random_schema(rng, depth + 1)
    elif rng.random() < 0.5:
        schema["prefixItems"] = [random_schema(rng, depth + 1) for _ in range(schema.get("minItems", 0) + rng.randint(1, 2))]
    return schema


def random_object(rng, depth):
    names = rng.sample(WORDS, rng.randint(0, 4))
    schema = {"type": "object", "properties": {name: random_schema(rng, depth + 1) for name in names}}
    if rng.random() < 0.7:
        schema["required"] = [name for name in names if rng.random() < 0.5]
    kind = rng.randrange(4)
    if kind == 0:
        schema["additionalProperties"] = False
    elif kind == 1:
        schema["additionalProperties"] = random_schema(rng, depth + 1)
    elif kind == 2 and not names:
        del schema["properties"]
    return schema


def random_options(rng, depth):
    kind = rng.randrange(4)
    if kind == 0:
        return {"anyOf": [random_schema(rng, depth + 1) for _ in range(rng.randint(1, 3))]}
    if kind == 1:
        return {"oneOf": [random_string(rng), random_number(rng), {"type": "null"}]}
    if kind == 2:
        options = []
        for value in rng.sample(["a", "b", 1, None], 2):
            option = random_object(rng, depth)
            option.setdefault("properties", {})["kind"] = {"const": value}
            option["required"] = option.get("required", []) + ["kind"]
            options.append(option)
        return {"oneOf": options}
    first, second = random_object(rng, depth), random_object(rng, depth)
    for key in ("properties", "required"):  # the same name twice might leave no value
        second.pop(key, None)
    return {"allOf": [first, {"required": list(first.get("properties", {}))[:1]}]}


def random_schema(rng, depth=0):
    if depth >= 3 or rng.random() < 0.4:
        kind = rng.randrange(6)
        if kind == 0:
            return {"enum": rng.sample([1, "a", "é\n", None, True, 2.5, {"a": [1, {}]}, [], [None, "x"]], rng.randint(1, 4))}
        if kind == 1:
            return {"type": rng.choice(["null", "boolean", ["null", "integer"], ["string", "boolean"]])}
        if kind == 2:
            return {"$ref": "#/$defs/" + rng.choice(list(DEFS)), "description": "recursive"}
        if kind == 3 and depth > 0:
            return rng.choice([{}, True, {"type": "array"}, {"type": "object"}])
        return rng.choice([random_string, random_number])(rng)
    return rng.choice([random_array, random_object, random_options])(rng, depth)


def number_in(rng, schema):
    low = schema.get("minimum", schema.get("exclusiveMinimum", None))
    high = schema.get("maximum", schema.get("exclusiveMaximum", None))
    if low is None:
        low = high - 50 if high is not None else -50
    if high is None:
        high = low + 50
    for _ in range(1000):
        value = rng.randint(low, high)
        if schema["type"] == "number" and value < high and rng.random() < 0.5:
            value += rng.choice([0.0, 0.5, 0.25])
        if jsonschema.Draft202012Validator(schema).is_valid(value):
            return value
    return None


def instance(rng, schema, root, depth=0):
    """A valid one, the properties in the schema's order and no other ones if these are not mentioned; or NotImplemented."""
    if schema is True or schema == {}:
        return rng.choice([1, -2.5, "a\"\u0007", [1, ["x"]], {"k": None, "l": {}}])
    if "$ref" in schema:
        return instance(rng, root["$defs"][schema["$ref"].split("/")[-1]], root, depth)
    if "enum" in schema:
        return rng.choice(schema["enum"])
    if "const" in schema:
        return schema["const"]
    if "anyOf" in schema or "oneOf" in schema:
        options = schema.get("anyOf", schema.get("oneOf"))
        return instance(rng, options[0] if depth > 6 else rng.choice(options), root, depth + 1)
    if "allOf" in schema:
        merged = dict(schema["allOf"][0])
        merged["required"] = merged.get("required", []) + schema["allOf"][1]["required"]
        return instance(rng, merged, root, depth)
    kind = schema["type"] if isinstance(schema["type"], str) else rng.choice(schema["type"])
    if kind == "null":
        return None
    if kind == "boolean":
        return rng.random() < 0.5
    if kind in ("integer", "number"):
        return number_in(rng, {**schema, "type": kind})
    if kind == "string":
        if "pattern" in schema:
            return rng.choice(PATTERNS[schema["pattern"]])
        if "format" in schema:
            return rng.choice(FORMATS[schema["format"]][1])
        low = schema.get("minLength", 0)
        length = rng.randint(low, schema.get("maxLength", low + 5))
        return "".join(rng.choice('abc "\\/\n\t\u0001é中😀\x7f') for _ in range(length))
    if kind == "array":
        low = schema.get("minItems", 0)
        n = low if depth > 4 else rng.randint(low, schema.get("maxItems", low + 2))
        prefix = schema.get("prefixItems", [])
        if prefix and "items" not in schema:
            n = min(n, len(prefix))
        items = [prefix[i] if i < len(prefix) else schema.get("items", True) for i in range(n)]
        return [instance(rng, item, root, depth + 1) for item in items]
    made = {}
    for name, item in schema.get("properties", {}).items():
        if name in schema.get("required", []) or (depth < 5 and rng.random() < 0.5):
            made[name] = instance(rng, item, root, depth + 1)
    if schema.get("additionalProperties", "properties" not in schema) and depth < 5:
        for name in ("other", 'o"\n'):
            if rng.random() < 0.5:
                made[name] = instance(rng, schema.get("additionalProperties", True), root, depth + 1)
    return made


def main():
    program, n = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 300
    rng = random.Random(7)
    cases = []
    for _ in range(n):
        schema = random_schema(rng)
        schema = {**schema, "$defs": DEFS} if isinstance(schema, dict) else schema
        validator = jsonschema.Draft202012Validator(schema, format_checker=CHECKER)
        texts = []
        for settings in ({}, {"separators": (",", ":")}, {"indent": 2}):
            made = instance(rng, schema, schema)
            if validator.is_valid(made):
                texts.append(json.dumps(made, ensure_ascii=False, **settings))
        cases.append((schema, validator, texts))
    asked = "".join(json.dumps({"schema": schema, "texts": texts}) + "\n" for schema, _, texts in cases)
    found = subprocess.run([program], input=asked, stdout=subprocess.PIPE, check=True, encoding="utf-8").stdout.split("\n")[:-1]
    assert len(found) == n, f"{len(found)} answers for {n} schemas"

    mistakes, refused, n_random, n_given = [], 0, 0, 0
    for (schema, validator, texts), line in zip(cases, found):
        answer = json.loads(line)
        if "error" in answer:
            refused += 1
            print(f"refused: {answer['error']}")
            continue
        for text in answer["random"]:
            n_random += 1
            errors = [error.message for error in validator.iter_errors(json.loads(text))]
            if errors:
                mistakes.append(f"not valid: {text}\n  {errors[0]}\n  by {json.dumps(schema)}")
        for text, accepted in zip(texts, answer["accepted"]):
            n_given += 1
            if not accepted:
                mistakes.append(f"not accepted: {text}\n  by {json.dumps(schema)}")
    print("\n".join(mistakes[:10]))
    print(f"{n} schemas, {refused} refused; {n_random} texts drawn, {n_given} given; {len(mistakes)} mistakes")
    if mistakes or refused > n // 10 or n_given < 2 * n:
        sys.exit(1)


main()
