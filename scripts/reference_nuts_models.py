"""NumPyro's log-densities and gradients of the six reference models, written to tests/models/densities.json.

    python3 scripts/reference_nuts_models.py [FOLDER]

Needs Python 3 with numpyro. FOLDER holds data/*.npz and is ../shared/peers beside the repository unless it is given. Position
k of a model has the numbers 0.7 sin(1.3 i + k), in the order of the model's statements; of a gradient its sum, its sum of
squares and its first eight numbers are written.
"""

import json
import pathlib
import sys

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
from numpyro.infer.util import potential_energy

numpyro.enable_x64()
ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDER = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT.parent / "shared/peers"


def load(name):
    with np.load(FOLDER / "data" / f"{name}.npz") as file:
        return {key: jnp.asarray(file[key]) for key in file.files}


def eight_schools(data):
    mu = numpyro.sample("mu", dist.Normal(0, 5))
    tau = numpyro.sample("tau", dist.HalfCauchy(5))
    eta = numpyro.sample("eta", dist.Normal(jnp.zeros(8), 1).to_event(1))
    numpyro.sample("y", dist.Normal(mu + tau * eta, data["sigma"]).to_event(1), obs=data["y"])


def logistic(data):
    b = numpyro.sample("b", dist.Normal(0, 2.5))
    w = numpyro.sample("w", dist.Normal(jnp.zeros(data["x"].shape[1]), 2.5).to_event(1))
    numpyro.sample("y", dist.Bernoulli(logits=data["x"] @ w + b).to_event(1), obs=data["y"])


def gauss100(data):
    numpyro.sample("x", dist.Normal(data["mean"], data["sd"]).to_event(1))


def ar1(data):
    rho = data["rho"][0]
    x = numpyro.sample("x", dist.ImproperUniform(dist.constraints.real_vector, (), (100,)))
    numpyro.sample("first", dist.Normal(0, 1), obs=x[0])
    numpyro.sample("steps", dist.Normal(rho * x[:-1], jnp.sqrt(1 - rho**2)).to_event(1), obs=x[1:])


def radon(data):
    mu_a = numpyro.sample("mu_a", dist.Normal(0, 5))
    g_u = numpyro.sample("g_u", dist.Normal(0, 5))
    s_a = numpyro.sample("s_a", dist.HalfNormal(1))
    r = numpyro.sample("r", dist.Normal(jnp.zeros(85), 1).to_event(1))
    beta = numpyro.sample("beta", dist.Normal(0, 5))
    s_y = numpyro.sample("s_y", dist.HalfNormal(2))
    a = mu_a + g_u * data["u"] + s_a * r
    numpyro.sample("y", dist.Normal(a[data["county"]] + beta * data["floor"], s_y).to_event(1), obs=data["y"])


# Each latent site with the number of its numbers, in the order of the statements.
MODELS = {
    "eight_schools": (eight_schools, {"mu": 0, "tau": 0, "eta": 8}),
    "logistic_small": (logistic, {"b": 0, "w": 5}),
    "logistic_large": (logistic, {"b": 0, "w": 25}),
    "gauss100": (gauss100, {"x": 100}),
    "ar1": (ar1, {"x": 100}),
    "radon": (radon, {"mu_a": 0, "g_u": 0, "s_a": 0, "r": 85, "beta": 0, "s_y": 0}),
}


def case(model, sites, data, k):
    dim = sum(max(size, 1) for size in sites.values())
    position = 0.7 * jnp.sin(1.3 * jnp.arange(dim) + k)

    def log_density(position):
        values, at = {}, 0
        for name, size in sites.items():
            values[name] = position[at : at + size] if size else position[at]
            at += max(size, 1)
        return -potential_energy(model, (data,), {}, values)

    value, gradient = jax.value_and_grad(log_density)(position)
    return {
        "log_density": float(value),
        "sum": float(gradient.sum()),
        "squares": float((gradient**2).sum()),
        "first": [float(g) for g in gradient[:8]],
    }


cases = {name: [case(model, sites, load(name), k) for k in range(3)] for name, (model, sites) in MODELS.items()}
to = ROOT / "tests/models/densities.json"
to.write_text(json.dumps({"numpyro": numpyro.__version__, "models": cases}, indent=1) + "\n")
