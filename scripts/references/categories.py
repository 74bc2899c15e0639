"""Zeros and ones, and categories."""

import math

import mpmath
import numpy as np
from mpmath import mpf
from scipy import special, stats

from .core import Finite, Reference


def bernoulli(log_odds, p):
    """From log-odds where given, since a probability near 1 has lost the rest."""
    if log_odds is None:
        frozen = stats.bernoulli(p)
        logs, variance = frozen.logpmf([0, 1]), float(frozen.var())
    else:
        logs = special.log_expit([-log_odds, log_odds])
        variance = float(special.expit(log_odds) * special.expit(-log_odds))
    finite = Finite(logs, moments=True)
    finite.variance = variance
    return finite


def categorical_probs(*probs):
    with np.errstate(divide="ignore"):
        return Finite(np.log(probs) - math.log(sum(probs)), moments=False)


def categorical_logits(*logits):
    return Finite(np.array(logits) - special.logsumexp(logits), moments=False)


def relaxed_bernoulli(temperature, parameter, logits, odds):
    """Maddison, Mnih, Teh 2017: a logistic variable divided by the temperature, and its sigmoid."""
    t, parameter = mpf(temperature), mpf(parameter)
    logit = parameter if logits else mpmath.log(parameter / (1 - parameter))
    log_odds = lambda x: mpmath.log(x) - mpmath.log(1 - x)
    of = lambda x: x if odds else log_odds(x)
    sigmoid = lambda u: 1 / (1 + mpmath.exp(-u))

    def log_prob(x):
        if not odds and (x < 0 or x > 1):
            return -mpmath.inf
        if not odds and x in (0, 1):
            return mpmath.inf if t < 1 else -mpmath.inf
        u = t * of(x) - logit
        jacobian = 0 if odds else mpmath.log(x) + mpmath.log(1 - x)
        return mpmath.log(t) - u - 2 * mpmath.log(1 + mpmath.exp(-u)) - jacobian

    def cdf(x):
        if not odds and (x <= 0 or x >= 1):
            return mpf(x >= 1)
        return sigmoid(t * of(x) - logit)

    quantile = lambda q: (logit + log_odds(q)) / t
    return Reference(
        log_prob,
        cdf,
        quantile if odds else lambda q: sigmoid(quantile(q)),
        mean=logit / t if odds else None,
        variance=mpmath.pi**2 / (3 * t**2) if odds else None,
        entropy=2 - mpmath.log(t) if odds else None,
    )


def relaxed_families():
    """By probabilities and log-odds; extreme ones where values are log-odds."""
    probs = [(0.5, 0.3), (2, 0.5), (0.75, 0.9), (20, 0.01)]
    logits = [(0.5, 0.5), (2, -1.5), (1.25, 3), (10, 4)]
    inside = lambda t, p: [-0.5, 0, 1e-30, 1e-3, 0.5, 1 - 2**-24, 1, 1.5]
    anywhere = lambda t, p: [-1000, -30, 0, 1, 400]
    build = lambda *flags: lambda t, p: relaxed_bernoulli(t, p, *flags)
    return {
        "RelaxedBernoulli": (build(False, False), probs, inside),
        "RelaxedBernoulli (logits)": (build(True, False), logits, inside),
        "LogitRelaxedBernoulli": (build(False, True), probs + [(0.01, 0.2), (100, 1e-10)], anywhere),
        "LogitRelaxedBernoulli (logits)": (build(True, True), logits + [(0.01, 40), (100, -300)], anywhere),
    }


FAMILIES = {
    **relaxed_families(),
    "Bernoulli": (
        lambda p: bernoulli(None, p),
        [(0.5,), (0.1,), (0.85,), (1e-10,), (0,), (1,)],
        lambda p: [-1, 0, 1, 2],
    ),
    "Bernoulli (logits)": (
        lambda log_odds: bernoulli(log_odds, None),
        [(0,), (-1.5,), (3,), (40,), (-100,)],
        lambda log_odds: [-1, 0, 1, 2],
    ),
    "Categorical": (
        categorical_probs,
        [(0.2, 0.5, 0.3), (2, 1, 5), (1e-10, 1, 1e-20), (0, 0.5, 0.5), (0, 1, 0)],
        lambda *p: [0, 1, 2, 3],
    ),
    "Categorical (logits)": (
        categorical_logits,
        [(0, 1, -0.5), (1000, 1001, 999), (-50, 0, -30)],
        lambda *p: [0, 1, 2, 3],
    ),
}
