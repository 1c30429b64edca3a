"""Files that are no device files and folders that cannot take results are refused before anything is computed."""

import json
import os
import shutil
import stat
import subprocess
import sys

import pytest
from command_line import mesotherm
from device_files import HERE, listing

from mesotherm.device_file import DeviceFileError, document, load
from mesotherm.device_file.document import LARGEST_FILE, MOST_ENTRIES

DIODE = (HERE / "valid" / "diode.toml").read_text()


def refusal(path) -> str:
    with pytest.raises(DeviceFileError) as caught:
        load(path)
    return str(caught.value)


# ---- files


@pytest.fixture
def parsing_is_an_error(monkeypatch):
    """The time that refusing takes is that of reading, whatever stands in the file."""

    def parses(_):
        raise AssertionError("parsed")

    monkeypatch.setattr(document, "parse", parses)


@pytest.mark.usefixtures("parsing_is_an_error")
def test_a_large_file_is_refused_before_it_is_parsed(tmp_path):
    path = tmp_path / "large.toml"
    path.write_bytes(b"#" * (LARGEST_FILE + 1))
    assert LARGEST_FILE == 1_000_000
    assert refusal(path) == f"{path}: the file is larger than 1 MB; name a device file (TOML) of at most this size."
    path.write_bytes(b"#" * LARGEST_FILE)
    with pytest.raises(AssertionError, match="parsed"):
        load(path)


@pytest.mark.usefixtures("parsing_is_an_error")
@pytest.mark.parametrize(
    "text",
    [
        "".join(f"k{i} = 1\n" for i in range(80_000)),
        "x = {" + ",".join(f"k{i}=1" for i in range(100_000)) + "}\n",
        "".join(f"a.k{i}=1\n" for i in range(80_000)),
        "".join(f"[t{i}]\n" for i in range(100_000)),
        "[[device]]\n" * 90_000,
        "x = [" + "1," * 490_000 + "]\n",
        "x = [" + "{}," * 300_000 + "]\n",
        "\n" * 999_999 + "x",
    ],
    ids=["keys", "inline", "dotted", "tables", "list of tables", "numbers", "empty tables", "lines"],
)
def test_a_file_of_a_hundred_thousand_entries_is_refused_before_it_is_parsed(text, tmp_path):
    path = tmp_path / "long.toml"
    path.write_text(text)
    assert len(text) <= LARGEST_FILE
    assert refusal(path).startswith(f"{path}: the file has more than {MOST_ENTRIES} lines, keys and entries of lists")


DOTS = "device = { kind = 'coulomb_dots', dots = "


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[device]\nkind = 'coulomb_dots'\n" + "".join(f"k{i}=1\n" for i in range(4900)), 101),
        ("".join(f"a.k{i}=1\n" for i in range(4900)), 4),
        ("".join(f"k{i}=1\n" for i in range(4900)) + "k1=1\n", 1),
        ("".join(f"[axes.t{i}]\n" for i in range(9900)), 101),
        (DOTS + "[" + ",".join(f"'d{i}'" for i in range(9900)) + "] }", 6),
        (DOTS + "['d'], contacts = {" + ",".join(f"k{i}='d'" for i in range(4900)) + "} }", 4),
    ],
    ids=["keys", "dotted keys", "repeated key", "axes", "dots", "terminals"],
)
def test_as_many_entries_as_are_read_are_explained(text, told, tmp_path):
    path = tmp_path / "long.toml"
    path.write_text(text)
    messages = refusal(path).splitlines()
    assert len(messages) == told
    assert messages[-1].startswith("... and ") == (told > 100)


NESTED = {
    "lists": "x = " + "[" * 5000 + "]" * 5000,
    "lists that never end": "x = " + "[" * 5000,
    "inline tables": "x = " + "{ a = " * 3000 + "1" + " }" * 3000,
    "keys": ".".join(["a"] * 3000) + " = 1",
    "headers": "[" + ".".join(["a"] * 3000) + "]",
    "headers of lists": "[[" + ".".join(["a"] * 3000) + "]]",
}


