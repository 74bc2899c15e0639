"""Normal distributions and what is made of them."""

import math

from scipy import special, stats

from .core import Continuous


def log_normal(loc, scale):
    # (exp(s^2) - 1) exp(2 m + s^2): scipy's loses all digits for small s.
    variance = math.expm1(scale**2) * math.exp(2 * loc + scale**2)
    return Continuous(stats.lognorm(s=scale, scale=math.exp(loc)), variance=variance)


def half_normal(scale):
    # scipy's ppf adds 1 to a small probability and loses its digits.
    quantile = lambda q: scale * math.sqrt(2.0) * special.erfinv(q)
    return Continuous(stats.halfnorm(scale=scale), lower_quantile=quantile)


FAMILIES = {
    "Normal": (
        lambda loc, scale: Continuous(stats.norm(loc, scale)),
        [(0, 1), (-1.5, 0.5), (1000, 3), (0, 1e-10), (3, 1e10), (0.25, 1e-3)],
        lambda loc, scale: [loc - 36 * scale, loc + 30 * scale],
    ),
    "LogNormal": (
        log_normal,
        [(0, 1), (-1.5, 0.5), (2, 5), (20, 1e-3), (-20, 2)],
        lambda loc, scale: [-1, 0, math.exp(loc - 9 * scale), math.exp(loc + 9 * scale)],
    ),
    "HalfNormal": (
        half_normal,
        [(1,), (0.25,), (1e-10,), (1e10,)],
        lambda scale: [-scale, 0, 1e-15 * scale, 30 * scale],
    ),
}
