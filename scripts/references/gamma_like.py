"""Gamma, beta and what is made of them."""

import mpmath
from mpmath import mpf
from scipy import stats

from .core import Continuous, Reference

ONE = mpf(1)


def tail_integral(log_weight, start, sign):
    """The integral of weight / weight(start) outwards from start, of which the weight falls steadily."""
    top = log_weight(start)
    fall = lambda s: top - log_weight(start + sign * s)
    breaks = [mpf(0)]
    for units in (0.1, 1, 5, 15, 40, 80, 120):
        low, high = breaks[-1], mpf(1e-10)
        while fall(high) < units:
            low, high = max(low, high), 2 * high
        for _ in range(30):
            middle = (low + high) / 2
            low, high = (middle, high) if fall(middle) < units else (low, middle)
        breaks.append(high)
    return mpmath.quad(lambda s: mpmath.exp(-fall(s)), breaks)


class Tails:
    """A cdf and its inverse by quadrature, for a variable u on the real line with one mode."""

    def __init__(self, log_weight, log_total, mode):
        self.log_weight, self.log_total, self.mode = log_weight, log_total, mode

    def both(self, u):
        """Lower and upper probability."""
        sign = -1 if u < self.mode else 1
        tail = mpmath.exp(self.log_weight(u) - self.log_total) * tail_integral(self.log_weight, u, sign)
        return (tail, 1 - tail) if sign < 0 else (1 - tail, tail)

    def quantile(self, q, width):
        """By Newton's method on the logarithm of the smaller probability, from a bracket of the mode."""
        q = mpf(q)
        side = 0 if q <= mpf(1) / 2 else 1
        target = mpmath.log(q if side == 0 else 1 - q)
        u = self.mode
        for _ in range(200):
            p = self.both(u)[side]
            slope = mpmath.exp(self.log_weight(u) - self.log_total) / p * (1 if side == 0 else -1)
            step = (mpmath.log(p) - target) / slope
            u -= step
            if abs(step) < mpf(10) ** -25 * width:
                break
        return u


def gamma_tails(a):
    """ln of a gamma variable of rate 1."""
    return Tails(lambda u: a * u - mpmath.exp(u), mpmath.loggamma(a), mpmath.log(a))


def gamma_entropy(a):
    return a + mpmath.loggamma(a) + (1 - a) * mpmath.digamma(a)


def at_zero(power, otherwise):
    """A log-density at an end, where it is that of x^(power - 1)."""
    return mpmath.inf if power < 1 else -mpmath.inf if power > 1 else otherwise


def gamma(concentration, rate):
    a, rate = mpf(concentration), mpf(rate)
    tails = gamma_tails(a)

    def log_prob(x):
        if x <= 0:
            return at_zero(a, mpmath.log(rate)) if x == 0 else -mpmath.inf
        return a * mpmath.log(rate) + (a - 1) * mpmath.log(x) - rate * x - mpmath.loggamma(a)

    return Reference(
        log_prob,
        cdf=lambda x: tails.both(mpmath.log(rate * x))[0] if x > 0 else mpf(0),
        icdf=lambda q: mpmath.exp(tails.quantile(q, 1 / mpmath.sqrt(a))) / rate,
        mean=a / rate,
        variance=a / rate**2,
        entropy=gamma_entropy(a) - mpmath.log(rate),
    )


def inverse_gamma(concentration, rate):
    a, rate = mpf(concentration), mpf(rate)
    tails = gamma_tails(a)

    def log_prob(x):
        if x <= 0:
            return -mpmath.inf
        return a * mpmath.log(rate) - (a + 1) * mpmath.log(x) - rate / x - mpmath.loggamma(a)

    return Reference(
        log_prob,
        cdf=lambda x: tails.both(mpmath.log(rate / x))[1] if x > 0 else mpf(0),
        icdf=lambda q: rate / mpmath.exp(tails.quantile(1 - mpf(q), 1 / mpmath.sqrt(a))),
        mean=rate / (a - 1) if a > 1 else mpmath.inf,
        variance=rate**2 / ((a - 1) ** 2 * (a - 2)) if a > 2 else mpmath.inf,
        entropy=gamma_entropy(a) + mpmath.log(rate) - 2 * mpmath.digamma(a),
    )


