"""A device file with one random mistake is read or explained; nothing else ever happens."""

import shutil

import pytest
from device_files import EXAMPLES, NUMBERS, VALID
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mesotherm.device_file import DeviceFileError, Run, load

TEXTS = [path.read_text(encoding="utf-8") for path in (*EXAMPLES, *VALID)]

NUMBERS_AND_WORDS = [
    "0", "-1", "1", "2.5", "1e308", "-1e308", "5e-324", "1e400", "9223372036854775808", "1" + "0" * 400, "10_000_000",
    "0x" + "f" * 400, "0b101", "nan", "-nan", "inf", "-inf", "true", "false", "1979-05-27", "07:32:00",
    "1979-05-27T07:32:00Z", "1979-05-27T00:32:00.999999-07:00",
]  # fmt: skip

INSIDE_QUOTES = [
    "", " ", "L", "P", "X", "level", "device", "device.left.level", "device.levels.M", "reservoirs.L.T",
    "experiment.bias", "device.tunnel_rates.L.00", ".", "..",
    "device.", "a" * 10_000, "1 meV", "-3 K", "1e400 meV", "1e-400 K", "inf K",
    "nan meV", "3 GHz", "1 V", "1 s", "20 degC", "50 %", "1", "0.5 meV/mV", "1 meV meV", "1 1", "meV", "K", "J", "nA",
    "ħ", "Γ_L", "日本", "e\\u0301", "\\u0000", "\\u001b[31m", "\\n", "\\r", "\\t", "\\u202e", "\\ud800", "\\\\", "\\'",
    "{0}", "%s", "${HOME}", "__import__('os')", "/etc/passwd", "../x", "transmission.csv", "coulomb_dots",
    "thermalization_diode", "tabulated_barrier", "diode_test", "steady_state", "vanishing_probe", "voltage_probe",
]  # fmt: skip

COLLECTIONS = [
    "[]", "[[]]", "[1]", "[1, 'a', true]", "['L', 'L']", "['M']", "[[1, 2], [3]]", "[{}]", "[nan, 1]", "[1, 1]", "{}",
    "{ a = 1 }", "{ kind = 'resonant_barrier' }", "{ T = 1.0 }", "{ mu = 1, T = 2 }", "{ '' = 1 }", "{ a.b.c = 1 }",
    "{ file = 'transmission.csv' }", "{ file = 'transmission.csv', column = 'T', unit = 'K' }", "{ '\\u001b' = 1 }",
    "{ L = 'M', R = 'M' }", "{ M = 1, H = 2 }", "{ 0 = 1, 1 = 2 }", "[ { parameter = 'device.levels.H' } ]",
]  # fmt: skip

NASTY = [*NUMBERS_AND_WORDS, *(f'"{text}"' for text in INSIDE_QUOTES), *COLLECTIONS, '"""\na\nb"""', "'''\n'''", ""]
"""Values as a file writes them."""

KEYS = [
    "kind",
    "T",
    "mu",
    "a",
    "level",
    "terminal",
    '""',
    '"a b"',
    '"\\u001b[2J"',
    "Γ",
    "a.b",
    "x" * 5000,
    "0",
    "-",
    "points",
]

HEADERS = [
    "[device]", "[device.levels]", "[[device]]", "[axes]", "[[axes.level.tied]]", "[reservoirs.L]", "[unknowns.P]",
    "[units]",
    "[experiment.x]", "[]", "[a.b.c]", '["\\u001b"]', "[figure", "[[numerics]]", "[output.folder]", "[title]",
]  # fmt: skip

CHARACTERS = st.one_of(
    st.sampled_from("[]{}\"=.,#\n\r\t \\-+_e0:'\x00\x1b\x7f\x85\u2028\ufeff\ud800"),
    st.characters(codec="utf-8"),
)


def line_of(draw, lines: list[str], wanted) -> int | None:
    """Number of a line that is ``wanted``."""
    numbers = [number for number, line in enumerate(lines) if wanted(line)]
    return draw(st.sampled_from(numbers)) if numbers else None


def other_lines(draw, lines: list[str]) -> list[str]:
    """A line is left out, repeated, or changes places with another."""
    here, there = (draw(st.integers(0, len(lines) - 1)) for _ in range(2))
    what = draw(st.sampled_from(["leave out", "repeat", "exchange", "move"]))
    if what == "leave out":
        return lines[:here] + lines[here + 1 :]
    if what == "repeat":
        return [*lines[:there], lines[here], *lines[there:]]
    lines[here], lines[there] = lines[there], lines[here]
    return lines if what == "exchange" else lines[:here] + lines[here + 1 :] + [lines[here]]


