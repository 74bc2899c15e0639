"""Distributions over matrices, and over vectors with a matrix for a parameter."""

import math

import mpmath
import numpy as np
from scipy import stats

from .core import Multivariate

from .vectors import independent_normal


def multivariate_normal(loc, covariance, around=None):
    """Points at a few standard deviations along the axes of the covariance's factor."""
    loc, covariance = np.array(loc), np.array(covariance)
    factor = np.linalg.cholesky(covariance)
    steps = [np.zeros(len(loc)), np.ones(len(loc)), np.linspace(-2, 3, len(loc)), 8 * (-1.0) ** np.arange(len(loc))]
    frozen = stats.multivariate_normal(loc, covariance)
    # By the factor: scipy's eigenvalues lose digits of badly scaled matrices.
    log_det = 2 * np.sum(np.log(np.diag(factor)))

    def log_prob(x):
        z = np.linalg.solve(factor, x - loc)
        value = -0.5 * (z @ z + log_det + len(loc) * math.log(2 * math.pi))
        assert math.isclose(value, frozen.logpdf(x), rel_tol=1e-6)
        return value

    return Multivariate(
        log_prob,
        [loc + factor @ step for step in steps],
        mean=loc,
        variance=np.diag(covariance),
        entropy=float(frozen.entropy()),
        covariance=covariance,
    )


def factor_of(loc, scale_tril):
    scale_tril = np.array(scale_tril)
    return multivariate_normal(loc, scale_tril @ scale_tril.T)


def precision_of(loc, precision):
    return multivariate_normal(loc, np.linalg.inv(np.array(precision)))


def precise(matrix):
    """A matrix, or a vector as a column, of mpmath's numbers."""
    return mpmath.matrix(np.asarray(matrix, dtype=float).tolist())


def low_rank_multivariate_normal(loc, cov_factor, cov_diag):
    """By the full covariance, with mpmath's 50 digits."""
    factor, n = precise(cov_factor), len(loc)
    covariance = factor * factor.T + mpmath.diag([mpmath.mpf(d) for d in cov_diag])
    inverse, log_det = mpmath.inverse(covariance), mpmath.log(mpmath.det(covariance))

    def log_prob(x):
        z = precise(x) - precise(loc)
        return -((z.T * inverse * z)[0] + log_det + n * mpmath.log(2 * mpmath.pi)) / 2

    steps = [np.zeros(n), np.ones(n), np.linspace(-2, 3, n), 8 * (-1.0) ** np.arange(n), np.full(n, 1e3)]
    scale = np.sqrt(np.array([float(covariance[i, i]) for i in range(n)]))
    full = np.array(covariance.tolist(), dtype=float)
    return Multivariate(
        log_prob,
        [np.array(loc) + step * scale for step in steps],
        mean=loc,
        variance=np.diag(full),
        entropy=float((log_det + n * (1 + mpmath.log(2 * mpmath.pi))) / 2),
        covariance=full,
    )


LOW_RANK = [
    ([0, 1.5], [[1], [-0.5]], [0.5, 2]),
    ([3, -2, 0.25], [[1, 0.5], [-0.25, 2], [0.75, -1.5]], [0.25, 1, 0.5]),
    ([0.5, -1], [[1, 0.25, -2], [0.5, 1.5, 1]], [1, 0.25]),
    ([1, 2, 3, 4], [[100], [50], [-25], [0]], [1e-4, 1e-4, 1, 1e4]),
    ([0, 0, 0], [[1, 1], [2, 2], [3, 3.015625]], [1e-3, 1e-3, 1e-3]),
]
MATRICES = [
    ([0, 1.5], [[2, 0.5], [0.5, 1]]),
    ([3, -2, 0.25], [[1, 0.5, -0.25], [0.5, 2, 0.75], [-0.25, 0.75, 1.5]]),
    ([100, -100], [[1, 0.9375], [0.9375, 1]]),
    ([0.5], [[4]]),
]
FACTORS = [
    ([0, 1.5], [[2, 0], [0.5, 1]]),
    ([3, -2, 0.25], [[1, 0, 0], [0.5, 2, 0], [-0.25, 0.75, 1.5]]),
    ([1, 2], [[64, 0], [-3, 0.0625]]),
    ([0.5], [[4]]),
]

# The library's Normal with its last two axes as an event.
FAMILIES = {
    "Normal (matrices)": (
        independent_normal,
        [([[0, 1.5], [2, -1]], [[1, 0.5], [2, 3]]), ([[3, -2, 0.25]], [[0.5, 2, 1]])],
        lambda loc, scale: [],
    ),
    "MultivariateNormal": (multivariate_normal, MATRICES, lambda loc, matrix: []),
    "MultivariateNormal (precision)": (precision_of, MATRICES, lambda loc, matrix: []),
    "MultivariateNormal (scale_tril)": (factor_of, FACTORS, lambda loc, matrix: []),
    "LowRankMultivariateNormal": (low_rank_multivariate_normal, LOW_RANK, lambda loc, factor, diagonal: []),
}
