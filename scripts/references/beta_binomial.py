"""The beta-binomial distribution: masses, cdf and entropy with all digits for any number of trials."""

import functools
import math

import mpmath
import numpy as np
from mpmath import mpf
from scipy import special, stats

from .count_sums import Wide, bounded_entropy, entropy


def beta_binomial(a, b, n):
    a, b, n = mpf(a), mpf(b), mpf(n)
    ln_beta = lambda x, y: mpmath.loggamma(x) + mpmath.loggamma(y) - mpmath.loggamma(x + y)
    choose = lambda k: mpmath.loggamma(n + 1) - mpmath.loggamma(k + 1) - mpmath.loggamma(n - k + 1)
    log_mass = lambda k: choose(k) + ln_beta(k + a, n - k + b) - ln_beta(a, b)
    mean = n * a / (a + b)
    cdf = functools.lru_cache(None)(lambda k: beta_binomial_cdf(int(k), a, b, int(n), log_mass))
    made = Wide(log_mass, cdf, mean, mean * b / (a + b) * (a + b + n) / (a + b + 1), end=n)
    deviation = mpmath.sqrt(made.variance)
    narrow = min(a, b) > 300 and deviation > 100
    made.entropy = float(entropy(log_mass, mean, deviation, end=n) if narrow else bounded_entropy(log_mass, n))
    return made.near(BetaGuess(float(a), float(b), float(n), float(made.mean), made.variance)) if n > 100 else made


class BetaGuess:
    """Where quantiles are searched: of the masses' sums in floats, or of a normal distribution."""

    def __init__(self, a, b, n, mean, variance):
        self.sums, self.normal = None, stats.norm(mean, math.sqrt(variance))
        if n < 2e7:
            k = np.arange(n + 1)
            choose = -np.log(n + 1) - special.betaln(n - k + 1, k + 1)
            self.sums = np.cumsum(np.exp(choose + special.betaln(k + a, n - k + b) - special.betaln(a, b)))

    def ppf(self, q):
        return self.normal.ppf(q) if self.sums is None else np.searchsorted(self.sums, q)


def running(first, ratio, steps):
    """first (1 + r(0) + r(0) r(1) + ..) for at most so many ratios of whole numbers, in whole numbers, until
    what is left is nothing."""
    one = 1 << 240
    total = term = one
    for i in range(steps):
        over, under = ratio(i)
        term = term * over // under
        if term <= 0:
            break
        total += term
    return first * mpf(total) / one


def beta_binomial_cdf(k, a, b, n, log_mass):
    """P(X <= k): the masses from k down, or one minus those from k + 1 up, by their ratios; for whole a and
    b and more trials than can be summed, as an upper tail of the hypergeometric distribution of a + b - 1
    draws, which may be a binomial one."""
    if n > 1e8:
        return hypergeometric_upper(k, int(a), int(b), n)
    # Numbers over a common power of two: the concentrations are floats.
    scale = 1 << max(0, *(-(int(mpmath.floor(mpmath.log(c, 2))) - 24) for c in (a, b)))
    A, B = int(a * scale), int(b * scale)
    assert mpf(A) == a * scale and mpf(B) == b * scale
    lower = k * (a + b) < n * a
    x, P, Q = (k, A, B) if lower else (n - k - 1, B, A)
    ratio = lambda i: ((x - i) * ((n - x + i) * scale + Q), (n - x + i + 1) * ((x - i - 1) * scale + P))
    total = running(mpmath.exp(log_mass(mpf(k if lower else k + 1))), ratio, x)
    return total if lower else 1 - total


def hypergeometric_upper(k, a, b, n):
    """P(I >= a) for a + b - 1 draws from n + a + b - 1 of which k + a are marked: the smaller of it and
    its complement is summed."""
    draws, marked, rest = a + b - 1, k + a, n - k + b - 1
    choose = lambda m, j: mpmath.loggamma(mpf(m) + 1) - mpmath.loggamma(mpf(j) + 1) - mpmath.loggamma(mpf(m) - j + 1)
    mass = lambda i: mpmath.exp(choose(marked, i) + choose(rest, draws - i) - choose(n + draws, draws))
    upper = a * (n + draws) > draws * marked
    if upper:
        ratio = lambda i: ((marked - a - i) * (draws - a - i), (a + i + 1) * (rest - draws + a + i + 1))
        return running(mass(a), ratio, draws - a)
    ratio = lambda i: ((a - 1 - i) * (rest - draws + a - 1 - i), (marked - a + 2 + i) * (draws - a + 2 + i))
    return 1 - running(mass(a - 1), ratio, a - 1)