@pytest.mark.parametrize("name", NESTED)
def test_deep_nesting_is_told_with_its_line(name, tmp_path):
    path = tmp_path / "deep.toml"
    path.write_text("title = 'deep'\n" + NESTED[name] + "\n")
    told = refusal(path)
    assert told.startswith(f"{path}:2: this is not TOML: ")
    assert "nested" in told


def test_an_integer_of_five_thousand_digits_is_told_with_its_line(tmp_path):
    path = tmp_path / "long.toml"
    path.write_text(DIODE.replace("points = 3", "points = 1" + "0" * 5000))
    line = DIODE[: DIODE.index("points")].count("\n") + 1
    assert refusal(path).startswith(f"{path}:{line}: this is not TOML: ")


def test_an_integer_too_long_to_write_in_decimals_is_shown(tmp_path):
    path = tmp_path / "long.toml"
    path.write_text(DIODE.replace("points = 3", "points = 0x1" + "0" * 5000))
    told = refusal(path)
    assert "axes.level.points = 0x1000" in told
    assert "must be from 1 to" in told
    assert len(told) < 500


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "the file is empty; it needs the tables [device], [reservoirs] and [experiment]."),
        (b" \r\n\t\n", "the file is empty"),
        (b"\xef\xbb\xbf", "the file is empty"),
        (b"\x00" * 100, "this is not TOML"),
        ("title = 'µ'".encode("latin-1"), ":1: the file is not UTF-8 text; save it with UTF-8 encoding."),
        (DIODE.encode("utf-16"), ":1: the file is not UTF-8 text"),
        (b"\x89HDF\r\n\x1a\n" + b"\x00" * 50, ":1: the file is not UTF-8 text"),
        (b"a = 1\nb = '\xff'\n", ":2: the file is not UTF-8 text"),
    ],
)
def test_bytes_that_are_no_text_of_a_device_file(content, told, tmp_path):
    path = tmp_path / "bytes.toml"
    path.write_bytes(content)
    assert told in refusal(path)


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_byte_order_mark_and_line_endings_of_other_systems_are_fine(mark, ending, tmp_path):
    path = tmp_path / "fine.toml"
    path.write_bytes(mark + DIODE.replace("\n", ending).encode())
    assert load(path).title == "A diode"


def test_a_pipe_is_not_waited_for(tmp_path):
    path = tmp_path / "pipe.toml"
    os.mkfifo(path)
    assert refusal(path) == f"{path}: this is not a regular file; name a device file (TOML)."
    assert "not a regular file" in refusal("/dev/null")


