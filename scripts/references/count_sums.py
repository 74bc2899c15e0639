"""Sums of the masses of counts: incomplete integrals, entropies and quantiles."""

import math

import mpmath
import numpy as np
from mpmath import mpf

from .core import Counts

LARGE = 1000


def sigmoid(t):
    """p and q of log-odds t."""
    t = mpf(t)
    return 1 / (1 + mpmath.exp(-t)), 1 / (1 + mpmath.exp(t))


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


def surprise(log_mass):
    """−m ln m as a function of the count."""
    return lambda k: (lambda l: -mpmath.exp(l) * l if l > -mpmath.inf else mpf(0))(log_mass(mpf(k)))


def end_correction(f, edge):
    """What the sum over counts beyond an edge halfway between two has more than the integral, by the formula of
    Euler and Maclaurin."""
    slopes = [mpmath.diff(f, edge, i, h=mpf(10) ** -4) for i in (1, 3, 5)]
    return slopes[0] / 24 - 7 * slopes[1] / 5760 + 31 * slopes[2] / 967680


FIRST = 4000


def long_entropy(log_mass, reach):
    """−Σ m ln m over 0, 1, .. up to `reach`, beyond which there is nothing: the first terms, and an integral
    over ln k of the others."""
    f = surprise(log_mass)
    total = mpmath.fsum(f(k) for k in range(FIRST))
    if reach <= FIRST:
        return total
    edge, step = FIRST - mpf(1) / 2, mpf(1) / 8
    low, high = mpmath.log(edge), mpmath.log(reach)
    panels = [(low + i * step, low + (i + 1) * step) for i in range(int((high - low) / step) + 1)]
    g = lambda t: f(mpmath.exp(t)) * mpmath.exp(t)
    return total + mpmath.fsum(stretch(g, *panel) for panel in panels) + end_correction(f, edge)


def bounded_entropy(log_mass, n):
    """Likewise over 0, 1, .., n, over the log-odds of k."""
    f, n = surprise(log_mass), int(n)
    if n <= 3 * FIRST:
        return mpmath.fsum(f(k) for k in range(n + 1))
    edge = FIRST - mpf(1) / 2
    total = mpmath.fsum(f(k) + f(n - k) for k in range(FIRST))
    total += end_correction(f, edge) + end_correction(lambda k: f(n - k), edge)
    far = mpmath.log((n - edge) / edge)
    count = int(2 * far * 8) + 1
    cuts = [-far + 2 * far * i / count for i in range(count + 1)]

    def g(t):
        p, q = sigmoid(t)
        return f(n * p) * n * p * q

    return total + mpmath.fsum(stretch(g, *panel) for panel in zip(cuts, cuts[1:]))


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
