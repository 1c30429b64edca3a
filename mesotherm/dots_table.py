"""[device] of kind "coulomb_dots" in a file: arrays written by name, not by position."""

from typing import Any

import numpy as np

from mesotherm import schema
from mesotherm.device import parameters
from mesotherm.devices.coulomb_dots import CoulombDots, occupation_names, pair_names
from mesotherm.schema import TABLE, Reader, field, model

MOST_DOTS = 8
"""n dots have 2^n states, and the elimination of states costs their number cubed."""

DOTS = model(
    "CoulombDots",
    kind=(str, field("kind")),
    dots=(list[str], field('names of the dots, like ["M", "H"]')),
    levels=(TABLE, field("level of each dot")),
    charging_energies=(TABLE, field("charging energy of each pair of dots", {})),
    contacts=(TABLE, field("terminals, each with its dot and tunnel rate")),
)

CONTACT = model("Contact", dot=(str, field("the dot the terminal contacts")), rate=(Any, field("tunnel rate")))


class CoulombDotsTable:
    """[device] of kind "coulomb_dots": levels by dot, charging energies by pair, rates by occupation."""

    def __init__(self, reader: Reader, data: dict[str, Any]):
        self.reader, self.meanings = reader, parameters(CoulombDots)
        self.keys = reader.table(DOTS, data, ("device",))

    def read(self) -> CoulombDots | None:
        """The device, or ``None`` with the problems noted."""
        reader, keys = self.reader, self.keys
        before = len(reader.problems)
        dots = keys.get("dots")
        if dots is None or not self._good_names(dots):
            return None
        levels = energies = None
        if "levels" in keys:
            levels = reader.numbers(self.meanings["levels"], keys["levels"], dots, ("device", "levels"))
        if "charging_energies" in keys:
            where = ("device", "charging_energies")
            energies = reader.numbers(
                self.meanings["charging_energies"], keys["charging_energies"], pair_names(dots), where, default=0.0
            )
        contacts, rates = [], []
        for name, data in keys.get("contacts", {}).items():
            where = ("device", "contacts", name)
            contact = reader.table(CONTACT, data, where)
            if "dot" in contact and contact["dot"] not in dots:
                advice = schema.suggestion(contact["dot"], dots)
                reader.problem((*where, "dot"), f"is not one of the dots; {advice}", contact["dot"])
            contacts.append((name, contact.get("dot", "")))
            if "rate" in contact:
                rates.append(self._rate(contact["rate"], occupation_names(dots), (*where, "rate")))
        if not contacts and "contacts" in keys:
            reader.problem(("device", "contacts"), "is empty; give every terminal a table [device.contacts.NAME].")
        if len(reader.problems) > before:
            return None
        arrays = {"levels": levels, "charging_energies": energies, "tunnel_rates": rates}
        values = {"dots": dots, "contacts": contacts, **{name: np.array(a, float) for name, a in arrays.items()}}
        return reader.build(CoulombDots, values, ("device",))

    def _good_names(self, dots: list[str]) -> bool:
        where = ("device", "dots")
        good = 1 <= len(dots) <= MOST_DOTS and len(set(dots)) == len(dots)
        if not good or any(not name or set("-.") & set(name) for name in dots):
            advice = f"must be 1 to {MOST_DOTS} different names without '-' or '.'."
            self.reader.problem(where, advice, dots)
            return False
        return True

    def _rate(self, rate: Any, occupations, where) -> list[float | None]:
        meaning = self.meanings["tunnel_rates"]
        if isinstance(rate, dict):
            return self.reader.numbers(meaning, rate, occupations, where)
        return [self.reader.number(meaning, rate, where)] * len(occupations)
