"""NumPyro's mean acceptance after a warm-up, written to ppl-infer/tests/references/warmup.json.

    python3 scripts/reference_warmup.py

Needs Python 3 with numpyro. The target is the normal chain of ppl-infer/tests/mcmc/targets.rs with four coordinates and
correlation 0.3; 1000 iterations of warm-up and 1000 draws by NUTS with a diagonal metric, for the seeds 0 to 7.
"""

import json
import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
from numpyro.infer import MCMC, NUTS

numpyro.enable_x64()


def potential(x):
    means = jnp.concatenate([jnp.ones(1), 0.3 * x[:-1]])
    return 0.5 * jnp.sum(((x - means) / jnp.arange(1.0, 5.0)) ** 2)


def acceptance(target, seed):
    kernel = NUTS(potential_fn=potential, target_accept_prob=target)
    mcmc = MCMC(kernel, num_warmup=1000, num_samples=1000, progress_bar=False)
    mcmc.run(jax.random.PRNGKey(seed), init_params=0.5 * jnp.ones(4), extra_fields=("accept_prob",))
    return float(mcmc.get_extra_fields()["accept_prob"].mean())


runs = []
for target in (0.7, 0.8, 0.9):
    found = [acceptance(target, seed) for seed in range(8)]
    runs.append({"target": target, "mean": np.mean(found), "sd": np.std(found, ddof=1)})
to = pathlib.Path(__file__).parent.parent / "ppl-infer/tests/references/warmup.json"
to.write_text(json.dumps({"numpyro": numpyro.__version__, "runs": runs}, indent=1) + "\n")
