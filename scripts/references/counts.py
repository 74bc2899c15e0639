"""Distributions over counts."""

import math

import mpmath
from mpmath import mpf
from scipy import stats

from .beta_binomial import beta_binomial
from .core import Finite
from .count_sums import Wide, beta_lower, entropy, gamma_upper, long_entropy, sigmoid


def both(p):
    """p and q."""
    return mpf(p), 1 - mpf(p)


def power(p, k):
    """ln pᵏ, with p⁰ = 1."""
    return mpf(0) if k == 0 else -mpmath.inf if p == 0 else k * mpmath.log(p)


def around(mean, deviation, *more):
    """Values outside the support, at its end, and far out on both sides."""
    mean, deviation = float(mean), float(deviation)
    tails = [math.floor(mean + z * deviation) for z in (-30, -8, 0, 8, 30)]
    return [-1, 0.5, 0, 1, 2, 7] + [t for t in tails if t >= 0] + list(more)


def poisson(rate):
    r = mpf(rate)
    log_mass = lambda k: power(r, k) - r - mpmath.loggamma(k + 1)
    cdf = lambda k: gamma_upper(k + 1, r)
    return Wide(log_mass, cdf, rate, rate, entropy(log_mass, r, mpmath.sqrt(r))).near(stats.poisson(rate))


def geometric(p, q):
    log_mass = lambda k: power(q, k) + mpmath.log(p)
    cdf = lambda k: 1 - q ** (k + 1)
    return Wide(log_mass, cdf, q / p, q / p**2, -mpmath.log(p) - power(q, q / p))


def binomial(n, pair):
    p, q = pair
    n = mpf(n)
    choose = lambda k: mpmath.loggamma(n + 1) - mpmath.loggamma(k + 1) - mpmath.loggamma(n - k + 1)
    log_mass = lambda k: choose(k) + power(p, k) + power(q, n - k)
    cdf = lambda k: beta_lower(n - k, k + 1, q, p)
    size = entropy(log_mass, n * p, mpmath.sqrt(n * p * q), end=n)
    return Wide(log_mass, cdf, n * p, n * p * q, size, end=n).near(stats.binom(int(n), float(p)))


def negative_binomial(r, pair):
    p, q = pair
    r = mpf(r)
    if r == 0:
        return Wide(lambda k: power(mpf(0), k), lambda k: mpf(1), 0, 0, 0)
    log_mass = lambda k: mpmath.loggamma(k + r) - mpmath.loggamma(k + 1) - mpmath.loggamma(r) + power(q, r) + power(p, k)
    cdf = lambda k: beta_lower(r, k + 1, q, p)
    mean, variance = r * p / q, r * p / q**2
    size = entropy(log_mass, mean, mpmath.sqrt(variance)) if r * p > 300 else long_entropy(log_mass, mean + (200 + 4 * r * p) / q)
    return Wide(log_mass, cdf, mean, variance, size).near(stats.nbinom(float(r), float(q)))


def gamma_poisson(concentration, rate):
    rate = mpf(rate)
    return negative_binomial(concentration, (1 / (1 + rate), rate / (1 + rate)))


def zero_inflated(base, gate):
    """With the gate's probability and its complement."""
    g, h = gate
    zero = mpmath.log(g + h * mpmath.exp(base.log_mass(mpf(0))))
    log_mass = lambda k: zero if k == 0 else mpmath.log(h) + base.log_mass(k) if h else -mpmath.inf
    cdf = lambda k: g + h * base.precise_cdf(k)
    mean, variance = mpf(base.mean), mpf(base.variance)
    return Wide(log_mass, cdf, h * mean, h * (variance + g * mean**2))


def ordered_logistic(predictor, *cutpoints):
    reached = [sigmoid(mpf(c) - mpf(predictor)) for c in cutpoints]
    # The masses as differences on the side on which they are small.
    edges = [(mpf(0), mpf(1))] + reached + [(mpf(1), mpf(0))]
    masses = [b[0] - a[0] if b[0] < 0.5 else a[1] - b[1] for a, b in zip(edges, edges[1:])]
    return Finite([float(mpmath.log(m)) for m in masses], moments=False)


def spread(pair, n):
    p, q = pair
    return n * p, mpmath.sqrt(n * p * q)


def waiting(pair, r):
    p, q = pair
    return r * p / q, mpmath.sqrt(r * p) / q


