"""The literature that docstrings name as their sources, and which of it a piece of work rests on."""

import dataclasses
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from mesotherm._version import __version__
from mesotherm.catalogue import sources
from mesotherm.experiments import AbstractExperiment, Setup
from mesotherm.fields import Component, components_in


@dataclasses.dataclass(frozen=True)
class Reference:
    """One work.

    Attributes
    ----------
    key
        First author and year.
    kind
        BibTeX's: article, misc, software.
    mark
        What docstrings say of it: journal, volume and page. A source that contains the mark cites the work.
    fields
        BibTeX's fields.
    """

    key: str
    kind: str
    mark: str
    fields: dict[str, str]

    @property
    def bibtex(self) -> str:
        """The entry."""
        rows = "".join(f"  {name} = {{{value.translate(ACCENTS)}}},\n" for name, value in self.fields.items())
        return f"@{self.kind}{{{self.key},\n{rows}}}"

    @property
    def line(self) -> str:
        """One line for reports."""
        written = ", ".join(self.fields[name] for name in ("author", "title", "journal", "year") if name in self.fields)
        return written.replace("{", "").replace("}", "")


ACCENTS = str.maketrans({"á": "{\\'a}", "ú": "{\\'u}", "é": "{\\'e}", "ê": "{\\^e}", "ö": '{\\"o}', "ü": '{\\"u}'})
"""Letters as every BibTeX reads them."""


def _article(key: str, mark: str, **fields: str) -> Reference:
    return Reference(key, "article", mark, fields)


