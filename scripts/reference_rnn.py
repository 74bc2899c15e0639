"""Reference values of the recurrent layer, written to ppl-core/tests/references/rnn.json.

    python3 scripts/reference_rnn.py

Needs Python 3 with torch. Outputs and gradients of torch.nn.RNN over packed sequences; backwards, each
sequence is reversed up to its own end, as Pyro's Deep Markov Model does it.
"""

import json
from pathlib import Path

import torch

OUTPUT = Path(__file__).resolve().parent.parent / "ppl-core/tests/references/rnn.json"
STEPS, LENGTHS, INPUTS, UNITS = 4, [4, 3, 1], 2, 3


def reversed_sequences(x):
    out = torch.zeros_like(x)
    for sequence, length in enumerate(LENGTHS):
        out[:length, sequence] = x[:length, sequence].flip(0)
    return out


def case(activation, backward):
    torch.manual_seed(0)
    rnn = torch.nn.RNN(INPUTS, UNITS, nonlinearity=activation, dtype=torch.float64)
    x = torch.randn(STEPS, len(LENGTHS), INPUTS, dtype=torch.float64, requires_grad=True)
    initial = torch.randn(len(LENGTHS), UNITS, dtype=torch.float64, requires_grad=True)
    weights = torch.randn(STEPS, len(LENGTHS), UNITS, dtype=torch.float64)
    turned = reversed_sequences(x) if backward else x
    packed = torch.nn.utils.rnn.pack_padded_sequence(turned, LENGTHS)
    states, _ = torch.nn.utils.rnn.pad_packed_sequence(rnn(packed, initial[None])[0], total_length=STEPS)
    states = reversed_sequences(states) if backward else states
    (states * weights).sum().backward()
    flat = lambda t: t.detach().flatten().tolist()
    parameters = {
        "input.weight": rnn.weight_ih_l0.T,
        "input.bias": rnn.bias_ih_l0,
        "recurrent.weight": rnn.weight_hh_l0.T,
        "recurrent.bias": rnn.bias_hh_l0,
    }
    gradients = [rnn.weight_ih_l0.grad.T, rnn.bias_ih_l0.grad, rnn.weight_hh_l0.grad.T, rnn.bias_hh_l0.grad]
    return {
        "activation": activation,
        "backward": backward,
        "x": flat(x),
        "initial": flat(initial),
        "weights": flat(weights),
        "parameters": [flat(p) for p in parameters.values()],
        "states": flat(states),
        "gradients": [flat(g) for g in [*gradients, x.grad, initial.grad]],
    }


cases = [case(activation, backward) for activation in ("relu", "tanh") for backward in (False, True)]
OUTPUT.write_text(json.dumps(cases, indent=1) + "\n")
