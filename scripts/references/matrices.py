"""Distributions over matrices, and over vectors with a matrix for a parameter."""

import math

import mpmath
import numpy as np
from scipy import stats

from .core import Multivariate, single

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


def mean_and_covariance(mean, covariance, n):
    """Mean, variance and covariance of the entries of n × n matrices, the last from four indices."""
    pairs = [(i, j) for i in range(n) for j in range(n)]
    full = np.array([[float(covariance(*p, *q)) for q in pairs] for p in pairs])
    return dict(mean=mean, variance=np.diag(full).reshape(n, n), covariance=full)


def digamma_sum(a, n):
    """The derivative of the multivariate gamma function's logarithm."""
    return mpmath.fsum(mpmath.digamma(a - mpmath.mpf(i) / 2) for i in range(n))


def log_multigamma(a, n):
    sum = mpmath.fsum(mpmath.loggamma(a - mpmath.mpf(i) / 2) for i in range(n))
    return mpmath.mpf(n * (n - 1)) / 4 * mpmath.log(mpmath.pi) + sum


def is_positive_definite(x):
    return np.array_equal(x, x.T) and all(mpmath.det(precise(x[:k, :k])) > 0 for k in range(1, len(x) + 1))


def near(scale, sizes):
    """Symmetric matrices of these sizes whose axes are not those of the scale."""
    scale = np.array(scale, dtype=float)
    n = len(scale)
    tilted = np.eye(n) + 0.5 * np.tri(n, k=-1) - 0.25 * np.tri(n, k=-1).T
    shapes = [scale, np.linalg.cholesky(scale) @ tilted @ tilted.T @ np.linalg.cholesky(scale).T, np.eye(n)]
    points = [size * shape for size in sizes for shape in shapes]
    return [(x + x.T) / 2 for x in points]


def wishart(df, covariance_matrix):
    v, n, df = precise(covariance_matrix), len(covariance_matrix), mpmath.mpf(df)
    inverse, log_det = mpmath.inverse(v), mpmath.log(mpmath.det(v))
    entry = lambda i, j: float(v[i, j])
    norm = df * n / 2 * mpmath.log(2) + df / 2 * log_det + log_multigamma(df / 2, n)

    def log_prob(x):
        if not is_positive_definite(x):
            return -math.inf
        x = precise(x)
        trace = mpmath.fsum((inverse * x)[i, i] for i in range(n))
        return (df - n - 1) / 2 * mpmath.log(mpmath.det(x)) - trace / 2 - norm

    psi = digamma_sum(df / 2, n)
    log_x = psi + n * mpmath.log(2) + log_det
    value = stats.wishart(float(df), np.array(covariance_matrix))
    points = near(covariance_matrix, [float(df), 0.5 * float(df), 0.125, 40 + 3 * float(df)])
    assert math.isclose(log_prob(points[1]), value.logpdf(points[1]), rel_tol=1e-5)
    return Multivariate(
        log_prob,
        points,
        entropy=float(norm - (df - n - 1) / 2 * log_x + df * n / 2),
        **mean_and_covariance(
            float(df) * np.array(covariance_matrix),
            lambda i, j, k, l: float(df) * (entry(i, k) * entry(j, l) + entry(i, l) * entry(j, k)),
            n,
        ),
    )


def wishart_of_factor(df, scale_tril):
    return wishart(df, product(scale_tril))


def wishart_of_precision(df, precision):
    return wishart(df, mpmath.inverse(precise(precision)).tolist())


def product(scale_tril):
    """L Lᵀ to all digits."""
    factor = precise(scale_tril)
    return (factor * factor.T).tolist()


def inverse_wishart(df, scale_matrix):
    psi, n, df = precise(scale_matrix), len(scale_matrix), mpmath.mpf(df)
    log_det = mpmath.log(mpmath.det(psi))
    entry = lambda i, j: float(psi[i, j])
    norm = df * n / 2 * mpmath.log(2) + log_multigamma(df / 2, n) - df / 2 * log_det

    def log_prob(x):
        if not is_positive_definite(x):
            return -math.inf
        x = precise(x)
        trace = mpmath.fsum((psi * mpmath.inverse(x))[i, i] for i in range(n))
        return -(df + n + 1) / 2 * mpmath.log(mpmath.det(x)) - trace / 2 - norm

    log_x = log_det - digamma_sum(df / 2, n) - n * mpmath.log(2)
    value = stats.invwishart(float(df), np.array(scale_matrix))
    points = near(scale_matrix, [1 / float(df), 0.5 / float(df), 0.5, 30])
    assert math.isclose(log_prob(points[1]), value.logpdf(points[1]), rel_tol=1e-5)
    # von Rosen (1988).
    rest = float(df) - n - 1

    def covariance(i, j, k, l):
        several = rest * (entry(i, k) * entry(j, l) + entry(i, l) * entry(j, k))
        return (2 * entry(i, j) * entry(k, l) + several) / ((rest + 1) * rest**2 * (rest - 2))

    return Multivariate(
        log_prob,
        points,
        entropy=float(norm + (df + n + 1) / 2 * log_x + df * n / 2),
        **mean_and_covariance(np.array(scale_matrix) / rest, covariance, n),
    )


