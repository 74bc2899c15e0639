"""Reference values of the diagnostics, written to ppl-infer/tests/references/diagnostics.json.

    python3 scripts/reference_diagnostics.py

Needs Python 3 with numpy and arviz 0.23 (whose figures are computed in arviz itself, not in arviz-stats).
Draws are rounded to six digits, so that the file stays small and holds exactly what arviz was given. A
number that is not finite is written as text.
"""

import json
import math
import warnings
from pathlib import Path

import arviz as az
import numpy as np
from arviz.stats.diagnostics import _ess_quantile, _mcse_quantile, _z_scale
from arviz.stats.stats_utils import quantile as az_quantile

OUTPUT = Path(__file__).resolve().parent.parent / "ppl-infer/tests/references/diagnostics.json"
PROBS = [0.01, 0.1, 0.25, 0.5, 0.9]
HDI_PROBS = [0.94, 0.5, 0.89]


def rounded(x):
    return np.array([float(f"{v:.6g}") for v in np.ravel(x)]).reshape(np.shape(x))


def autoregressive(rng, chains, draws, rho):
    x = np.empty((chains, draws))
    x[:, 0] = rng.normal(size=chains)
    for t in range(1, draws):
        x[:, t] = rho * x[:, t - 1] + math.sqrt(1 - rho**2) * rng.normal(size=chains)
    return x


def draws_of_cases():
    rng = np.random.default_rng(20240611)
    normal = lambda *size: rng.normal(size=size)
    for chains in range(1, 9):
        yield f"normal, {chains} chains", normal(chains, 100)
    yield "normal, long", normal(4, 500)
    for draws in (4, 5, 6, 7, 8, 9, 10, 11):
        yield f"normal, {draws} draws", normal(2, draws)
        yield f"normal, 1 chain of {draws} draws", normal(1, draws)
    for draws in (99, 101, 250, 251):
        yield f"AR(1) 0.5, {draws} draws", autoregressive(rng, 3, draws, 0.5)
    yield "AR(1) 0.9", autoregressive(rng, 4, 400, 0.9)
    yield "AR(1) 0.99", autoregressive(rng, 2, 200, 0.99)
    yield "AR(1) -0.5", autoregressive(rng, 4, 400, -0.5)
    yield "AR(1) -0.95", autoregressive(rng, 2, 300, -0.95)
    yield "Cauchy", rng.standard_cauchy(size=(4, 250))
    yield "different means", normal(4, 150) + np.array([[0.0], [0.0], [0.5], [2.0]])
    yield "far apart", normal(2, 50) + np.array([[0.0], [100.0]])
    yield "different scales", normal(4, 150) * np.array([[1.0], [1.0], [1.5], [4.0]])
    stuck = normal(4, 120)
    stuck[2] = 0.75
    yield "a stuck chain", stuck
    stuck = normal(3, 121)
    stuck[1, 30:] = -1.25
    yield "a chain that gets stuck", stuck
    yield "ties", rng.poisson(3.0, size=(4, 150)).astype(float)
    yield "coin", rng.integers(0, 2, size=(3, 101)).astype(float)
    yield "rare", (rng.uniform(size=(4, 100)) < 0.02).astype(float)
    yield "trend", np.linspace(0, 3, 80) + normal(2, 80)
    yield "sorted", np.sort(normal(2, 60), axis=1)
    yield "alternating", np.where(np.arange(50) % 2 == 0, 1.0, -1.0) + 0.01 * normal(2, 50)
    yield "far from 0", 1e6 + normal(3, 90)
    yield "small unit", 1e-5 * autoregressive(rng, 3, 90, 0.3)
    yield "large unit", 1e60 * autoregressive(rng, 3, 90, 0.3)
    yield "skewed", rng.exponential(size=(4, 130)) ** 3
    # Of a number that is no sum of a few powers of two ArviZ takes the rounding of its mean for spread.
    yield "constant", np.full((3, 20), 0.25)
    hostile = normal(2, 20)
    hostile[1, 3] = np.nan
    yield "NaN", hostile
    yield "3 draws", normal(2, 3)


def figures(x):
    by = lambda f, names: {name: float(f(x, method=name)) for name in names}
    found = {
        "mean": np.mean(x),
        "sd": np.std(x, ddof=1),
        "rhat": by(az.rhat, ["rank", "split", "z_scale", "folded"]),
        "ess": by(az.ess, ["bulk", "tail", "mean", "sd"]),
        "mcse": by(az.mcse, ["mean", "sd"]),
        "ess_quantile": [_ess_quantile(x, p) for p in PROBS],
        "mcse_quantile": [_mcse_quantile(x, p) if np.isfinite(_ess_quantile(x, p)) else math.nan for p in PROBS],
        "quantile": [float(az_quantile(x.ravel(), p)[0]) if np.isfinite(x).all() else math.nan for p in PROBS],
        "hdi": [list(az.hdi(x.ravel(), hdi_prob=p)) if np.isfinite(x).all() else [math.nan] * 2 for p in HDI_PROBS],
        "bfmi": list(az.bfmi(x)),
    }
    if x.size <= 100 and np.isfinite(x).all():
        found["z_scale"] = list(_z_scale(x).ravel())
        found["autocov"] = list(az.autocov(x[0]))
        found["autocorr"] = list(az.autocorr(x[0]))
    return found


