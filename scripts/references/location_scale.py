"""Distributions with a location and a scale, and those on an interval or a circle."""

from scipy import stats

from .core import Continuous

FAMILIES = {
    "HalfCauchy": (
        lambda scale: Continuous(stats.halfcauchy(scale=scale)),
        [(1,), (5,), (1e-10,), (1e10,)],
        lambda scale: [-scale, 0, 1e-15 * scale, 1e20 * scale],
    ),
    "Uniform": (
        lambda low, high: Continuous(stats.uniform(low, high - low)),
        [(0, 1), (-2, 0.5), (1000, 1000.25), (0, 1e-10), (-1e10, 1e10)],
        lambda low, high: [2 * low - high, 2 * high - low, low, high],
    ),
}
