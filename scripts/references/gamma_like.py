"""Gamma, beta and what is made of them."""

from scipy import stats

from .core import Continuous

FAMILIES = {
    "Exponential": (
        lambda rate: Continuous(stats.expon(scale=1 / rate)),
        [(1,), (3.5,), (1e-10,), (1e10,)],
        lambda rate: [-1 / rate, 0, 1e-15 / rate, 500 / rate],
    ),
}
