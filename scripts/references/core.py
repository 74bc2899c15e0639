"""What the groups are made of: reference distributions, and how their values are written.

A group's FAMILIES maps a family's name to (build, parameter sets, edges):

- build(*parameters) gives one of the classes below: Continuous and Finite for scipy's distributions,
  Reference (mpmath, 50 digits, any density) and Counts (mpmath, whole numbers without end) for those
  that scipy lacks or loses digits of, Multivariate for vectors and matrices.
- parameter sets are tuples of numbers (of nested lists of numbers for Multivariate), extreme ones too.
- edges(*parameters) lists points to test besides the quantiles: beyond the support, at its ends, and
  deep in the tails.

None for cdf, icdf, mean, variance or entropy says that the library gives none either.

Every input (parameter, point, probability) is rounded to single precision first, so that it is the
same number for f32 and f64. Where scipy's own formula loses digits the reference is computed in a
form that does not, and a comment says so.
"""

import json
import math
from pathlib import Path

import mpmath
import numpy as np
from mpmath import mp

OUTPUT = Path(__file__).resolve().parent.parent.parent / "ppl-core/tests/references"
PROBABILITIES = [1e-12, 1e-4, 0.1, 0.5, 0.75, 0.999, 1.0 - 2.0**-20]
SCIPY = object()

mp.dps = 50


def single(x):
    """The nearest number that is exact in both precisions; of nested lists, too."""
    return [single(y) for y in x] if isinstance(x, (list, tuple, np.ndarray)) else float(np.float32(x))


class Continuous:
    """A frozen distribution of scipy, with what is given in place of scipy's."""

    def __init__(self, frozen, mean=SCIPY, variance=SCIPY, entropy=SCIPY, lower_quantile=None, cdf=SCIPY, icdf=SCIPY):
        self.frozen = frozen
        self.mean = float(frozen.mean()) if mean is SCIPY else mean
        self.variance = float(frozen.var()) if variance is SCIPY else variance
        self.entropy = float(frozen.entropy()) if entropy is SCIPY else entropy
        self.lower_quantile = lower_quantile or frozen.ppf
        self.cdf = (lambda x: float(frozen.cdf(x))) if cdf is SCIPY else cdf
        # From the nearer end: scipy's ppf of the half-Cauchy loses digits near its pole.
        self.quantile = lambda q: float(self.lower_quantile(q) if q <= 0.5 else frozen.isf(1.0 - q))
        self.icdf = self.quantile if icdf is SCIPY else icdf

    def log_prob(self, x):
        return float(self.frozen.logpdf(x))

    def points(self):
        return [self.quantile(q) for q in PROBABILITIES]


class Finite:
    """Whole numbers 0, 1, .. with the logarithms of their probabilities."""

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

    def points(self):
        return []


def precise(f):
    """A function of mpmath's numbers as one of floats; None stays."""
    return None if f is None else lambda x: float(f(mpmath.mpf(x)))


def moment(x):
    """A moment given as a number, or as a function to call; None stays."""
    x = x() if callable(x) else x
    return None if x is None else float(x)


class Reference:
    """A density given by functions of mpmath's numbers, evaluated with 50 digits.

    `quantile` chooses points where the library has no icdf; by default it is icdf. Parameters reach
    `build` as floats: make them mpf before arithmetic with other floats.
    """

    def __init__(self, log_prob, cdf=None, icdf=None, mean=None, variance=None, entropy=None, quantile=None):
        self.log_prob, self.cdf, self.icdf = precise(log_prob), precise(cdf), precise(icdf)
        self.mean, self.variance, self.entropy = moment(mean), moment(variance), moment(entropy)
        self.quantile = precise(quantile) or self.icdf

    def points(self):
        return [self.quantile(q) for q in PROBABILITIES] if self.quantile else []


