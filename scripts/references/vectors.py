"""Distributions over vectors."""

import itertools
import math

import mpmath
import numpy as np
from mpmath import mpf
from scipy import stats

from .core import Multivariate
from .count_sums import stretch


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


def exact(xs):
    return [mpf(float(x)) for x in xs]


def log(x):
    return mpmath.log(x) if x > 0 else -mpmath.inf


def proportions(weights):
    """Rows of the simplex that sum to 1 exactly in single precision: multiples of 2^-20."""
    total = sum(weights)
    units = [math.floor(w / total * 2**20) for w in weights]
    units[units.index(max(units))] += 2**20 - sum(units)
    return [u / 2**20 for u in units]


def simplex_points(n):
    """Inside, near a corner, and for five or more in tails that leave the sum within rounding."""
    rows = [proportions(w) for w in ([1] * n, range(1, n + 1), [2 ** (3 * k) for k in range(n)])]
    if n > 4:
        rows += [[2**-20] * (n - 1) + [1 - (n - 1) * 2**-20]]
        rows += [[1e-30, 1e-12] + proportions([1] * (n - 2)), [1e-37, 1e-30] + proportions(range(1, n - 1))]
    return rows + [[1 - 2**-20] + [0] * (n - 2) + [2**-20]]


def covariance_of(mean, factor):
    m = np.array(mean, dtype=float)
    return (np.diag(m) - np.outer(m, m)) * float(factor)


def dirichlet(concentration):
    """mpmath: scipy's loses digits for large concentrations, and wants sums of 1 to the last digit."""
    a = exact(concentration)
    total = mpmath.fsum(a)

    def log_prob(x):
        if min(x) < 0 or abs(mpmath.fsum(exact(x)) - 1) > 1e-8:
            return -mpmath.inf
        terms = [mpf(0) if ak == 1 else (ak - 1) * log(xk) for ak, xk in zip(a, exact(x))]
        if -mpmath.inf in terms:
            return -mpmath.inf
        return mpmath.fsum(terms) + mpmath.loggamma(total) - mpmath.fsum(map(mpmath.loggamma, a))

    mean = [ak / total for ak in a]
    entropy = mpmath.fsum([mpmath.loggamma(ak) - (ak - 1) * mpmath.digamma(ak) for ak in a])
    entropy += (total - len(a)) * mpmath.digamma(total) - mpmath.loggamma(total)
    near = proportions(concentration)
    return Multivariate(
        log_prob,
        [p for p in simplex_points(len(a)) if 0 not in p] + [near] * (0 not in near),
        mean=[float(m) for m in mean],
        variance=[float(m * (1 - m) / (total + 1)) for m in mean],
        entropy=float(entropy),
        covariance=covariance_of(mean, 1 / (total + 1)),
    )


def normalised(weights, logits):
    """Probabilities with 50 digits."""
    weights = [mpmath.exp(w) if logits else w for w in exact(weights)]
    total = mpmath.fsum(weights)
    return [w / total for w in weights]


def xlogy(x, y):
    return mpf(0) if x == 0 else x * log(y)


def one_hot(weights, logits):
    p = normalised(weights, logits)
    corners = np.eye(len(p)).tolist()
    return Multivariate(
        lambda x: mpmath.fsum(xlogy(xk, pk) for xk, pk in zip(exact(x), p)) if list(x) in corners else -mpmath.inf,
        corners,
        mean=[float(q) for q in p],
        variance=[float(q * (1 - q)) for q in p],
        entropy=float(-mpmath.fsum(xlogy(q, q) for q in p)),
        covariance=covariance_of(p, 1),
    )


