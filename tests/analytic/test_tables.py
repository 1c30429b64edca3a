"""Columns read from files: every way of writing one gives the same numbers; what is wrong is told with its place."""

import hashlib
import os

import numpy as np
import pytest
import xarray as xr

from mesotherm.tables import LARGEST_FILE, TableError, read_column

ENERGIES, VALUES = [-1.5, 0.0, 2.5e-3], [0.25, 1.0, 1e-300]
ROWS = list(zip(ENERGIES, VALUES, strict=True))


def written(tmp_path, text, name="table.csv"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def lines(separator, header=""):
    return "\n".join([header, *(separator.join(map(repr, row)) for row in ROWS)][not header :])


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("comma.csv", lines(",", "energy [meV],transmission")),
        ("blank after the comma.CSV", lines(", ", "energy (meV), transmission")),
        ("semicolon.csv", lines(";", '"energy [meV]";"transmission, both spins"')),
        ("tab.tsv", lines("\t", "energy [meV]\ttransmission")),
        ("blanks.txt", lines("   ", "  energy [meV]   transmission (1)")),
        ("crlf.dat", lines(" ", "energy[meV] T(E)").replace("\n", "\r\n")),
        ("comments.csv", "# made by hand\n\n" + lines(",", "energy [meV],transmission") + "\n  # the end\n\n"),
        ("byte order mark.csv", "\ufeff" + lines(",", "energy [meV],transmission")),
    ],
)
def test_every_way_of_writing_a_table_is_read(tmp_path, name, text):
    path = written(tmp_path, text, name)
    column = read_column(path, "energy")
    np.testing.assert_array_equal(column.values, ENERGIES)
    assert column.values.dtype == np.float64
    assert column.unit == "meV"
    assert column.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_columns_without_names_are_numbered(tmp_path):
    path = written(tmp_path, lines(" "), "table.dat")
    for name, expected in (("1", ENERGIES), ("2", VALUES)):
        column = read_column(path, name)
        np.testing.assert_array_equal(column.values, expected)
        assert column.unit is None


def test_a_name_is_matched_with_its_unit_or_without(tmp_path):
    path = written(tmp_path, "E [meV],E [eV],T(E),,note\n1,2,3,4,a\n5,6,7,8,b\n")
    assert read_column(path, "E [eV]").values.tolist() == [2, 6]
    assert read_column(path, "E [eV]").unit == "eV"
    assert read_column(path, "T(E)").values.tolist() == [3, 7]
    assert read_column(path, "T(E)").unit is None
    assert read_column(path, "4").values.tolist() == [4, 8]
    with pytest.raises(TableError, match="2 columns 'E'"):
        read_column(path, "E")


def test_the_only_column_needs_no_name(tmp_path):
    assert read_column(written(tmp_path, "1\n2\n"), None).values.tolist() == [1, 2]
    with pytest.raises(TableError, match=r"say which one: there are: a, b\."):
        read_column(written(tmp_path, "a,b\n1,2\n3,4\n"), None)


