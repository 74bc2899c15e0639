"""Reference values of a linear-Gaussian Deep Markov Model, written to tests/deep_markov/reference.json.

    python3 scripts/reference_deep_markov.py

Needs Python 3 with numpy, scipy and torch. z_t = A z_{t-1} + b + q * noise, x_t = C z_t + d + r * noise, with z_0 given.
The log-likelihood of a sequence is that of all its x stacked, by scipy's multivariate normal; the gradient of their
sum is torch's through the same covariance. No filter is used.
"""

import json
from pathlib import Path

import numpy as np
import torch
from scipy.stats import multivariate_normal

OUTPUT = Path(__file__).resolve().parent.parent / "tests/deep_markov/reference.json"
LATENT, OBSERVED, LENGTHS = 3, 2, [2, 5, 1, 3]


def drawn(rng):
    a = 0.7 * np.linalg.qr(rng.normal(size=(LATENT, LATENT)))[0] + 0.1 * rng.normal(size=(LATENT, LATENT))
    return {
        "a": a,
        "b": 0.3 * rng.normal(size=LATENT),
        "c": rng.normal(size=(OBSERVED, LATENT)),
        "d": 0.5 * rng.normal(size=OBSERVED),
        "log_q": np.log(rng.uniform(0.5, 0.9, size=LATENT)),
        "log_r": np.log(rng.uniform(0.4, 0.8, size=OBSERVED)),
        "z_0": rng.normal(size=LATENT),
    }


def sequence(world, length, rng):
    z, xs = world["z_0"], []
    for _ in range(length):
        z = world["a"] @ z + world["b"] + np.exp(world["log_q"]) * rng.normal(size=LATENT)
        xs.append(world["c"] @ z + world["d"] + np.exp(world["log_r"]) * rng.normal(size=OBSERVED))
    return np.array(xs)


def joint(world, length):
    """Mean and covariance of all x of a sequence, stacked."""
    a, c = world["a"], world["c"]
    q, r = (torch.diag(torch.exp(2 * world[name])) for name in ("log_q", "log_r"))
    means, covariances = [world["z_0"]], [torch.zeros_like(a)]
    for _ in range(length):
        means.append(a @ means[-1] + world["b"])
        covariances.append(a @ covariances[-1] @ a.T + q)
    power = lambda n: torch.linalg.matrix_power(a, n)
    z = lambda s, t: power(s - t) @ covariances[t] if s >= t else (power(t - s) @ covariances[s]).T
    block = lambda s, t: c @ z(s, t) @ c.T + (r if s == t else 0)
    steps = range(1, length + 1)
    covariance = torch.cat([torch.cat([block(s, t) for t in steps], 1) for s in steps])
    return torch.cat([c @ means[t] + world["d"] for t in steps]), covariance


def by_torch(world, x):
    return torch.distributions.MultivariateNormal(*joint(world, len(x))).log_prob(x.flatten())


rng = np.random.default_rng(4)
numbers = drawn(rng)
sequences = [sequence(numbers, length, rng) for length in LENGTHS]
world = {name: torch.tensor(value, requires_grad=True) for name, value in numbers.items()}
logs = []
for x in sequences:
    mean, covariance = (part.detach().numpy() for part in joint(world, len(x)))
    logs.append(float(multivariate_normal(mean, covariance).logpdf(x.flatten())))
total = sum(by_torch(world, torch.tensor(x)) for x in sequences)
assert abs(total.item() - sum(logs)) < 1e-10
total.backward()
# Our layers' weights are (inputs, outputs).
gradients = {
    "transition.weight": world["a"].grad.T,
    "transition.bias": world["b"].grad,
    "emission.weight": world["c"].grad.T,
    "emission.bias": world["d"].grad,
    "log_q": world["log_q"].grad,
    "log_r": world["log_r"].grad,
    "z_0": world["z_0"].grad,
}
result = {
    "world": {name: value.tolist() for name, value in numbers.items()},
    "sequences": [x.tolist() for x in sequences],
    "log_likelihoods": logs,
    "gradients": {name: gradient.flatten().tolist() for name, gradient in gradients.items()},
}
OUTPUT.write_text(json.dumps(result, indent=1) + "\n")
