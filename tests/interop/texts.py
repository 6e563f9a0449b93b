"""Texts that are hard to get right, and random ones, from a seeded generator."""

import json
import string

ODD = "* ~ + % & = # ? / : ; ' ( ) ! \\ \" @ , $ [ ] { } | < > ^ `"

# One text a property: what a signature, a form or a path is known to get wrong.
CHOSEN = [
    "",
    " ",
    ODD,
    "%20+%2B%7E%2A",
    "a=b&c=d&&=",
    "~" * 20 + "*" * 20,
    "\0\x01\x07\b\t\n\v\f\r\x1b\x1f\x7f",
    "\u0080\u009f\u00a0\u00ad",
    "é e\u0301 \u200d \u202e \ufeff \ufffd \ufffe \uffff",
    "工作流 ワークフロー 워크플로",
    "😀🇨🇳👩‍👩‍👧",
    "\u2028\u2029\u0085",
    "\U00010000 \U0001ffff \U0002a6d6 \U000e0001 \U000f0000 \U0010fffd \U0010ffff",
    "null",
    "../../..",
]


def character(rng):
    """Any character: all planes, control characters, those that are written with an escape."""
    kind = rng.randrange(8)
    if kind == 0:
        return rng.choice(ODD)
    if kind == 1:
        return chr(rng.randrange(0x20))
    if kind == 2:
        return chr(rng.randrange(0x7F, 0xA0))
    if kind == 3:
        return chr(rng.randrange(0xA0, 0xD800))
    if kind == 4:
        return chr(rng.randrange(0xE000, 0x10000))
    if kind == 5:  # planes 1 to 16, each as often
        return chr(rng.randrange(1, 17) * 0x10000 + rng.randrange(0x10000))
    return rng.choice(string.ascii_letters + string.digits)


def text(rng, longest=40):
    """A text; empty or a chosen one now and then."""
    if rng.randrange(6) == 0:
        return rng.choice(CHOSEN)
    return "".join(character(rng) for _ in range(rng.randrange(1, longest)))


def visible(rng, longest=60):
    """What keys and tokens are made of: visible ASCII characters."""
    return "".join(chr(rng.randrange(0x21, 0x7F)) for _ in range(rng.randrange(1, longest)))


def name(rng, longest=128):
    """A name of a flow or an execution."""
    first = string.ascii_letters + "_"
    length = rng.choice([1, longest, rng.randrange(1, longest + 1)])
    rest = "".join(rng.choice(first + string.digits + "-") for _ in range(length - 1))
    return rng.choice(first) + rest


def value(rng, depth=0):
    """A JSON value. Its numbers read the same in every language."""
    kind = rng.randrange(8 if depth < 3 else 6)
    if kind == 0:
        return rng.choice([None, True, False])
    if kind == 1:
        return rng.randrange(-(2**63), 2**63)
    if kind == 2:
        return rng.randrange(-1000, 1000) / 8
    if kind == 6:
        return [value(rng, depth + 1) for _ in range(rng.randrange(4))]
    if kind == 7:
        return {text(rng, 10): value(rng, depth + 1) for _ in range(rng.randrange(4))}
    return text(rng)


def dump(rng, found):
    """A value as JSON text: escaped or not, with and without space."""
    return json.dumps(
        found,
        ensure_ascii=rng.choice([True, False]),
        separators=rng.choice([None, (",", ":"), (" ,\n", "\t: ")]),
    )


def json_object(rng, limit=64 * 1024):
    """The text of a JSON object. Now and then as long as the service takes, or with what no
    parser may lose on its way: large numbers, a name given twice, escapes of every kind."""
    kind = rng.randrange(40)
    if kind == 0:
        return "{}"
    if kind == 1:
        return '{"n":1e400,"m":123456789012345678901234567890,"z":-0,"f":1.0,"n":2}'
    if kind == 2:
        return '{"\\u0000\\ud83d\\ude00\\/":"\\u4e2d\\b\\f"}'
    if kind == 3:  # exactly the limit, in bytes
        fill = rng.choice(["x", "中", "\U0010fffd", "+", " ", "~", "%"])
        room = limit - len('{"data":""}')
        filled = fill * (room // len(fill.encode()))
        filled += "x" * (room - len(filled.encode()))
        return '{"data":"%s"}' % filled
    found = {text(rng, 12): value(rng) for _ in range(rng.randrange(1, 5))}
    return dump(rng, found)
