"""Logarithms of the probabilities of values at most and above a point, with their slopes, written to
ppl-core/tests/references/log_tails.json.

Needs Python 3 with mpmath: python3 scripts/reference_log_tails.py

Each family is a pair of functions of a point and its parameters, the probability of a value at most the
point and that of one above it, in a form that does not cancel with 90 digits. Slopes along the point and
the parameters are mpmath's numerical derivatives of their logarithms (null along whole numbers). All
inputs are rounded to single precision first.
"""

import json
from pathlib import Path

import mpmath
import numpy as np
from mpmath import mp, mpf

OUTPUT = Path(__file__).resolve().parent.parent / "ppl-core/tests/references/log_tails.json"

mp.dps = 90


def upper_normal(z):
    return mpmath.erfc(z / mpmath.sqrt(2)) / 2


def gamma_tails(a, x):
    """P(a, x) and Q(a, x), by the series and by the continued fraction: neither cancels."""
    power = mpmath.exp(a * mpmath.log(x) - x - mpmath.loggamma(a))
    if x < a + 1:
        term = total = 1 / a
        n = 0
        while abs(term) > mpf(10) ** (-mp.dps - 5) * abs(total):
            n += 1
            term *= x / (a + n)
            total += term
        lower = power * total
        return lower, 1 - lower
    # Backwards from a depth that is more than enough for these points.
    rest = mpf(0)
    for n in range(4000, 0, -1):
        rest = n * (a - n) / (x + 2 * n + 1 - a + rest)
    upper = power / (x + 1 - a + rest)
    return 1 - upper, upper


def beta_tails(a, b, x):
    """I(x; a, b) and its complement, each by the series of its own side."""

    def lower(a, b, x):
        front = mpmath.exp(a * mpmath.log(x) + b * mpmath.log1p(-x) - mpmath.log(a))
        front *= mpmath.exp(mpmath.loggamma(a + b) - mpmath.loggamma(a) - mpmath.loggamma(b))
        return front * mpmath.hyp2f1(a + b, 1, a + 1, x)

    if x <= a / (a + b):
        p = lower(a, b, x)
        return p, 1 - p
    q = lower(b, a, 1 - x)
    return 1 - q, q


def normal(x, loc, scale):
    z = (x - loc) / scale
    return upper_normal(-z), upper_normal(z)


def log_normal(x, loc, scale):
    return normal(mpmath.log(x), loc, scale)


def half_normal(x, scale):
    z = x / scale / mpmath.sqrt(2)
    return mpmath.erf(z), mpmath.erfc(z)


def exponential(x, rate):
    return -mpmath.expm1(-rate * x), mpmath.exp(-rate * x)


def weibull(x, scale, k):
    power = (x / scale) ** k
    return -mpmath.expm1(-power), mpmath.exp(-power)


def logistic(x, loc, scale):
    z = (x - loc) / scale
    return 1 / (1 + mpmath.exp(-z)), 1 / (1 + mpmath.exp(z))


def gumbel(x, loc, scale):
    fall = mpmath.exp((loc - x) / scale)
    return mpmath.exp(-fall), -mpmath.expm1(-fall)


def asymmetric_laplace(x, loc, scale, k):
    z = (x - loc) / scale
    if z < 0:
        below = k * k / (1 + k * k) * mpmath.exp(z / k)
        return below, 1 - below
    above = mpmath.exp(-z * k) / (1 + k * k)
    return 1 - above, above


def laplace(x, loc, scale):
    return asymmetric_laplace(x, loc, scale, mpf(1))


def cauchy(x, loc, scale):
    return mpmath.atan2(scale, loc - x) / mp.pi, mpmath.atan2(scale, x - loc) / mp.pi


def half_cauchy(x, scale):
    return 2 * mpmath.atan2(x, scale) / mp.pi, 2 * mpmath.atan2(scale, x) / mp.pi


def pareto(x, scale, alpha):
    log = -alpha * mpmath.log(x / scale)
    return -mpmath.expm1(log), mpmath.exp(log)


def kumaraswamy(x, a, b):
    log = b * mpmath.log1p(-(x**a))
    return -mpmath.expm1(log), mpmath.exp(log)


def uniform(x, low, high):
    return (x - low) / (high - low), (high - x) / (high - low)


def gamma(x, concentration, rate):
    return gamma_tails(concentration, rate * x)


def chi2(x, df):
    return gamma_tails(df / 2, x / 2)


def inverse_gamma(x, concentration, rate):
    above, upto = gamma_tails(concentration, rate / x)
    return upto, above


def beta(x, a, b):
    return beta_tails(a, b, x)


