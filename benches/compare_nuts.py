"""Our NUTS beside NumPyro's on the six reference models, run by turns on one machine; ratios on stdout.

    python3 benches/compare_nuts.py [--rounds 3] [--f32] [--python PYTHON] [--peers ../shared/peers] [MODEL ...]

Build the benchmark first: `cargo bench --bench nuts --no-run`. PYTHON has numpyro. Of each round the best time of a side counts,
since whatever else the machine does only makes it slower. Ratios of time are ours over NumPyro's: the smaller, the better.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
MODELS = ["eight_schools", "logistic_small", "logistic_large", "gauss100", "ar1", "radon"]


def last_line(command, cwd, environment=None):
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr[-3000:])
    return json.loads([line for line in done.stdout.splitlines() if line.startswith("{")][-1])


def ours(model, single, peers):
    command = ["cargo", "bench", "--quiet", "--bench", "nuts", "--", model] + (["--f32"] if single else [])
    return last_line(command, ROOT, {**os.environ, "PPL_PEERS": str(peers)})


def numpyros(model, single, python, peers):
    return last_line([python, "nuts.py", model] + ([] if single else ["--x64"]), peers)


def compare(model, options):
    pairs = []
    for _ in range(options.rounds):
        pair = ours(model, options.f32, options.peers), numpyros(model, options.f32, options.python, options.peers)
        pairs.append(pair)
    mine, theirs = zip(*pairs)
    best = lambda runs, key: min(run[key] for run in runs)
    most = lambda runs, key: max(run[key] for run in runs)
    gradient = best(mine, "us_per_grad"), best(theirs, "us_per_grad")
    ess = most(mine, "ess_per_s"), most(theirs, "ess_per_s")
    # Ours as users run it: chains side by side on the machine's threads, all of it counted.
    user = most(mine, "mcmc_ess_per_s")
    # What a user of MCMC.run waits, compilation and all.
    official = max(run["min_bulk_ess"] / run["official_s"] for run in theirs)
    return {
        "model": model,
        "dtype": "f32" if options.f32 else "f64",
        "us_per_grad": gradient,
        "time_ratio": round(gradient[0] / gradient[1], 3),
        "ess_per_s": [round(figure, 1) for figure in ess],
        "ess_ratio": round(ess[0] / ess[1], 2),
        "ess_ratio_side_by_side": round(user / ess[1], 2),
        "ess_ratio_with_compilation": round(user / official, 1),
        "max_rhat": [most(mine, "max_rhat"), most(theirs, "max_rhat")],
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("models", nargs="*", default=MODELS)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--f32", action="store_true")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--peers", type=pathlib.Path, default=ROOT.parent / "shared/peers")
    options = parser.parse_args()
    options.peers = options.peers.resolve()
    for model in options.models:
        print(json.dumps(compare(model, options)), flush=True)


main()