class Counts:
    """Whole numbers from `start` on, by the logarithm of the mass as a function of mpmath's numbers.

    The cdf is summed where no function is given; the icdf is the smallest whole number whose cdf
    reaches q. Pass cdf=None where the library has neither.
    """

    def __init__(self, log_mass, cdf=SCIPY, mean=None, variance=None, entropy=None, start=0, end=mpmath.inf):
        self.log_mass, self.start, self.end = log_mass, start, end
        self.precise_cdf = self.summed if cdf is SCIPY else cdf
        self.cdf = self.icdf = None
        if cdf is not None:
            self.cdf = lambda x: float(self.reached(math.floor(x)))
            self.icdf = self.quantile
        self.mean, self.variance, self.entropy = moment(mean), moment(variance), moment(entropy)
        self.sums = []

    def inside(self, x):
        return x == math.floor(x) and self.start <= x <= self.end

    def log_prob(self, x):
        return float(self.log_mass(mpmath.mpf(x))) if self.inside(x) else -math.inf

    def summed(self, k):
        """The cdf by summation, kept for the next one."""
        while len(self.sums) <= k - self.start:
            mass = mpmath.exp(self.log_mass(mpmath.mpf(self.start + len(self.sums))))
            self.sums.append((self.sums[-1] if self.sums else mpmath.mpf(0)) + mass)
        return self.sums[int(k - self.start)]

    def reached(self, k):
        if k < self.start:
            return mpmath.mpf(0)
        return mpmath.mpf(1) if k >= self.end else self.precise_cdf(k)

    def quantile(self, q):
        below, above = self.start - 1, self.start + 1
        while self.reached(above) < q:
            below, above = above, self.start + 2 * (above - self.start)
        while above - below > 1:
            middle = (below + above) // 2
            below, above = (below, middle) if self.reached(middle) >= q else (middle, above)
        return float(above)

    def points(self):
        return [self.quantile(q) for q in PROBABILITIES] if self.precise_cdf else []

    def entropy_by_sum(self, terms):
        """The entropy by summation of the first masses."""
        logs = [self.log_mass(mpmath.mpf(self.start + k)) for k in range(terms)]
        return float(-mpmath.fsum(mpmath.exp(l) * l for l in logs if l > -mpmath.inf))


def integral(f, points):
    """The integral of a function of mpmath's numbers over the stretches between points."""
    return mpmath.quad(f, [mpmath.mpf(p) for p in points])


def root(f, low, high):
    """Where an increasing function crosses zero between low and high, by bisection; in logarithms
    where both ends are positive."""
    low, high = mpmath.mpf(low), mpmath.mpf(high)
    for _ in range(400):
        middle = mpmath.sqrt(low * high) if low > 0 else (low + high) / 2
        low, high = (low, middle) if f(middle) >= 0 else (middle, high)
    return (low + high) / 2


class Multivariate:
    """Values that are nested lists, by their log-density; moments are nested lists of the value's shape.

    `covariance` is that of the value's entries in row-major order, a square list.
    """

    def __init__(self, log_prob, points, mean=None, variance=None, entropy=None, covariance=None):
        self.log_prob, self.values = log_prob, points
        self.mean, self.variance, self.entropy, self.covariance = mean, variance, entropy, covariance


def written(x):
    """A number as JSON knows it, infinities as strings; None stays; of nested lists, too."""
    if isinstance(x, (list, tuple, np.ndarray)):
        return [written(y) for y in x]
    return x if x is None or math.isfinite(x) else str(float(x))


def column(f, inputs):
    return None if f is None else [written(f(x)) for x in inputs]


def case(name, build, parameters, edges):
    parameters = single(parameters)
    d = build(*parameters)
    row = {"family": name, "parameters": written(parameters)}
    if isinstance(d, Multivariate):
        points = single(list(d.values) + list(edges(*parameters)))
        row.update(points=written(points), log_prob=[written(float(d.log_prob(np.array(x)))) for x in points])
        plain = lambda x: x if x is None else np.asarray(x, dtype=float).tolist()
        row.update({k: written(plain(getattr(d, k))) for k in ("mean", "variance", "covariance", "entropy")})
        return row
    points = list(edges(*parameters)) + d.points()
    points = sorted({single(x) for x in points if math.isfinite(single(x))})
    probabilities = single(PROBABILITIES)
    row.update(points=points, log_prob=column(d.log_prob, points), cdf=column(d.cdf, points))
    row.update(probabilities=probabilities, icdf=column(d.icdf, probabilities))
    row.update({key: written(getattr(d, key)) for key in ("mean", "variance", "entropy")})
    return row


def write(group, families):
    """Writes a group's cases, one a line."""
    rows = [case(name, build, p, edges) for name, (build, sets, edges) in families.items() for p in sets]
    lines = ",\n".join(json.dumps(row) for row in rows)
    output = OUTPUT / f"{group}.json"
    output.write_text(f"[\n{lines}\n]\n" if rows else "[]\n")
    print(f"{len(rows)} cases in {output}")
