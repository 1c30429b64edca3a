"""Categories that datasets store as small integers: each a name and a sentence."""

import enum


class Flag(enum.IntEnum):
    """A category. The integer is what a dataset stores, the sentence is what a person reads; ``Flag(code)`` explains a
    stored code. Codes are part of the file format: members are only ever added."""

    sentence: str
    """What it means."""

    def __new__(cls, code: int, sentence: str):
        member = int.__new__(cls, code)
        member._value_ = code
        member.sentence = sentence
        return member

    @property
    def label(self) -> str:
        """Its name in tables, files and figures."""
        return self.name.lower()
