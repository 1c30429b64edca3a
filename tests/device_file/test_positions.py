"""Lines of keys: they come from the parser's structure, never from a search in the text."""

import tomllib

import pytest
from device_files import EXAMPLES, VALID, name_of

from mesotherm.device_file.toml_lines import TomlSyntaxError, parse

LAYOUT = '''
# a comment with [device] in it

text = """one
two"""
x.y = 1
x.z = [1,
  2]   # more

  [device]
left = { kind = "b", list = [1,
   2], w = 3 }
[device.levels]
"a.b" = 3

[[rows]]
a = 1
[[rows]]

a = 2
[rows.inner]
b = 1
[z.y]
c = 1
'''


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_lines_come_from_the_structure(ending):
    _, lines = parse(LAYOUT.replace("\n", ending))
    expected = {
        ("text",): 4, ("x", "y"): 6, ("x", "z"): 7, ("device",): 10, ("device", "left"): 11,
        ("device", "left", "w"): 12, ("device", "levels", "a.b"): 14, ("rows", 0, "a"): 17, ("rows", 1): 18,
        ("rows", 1, "a"): 20, ("rows", 1, "inner", "b"): 22, ("z", "y", "c"): 24,
        ("device", "left", "nothing"): 11, ("nothing",): 1,
    }  # fmt: skip
    assert {path: lines.of(path) for path in expected} == expected
    assert lines.last == LAYOUT.count("\n") + 1


OUT_OF_ORDER = """\
[device.left]
level = 1
[reservoirs]
L.T = 1
[device]
kind = "x"
[device.right]
level = 2
[reservoirs.R]
T = 2
"""


def test_a_table_in_pieces_is_found_in_all_of_them():
    data, lines = parse(OUT_OF_ORDER)
    assert data == tomllib.loads(OUT_OF_ORDER)
    expected = {
        ("device", "left", "level"): 2, ("reservoirs", "L", "T"): 4, ("device", "kind"): 6,
        ("device", "right", "level"): 8, ("reservoirs", "R", "T"): 10, ("device", "right", "width"): 7,
    }  # fmt: skip
    assert {path: lines.of(path) for path in expected} == expected


def paths(data, before=()):
    """Every key of nested tables, but those in lists."""
    for key, value in data.items():
        yield (*before, key)
        if isinstance(value, dict):
            yield from paths(value, (*before, key))


@pytest.mark.parametrize("file", [*EXAMPLES, *VALID], ids=name_of)
def test_every_key_of_a_file_is_found_in_its_line(file):
    text = file.read_text(encoding="utf-8")
    data, lines = parse(text)
    assert data == tomllib.loads(text)
    written = text.split("\n")
    for path in paths(data):
        assert path[-1] in written[lines.of(path) - 1].split("#")[0]
    assert lines.last == len(written)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[x]\na = 1\n\n[y]\nb = 1\nb = 2\n[z]\n", 6),
        ("[x]\na = 1\n[y]\n[x]\nb = 1\n", 4),
        ("x = 1\n[x]\n", 2),
        ("x = 1\n\nx.y = 2\n", 3),
        ("x = { a = 1 }\n\n[x.b]\nc = 1\n", 3),
        ("x = { a = 1, a = 2 }\n", 1),
        ("y = 1\nx = { a = 1,\n  a = 2 }\n", 3),  # a newline in an inline table: version 1.1 of the format
        ("x = 1\nx = [1,\n2,\n3]\ny = 1\n", 4),
        ('x = """\nx = 1\nx = 1\n"""\n# x = 1\ny = 1\ny = 2\n', 7),
    ],
)
def test_the_second_of_two_equal_keys_is_named(text, line):
    with pytest.raises(TomlSyntaxError, match="already exists") as caught:
        parse(text)
    assert caught.value.line == line


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("a = 1\nb = \n", 2, "The line ends too early: a value or a closing bracket is missing."),
        ("a = 1\n[b\nc = 1\n", 2, "The line ends too early"),
        ("a = 1\nb = 'x\nc = 1\n", 2, "A text is not closed: its second quote is missing in this line."),
        ('a = 1\nb = """x\nc = 1', 3, "The file ends inside a text, list or table."),
        ("a = 1\nb = L\n", 2, "Texts are in quotes, and so are numbers with a unit"),
        ("a = “L”\n", 1, "Texts are in straight quotes."),
        ("a = 1,5\n", 1, "Decimals have a point, and no comma ends a line."),
        ("\x00", 1, "There is no key: lines are KEY = VALUE"),
        ("a = 1\n\x00b = 1\n", 2, "There is no key"),
        ('a = 1\nb = "\x00"\n', 2, "Control characters"),
        ("a = 1\nb = 1" + "0" * 5000, 2, "Invalid number."),
        ("a = 1\nb = " + "[" * 5000, 2, "nested more than 100 levels deep."),
    ],
)
def test_what_is_not_toml_is_told_where_and_why(text, line, reason):
    with pytest.raises(TomlSyntaxError) as caught:
        parse(text)
    assert caught.value.line == line
    assert reason in caught.value.reason
    assert caught.value.reason.endswith(".")
