"""Distributions over counts."""

import math

import mpmath
import numpy as np
from mpmath import mpf
from scipy import stats

from .core import Counts, Finite

LARGE = 1000


def sigmoid(t):
    """p and q of log-odds t."""
    t = mpf(t)
    return 1 / (1 + mpmath.exp(-t)), 1 / (1 + mpmath.exp(t))


def both(p):
    """p and q."""
    return mpf(p), 1 - mpf(p)


def power(p, k):
    """ln pᵏ, with p⁰ = 1."""
    return mpf(0) if k == 0 else -mpmath.inf if p == 0 else k * mpmath.log(p)


def legendre(n):
    """Nodes and weights of Gauss and Legendre, by Newton's method from their float values."""
    nodes, weights = [], []
    for start in np.polynomial.legendre.leggauss(n)[0]:
        x = mpf(float(start))
        for _ in range(4):
            below, p = mpf(1), x
            for k in range(2, n + 1):
                below, p = p, ((2 * k - 1) * x * p - (k - 1) * below) / k
            slope = n * (x * p - below) / (x * x - 1)
            x -= p / slope
        nodes.append(x)
        weights.append(2 / ((1 - x * x) * slope**2))
    return list(zip(nodes, weights))


RULE = legendre(40)


def stretch(f, low, high):
    """The integral over a stretch on which a function is smooth."""
    middle, half = (low + high) / 2, (high - low) / 2
    return half * mpmath.fsum(w * f(middle + half * x) for x, w in RULE)


def tail(log_f, edge, step, end):
    """The integral of exp(log_f) from `edge` towards `end` in steps until nothing is added."""
    total, at = mpf(0), mpf(edge)
    for _ in range(400):
        following = max(at + step, end) if step < 0 else min(at + step, end)
        part = abs(stretch(lambda t: mpmath.exp(log_f(t)), at, following))
        total += part
        at = following
        if part < total * mpf(10) ** -25 or at == end:
            break
    return total


def gamma_upper(a, x):
    """Q(a, x): by mpmath where it is quick, by quadrature of the density for large a."""
    a, x = mpf(a), mpf(x)
    if x == 0:
        return mpf(1)
    if a < LARGE and x < 10 * LARGE:
        return mpmath.gammainc(a, x, mpmath.inf, regularized=True)
    constant = mpmath.loggamma(a)
    log_f = lambda t: (a - 1) * mpmath.log(t) - t - constant
    slope = abs((a - 1) / x - 1)
    step = min(2 * mpmath.sqrt(a), 2 / slope if slope else mpmath.inf)
    return tail(log_f, x, step, mpmath.inf) if x > a else 1 - tail(log_f, x, -step, mpf(10) ** -60)


def beta_lower(a, b, x, y):
    """I(x; a, b) with y = 1 − x, likewise."""
    a, b = mpf(a), mpf(b)
    if x == 0 or y == 0:
        return mpf(1) if y == 0 else mpf(0)
    if x > a / (a + b):
        return 1 - beta_lower(b, a, y, x)
    if a + b < LARGE or a < 30:
        return mpmath.betainc(a, b, 0, x, regularized=True)
    constant = mpmath.loggamma(a) + mpmath.loggamma(b) - mpmath.loggamma(a + b)
    log_f = lambda t: (a - 1) * mpmath.log(t) + (b - 1) * mpmath.log(1 - t) - constant
    slope = abs((a - 1) / x - (b - 1) / y)
    deviation = mpmath.sqrt(a * b / (a + b)) / (a + b)
    step = min(2 * deviation, 2 / slope if slope else mpmath.inf)
    return tail(log_f, x, -step, mpf(10) ** -400)


def entropy(log_mass, mean, deviation, end=mpmath.inf):
    """−Σ p ln p, by the integral where the mass is so wide that it is the same to 40 digits."""
    mean, deviation = mpf(mean), mpf(deviation)
    term = lambda k: (lambda l: -mpmath.exp(l) * l if l > -mpmath.inf else mpf(0))(log_mass(k))
    if deviation < 100:
        last = min(end, int(mean + 16 * deviation + 60))
        first = max(0, int(mean - 16 * deviation - 60))
        return mpmath.fsum(term(mpf(k)) for k in range(first, int(last) + 1))
    cuts = [mean + j * deviation for j in range(-16, 17, 2)]
    return mpmath.fsum(stretch(term, a, b) for a, b in zip(cuts, cuts[1:]))


