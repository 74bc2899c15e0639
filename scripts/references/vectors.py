"""Distributions over vectors."""

import numpy as np
from scipy import stats

from .core import Multivariate


def independent_normal(loc, scale):
    """Normal entries of any shape, as one event."""
    frozen, scale = stats.norm(loc, scale), np.array(scale)
    points = [frozen.ppf(np.full(scale.shape, q)) for q in (0.01, 0.3, 0.8)] + [np.array(loc) + 30 * scale]
    return Multivariate(
        lambda x: np.sum(frozen.logpdf(x)),
        points,
        mean=frozen.mean(),
        variance=frozen.var(),
        entropy=np.sum(frozen.entropy()),
        covariance=np.diag(frozen.var().ravel()),
    )


# The library's Normal with its last axis as an event.
FAMILIES = {
    "Normal (vectors)": (
        independent_normal,
        [([0, 1.5], [1, 0.5]), ([3, -2, 0.25], [0.5, 2, 1]), ([0, 1e10], [1e-10, 1e10])],
        lambda loc, scale: [],
    ),
}