def test_netcdf_variables_and_coordinates(tmp_path):
    path = tmp_path / "table.nc"
    xr.Dataset(
        {"transmission": ("energy", np.array(VALUES)), "counts": ("energy", np.array([1, 2, 3]))},
        {"energy": ("energy", np.array(ENERGIES), {"units": "meV"})},
    ).to_netcdf(path)
    energy, transmission = read_column(path, "energy"), read_column(path, "transmission")
    np.testing.assert_array_equal(energy.values, ENERGIES)
    np.testing.assert_array_equal(transmission.values, VALUES)
    assert (energy.unit, transmission.unit) == ("meV", None)
    assert read_column(path, "counts").values.tolist() == [1.0, 2.0, 3.0]
    assert energy.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("enrgy", r"has no variable 'enrgy'; did you mean energy\? there are: .*energy"),
        ("grid", "'grid' has 2 dimensions"),
        ("point", "'point' is a single number"),
        ("text", "'text' holds no real numbers"),
        ("gap", "'gap' is nan in row 2"),
    ],
)
def test_netcdf_variables_that_are_no_columns(tmp_path, name, message):
    path = tmp_path / "table.nc"
    xr.Dataset(
        {
            "grid": (("energy", "x"), np.zeros((3, 2))),
            "point": ((), 1.0),
            "text": ("energy", np.array(["a", "b", "c"])),
            "gap": ("energy", np.array([1.0, np.nan, 2.0])),
        },
        {"energy": ("energy", np.array(ENERGIES))},
    ).to_netcdf(path)
    with pytest.raises(TableError, match=message):
        read_column(path, name)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("# energy\n\n", "is empty"),
        ("energy,T\n", "0 rows of numbers"),
        ("energy,T\n1,2\n", "1 row of numbers"),
        ("enrgy,T\n1,2\n3,4\n", r"has no column 'energy'; did you mean enrgy\? there are: enrgy, T\."),
        ("1,2\n3,4\n", r"has no column 'energy'; there are: 1, 2\."),
        ("# comment\nenergy,T\n1,2\n\n3\n", "line 5 has 1 cell and the first row 2"),
        ("energy,T\n1,2\n3,4,5\n", "line 3 has 3 cells"),
        ("energy,T\n1,2\nx,4\n", "line 3: 'x' is no number"),
        ("energy,T\n1,2\n1_0,4\n", "line 3: '1_0' is no number"),
        ("energy;T\n1,5;2\n2,5;4\n", "line 2: '1,5' is no number; write the decimal point as a point"),
        ("energy,T\n1,2\n,4\n", "line 3: a cell is empty"),
        ("energy,T\n1,2\nnan,4\n", "line 3: 'nan' is no number; give a finite number"),
        ("energy,T\n1,2\n1e999,4\n", "line 3: '1e999' is no number"),
        ("energy,T\n1,2\n\x1b[31m,4\n", r"line 3: ''\\x1b\[31m'' is no number"),
        ("energy,T\n1,2\n3,\xb5\n".encode("latin-1"), "line 3: the file is not UTF-8"),
        (b"energy,T\n" + b"1,2\n" * (LARGEST_FILE // 4), "larger than 20 MB"),
    ],
)
def test_what_is_wrong_with_a_table_is_told_once(tmp_path, text, message):
    path = written(tmp_path, text)
    with pytest.raises(TableError, match=message) as caught:
        read_column(path, "energy")
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)
    assert str(caught.value).count(str(path)) == 1


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing.csv", "there is no such file"),
        ("folder.csv", "this is a folder"),
        ("pipe.csv", "this is not a regular file"),
        ("pipe.nc", "this is not a regular file"),
        ("link.csv", "this is not a regular file"),
        ("table.xlsx", r"give a file that ends in \.csv"),
        ("not.nc", "is no netCDF file"),
        ("zero\0byte.csv", "is not the name of a file"),
        ("long" * 100 + ".csv", "cannot be read"),
    ],
)
def test_only_regular_files_that_can_be_read_are_opened(tmp_path, name, message):
    (tmp_path / "folder.csv").mkdir()
    for pipe in ("pipe.csv", "pipe.nc"):
        os.mkfifo(tmp_path / pipe)
    (tmp_path / "link.csv").symlink_to("/dev/zero")
    for file in ("table.xlsx", "not.nc"):
        (tmp_path / file).write_text("energy\n1\n2\n")
    with pytest.raises(TableError, match=message):
        read_column(tmp_path / name, "energy")


def test_brackets_that_never_close_belong_to_the_name(tmp_path):
    """Brackets that never close, a hundred thousand of them."""
    for name, text in (("table.csv", "[" * 100_000 + ",energy"), ("table.dat", "a (" * 30_000 + " energy")):
        header = written(tmp_path, f"{text}\n", name)
        with pytest.raises(TableError, match="no column 'T'"):
            read_column(header, "T")
