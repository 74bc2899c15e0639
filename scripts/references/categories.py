"""Zeros and ones, and categories."""

import math

import numpy as np
from scipy import special, stats

from .core import Finite


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


FAMILIES = {
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
