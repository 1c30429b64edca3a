"""What figures of datasets show."""

import numpy as np
import xarray as xr


def covariances(terminals):
    """Of all pairs of terminals, along a swept axis; no two alike."""
    values = np.arange(1.0, 1 + 5 * len(terminals) ** 2).reshape(5, len(terminals), len(terminals))
    return xr.Dataset(
        {"noise": (("bias", "terminal", "other_terminal"), values, {"units": "energy^3/hbar", "symbol": "S"})},
        {
            "bias": ("bias", np.linspace(0, 1, 5), {"units": "energy", "parameter": "reservoirs.L.mu"}),
            "terminal": terminals,
            "other_terminal": terminals,
        },
    )


def test_every_curve_can_be_told_from_the_others(drawn):
    (panel,) = drawn(covariances(["L", "R", "H", "C"]), variables=["noise"])
    looks = {(curve.get_color(), curve.get_linestyle()) for curve in panel.lines}
    names = [text.get_text() for text in panel.get_legend().get_texts()]
    assert len(looks) == len(panel.lines) == len(set(names)) == 16
    assert names[:2] == ["L, L", "L, R"]
    assert panel.get_ylabel() == "$S$  [energy³/ħ]"


def test_a_long_legend_stands_beside_its_panel(drawn):
    few, many = (drawn(covariances(terminals), variables=["noise"])[0] for terminals in (["L", "R"], ["L", "R", "H"]))
    inside, beside = (panel.get_legend().get_window_extent() for panel in (few, many))
    assert inside.x1 <= few.bbox.x1
    assert beside.x0 >= many.bbox.x1
    assert beside.height <= many.bbox.height