def summary():
    """The rows that az.summary makes of one run, unrounded."""
    rng = np.random.default_rng(7)
    draws = {
        "mu": 3 + 2 * autoregressive(rng, 4, 200, 0.6),
        "tau": np.exp(autoregressive(rng, 4, 200, 0.9)),
        "shifted": rng.normal(size=(4, 200)) + np.array([[0.0], [0.0], [0.0], [1.0]]),
    }
    draws = {name: rounded(x) for name, x in draws.items()}
    table = az.summary(draws, round_to="none", hdi_prob=0.94)
    assert list(table.columns)[2:4] == ["hdi_3%", "hdi_97%"]
    quantities = [{"name": n, "draws": draws[n].tolist(), "row": list(table.loc[n])} for n in draws]
    return {"columns": list(table.columns), "quantities": quantities}


def log_likelihoods():
    rng = np.random.default_rng(31)

    def normal_model(chains, draws, y, spread):
        mu = spread * autoregressive(rng, chains, draws, 0.4)
        sigma = np.exp(0.1 * autoregressive(rng, chains, draws, 0.2))
        z = (y - mu[..., None]) / sigma[..., None]
        return mu, -0.5 * z**2 - np.log(sigma)[..., None] - 0.5 * math.log(2 * math.pi)

    yield "normal model", *normal_model(4, 150, np.array([-1.0, 0.2, 0.9, 1.7, -0.4]), 0.3)
    yield "outliers", *normal_model(4, 150, np.array([0.1, 6.0, -9.0, 14.0]), 0.8)
    yield "one chain", *normal_model(1, 200, np.array([0.3, -0.8, 2.5]), 0.3)
    yield "few draws", *normal_model(2, 12, np.array([0.3, -0.8]), 0.3)
    yield "very few draws", *normal_model(1, 9, np.array([0.3, -0.8]), 0.3)
    mu = autoregressive(rng, 2, 150, 0.4)
    yield "ties and a constant", mu, np.stack([-np.abs(np.round(2 * mu)), np.full_like(mu, -0.7)], axis=-1)


def comparison(name, mu, log_likelihood):
    mu, log_likelihood = rounded(mu), rounded(log_likelihood)
    data = az.from_dict(posterior={"mu": mu}, log_likelihood={"y": log_likelihood})
    loo, waic = az.loo(data, pointwise=True), az.waic(data, pointwise=True)
    reff = 1.0 if len(mu) == 1 else float(az.ess(mu, method="mean")) / mu.size
    samples = log_likelihood.reshape(-1, log_likelihood.shape[-1])
    weights, shapes = az.psislw(-samples.T, reff)
    assert np.array_equal(shapes, loo["pareto_k"].values)
    return {
        "name": name,
        "shape": list(log_likelihood.shape),
        "mu": mu.tolist(),
        "log_likelihood": list(log_likelihood.ravel()),
        "reff": reff,
        "loo": [loo["elpd_loo"], loo["se"], loo["p_loo"], loo["good_k"]],
        "loo_i": list(loo["loo_i"].values),
        "pareto_k": list(loo["pareto_k"].values),
        "log_weights": list(weights[0]),
        "waic": [waic["elpd_waic"], waic["se"], waic["p_waic"]],
        "waic_i": list(waic["waic_i"].values),
    }


def plain(value):
    """What JSON can hold."""
    if isinstance(value, dict):
        return {key: plain(v) for key, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, (float, np.floating)):
        return float(value) if math.isfinite(value) else str(float(value))
    return int(value) if isinstance(value, np.integer) else value


def main():
    warnings.simplefilter("ignore")
    cases = []
    for name, x in draws_of_cases():
        x = rounded(x)
        cases.append({"name": name, "draws": x.tolist(), **figures(x)})
    head = {
        "made_by": "scripts/reference_diagnostics.py",
        "arviz": az.__version__,
        "numpy": np.__version__,
        "probs": PROBS,
        "hdi_probs": HDI_PROBS,
        "summary": summary(),
    }
    comparisons = [comparison(*case) for case in log_likelihoods()]
    lines = lambda rows: ",\n".join(json.dumps(plain(row), allow_nan=False) for row in rows)
    text = json.dumps(plain(head), allow_nan=False)[:-1]
    text += f',\n"cases": [\n{lines(cases)}\n],\n"comparisons": [\n{lines(comparisons)}\n]}}\n'
    json.loads(text)
    OUTPUT.write_text(text)


if __name__ == "__main__":
    main()
