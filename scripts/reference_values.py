"""Reference values of the distributions, written to ppl-core/tests/references/distributions.json.

Needs Python 3 with numpy and scipy:

    python3 scripts/reference_values.py

Every input (parameter, point, probability) is rounded to single precision first, so that it is the
same number for f32 and f64. Where scipy's own formula loses digits the reference is computed in a
form that does not, and a comment says so.
"""

import json
import math
from pathlib import Path

import numpy as np
from scipy import special, stats

OUTPUT = Path(__file__).resolve().parent.parent / "ppl-core/tests/references/distributions.json"
PROBABILITIES = [1e-12, 1e-4, 0.1, 0.5, 0.75, 0.999, 1.0 - 2.0**-20]


def single(x):
    """The nearest number that is exact in both precisions."""
    return float(np.float32(x))


class Continuous:
    """A frozen distribution of scipy, with moments replaced where given."""

    def __init__(self, frozen, mean=None, variance=None, lower_quantile=None):
        self.frozen = frozen
        self.lower_quantile = lower_quantile or frozen.ppf
        self.mean = float(frozen.mean()) if mean is None else mean
        self.variance = float(frozen.var()) if variance is None else variance
        self.entropy = float(frozen.entropy())

    def log_prob(self, x):
        return float(self.frozen.logpdf(x))

    def cdf(self, x):
        return float(self.frozen.cdf(x))

    def icdf(self, q):
        # From the nearer end: scipy's ppf of the half-Cauchy loses digits near its pole.
        return float(self.lower_quantile(q) if q <= 0.5 else self.frozen.isf(1.0 - q))


def log_normal(loc, scale):
    # (exp(s^2) - 1) exp(2 m + s^2): scipy's loses all digits for small s.
    variance = math.expm1(scale**2) * math.exp(2 * loc + scale**2)
    return Continuous(stats.lognorm(s=scale, scale=math.exp(loc)), variance=variance)


def half_normal(scale):
    # scipy's ppf adds 1 to a small probability and loses its digits.
    quantile = lambda q: scale * math.sqrt(2.0) * special.erfinv(q)
    return Continuous(stats.halfnorm(scale=scale), lower_quantile=quantile)


class Discrete:
    """Categories 0, 1, .. with the logarithms of their probabilities."""

    def __init__(self, log_probs, moments):
        self.log_probs = np.array(log_probs)
        self.probs = np.exp(self.log_probs)
        values = np.arange(len(self.probs))
        self.mean = float(np.sum(values * self.probs)) if moments else None
        self.variance = None
        # p ln p from the logarithm, which keeps digits for p near 1; 0 for p = 0.
        self.entropy = float(-sum(p * l for p, l in zip(self.probs, self.log_probs) if p > 0))

    def log_prob(self, x):
        inside = x == int(x) and 0 <= x < len(self.log_probs)
        return float(self.log_probs[int(x)]) if inside else -math.inf

    def cdf(self, x):
        return float(np.sum(self.probs[: math.floor(x) + 1])) if x >= 0 else 0.0

    def icdf(self, q):
        return float(np.searchsorted(np.cumsum(self.probs[:-1]), q))


def bernoulli(log_odds, p):
    """From log-odds where given, since a probability near 1 has lost the rest."""
    if log_odds is None:
        frozen = stats.bernoulli(p)
        logs, variance = frozen.logpmf([0, 1]), float(frozen.var())
    else:
        logs = special.log_expit([-log_odds, log_odds])
        variance = float(special.expit(log_odds) * special.expit(-log_odds))
    discrete = Discrete(logs, moments=True)
    discrete.variance = variance
    return discrete


def categorical_probs(*probs):
    with np.errstate(divide="ignore"):
        return Discrete(np.log(probs) - math.log(sum(probs)), moments=False)


def categorical_logits(*logits):
    return Discrete(np.array(logits) - special.logsumexp(logits), moments=False)


# name: (distribution, parameter sets, points beyond the support, deep tails)
FAMILIES = {
    "Normal": (
        lambda loc, scale: Continuous(stats.norm(loc, scale)),
        [(0, 1), (-1.5, 0.5), (1000, 3), (0, 1e-10), (3, 1e10), (0.25, 1e-3)],
        lambda loc, scale: [loc - 36 * scale, loc + 30 * scale],
    ),
    "LogNormal": (
        log_normal,
        [(0, 1), (-1.5, 0.5), (2, 5), (20, 1e-3), (-20, 2)],
        lambda loc, scale: [-1, 0, math.exp(loc - 9 * scale), math.exp(loc + 9 * scale)],
    ),
    "HalfNormal": (
        half_normal,
        [(1,), (0.25,), (1e-10,), (1e10,)],
        lambda scale: [-scale, 0, 1e-15 * scale, 30 * scale],
    ),
    "HalfCauchy": (
        lambda scale: Continuous(stats.halfcauchy(scale=scale)),
        [(1,), (5,), (1e-10,), (1e10,)],
        lambda scale: [-scale, 0, 1e-15 * scale, 1e20 * scale],
    ),
    "Uniform": (
        lambda low, high: Continuous(stats.uniform(low, high - low)),
        [(0, 1), (-2, 0.5), (1000, 1000.25), (0, 1e-10), (-1e10, 1e10)],
        lambda low, high: [2 * low - high, 2 * high - low, low, high],
    ),
    "Exponential": (
        lambda rate: Continuous(stats.expon(scale=1 / rate)),
        [(1,), (3.5,), (1e-10,), (1e10,)],
        lambda rate: [-1 / rate, 0, 1e-15 / rate, 500 / rate],
    ),
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


def written(x):
    """A number as JSON knows it, infinities as strings; None stays."""
    return x if x is None or math.isfinite(x) else str(x)


def case(name, parameters):
    build, _, edges = FAMILIES[name]
    parameters = [single(p) for p in parameters]
    d = build(*parameters)
    points = list(edges(*parameters))
    if isinstance(d, Continuous):
        points += [d.icdf(q) for q in PROBABILITIES]
    points = sorted({single(x) for x in points if math.isfinite(single(x))})
    probabilities = [single(q) for q in PROBABILITIES]
    columns = {
        "points": points,
        "log_prob": [d.log_prob(x) for x in points],
        "cdf": [d.cdf(x) for x in points],
        "probabilities": probabilities,
        "icdf": [d.icdf(q) for q in probabilities],
    }
    row = {"family": name, "parameters": parameters}
    row.update({key: [written(x) for x in values] for key, values in columns.items()})
    row.update({key: written(getattr(d, key)) for key in ("mean", "variance", "entropy")})
    return row


def main():
    rows = [case(name, parameters) for name, (_, sets, _) in FAMILIES.items() for parameters in sets]
    lines = ",\n".join(json.dumps(row) for row in rows)
    OUTPUT.write_text(f"[\n{lines}\n]\n")
    print(f"{len(rows)} cases in {OUTPUT}")


if __name__ == "__main__":
    main()
