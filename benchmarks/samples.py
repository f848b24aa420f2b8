"""Samples of repeated measurements, taken in interleaved rounds: median and range."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import TypeVar

Key = TypeVar("Key")


@dataclass(frozen=True)
class Sample:
    """Repeated measurements of one value."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """Return the median."""
        return median(self.values)

    def shown(self, decimals: int = 0, scale: float = 1.0) -> str:
        """Return median and range as text."""
        middle, low, high = (
            f"{value * scale:,.{decimals}f}"
            for value in (self.median, min(self.values), max(self.values))
        )
        return middle if low == high else f"{middle} ({low} to {high})"


def interleaved(
    measure: Mapping[Key, Callable[[], float | None]], rounds: int
) -> dict[Key, Sample]:
    """Measure each in turn, repeatedly: A B C A B C; leave out measures that return None."""
    taken: dict[Key, list[float]] = {key: [] for key in measure}
    for _ in range(rounds):
        for key, once in measure.items():
            value = once()
            if value is not None:
                taken[key].append(value)
    return {key: Sample(tuple(values)) for key, values in taken.items() if values}


def ratio(one: Sample | None, other: Sample | None) -> float | None:
    """Return the ratio of two medians, or None if either was not measured."""
    return one.median / other.median if one and other and other.median else None


def best(samples: Iterable[Sample | None], *, highest: bool = True) -> Sample | None:
    """Return the sample with the highest (lowest) median."""
    known = [sample for sample in samples if sample is not None]
    if not known:
        return None
    return (max if highest else min)(known, key=lambda sample: sample.median)
