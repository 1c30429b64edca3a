"""What checks of a paper are held against: claims, tolerances and errata as they were reviewed."""

import json


def compare(pinned, checks, figure):
    """Every check comes out as known, says everything, is pinned, and can be written."""
    checks = list(checks)
    assert not [f"{check.id}: {check.computed}" for check in checks if not check.expected]
    found = {check.id: check.as_json() for check in checks}
    assert len(found) == len(checks)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    pins = {name: pin for name, pin in pinned.items() if pin["figure"] == figure}
    assert set(found) == set(pins)
    for name, entry in found.items():
        assert entry["claim"]
        assert entry["source"]
        assert entry["note"]
        assert {key: entry[key] for key in ("published", "tolerance", "erratum")} == {
            key: pins[name][key] for key in ("published", "tolerance", "erratum")
        }