def count_points(n, k):
    """All in one category, near equal, and all rows of few counts."""
    if math.comb(n + k - 1, k - 1) <= 12:
        return [list(x) for x in itertools.product(range(n + 1), repeat=k) if sum(x) == n]
    equal = [n // k] * k
    equal[0] += n - sum(equal)
    steps = [1] * (k - 1)
    return [[n] + [0] * (k - 1), [0] * (k - 1) + [n], equal, [n - sum(steps)] + steps]


def binomial_mean(f, n, p):
    """E f(X) of a binomial count: the sum where it is short, and otherwise an integral, which is the same to
    all digits."""
    mean, deviation = n * p, mpmath.sqrt(n * p * (1 - p))
    choose = lambda k: mpmath.loggamma(n + 1) - mpmath.loggamma(k + 1) - mpmath.loggamma(n - k + 1)
    term = lambda k: f(k) * mpmath.exp(choose(k) + xlogy(k, p) + xlogy(n - k, 1 - p))
    if deviation < 100:
        first, last = max(0, int(mean - 16 * deviation - 60)), min(n, int(mean + 16 * deviation + 60))
        return mpmath.fsum(term(mpf(k)) for k in range(first, last + 1))
    cuts = [mean + j * deviation for j in range(-16, 17, 2)]
    return mpmath.fsum(stretch(term, a, b) for a, b in zip(cuts, cuts[1:]))


def multinomial(total_count, weights, logits):
    n, p = int(total_count), normalised(weights, logits)

    def log_prob(x):
        x = exact(x)
        if any(xk < 0 or xk != int(xk) for xk in x) or mpmath.fsum(x) != n:
            return -mpmath.inf
        factorials = mpmath.loggamma(n + 1) - mpmath.fsum(mpmath.loggamma(xk + 1) for xk in x)
        terms = [xlogy(xk, pk) for xk, pk in zip(x, p)]
        return -mpmath.inf if -mpmath.inf in terms else factorials + mpmath.fsum(terms)

    typical = [int(mpmath.nint(n * q)) for q in p]
    typical[typical.index(max(typical))] += n - sum(typical)
    factorials = mpmath.fsum(binomial_mean(lambda k: mpmath.loggamma(k + 1), n, q) for q in p)
    return Multivariate(
        log_prob,
        [typical] + count_points(n, len(p)),
        mean=[float(n * q) for q in p],
        variance=[float(n * q * (1 - q)) for q in p],
        entropy=float(factorials - mpmath.loggamma(n + 1) - n * mpmath.fsum(xlogy(q, q) for q in p)),
        covariance=covariance_of(p, n),
    )


def dirichlet_multinomial(concentration, total_count):
    n, a = int(total_count), exact(concentration)
    total = mpmath.fsum(a)

    def log_prob(x):
        x = exact(x)
        if any(xk < 0 or xk != int(xk) for xk in x) or mpmath.fsum(x) != n:
            return -mpmath.inf
        rising = lambda b, k: mpmath.loggamma(b + k) - mpmath.loggamma(b) - mpmath.loggamma(k + 1)
        return mpmath.fsum(rising(ak, xk) for ak, xk in zip(a, x)) - rising(total, n)

    mean = [ak / total for ak in a]
    factor = n * (total + n) / (total + 1)
    typical = [int(mpmath.nint(n * m)) for m in mean]
    typical[typical.index(max(typical))] += n - sum(typical)
    return Multivariate(
        log_prob,
        [typical] + count_points(n, len(a)),
        mean=[float(n * m) for m in mean],
        variance=[float(factor * m * (1 - m)) for m in mean],
        covariance=covariance_of(mean, factor),
    )


def relaxed(temperature, weights, logits, logarithms):
    """The formula of Maddison, Mnih, Teh 2017; torch's, in double precision, is checked beside it."""
    t, p = mpf(temperature), normalised(weights, logits)
    k = len(p)

    def log_prob(x):
        x = exact(x)
        if not logarithms and (any(v <= 0 for v in x) or abs(mpmath.fsum(x) - 1) > 1e-8):
            return -mpmath.inf
        z = x if logarithms else [mpmath.log(v) for v in x]
        scores = [mpmath.log(pk) - t * zk for pk, zk in zip(p, z)]
        total = mpmath.log(mpmath.fsum(map(mpmath.exp, scores)))
        jacobian = 0 if logarithms else mpmath.fsum(z)
        return mpmath.loggamma(k) + (k - 1) * mpmath.log(t) + mpmath.fsum(scores) - k * total - jacobian

    points = [x for x in simplex_points(k) if 0 not in x]
    if logarithms:
        points = [[math.log(v) for v in x] for x in points] + [[-800.0] * (k - 1) + [0.0]] * (k > 4)
    elif min(p) > 1e-15:  # torch raises smaller probabilities to its epsilon
        against_torch(temperature, weights, logits, points, log_prob)
    return Multivariate(log_prob, points)


def against_torch(temperature, weights, logits, points, log_prob):
    import torch
    from torch.distributions import RelaxedOneHotCategorical

    given = torch.tensor(weights, dtype=torch.float64)
    named = {"logits": given} if logits else {"probs": given}
    theirs = RelaxedOneHotCategorical(torch.tensor(temperature, dtype=torch.float64), **named, validate_args=False)
    for x in points:
        x = np.float32(x).astype(float)
        found = theirs.log_prob(torch.tensor(x, dtype=torch.float64)).item()
        assert abs(found - float(log_prob(x))) < 1e-8 * max(1, abs(found)), (temperature, weights, x)


ONE_HOT_EDGES = lambda weights: [[0.0] * len(weights), [0.5, 0.5] + [0.0] * (len(weights) - 2)]
SIMPLEX_EDGES = lambda w: [[0.75] * len(w), [-0.5, 1.5] + [0.0] * (len(w) - 2)]
PROBS = [[0.25, 0.5, 0.25], [2, 1, 5, 4], [1e-10, 1, 1e-20], [0, 0.5, 0.5]]
LOGITS = [[0, 1, -0.5], [-1, 2, 1.5, 0.25], [1000, 1001, 999], [-50, 0, -30]]

# The library's Normal with its last axis as an event.
FAMILIES = {
    "Normal (vectors)": (
        independent_normal,
        [([0, 1.5], [1, 0.5]), ([3, -2, 0.25], [0.5, 2, 1]), ([0, 1e10], [1e-10, 1e10])],
        lambda loc, scale: [],
    ),
    "Dirichlet": (
        dirichlet,
        [
            ([1, 2, 4],),
            ([0.5, 1.5, 3, 0.75],),
            ([20, 30.5],),
            ([1, 1, 1],),
            ([1e-3, 0.1, 5],),
            ([1e-10, 1e-5, 1e-3],),
            ([1e5, 3e5, 2.5e4],),
            ([1e10, 3e10, 5],),
            ([1e15, 1e15],),
            ([0.5, 1.5, 3, 0.75, 2],),
            ([1e-5, 0.01, 1, 1e3, 1e6],),
        ],
        lambda a: [[0.75] * len(a), [-0.5, 1.5] + [0.0] * (len(a) - 2)],
    ),
    "OneHotCategorical": (lambda w: one_hot(w, False), [(w,) for w in PROBS], ONE_HOT_EDGES),
    "OneHotCategorical (logits)": (lambda w: one_hot(w, True), [(w,) for w in LOGITS], ONE_HOT_EDGES),
    "Multinomial": (
        lambda n, w: multinomial(n, w, False),
        [
            (5, [0.25, 0.5, 0.25]),
            (40, [2, 1, 5, 4]),
            (1, [0.3, 0.7]),
            (0, [0.5, 0.5]),
            (1000000, [0.2, 0.3, 0.5]),
            (16000000, [1, 2, 1e-6]),
            (10, [1e-10, 1, 1e-20]),
            (2000, [1e-4, 1, 3e-5]),
            (4, [0, 0.5, 0.5]),
        ],
        lambda n, w: [[1.0] * len(w), [n + 1.0, -1.0] + [0.0] * (len(w) - 2), [n - 0.5, 0.5] + [0.0] * (len(w) - 2)],
    ),
    "Multinomial (logits)": (
        lambda n, w: multinomial(n, w, True),
        [(5, [0, 1, -0.5]), (40, [-1, 2, 1.5, 0.25]), (100000, [1000, 1001, 999]), (3, [-50, 0, -30]), (7, [-800, 0])],
        lambda n, w: [[1.0] * len(w), [n + 1.0, -1.0] + [0.0] * (len(w) - 2)],
    ),
    "DirichletMultinomial": (
        dirichlet_multinomial,
        [
            ([1, 2, 4], 5),
            ([0.5, 1.5, 3, 0.75], 40),
            ([1, 1], 1),
            ([0.3, 0.7], 0),
            ([1e-10, 1e-3, 2], 10),
            ([1e6, 2e6, 5e5], 1000000),
            ([1e12, 3e12], 20),
            ([0.5, 2, 1e-30], 1000000),
            ([1e9, 3e9, 10], 10000000),
            ([1e-5, 1e15, 1e15], 16000000),
        ],
        lambda a, n: [[1.0] * len(a), [n + 1.0, -1.0] + [0.0] * (len(a) - 2)],
    ),
    "RelaxedOneHotCategorical": (
        lambda t, w: relaxed(t, w, False, False),
        [
            (0.5, [0.25, 0.5, 0.25]),
            (2, [2, 1, 5, 4]),
            (0.05, [0.3, 0.7]),
            (1, [1e-10, 1, 1e-20]),
            (30, [1, 2, 3, 4]),
            (2, [2, 1, 5, 4, 3]),
            (0.1, [2, 1, 5, 4, 1e-3]),
        ],
        lambda t, w: SIMPLEX_EDGES(w),
    ),
    "RelaxedOneHotCategorical (logits)": (
        lambda t, w: relaxed(t, w, True, False),
        [(0.5, [0, 1, -0.5]), (2, [-1, 2, 1.5, 0.25]), (0.1, [1000, 1001, 999]), (0.5, [0, 3, -2, 1, -700])],
        lambda t, w: SIMPLEX_EDGES(w),
    ),
    "ExpRelaxedCategorical": (
        lambda t, w: relaxed(t, w, False, True),
        [(0.5, [0.25, 0.5, 0.25]), (2, [2, 1, 5, 4]), (0.01, [0.3, 0.7]), (2, [2, 1, 5, 4, 3])],
        lambda t, w: [],
    ),
    "ExpRelaxedCategorical (logits)": (
        lambda t, w: relaxed(t, w, True, True),
        [(0.5, [0, 1, -0.5]), (2, [-1, 2, 1.5, 0.25]), (0.1, [1000, 1001, 999]), (0.5, [0, 3, -2, 1, -700])],
        lambda t, w: [],
    ),
}