def test_names_that_are_no_files(tmp_path):
    (tmp_path / "file").write_text(DIODE)
    (tmp_path / "loop.toml").symlink_to("loop.toml")
    assert refusal(tmp_path) == f"{tmp_path}: this is a folder; name a device file (TOML)."
    missing = tmp_path / "missing.toml"
    assert refusal(missing) == f"{missing}: there is no such file; check the name and the folder it counts from."
    assert "cannot be read (Not a directory)" in refusal(tmp_path / "file" / "device.toml")
    assert "cannot be read" in refusal(tmp_path / "loop.toml")
    assert "cannot be read (File name too long)" in refusal(tmp_path / ("a" * 300 + ".toml"))
    assert "this is not the name of a file" in refusal("x\0.toml")
    assert refusal("\x1b[2J.toml").startswith("\\x1b[2J.toml: there is no such file")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_permission(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(DIODE)
    path.chmod(0)
    assert "cannot be read (Permission denied); check its name and its permissions" in refusal(path)
    path.chmod(stat.S_IRWXU)
    tmp_path.chmod(0)
    try:
        assert "cannot be read (Permission denied)" in refusal(path)
    finally:
        tmp_path.chmod(stat.S_IRWXU)


# ---- folders


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current folder, with a device file that writes to ``results``; computing anything is an error."""

    def computes(*_, **__):
        raise AssertionError("computed")

    monkeypatch.setattr(sys.modules["mesotherm.sweep"], "sweep", computes)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "diode.toml").write_text(DIODE)
    return tmp_path


def a_file(target):
    target.write_text("mine")


def a_dangling_link(target):
    target.symlink_to("nowhere")


def a_link_to_a_file(target):
    target.symlink_to("diode.toml")


def a_link_to_itself(target):
    target.symlink_to(target.name)


def a_folder_of_others(target):
    target.mkdir()
    (target / "thesis.tex").write_text("mine")


def a_folder_with_a_folder_in_the_way(target):
    (target / "result.nc").mkdir(parents=True)


def a_folder_with_a_folder_for_a_figure(target):
    (target / "figure.png").mkdir(parents=True)
    (target / "result.nc").write_text("mine")


IN_THE_WAY = {
    a_file: "is a file; choose another folder with --out.",
    a_dangling_link: "is a symbolic link; choose a folder of its own with --out.",
    a_link_to_a_file: "is a symbolic link",
    a_link_to_itself: "is a symbolic link",
    a_folder_of_others: "holds other files and no result.nc; choose another folder (--out), or --force to write there.",
    a_folder_with_a_folder_in_the_way: "is a folder, in the way of a result; choose another folder with --out.",
    a_folder_with_a_folder_for_a_figure: "is a folder, in the way of a result",
}


@pytest.mark.parametrize("named_by", ["file", "option"])
@pytest.mark.parametrize("make", IN_THE_WAY, ids=lambda make: make.__name__)
def test_what_is_in_the_way_is_told_before_anything_is_computed(make, named_by, folder):
    make(folder / "results")
    before = listing(folder)
    result = mesotherm("run", "diode.toml", *([] if named_by == "file" else ["--out", "results"]))
    assert result.exit_code == 2
    (told,) = result.stderr.splitlines()
    assert told.startswith("results")
    assert IN_THE_WAY[make] in told
    assert listing(folder) == before


def test_a_link_to_a_folder_is_for_the_user_to_name_not_for_a_file(folder):
    (folder / "elsewhere").mkdir()
    (folder / "results").symlink_to("elsewhere")
    before = listing(folder)
    result = mesotherm("run", "diode.toml")
    assert result.exit_code == 2
    assert "is a symbolic link" in result.stderr
    with pytest.raises(AssertionError, match="computed"):
        mesotherm("run", "diode.toml", "--out", "results", "--quiet")
    assert listing(folder) == before


def test_other_files_are_written_beside_only_by_force(folder):
    a_folder_of_others(folder / "results")
    with pytest.raises(AssertionError, match="computed"):
        mesotherm("run", "diode.toml", "--force", "--quiet")
    assert (folder / "results" / "thesis.tex").read_text() == "mine"


@pytest.mark.parametrize(
    ("out", "told"),
    [
        ("diode.toml/inside", "cannot be"),
        ("diode.toml/far/inside", "cannot be"),
        ("x" * 300, "cannot be used (File name too long); choose another folder with --out."),
        ("diode.toml", "is a file; choose another folder with --out."),
    ],
    ids=["in a file", "deep in a file", "long name", "the file itself"],
)
def test_places_that_cannot_be(out, told, folder):
    before = listing(folder)
    result = mesotherm("run", "diode.toml", "--out", out)
    assert result.exit_code == 2
    assert told in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert listing(folder) == before


def test_a_program_is_told_why_a_folder_is_refused(folder):
    a_file(folder / "results")
    result = mesotherm("run", "diode.toml", "--json")
    assert result.exit_code == 2
    (error,) = json.loads(result.stdout)["errors"]
    assert error == {"message": "results is a file; choose another folder with --out."}


def test_a_folder_that_takes_results_is_computed_for(folder):
    """What is refused above is refused for its reason: the same command computes where nothing is in the way."""
    with pytest.raises(AssertionError, match="computed"):
        mesotherm("run", "diode.toml", "--quiet")
    assert not (folder / "results").exists()


def test_names_that_are_no_utf8_are_told(tmp_path):
    """A file system holds any bytes; what cannot be printed is escaped, on both outputs."""
    name = os.fsdecode(b"\xff.toml")
    (tmp_path / name).write_text("a = ")
    shutil.copy(HERE / "valid" / "diode.toml", tmp_path)
    command = [sys.executable, "-c", "from mesotherm.cli import app; app()", "check", name, "--json"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    assert result.returncode == 2
    assert b"Traceback" not in result.stderr
    assert len(json.loads(result.stdout)["errors"]) == 1