def student_t(x, df, loc, scale):
    z = (x - loc) / scale
    # I(df / (df + z²); ½ df, ½), of which the second form is for a share near 1.
    tail = beta_tails(df / 2, mpf(1) / 2, df / (df + z * z))[0] / 2
    return (tail, 1 - tail) if z < 0 else (1 - tail, tail)


def truncated_normal(x, loc, scale, low, high):
    def between(a, b):
        a, b = (a - loc) / scale, (b - loc) / scale
        return upper_normal(a) - upper_normal(b) if a > 0 else upper_normal(-b) - upper_normal(-a)

    whole = between(low, high)
    return between(low, x) / whole, between(x, high) / whole


def continuous_bernoulli(x, logits):
    t = logits
    return mpmath.expm1(t * x) / mpmath.expm1(t), mpmath.expm1(-t * (1 - x)) / mpmath.expm1(-t)


def relaxed_bernoulli(x, temperature, logits):
    z = temperature * mpmath.log(x / (1 - x)) - logits
    return 1 / (1 + mpmath.exp(-z)), 1 / (1 + mpmath.exp(z))


def logit_relaxed_bernoulli(x, temperature, logits):
    z = temperature * x - logits
    return 1 / (1 + mpmath.exp(-z)), 1 / (1 + mpmath.exp(z))


def von_mises(x, loc, k):
    """The side without the mode by Gauss's rule on stretches over each of which the density changes little,
    in units of the density at x, since the rule ends by its absolute error."""
    weight = lambda t: mpmath.exp(k * (mpmath.cos(t - loc) - mpmath.cos(x - loc)))
    low, high = (-mp.pi, x) if x < loc else (x, mp.pi)
    count = int(mpmath.ceil((high - low) * (4 + mpmath.sqrt(k))))
    tail = mpmath.quad(weight, mpmath.linspace(low, high, count + 1), method="gauss-legendre")
    tail *= mpmath.exp(k * mpmath.cos(x - loc)) / (2 * mp.pi * mpmath.besseli(0, k))
    return (tail, 1 - tail) if x < loc else (1 - tail, tail)


def categorical_logits(k, *logits):
    weights = [mpmath.exp(l) for l in logits]
    whole, upto = mpmath.fsum(weights), mpmath.fsum(weights[: int(k) + 1])
    return upto / whole, mpmath.fsum(weights[int(k) + 1 :]) / whole


def ordered_logistic(k, predictor, *cutpoints):
    return logistic(cutpoints[int(k)], predictor, 1)


def poisson(k, rate):
    above, upto = gamma_tails(k + 1, rate)
    return upto, above


def geometric(k, p):
    log = (k + 1) * mpmath.log1p(-p)
    return -mpmath.expm1(log), mpmath.exp(log)


def geometric_logits(k, t):
    return geometric(k, 1 / (1 + mpmath.exp(-t)))


def binomial(k, n, p):
    return beta_tails(n - k, k + 1, 1 - p)


def beta_binomial(k, a, b, n):
    """The masses by their ratios from that of 0."""
    first = mpmath.exp(mpmath.loggamma(n + b) + mpmath.loggamma(a + b) - mpmath.loggamma(b) - mpmath.loggamma(n + a + b))
    mass, masses = first, [first]
    for j in range(int(n)):
        mass *= (n - j) * (j + a) / ((j + 1) * (n - j - 1 + b))
        masses.append(mass)
    return mpmath.fsum(masses[: int(k) + 1]), mpmath.fsum(masses[int(k) + 1 :])


def negative_binomial(k, r, p):
    return beta_tails(r, k + 1, 1 - p)


def gamma_poisson(k, concentration, rate):
    return beta_tails(concentration, k + 1, rate / (1 + rate))


def bernoulli_logits(x, t):
    return 1 / (1 + mpmath.exp(t)), 1 / (1 + mpmath.exp(-t))