FAMILIES = {
    "Poisson": (
        poisson,
        [(2.5,), (0.1,), (30,), (0,), (1e-10,), (1e3,), (65536,), (1e9,), (1e14,)],
        lambda rate: around(rate, math.sqrt(rate), 1000, 2**24, 1e15),
    ),
    "Geometric": (
        lambda p: geometric(*both(p)),
        [(0.5,), (0.1,), (0.95,), (1,), (1e-10,), (1e-30,)],
        lambda p: [-1, 0.5, 0, 1, 2, 7, 100, 5000, 2**24, 1e15],
    ),
    "Geometric (logits)": (
        lambda t: geometric(*sigmoid(t)),
        [(0.5,), (-3,), (2.5,), (40,), (-60,)],
        lambda t: [-1, 0.5, 0, 1, 2, 7, 100, 5000, 2**24, 1e15],
    ),
    "Binomial": (
        lambda n, p: binomial(n, both(p)),
        [(10, 0.3), (1, 0.5), (40, 0.9), (0, 0.5), (7, 0), (7, 1), (300, 1e-8), (5000, 0.25), (1e6, 0.999), (1e9, 0.5), (1e14, 1e-3)],
        lambda n, p: around(*spread(both(p), n), n - 1, n, n + 1),
    ),
    "Binomial (logits)": (
        lambda n, t: binomial(n, sigmoid(t)),
        [(10, 0.5), (30, -2), (8, 3.5), (20, 50), (20, -100), (1e6, -10), (1e9, 1)],
        lambda n, t: around(*spread(sigmoid(t), n), n - 1, n, n + 1),
    ),
    "NegativeBinomial": (
        lambda r, p: negative_binomial(r, both(p)),
        [(3, 0.5), (0.5, 0.9), (12.5, 0.25), (0, 0.5), (4, 0), (1e-8, 0.5), (2, 0.9999), (1e6, 0.01), (1e9, 0.4)]
        + [(1e-3, 0.9995), (1e-30, 0.75), (150, 0.999), (60, 0.9)],
        lambda r, p: around(*waiting(both(p), r), 1000, 2**24),
    ),
    "NegativeBinomial (logits)": (
        lambda r, t: negative_binomial(r, sigmoid(t)),
        [(3, 0.5), (0.5, 2), (12.5, -1), (7, -50), (2, 20), (1e6, 3), (1e16, -30)],
        lambda r, t: around(*waiting(sigmoid(t), r), 1000, 2**24),
    ),
    "GammaPoisson": (
        gamma_poisson,
        [(2, 0.5), (0.5, 2), (20, 4), (1e-6, 1), (3, 1e-9), (3, 1e9), (1e8, 1e3)],
        lambda c, rate: around(mpf(c) / mpf(rate), mpmath.sqrt(mpf(c) / mpf(rate) * (1 + 1 / mpf(rate))), 1000, 2**24),
    ),
    "BetaBinomial": (
        beta_binomial,
        [
            *[(2, 3, 10), (0.5, 0.75, 6), (30, 4, 40), (1, 1, 0), (1e-20, 4e-20, 50), (1e12, 3e12, 1000), (1e-6, 5, 100)],
            *[(1e-3, 1e6, 1), (1e6, 1e-3, 10), (3, 200, 1), (0.25, 1e3, 1e4), (1e6, 2e5, 1e4), (1e-3, 2e-3, 1e4), (80, 50, 1e4)],
            *[(3, 1e6, 1e7), (1e3, 40, 1e6), (0.5, 2.5, 1e6), (1e-3, 1e6, 1e6), (1e6, 1e6, 1e6), (2e7, 1e7, 1e7)],
            *[(1000, 2e6, 1e9), (7, 3, 1e14), (1e6, 1, 1e10)],
        ],
        lambda a, b, n: around(n * a / (a + b), math.sqrt(n * a * b) / (a + b), 13, n - 1, n, n + 1)
        + [math.floor(n * a / (a + b) + z * math.sqrt(n * a * b * (a + b + n) / (a + b + 1)) / (a + b)) for z in (-30, -8, -2, 3, 12, 40)]
        + [n // 7, n // 3, n - n // 50],
    ),
    "ZeroInflated (Poisson)": (
        lambda rate, gate: zero_inflated(poisson(rate), both(gate)),
        [(2, 0.25), (0.75, 0.5), (10, 0.1), (3, 0), (3, 1), (1e-8, 1e-6), (40, 0.75)],
        lambda rate, gate: around(rate, math.sqrt(rate), 1000),
    ),
    "ZeroInflated (negative binomial, logits)": (
        lambda r, t, gate: zero_inflated(negative_binomial(r, sigmoid(t)), sigmoid(gate)),
        [(3, 0.5, -1), (0.5, 2, 0.25), (8, -1, 2), (3, 1, -50), (3, 1, 60)],
        lambda r, t, gate: around(*waiting(sigmoid(t), r), 1000),
    ),
    "OrderedLogistic": (
        ordered_logistic,
        [(0, -1, 0.5, 2), (1.5, -2, 0, 1), (-0.5, 0.25, 0.5, 4), (30, -1, 0, 1), (-40, 0, 1e-6, 5), (0, -300, 0, 300), (1e4, 1e4, 10001, 10002)],
        lambda *p: [0, 1, 2, 3, 4],
    ),
}