REFERENCES = (
    _article(
        "Balduque2025",
        "134, 186301",
        author="Balduque, José and Sánchez, Rafael",
        title="Scattering Theory of Thermal and Bipolar Thermoelectric Diodes",
        journal="Physical Review Letters",
        volume="134",
        pages="186301",
        year="2025",
        doi="10.1103/PhysRevLett.134.186301",
    ),
    _article(
        "Whitney2016",
        "E 75, 257",
        author="Whitney, Robert S. and Sánchez, Rafael and Haupt, Federica and Splettstoesser, Janine",
        title="Thermoelectricity without absorbing energy from the heat sources",
        journal="Physica E: Low-dimensional Systems and Nanostructures",
        volume="75",
        pages="257--265",
        year="2016",
    ),
    _article(
        "Esposito2009",
        "85, 60010",
        author="Esposito, Massimiliano and Lindenberg, Katja and Van den Broeck, Christian",
        title="Thermoelectric efficiency at maximum power in a quantum dot",
        journal="EPL",
        volume="85",
        pages="60010",
        year="2009",
    ),
    _article(
        "Beenakker1991",
        "44, 1646",
        author="Beenakker, C. W. J.",
        title="Theory of Coulomb-blockade oscillations in the conductance of a quantum dot",
        journal="Physical Review B",
        volume="44",
        pages="1646--1656",
        year="1991",
    ),
    _article(
        "Braun2004",
        "70, 195345",
        author="Braun, Matthias and König, Jürgen and Martinek, Jan",
        title="Theory of transport through quantum-dot spin valves in the weak-coupling regime",
        journal="Physical Review B",
        volume="70",
        pages="195345",
        year="2004",
    ),
    _article(
        "VanDerWiel2003",
        "75, 1 (2003)",
        author="van der Wiel, W. G. and De Franceschi, S. and Elzerman, J. M. and Fujisawa, T. and Tarucha, S. and "
        "Kouwenhoven, L. P.",
        title="Electron transport through double quantum dots",
        journal="Reviews of Modern Physics",
        volume="75",
        pages="1--22",
        year="2003",
    ),
    _article(
        "Sanchez2011",
        "83, 085428",
        author="Sánchez, Rafael and Büttiker, Markus",
        title="Optimal energy quanta to current conversion",
        journal="Physical Review B",
        volume="83",
        pages="085428",
        year="2011",
    ),
    _article(
        "Zhang2021",
        "104, 064142",
        author="Zhang, Y. and Xie, Z.",
        title="Inverse currents in Coulomb-coupled quantum dots",
        journal="Physical Review E",
        volume="104",
        pages="064142",
        year="2021",
    ),
    _article(
        "Rutten2009",
        "80, 235122",
        author="Rutten, B. and Esposito, M. and Cleuren, B.",
        title="Reaching optimal efficiencies using nanosized photoelectric devices",
        journal="Physical Review B",
        volume="80",
        pages="235122",
        year="2009",
    ),
    _article(
        "Sothmann2015",
        "032001 (2015)",
        author="Sothmann, Björn and Sánchez, Rafael and Jordan, Andrew N.",
        title="Thermoelectric energy harvesting with quantum dots",
        journal="Nanotechnology",
        volume="26",
        pages="032001",
        year="2015",
    ),
    _article(
        "Bagrets2003",
        "67, 085316",
        author="Bagrets, D. A. and Nazarov, Yu. V.",
        title="Full counting statistics of charge transfer in Coulomb blockade systems",
        journal="Physical Review B",
        volume="67",
        pages="085316",
        year="2003",
    ),
    _article(
        "Flindt2010",
        "82, 155407",
        author="Flindt, Christian and Novotny, Tomas and Braggio, Alessandro and Jauho, Antti-Pekka",
        title="Counting statistics of transport through Coulomb blockade nanostructures: High-order cumulants and "
        "non-Markovian effects",
        journal="Physical Review B",
        volume="82",
        pages="155407",
        year="2010",
    ),
    Reference(
        "Schaller2014",
        "book",
        "Schaller, Open Quantum Systems",
        {
            "author": "Schaller, Gernot",
            "title": "Open Quantum Systems Far from Equilibrium",
            "publisher": "Springer",
            "year": "2014",
        },
    ),
    Reference(
        "Ghosh2026",
        "misc",
        "arXiv:2603.06336",
        {
            "author": "Ghosh, Shuvadip and Ghosh, Arnab",
            "title": "Thermodynamics of Quantum Coupled Transport",
            "year": "2026",
            "eprint": "2603.06336",
            "archiveprefix": "arXiv",
        },
    ),
    _article(
        "Buttiker1986",
        "B 33, 3020",
        author="Büttiker, Markus",
        title="Role of quantum coherence in series resistors",
        journal="Physical Review B",
        volume="33",
        pages="3020--3026",
        year="1986",
        doi="10.1103/PhysRevB.33.3020",
    ),
    _article(
        "Blanter2000",
        "Rep. 336, 1",
        author="Blanter, Yaroslav M. and Büttiker, Markus",
        title="Shot noise in mesoscopic conductors",
        journal="Physics Reports",
        volume="336",
        pages="1--166",
        year="2000",
        doi="10.1016/S0370-1573(99)00123-4",
    ),
    _article(
        "Christen1996",
        "Lett. 35, 523",
        author="Christen, Thomas and Büttiker, Markus",
        title="Gauge-invariant nonlinear electric transport in mesoscopic conductors",
        journal="Europhysics Letters",
        volume="35",
        pages="523--528",
        year="1996",
    ),
    _article(
        "Aharonov1959",
        "Rev. 115, 485",
        author="Aharonov, Y. and Bohm, D.",
        title="Significance of electromagnetic potentials in the quantum theory",
        journal="Physical Review",
        volume="115",
        pages="485--491",
        year="1959",
    ),
    _article(
        "Manzano2020",
        "Res. 2, 043302",
        author="Manzano, Gonzalo and Sánchez, Rafael and Silva, Ralph and Haack, Géraldine and Brask, Jonatan B. and "
        "Brunner, Nicolas and Potts, Patrick P.",
        title="Hybrid thermal machines: Generalized thermodynamic resources for multitasking",
        journal="Physical Review Research",
        volume="2",
        pages="043302",
        year="2020",
    ),
    _article(
        "Mehring2024",
        "109, 085418",
        author="Mehring, Erika L. and Bustos-Marún, Raúl A. and Calvo, Hernán L.",
        title="Hysteresis and effective reciprocity breaking due to current-induced forces",
        journal="Physical Review B",
        volume="109",
        pages="085418",
        year="2024",
    ),
    _article(
        "Fisher1981",
        "23, 6851",
        author="Fisher, Daniel S. and Lee, Patrick A.",
        title="Relation between conductivity and transmission matrix",
        journal="Physical Review B",
        volume="23",
        pages="6851",
        year="1981",
    ),
    _article(
        "Whitney2014",
        "Lett. 112, 130601",
        author="Whitney, Robert S.",
        title="Most efficient quantum thermoelectric at finite power output",
        journal="Physical Review Letters",
        volume="112",
        pages="130601",
        year="2014",
    ),
    _article(
        "Benenti2017",
        "Rep. 694, 1",
        author="Benenti, Giuliano and Casati, Giulio and Saito, Keiji and Whitney, Robert S.",
        title="Fundamental aspects of steady-state conversion of heat to work at the nanoscale",
        journal="Physics Reports",
        volume="694",
        pages="1--124",
        year="2017",
    ),
    _article(
        "Buttiker1984",
        "PRA 30, 1982",
        author="Büttiker, M. and Imry, Y. and Azbel, M. Ya.",
        title="Quantum oscillations in one-dimensional normal-metal rings",
        journal="Physical Review A",
        volume="30",
        pages="1982--1989",
        year="1984",
    ),
    _article(
        "Buttiker1988",
        "Dev. 32, 63",
        author="Büttiker, M.",
        title="Coherent and sequential tunneling in series barriers",
        journal="IBM Journal of Research and Development",
        volume="32",
        pages="63--75",
        year="1988",
    ),
    _article(
        "Buttiker1990",
        "PRB 41, 7906",
        author="Büttiker, M.",
        title="Quantized transmission of a saddle-point constriction",
        journal="Physical Review B",
        volume="41",
        pages="7906--7909",
        year="1990",
    ),
    _article(
        "Buttiker1994",
        "B 94, 133",
        author="Büttiker, M. and Thomas, H. and Prêtre, A.",
        title="Current partition in multiprobe conductors in the presence of slowly oscillating external potentials",
        journal="Zeitschrift für Physik B",
        volume="94",
        pages="133--137",
        year="1994",
    ),
    _article(
        "Fertig1987",
        "PRB 36, 7969",
        author="Fertig, H. A. and Halperin, B. I.",
        title="Transmission coefficient of an electron through a saddle-point potential in a magnetic field",
        journal="Physical Review B",
        volume="36",
        pages="7969--7976",
        year="1987",
    ),
    _article(
        "Josefsson2018",
        "Nanotechnology 13, 920",
        author="Josefsson, Martin and others",
        title="A quantum-dot heat engine operating close to the thermodynamic efficiency limits",
        journal="Nature Nanotechnology",
        volume="13",
        pages="920--924",
        year="2018",
    ),
    _article(
        "Wellstood1994",
        "B 49, 5942",
        author="Wellstood, F. C. and Urbina, C. and Clarke, John",
        title="Hot-electron effects in metals",
        journal="Physical Review B",
        volume="49",
        pages="5942--5955",
        year="1994",
    ),
    _article(
        "Engquist1981",
        "B 24, 1151",
        author="Engquist, H.-L. and Anderson, P. W.",
        title="Definition and measurement of the electrical and thermal resistances",
        journal="Physical Review B",
        volume="24",
        pages="1151--1154",
        year="1981",
        doi="10.1103/PhysRevB.24.1151",
    ),
    _article(
        "Grassmann1985",
        "Oper. Res. 33, 1107",
        author="Grassmann, Winfried K. and Taksar, Michael I. and Heyman, Daniel P.",
        title="Regenerative Analysis and Steady State Distributions for Markov Chains",
        journal="Operations Research",
        volume="33",
        pages="1107--1116",
        year="1985",
        doi="10.1287/opre.33.5.1107",
    ),
    _article(
        "Fritsch1984",
        "Comput. 5, 300",
        author="Fritsch, F. N. and Butland, J.",
        title="A Method for Constructing Local Monotone Piecewise Cubic Interpolants",
        journal="SIAM Journal on Scientific and Statistical Computing",
        volume="5",
        pages="300--304",
        year="1984",
        doi="10.1137/0905021",
    ),
)
"""The literature of the physics and of its methods."""