# Family: its tails, whether along its point there is a slope, places of parameters without one, and for
# each set of parameters the points.
FAMILIES = {
    "Normal": (normal, True, [], {
        (0, 1): [-1e5, -100, -40, -20.01, -19.99, -3, 0, 0.5, 6, 38, 39, 40, 100, 1e5],
        (-1.5, 0.5): [-60, -20, 0, 30],
    }),
    "LogNormal": (log_normal, True, [], {
        (0, 1): [1e-30, 1e-20, 0.5, 3, 1e18, 1e30],
        (-1.5, 0.125): [1e-4, 0.2, 100],
    }),
    "HalfNormal": (half_normal, True, [], {(1,): [1e-30, 1e-3, 0.5, 1, 3, 39, 100, 1e5], (0.25,): [12, 1000]}),
    "Exponential": (exponential, True, [], {(1,): [1e-30, 1e-4, 0.5, 40, 1e4], (3.5,): [1e-3, 300, 1e6]}),
    "Weibull": (weibull, True, [], {
        (1, 2): [1e-30, 1e-3, 0.5, 10, 100, 1e4],
        (0.5, 0.75): [1e-30, 0.1, 1e4, 1e6],
        (3, 50): [1e-8, 1, 3, 4],
    }),
    "Logistic": (logistic, True, [], {(0, 1): [-1e4, -800, -3, 0, 0.5, 40, 1e4], (2, 3): [-5000, 1, 5000]}),
    "Gumbel": (gumbel, True, [], {(0, 1): [-12, -8, -3, 0, 2, 39, 41, 800, 1e4], (2, 3): [-30, 1, 2500]}),
    "Laplace": (laplace, True, [], {(0, 1): [-1e4, -3, -0.1, 0.1, 40, 1e4], (2, 3): [-5000, 1, 5000]}),
    "AsymmetricLaplace": (asymmetric_laplace, True, [], {
        (0, 1, 2): [-1e4, -3, -0.1, 0.1, 40, 1e4],
        (2, 3, 0.0625): [-1000, 1, 3, 1e5],
        (0, 1, 64): [-1e5, -3, 1, 20],
    }),
    "Cauchy": (cauchy, True, [], {(0, 1): [-1e30, -1e10, -3, 0, 0.5, 1e10, 1e35], (2, 3): [-1e20, 1, 1e20]}),
    "HalfCauchy": (half_cauchy, True, [], {(1,): [1e-30, 1e-3, 0.5, 2, 1e10, 1e35], (0.25,): [1e-12, 1, 1e12]}),
    "Pareto": (pareto, True, [], {(1, 3): [1.001, 2, 1e10, 1e30], (0.5, 400): [0.51, 0.75, 4, 1e10]}),
    "Kumaraswamy": (kumaraswamy, True, [], {
        (2, 3): [1e-30, 1e-3, 0.5, 0.999],
        (200, 0.5): [1e-3, 0.1, 0.99],
        (0.5, 1000): [1e-12, 1e-3, 0.5, 0.9375],
    }),
    "Uniform": (uniform, True, [], {(0, 1): [1e-30, 0.25, 0.9375], (-2, 0.5): [-1.9375, 0, 0.4375]}),
    "Gamma": (gamma, True, [], {
        (3, 1): [1e-30, 1e-3, 2, 30, 800, 2000, 1e5],
        (0.5, 2): [1e-30, 0.1, 500, 1e4],
        (30, 1): [1e-15, 1e-3, 5, 30, 50, 1000, 1e4],
        (1e4, 1): [100, 3200, 5000, 9000, 10100, 15000, 23000, 3e4, 1e5],
    }),
    "Chi2": (chi2, True, [], {(3,): [1e-30, 2, 3000], (60,): [1e-12, 50, 5000]}),
    "InverseGamma": (inverse_gamma, True, [], {
        (3, 1): [1e-5, 1e-3, 0.5, 10, 1e30],
        (30, 2): [1e-4, 0.0625, 1, 1e20],
    }),
    "Beta": (beta, True, [], {
        (1.5, 2): [1e-30, 1e-3, 0.5, 0.9375],
        (30, 12): [1e-20, 1e-12, 0.125, 0.75, 0.9375],
        (0.5, 100): [1e-30, 1e-3, 0.5, 0.9375, 0.99993896484375],
        (3000, 2000): [1e-3, 0.125, 0.5, 0.625, 0.875, 0.99993896484375],
    }),
    "StudentT": (student_t, True, [], {
        (5, 0, 1): [-1e30, -1e5, -3, 0.5, 4, 1e30],
        (2000, 2, 3): [-1e4, -300, 1, 300, 1e6],
        (2.5, -1.5, 0.5): [-1e20, 0, 1e20],
    }),
    "TruncatedNormal": (truncated_normal, True, [], {
        (0, 1, -1, 2): [-0.99993896484375, -0.5, 0.5, 1.9375],
        (0.5, 1, 2, 300): [2.0625, 3, 50, 150, 250],
        (1, 2, -800, -4): [-700, -90, -5, -4.0625],
        (0, 1, -200, 100): [-190, -60, -3, 0.5, 3, 45, 90],
        (0, 1, 1000, 1004): [1000.0009765625, 1000.5, 1001, 1003],
    }),
    "ContinuousBernoulli (logits)": (continuous_bernoulli, True, [], {
        (0.5,): [1e-30, 0.25, 0.9375],
        (2000,): [1e-20, 0.125, 0.5, 0.9375],
        (-2000,): [1e-20, 0.125, 0.5, 0.9375],
    }),
    "RelaxedBernoulli (logits)": (relaxed_bernoulli, True, [], {
        (0.75, 0.5): [1e-30, 0.25, 0.9375],
        (2, 1000): [1e-30, 0.25, 0.9375],
        (30, -800): [1e-30, 1e-20, 0.25],
    }),
    "LogitRelaxedBernoulli (logits)": (logit_relaxed_bernoulli, True, [], {(0.75, 0.5): [-1e4, -3, 0.5, 40, 1e4]}),
    "VonMises": (von_mises, True, [], {(0.5, 2): [-3, 0.25, 3], (1, 600): [-1, 0.75, 1.125, 2, 3]}),
    "Poisson": (poisson, False, [], {
        (2.5,): [0, 2, 10, 300, 3000],
        (0.125,): [0, 3, 200, 1000],
        (2000,): [0, 3, 100, 700, 1990, 3000, 5000, 10000],
    }),
    "Geometric": (geometric, False, [], {(0.5,): [0, 3, 100, 5000], (0.125,): [0, 10, 10000], (0.9375,): [0, 3, 1000]}),
    "Geometric (logits)": (geometric_logits, False, [], {(0.5,): [0, 3, 5000], (-40,): [0, 1000, 1e6]}),
    "Binomial": (binomial, False, [0], {
        (10, 0.25): [0, 3, 9],
        (3000, 0.5): [0, 10, 1000, 1400, 1500, 1600, 2500, 2999],
        (1000, 0.0009765625): [0, 3, 200, 999],
    }),
    "BetaBinomial": (beta_binomial, False, [2], {
        (2, 3, 10): [0, 3, 9],
        (300, 1000, 3000): [0, 10, 200, 690, 800, 2000, 2999],
        (0.0009765625, 500, 1000): [0, 3, 999],
        (2000, 3000, 9000): [0, 30, 2000, 3600, 4500, 6000, 8999],
    }),
    "NegativeBinomial": (negative_binomial, False, [], {
        (3, 0.5): [0, 3, 100, 3000],
        (0.75, 0.25): [0, 3, 1000],
        (2000, 0.625): [0, 10, 1000, 3300, 4000, 10000],
    }),
    "GammaPoisson": (gamma_poisson, False, [], {(3, 0.5): [0, 5, 5000], (2000, 0.625): [0, 100, 3200, 20000]}),
    "OrderedLogistic": (ordered_logistic, False, [], {(0.25, -1, 0.5, 2): [0, 1, 2], (0, -1500, 500, 2000): [0, 1, 2]}),
    "Categorical (logits)": (categorical_logits, False, [], {(0, 1, -0.5): [0, 1], (0, 1000, 2500): [0, 1], (2500, 1000, 0): [0, 1]}),
    "Bernoulli (logits)": (bernoulli_logits, False, [], {(0.5,): [0], (1000,): [0], (-1000,): [0]}),
}


