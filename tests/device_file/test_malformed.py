"""Every mistake in a device file is told: once, with its line, its key and what to do; and nothing is computed.

Each file of ``malformed`` begins with lines ``#! LINE | KEY | ADVICE``, one for every message that must come, in their
order: the line (these lines count; 0: the file as a whole), the key (with its value, where that is shown; empty for
what is not TOML), and a piece of the advice.
"""

import collections
import json
import re
import shutil
import sys

import pytest
from command_line import mesotherm
from device_files import MALFORMED, NUMBERS, listing, name_of

WHERE = re.compile(r"#! (\d+) \| (.*?) ?\| (.+)")


def expected(content: bytes) -> list[tuple[int, str, str]]:
    """(line, key, advice) of every message that a file asks for."""
    head = content.decode("utf-8", "surrogateescape").split("\n\n")[0].split("\n")
    found = [WHERE.fullmatch(line) for line in head]
    return [(int(match[1]), match[2], match[3]) for match in found if match is not None]


@pytest.fixture(autouse=True)
def nothing_is_computed(monkeypatch):
    def computes(*_, **__):
        raise AssertionError("a file with a mistake was computed")

    monkeypatch.setattr(sys.modules["mesotherm.sweep"], "sweep", computes)


@pytest.fixture
def given(tmp_path, monkeypatch):
    """Put a malformed file into a folder of its own, the current one; its content."""
    monkeypatch.chdir(tmp_path)

    def put(file) -> bytes:
        content = file.read_bytes()
        shutil.copy(file, tmp_path)
        if NUMBERS.name.encode() in content:
            shutil.copy(NUMBERS, tmp_path)
        return content

    return put


@pytest.mark.parametrize("file", MALFORMED, ids=name_of)
def test_a_mistake_is_told_once_with_line_key_and_advice(file, given, tmp_path):
    wanted = expected(given(file))
    assert wanted, "the file does not say what must be told"
    before = listing(tmp_path)
    result = mesotherm("run", file.name)
    assert result.exit_code == 2
    assert result.stdout == ""
    told = result.stderr.splitlines()
    for message, (line, key, advice) in zip(told, wanted, strict=True):
        place = f"{file.name}:{line}: {key}" if line else f"{file.name}: {key}"
        assert message.startswith(place)
        rest = message.removeprefix(place)
        assert not key or rest.startswith((": ", " = ")) or " = " in key, "the key goes on"
        assert advice in rest
        assert message.endswith((".", "?"))
        assert message.isprintable()
    assert listing(tmp_path) == before


@pytest.mark.parametrize("file", MALFORMED[::8], ids=name_of)
def test_a_program_is_told_the_same(file, given, tmp_path):
    wanted = expected(given(file))
    before = listing(tmp_path)
    result = mesotherm("run", file.name, "--json")
    assert result.exit_code == 2
    errors = json.loads(result.stdout)["errors"]
    assert [(error["line"] or 0, error["path"]) for error in errors] == [(line, file.name) for line, _, _ in wanted]
    for error, message in zip(errors, result.stderr.splitlines(), strict=True):
        assert error.keys() == {"path", "line", "key", "message", "value"}
        subject = " = ".join(part for part in (error["key"], error["value"]) if part)
        assert message.endswith(": ".join(part for part in (subject, error["message"]) if part))
    assert listing(tmp_path) == before


def test_the_mistakes_are_many_and_different():
    contents = [file.read_bytes() for file in MALFORMED]
    bodies = {content.split(b"\n\n", 1)[1] for content in contents}
    told = [message for content in contents for message in expected(content)]
    advice = {advice for _, _, advice in told}
    keys = collections.Counter(key.split(" = ")[0] for _, key, _ in told)
    assert len(MALFORMED) >= 300
    assert len(bodies) == len(contents)
    assert len(advice) >= 200
    assert len(keys) >= 100
    assert max(keys.values()) <= len(told) / 6