SOFTWARE = (
    Reference(
        "mesotherm",
        "software",
        "",
        {
            "author": "{The mesotherm developers}",
            "title": "mesotherm: nonlinear thermoelectric transport in nanodevices",
            "version": __version__,
            "license": "Apache-2.0",
            "year": "2026",
        },
    ),
    Reference(
        "Bradbury2018",
        "software",
        "",
        {
            "author": "Bradbury, James and Frostig, Roy and Hawkins, Peter and Johnson, Matthew James and Leary, Chris "
            "and Maclaurin, Dougal and Necula, George and Paszke, Adam and VanderPlas, Jake and Wanderman-Milne, Skye "
            "and Zhang, Qiao",
            "title": "{JAX}: composable transformations of {Python+NumPy} programs",
            "year": "2018",
        },
    ),
    Reference(
        "Kidger2021",
        "misc",
        "",
        {
            "author": "Kidger, Patrick and Garcia, Cristian",
            "title": "{Equinox}: neural networks in {JAX} via callable {PyTrees} and filtered transformations",
            "eprint": "2111.00254",
            "archivePrefix": "arXiv",
            "year": "2021",
        },
    ),
    Reference(
        "Rader2024",
        "misc",
        "",
        {
            "author": "Rader, Jason and Lyons, Terry and Kidger, Patrick",
            "title": "{Optimistix}: modular optimisation in {JAX} and {Equinox}",
            "eprint": "2402.09983",
            "archivePrefix": "arXiv",
            "year": "2024",
        },
    ),
)
"""The library itself and the software it computes with; always cited."""


def cited(used: Iterable[Any]) -> list[Reference]:
    """What classes and functions rest on by their docstrings, those of their bases and of their modules; software
    last."""
    texts = []
    for one in used:
        for base in one.__mro__ if isinstance(one, type) else (one,):
            texts += [sources(base), sources(sys.modules.get(base.__module__))]
    return named_in(*texts)


def named_in(*texts: str) -> list[Reference]:
    """What texts cite by their marks; software last."""
    return [*(reference for reference in REFERENCES if any(reference.mark in text for text in texts)), *SOFTWARE]


def rests_on(setup: Setup, experiment: AbstractExperiment) -> list[Reference]:
    """What a run rests on: its device with every part, its unknowns, its experiment."""
    return cited([*_with_parts(setup.device), *map(type, setup.unknowns), type(experiment)])


def _with_parts(component: Component) -> Iterator[type]:
    yield type(component)
    for inner in components_in(component).values():
        yield from _with_parts(inner)


def by_key(keys: Iterable[str]) -> list[Reference]:
    """References by their keys, in the order of the literature; unknown keys are left out."""
    wanted = set(keys)
    return [reference for reference in (*REFERENCES, *SOFTWARE) if reference.key in wanted]