def single(x):
    return float(np.float32(x))


def log_of(tails, at, which):
    """The logarithm of one of the two, near 1 from the other."""
    p = tails(*at)
    return mpmath.log(p[which]) if p[which] < 0.5 else mpmath.log1p(-p[1 - which])


def logs_and_slopes(tails, along_x, fixed, point, parameters):
    """ln of both tails, and for each its slopes along the point and the parameters."""
    at = [mpf(single(v)) for v in (point, *parameters)]

    def slope(which, tail):
        if (which == 0 and not along_x) or which - 1 in fixed:
            return None
        # Central differences, whose error is of the order of the square of the step.
        h = mpf(10) ** -25 * (abs(at[which]) or min(abs(at[0]), 1) or 1)
        moved = lambda by: log_of(tails, at[:which] + [at[which] + by] + at[which + 1 :], tail)
        return float((moved(h) - moved(-h)) / (2 * h))

    slopes = [[slope(which, tail) for which in range(len(at))] for tail in (0, 1)]
    return [float(log_of(tails, at, tail)) for tail in (0, 1)], slopes


def main():
    rows = []
    for name, (tails, along_x, fixed, sets) in FAMILIES.items():
        for parameters, points in sets.items():
            found = [logs_and_slopes(tails, along_x, fixed, x, parameters) for x in points]
            rows.append({
                "family": name,
                "parameters": [single(p) for p in parameters],
                "points": [single(x) for x in points],
                "log_cdf": [logs[0] for logs, _ in found],
                "log_survival": [logs[1] for logs, _ in found],
                "slopes_of_log_cdf": [slopes[0] for _, slopes in found],
                "slopes_of_log_survival": [slopes[1] for _, slopes in found],
            })
    text = ",\n".join(json.dumps(row) for row in rows)
    OUTPUT.write_text(f"[\n{text}\n]\n")
    print(f"{len(rows)} cases in {OUTPUT}")


if __name__ == "__main__":
    main()