def inverse_wishart_of_factor(df, scale_tril):
    return inverse_wishart(df, product(scale_tril))


def multivariate_student_t(df, loc, scale_tril):
    factor, n, df = precise(scale_tril), len(loc), mpmath.mpf(df)
    scale = factor * factor.T
    inverse, log_det, all = mpmath.inverse(scale), mpmath.log(mpmath.det(scale)), (df + n) / 2
    ratio = mpmath.loggamma(all) - mpmath.loggamma(df / 2)
    norm = log_det / 2 + n * mpmath.log(mpmath.pi * df) / 2 - ratio

    def log_prob(x):
        if np.any(np.isinf(x)):
            return -math.inf
        z = precise(x) - precise(loc)
        return -norm - all * mpmath.log1p((z.T * inverse * z)[0] / df)

    plain = np.array(scale_tril)
    steps = [np.zeros(n), np.ones(n), np.linspace(-2, 3, n), 8 * (-1.0) ** np.arange(n), np.full(n, 1e6)]
    frozen = stats.multivariate_t(loc, plain @ plain.T, float(df))
    points = [np.array(loc) + plain @ step for step in steps]
    assert math.isclose(log_prob(points[2]), frozen.logpdf(points[2]), rel_tol=1e-5)
    covariance = None if df <= 2 else plain @ plain.T * float(df / (df - 2))
    return Multivariate(
        log_prob,
        points,
        mean=loc,
        variance=np.full(n, math.inf) if covariance is None else np.diag(covariance),
        entropy=float(norm + all * (mpmath.digamma(all) - mpmath.digamma(df / 2))),
        covariance=covariance,
    )


def unit_row(numbers):
    """The numbers and the diagonal that makes their squares add up to 1, all exact in single precision
    and nearly so the sum: the last one moves a little."""
    row, step = [single(x) for x in numbers], np.float32(numbers[-1] if numbers else 0)
    while True:
        last = single(math.sqrt(1 - sum(x * x for x in row)))
        if abs(sum(x * x for x in row) + last * last - 1) < 1e-10:
            return row + [last]
        step = np.nextafter(step, np.float32(0))
        row[-1] = float(step)


def correlation_factor(*rows):
    """A factor from the numbers below its diagonal."""
    n = len(rows) + 1
    return [row + [0.0] * (n - len(row)) for row in map(unit_row, [[], *rows])]


FACTORS_OF_CORRELATION = {
    1: [[[1.0]], [[1.0]]],
    2: [correlation_factor([x]) for x in (0.25, -0.75, 1e-3, 0.96875)],
    3: [
        correlation_factor([0.5], [-0.25, 0.625]),
        correlation_factor([-0.125], [0.0625, 0.25]),
        correlation_factor([1e-3], [-2e-3, 1e-3]),
        correlation_factor([0.9375], [0.75, -0.5]),
    ],
    4: [
        correlation_factor([0.5], [-0.25, 0.625], [0.125, -0.375, 0.75]),
        correlation_factor([-0.75], [0.25, 0.25], [0.5, 0.5, 0.25]),
    ],
}


def lkj_edges(shape, concentration):
    """No factors, and some near the singular ones where gradients are not compared with differences."""
    near = {2: [correlation_factor([0.9990234375])], 3: [correlation_factor([-0.999], [0.7, 0.7])]}
    return (NO_FACTORS if len(shape) == 2 else []) + (near[len(shape)] if concentration in single([1e-3, 1e6]) else [])