def another_value(draw, lines: list[str]) -> list[str]:
    number = line_of(draw, lines, lambda line: "=" in line)
    assert number is not None
    parts = lines[number].split("=")
    at = draw(st.integers(1, len(parts) - 1))
    value = draw(st.sampled_from(NASTY))
    before, after = "=".join(parts[:at]), "=".join(parts[at + 1 :])
    closing = parts[at][parts[at].rfind(",") :] if after and "," in parts[at] else ""
    closing = closing or ("}" if parts[at].rstrip().endswith("}") else "")
    lines[number] = f"{before}= {value}{closing}" + (f"={after}" if after else "")
    return lines


def another_entry(draw, lines: list[str]) -> list[str]:
    """A text in quotes becomes another."""
    number = line_of(draw, lines, lambda line: line.count('"') >= 2)
    if number is None:
        return another_value(draw, lines)
    parts = lines[number].split('"')
    parts[draw(st.integers(0, len(parts) // 2 - 1)) * 2 + 1] = draw(st.sampled_from(INSIDE_QUOTES))
    lines[number] = '"'.join(parts)
    return lines


def another_key(draw, lines: list[str]) -> list[str]:
    number = line_of(draw, lines, lambda line: "=" in line)
    assert number is not None
    _, value = lines[number].split("=", 1)
    lines[number] = f"{draw(st.sampled_from(KEYS))} ={value}"
    return lines


def another_header(draw, lines: list[str]) -> list[str]:
    number = line_of(draw, lines, lambda line: line.startswith("["))
    assert number is not None
    lines[number] = draw(st.sampled_from(HEADERS))
    return lines


def another_key_added(draw, lines: list[str]) -> list[str]:
    number = draw(st.integers(0, len(lines)))
    return [*lines[:number], f"{draw(st.sampled_from(KEYS))} = {draw(st.sampled_from(NASTY))}", *lines[number:]]


def another_character(draw, lines: list[str]) -> list[str]:
    text = "\n".join(lines)
    at = draw(st.integers(0, len(text)))
    end = at + draw(st.sampled_from([0, 0, 1, 5]))
    return [text[:at] + draw(st.one_of(st.just(""), CHARACTERS)) + text[end:]]


def an_early_end(draw, lines: list[str]) -> list[str]:
    text = "\n".join(lines)
    return [text[: draw(st.integers(0, len(text)))]]


@st.composite
def with_one_mistake(draw) -> bytes:
    """A good file after one random change, which may have done no harm."""
    change = draw(
        st.sampled_from([
            other_lines, another_value, another_value, another_entry, another_key, another_header, another_key_added,
            another_character, an_early_end,
        ])
    )  # fmt: skip
    content = "\n".join(change(draw, draw(st.sampled_from(TEXTS)).split("\n"))).encode("utf-8", "surrogatepass")
    if draw(st.integers(0, 19)) == 0:
        at = draw(st.integers(0, len(content)))
        content = content[:at] + draw(st.binary(min_size=1, max_size=4)) + content[at:]
    return content


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    found = tmp_path_factory.mktemp("fuzz")
    shutil.copy(NUMBERS, found)
    return found


def read_or_explained(content: bytes, folder):
    path = folder / "device.toml"
    path.write_bytes(content)
    problems = None
    try:
        run = load(path)
    except DeviceFileError as error:
        problems = error.problems
    if problems is None:
        assert isinstance(run, Run)
        assert run.job is not None
        return
    assert problems
    for problem in problems:
        assert problem.message
        assert 0 <= problem.line <= content.count(b"\n") + 1
        assert str(problem).isprintable()
        assert len(str(problem)) < 5000


IN_BRIEF = settings(
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@settings(IN_BRIEF, max_examples=100)
@given(content=with_one_mistake())
def test_a_file_with_a_random_mistake_is_read_or_explained(content, folder):
    read_or_explained(content, folder)


@pytest.mark.slow
@settings(IN_BRIEF, max_examples=2000, derandomize=False, print_blob=True)
@given(content=with_one_mistake())
def test_many_files_with_a_random_mistake_are_read_or_explained(content, folder):
    read_or_explained(content, folder)