def beta(concentration1, concentration0):
    a, b = mpf(concentration1), mpf(concentration0)
    log_beta = mpmath.loggamma(a) + mpmath.loggamma(b) - mpmath.loggamma(a + b)
    # Of the logit.
    weight = lambda u: -a * mpmath.log1p(mpmath.exp(-u)) - b * mpmath.log1p(mpmath.exp(u))
    tails = Tails(weight, log_beta, mpmath.log(a / b))

    def log_prob(x):
        if not 0 < x < 1:
            ends = {0: (a, b), 1: (b, a)}
            return at_zero(ends[int(x)][0], mpmath.log(ends[int(x)][1])) if x in (0, 1) else -mpmath.inf
        return (a - 1) * mpmath.log(x) + (b - 1) * mpmath.log(1 - x) - log_beta

    psi = mpmath.digamma
    return Reference(
        log_prob,
        cdf=lambda x: tails.both(mpmath.log(x / (1 - x)))[0] if 0 < x < 1 else mpf(int(x >= 1)),
        icdf=lambda q: 1 / (1 + mpmath.exp(-tails.quantile(q, 1))),
        mean=a / (a + b),
        variance=a * b / ((a + b) ** 2 * (a + b + 1)),
        entropy=log_beta - (a - 1) * psi(a) - (b - 1) * psi(b) + (a + b - 2) * psi(a + b),
    )


def student_t(df, loc, scale):
    df, loc, scale = mpf(df), mpf(loc), mpf(scale)
    constant = mpmath.loggamma((df + 1) / 2) - mpmath.loggamma(df / 2) - mpmath.log(df * mpmath.pi) / 2
    log_density = lambda z: constant - (df + 1) / 2 * mpmath.log1p(z * z / df)
    # Of asinh z.
    tails = Tails(lambda u: log_density(mpmath.sinh(u)) + mpmath.log(mpmath.cosh(u)), mpf(0), mpf(0))
    rise = mpmath.digamma((df + 1) / 2) - mpmath.digamma(df / 2)
    log_beta = mpmath.loggamma(df / 2) + mpmath.loggamma(ONE / 2) - mpmath.loggamma((df + 1) / 2)
    return Reference(
        lambda x: log_density((x - loc) / scale) - mpmath.log(scale),
        cdf=lambda x: tails.both(mpmath.asinh((x - loc) / scale))[0],
        icdf=lambda q: loc + scale * mpmath.sinh(tails.quantile(q, 1)) if q != 0.5 else loc,
        mean=loc if df > 1 else mpmath.nan,
        variance=scale**2 * df / (df - 2) if df > 2 else mpmath.inf if df > 1 else mpmath.nan,
        entropy=(df + 1) / 2 * rise + mpmath.log(df) / 2 + log_beta + mpmath.log(scale),
    )


FAMILIES = {
    "Exponential": (
        lambda rate: Continuous(stats.expon(scale=1 / rate)),
        [(1,), (3.5,), (1e-10,), (1e10,)],
        lambda rate: [-1 / rate, 0, 1e-15 / rate, 500 / rate],
    ),
    "Gamma": (
        gamma,
        [(1, 2), (0.02, 3), (1e-3, 1), (0.5, 1e10), (3, 0.25), (40, 1e-10), (1e5, 1e3), (1e8, 1), (1e10, 1)],
        lambda a, rate: [-1 / rate, 0, 1e-30 * a / rate, 0.5 * a / rate, 3 * a / rate, (a + 600) / rate],
    ),
    "Beta": (
        beta,
        [(1, 1), (1, 3), (0.3, 0.3), (0.02, 5), (1e-3, 1e-3), (2, 5), (1e3, 0.5), (1e5, 1e3), (1e10, 1e10)],
        lambda a, b: [-0.25, 0, 1e-30, 0.01, 0.5, 0.999, 1, 1.25],
    ),
    "StudentT": (
        student_t,
        [(1, 0, 1), (0.05, 0, 2), (2, -1, 0.5), (4, 1, 1e-10), (30, 1000, 3), (1e5, 0, 1), (1e10, 0, 1e10)],
        lambda df, loc, scale: [loc, loc - 1e-10 * scale, loc + 30 * scale, loc - 1e20 * scale, loc + 1e30 * scale],
    ),
    "InverseGamma": (
        inverse_gamma,
        [(1, 2), (0.05, 3), (0.5, 1e10), (3, 0.25), (40, 1e-10), (1e5, 1e3), (1e8, 1), (1e10, 1)],
        lambda a, rate: [-rate, 0, rate / (a + 600), 0.3 * rate / a, 2 * rate / a, 1e20 * rate / a],
    ),
    "Chi2": (
        lambda df: gamma(mpf(df) / 2, 0.5),
        [(1,), (2,), (0.05,), (2e-3,), (7,), (1e5,), (1e8,), (1e10,)],
        lambda df: [-1, 0, 1e-30 * df, 0.3 * df, 2 * df, df + 1300],
    ),
}