def lkj_cholesky(shape, concentration):
    """The diagonal's square of row i has the beta distribution of a and i / 2, and the density of its other
    numbers is that of a Pearson type II distribution in the unit ball. `shape` is a matrix of ones."""
    n, concentration = len(shape), mpmath.mpf(concentration)
    rows = [(i, concentration + mpmath.mpf(n - 1 - i) / 2, mpmath.mpf(i) / 2) for i in range(1, n)]
    norms = [h * mpmath.log(mpmath.pi) + mpmath.loggamma(a) - mpmath.loggamma(a + h) for _, a, h in rows]

    def log_prob(x):
        unit = np.all(np.abs(np.sum(x * x, axis=1) - 1) < 1e-9)
        if np.any(np.triu(x, 1) != 0) or np.any(np.diag(x) <= 0) or not unit:
            return -math.inf
        return mpmath.fsum((2 * a - 2) * mpmath.log(mpmath.mpf(x[i, i])) for i, a, _ in rows) - mpmath.fsum(norms)

    mean, variance = np.zeros((n, n)), np.zeros((n, n))
    mean[0, 0] = 1.0
    for i, a, h in rows:
        root = mpmath.exp(sum(s * mpmath.loggamma(x) for s, x in [(1, a + 0.5), (-1, a), (1, a + h), (-1, a + h + 0.5)]))
        mean[i, i], variance[i, i] = float(root), float(a / (a + h) - root**2)
        variance[i, :i] = float(1 / (2 * (a + h)))
    logs = mpmath.fsum((a - 1) * (mpmath.digamma(a) - mpmath.digamma(a + h)) for _, a, h in rows)
    return Multivariate(
        log_prob,
        FACTORS_OF_CORRELATION[n],
        mean=mean,
        variance=variance,
        entropy=float(mpmath.fsum(norms) - logs),
        covariance=np.diag(variance.ravel()),
    )


def ones(n):
    return [[1.0] * n] * n


SPREADS = [[[2, 0.5], [0.5, 1]], [[1, -0.25], [-0.25, 0.5]], [[100, -9.5], [-9.5, 1]], [[1e-6, 0], [0, 1e6]]]
LARGE_SPREADS = [
    [[1, 0.5, -0.25], [0.5, 2, 0.75], [-0.25, 0.75, 1.5]],
    [[4, 0, 1], [0, 1, 0.25], [1, 0.25, 0.5]],
    [[1, 0.96875, 0], [0.96875, 1, 0], [0, 0, 1]],
]
LARGE_FACTORS = [
    [[1, 0, 0], [0.5, 2, 0], [-0.25, 0.75, 1.5]],
    [[2, 0, 0], [0.25, 1, 0], [-1, 0.5, 0.75]],
    [[64, 0, 0], [-3, 0.0625, 0], [1, 1, 1]],
]


def edges(df, matrix):
    """Nearly singular and very large matrices for badly scaled parameters, what is outside else."""
    return near(matrix, [1e-8, 1e8]) if single(matrix) == single(SPREADS[3]) else NO_SPREADS


# No symmetric matrix, an indefinite one, a singular one, the negative definite one.
NO_SPREADS = [[[1, 0.5], [0.25, 1]], [[1, 2], [2, 1]], [[1, 1], [1, 1]], [[-1, 0], [0, -1]]]
NO_FACTORS = [[[1, 0], [0.5, 0.5]], [[1, 0], [0, -1]], [[1, 0.5], [0, 1]], [[1, 0], [1, 0]], [[2, 0], [0, 1]]]

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
    "MultivariateStudentT": (
        multivariate_student_t,
        [
            (10, *FACTORS[0]),
            (12.5, *FACTORS[1]),
            (1.5, *FACTORS[0]),
            (2.25, *FACTORS[2]),
            (1e8, *FACTORS[1]),
            (30, *FACTORS[3]),
        ],
        lambda df, loc, factor: [[math.inf] + loc[1:]],
    ),
    "Wishart": (
        wishart,
        [(5, SPREADS[0]), (1.75, SPREADS[1]), (12.5, SPREADS[2]), (1.0625, SPREADS[0]), (1e8, SPREADS[0]), (3, SPREADS[3])],
        edges,
    ),
    "Wishart (precision)": (
        wishart_of_precision,
        [(4, LARGE_SPREADS[0]), (7.5, LARGE_SPREADS[1]), (3, LARGE_SPREADS[2])],
        lambda df, matrix: [],
    ),
    "Wishart (scale_tril)": (
        wishart_of_factor,
        [(4, LARGE_FACTORS[0]), (7.5, LARGE_FACTORS[1]), (2.125, LARGE_FACTORS[2]), (1e6, LARGE_FACTORS[0])],
        lambda df, matrix: [],
    ),
    "InverseWishart": (
        inverse_wishart,
        [(20, SPREADS[0]), (24.5, SPREADS[1]), (6, SPREADS[2]), (5.0625, SPREADS[0]), (1e8, SPREADS[0]), (7, SPREADS[3])],
        edges,
    ),
    "InverseWishart (scale_tril)": (
        inverse_wishart_of_factor,
        [(24, LARGE_FACTORS[0]), (30.5, LARGE_FACTORS[1]), (6.5, LARGE_FACTORS[2]), (1e6, LARGE_FACTORS[0])],
        lambda df, matrix: [],
    ),
    "LKJCholesky": (
        lkj_cholesky,
        [(ones(2), 1), (ones(3), 2.5), (ones(3), 0.5), (ones(4), 1.5), (ones(3), 1e-3), (ones(2), 1e6), (ones(1), 2)],
        lkj_edges,
    ),
}