class Wide(Counts):
    """Counts whose quantiles are searched from scipy's, by steps that double."""

    guess = None

    def near(self, scipy):
        self.guess = scipy
        return self

    def quantile(self, q):
        at = float(self.guess.ppf(q)) if self.guess else math.nan
        if not math.isfinite(at):
            return super().quantile(q)
        at, step = int(at), 1
        if self.reached(at) >= q:
            below, above = at - 1, at
            while below >= 0 and self.reached(below) >= q:
                below, above, step = max(below - 2 * step, -1), below, 2 * step
        else:
            below, above = at, at + 1
            while self.reached(above) < q:
                below, above, step = above, above + 2 * step, 2 * step
        while above - below > 1:
            middle = (below + above) // 2
            below, above = (below, middle) if self.reached(middle) >= q else (middle, above)
        return float(above)


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
        return Wide(lambda k: power(mpf(0), k), lambda k: mpf(1), 0, 0)
    log_mass = lambda k: mpmath.loggamma(k + r) - mpmath.loggamma(k + 1) - mpmath.loggamma(r) + power(q, r) + power(p, k)
    cdf = lambda k: beta_lower(r, k + 1, q, p)
    return Wide(log_mass, cdf, r * p / q, r * p / q**2).near(stats.nbinom(float(r), float(q)))


def gamma_poisson(concentration, rate):
    rate = mpf(rate)
    return negative_binomial(concentration, (1 / (1 + rate), rate / (1 + rate)))


def beta_binomial(a, b, n):
    a, b, n = mpf(a), mpf(b), mpf(n)
    ln_beta = lambda x, y: mpmath.loggamma(x) + mpmath.loggamma(y) - mpmath.loggamma(x + y)
    choose = lambda k: mpmath.loggamma(n + 1) - mpmath.loggamma(k + 1) - mpmath.loggamma(n - k + 1)
    log_mass = lambda k: choose(k) + ln_beta(k + a, n - k + b) - ln_beta(a, b)
    mean = n * a / (a + b)
    return Wide(log_mass, None, mean, mean * b / (a + b) * (a + b + n) / (a + b + 1), end=n)


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
        [(3, 0.5), (0.5, 0.9), (12.5, 0.25), (0, 0.5), (4, 0), (1e-8, 0.5), (2, 0.9999), (1e6, 0.01), (1e9, 0.4)],
        lambda r, p: around(*waiting(both(p), r), 1000, 2**24),
    ),
    "NegativeBinomial (logits)": (
        lambda r, t: negative_binomial(r, sigmoid(t)),
        [(3, 0.5), (0.5, 2), (12.5, -1), (7, -50), (2, 20), (1e6, 3)],
        lambda r, t: around(*waiting(sigmoid(t), r), 1000, 2**24),
    ),
    "GammaPoisson": (
        gamma_poisson,
        [(2, 0.5), (0.5, 2), (20, 4), (1e-6, 1), (3, 1e-9), (3, 1e9), (1e8, 1e3)],
        lambda c, rate: around(mpf(c) / mpf(rate), mpmath.sqrt(mpf(c) / mpf(rate) * (1 + 1 / mpf(rate))), 1000, 2**24),
    ),
    "BetaBinomial": (
        beta_binomial,
        [(2, 3, 10), (0.5, 0.75, 6), (30, 4, 40), (1, 1, 0), (1e-20, 3e-20, 50), (1e12, 3e12, 1000), (1e-6, 5, 100), (1000, 2e6, 1e9), (2e7, 1e7, 1e7), (7, 3, 1e14)],
        lambda a, b, n: around(n * a / (a + b), math.sqrt(n * a * b) / (a + b), 13, n - 1, n, n + 1),
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
