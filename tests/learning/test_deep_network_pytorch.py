"""Oracle: a deep network's checkpoint in torch.nn.Linear and LSTMCell says what the kernels say, row by row."""

import numpy as np
import pytest
import torch
from own_worlds import reach
from plain import plain_batch
from support import small

from tinymeta.learning.gradient_check import Network
from tinymeta.learning.rows import USED
from tinymeta.network.parameters import to_dict

H = 5


class Body(torch.nn.Module):
    """Dense tanh layers and an LSTM, whose parameters have the names of a checkpoint."""

    def __init__(self, inputs, widths):
        super().__init__()
        sizes = [inputs, *widths]
        self.encoder = torch.nn.ModuleList(
            torch.nn.Linear(a, b) for a, b in zip(sizes, sizes[1:], strict=False)
        ).double()
        self.cell = torch.nn.LSTMCell(sizes[-1], H).double()

    def load(self, named, owner):
        """The arrays of one owner, "" or "value."; PyTorch's second bias is in the first one."""
        with torch.no_grad():
            for i, layer in enumerate(self.encoder):
                layer.weight.copy_(torch.from_numpy(named[f"{owner}encoder.{i}.weight"]))
                layer.bias.copy_(torch.from_numpy(named[f"{owner}encoder.{i}.bias"]))
            self.cell.weight_ih.copy_(torch.from_numpy(named[f"{owner}lstm.weight_ih"]))
            self.cell.weight_hh.copy_(torch.from_numpy(named[f"{owner}lstm.weight_hh"]))
            self.cell.bias_ih.copy_(torch.from_numpy(named[f"{owner}lstm.bias"]))
            self.cell.bias_hh.zero_()
        return self

    def forward(self, x, state):
        for layer in self.encoder:
            x = torch.tanh(layer(x))
        return self.cell(x, state)


def inputs(batch, n):
    layout, rows = batch.layout, batch.rows
    x = torch.zeros(1, layout.input_size, dtype=torch.double)
    x[0, layout.reward_column] = rows.prev_reward[n]
    for column in rows.columns[n]:
        if column >= 0:
            x[0, column] = 1
    x[0, layout.input_size - layout.num_numbers :] = torch.from_numpy(rows.numbers[n])
    return x


@pytest.mark.parametrize("separate", [False, True])
@pytest.mark.parametrize("widths", [(), (4,), (4, 6)])
@pytest.mark.parametrize(("world", "agent"), [("cartpole", "rl2"), ("cartpole", "plain"), ("reach", "rl1")])
def test_outputs_are_those_of_pytorch(world, agent, widths, separate):
    if not widths and not separate:
        widths = (3,)  # without either it is the papers' network, see test_gradient_pytorch
    tasks = reach() if world == "reach" else small(world)
    batch = plain_batch(tasks, agent, Network(widths, separate), hidden_size=H)
    layout, rows = batch.layout, batch.rows
    named = to_dict(batch.theta, layout)
    actor = Body(layout.input_size, widths).load(named, "")
    critic = Body(layout.input_size, widths).load(named, "value.") if separate else actor
    states = {}
    for n in range(rows.size[USED]):
        before = None if rows.reset[n] else states[rows.before[n]]
        x = inputs(batch, n)
        with torch.no_grad():
            h, c = actor(x, before and before[0])
            value_h, value_c = critic(x, before and before[1])
        states[n] = (h, c), (value_h, value_c)
        outputs = np.append(named["policy.weight"] @ h[0].numpy() + named["policy.bias"],
                            named["value.weight"] @ value_h[0].numpy() + named["value.bias"])  # fmt: skip
        np.testing.assert_allclose(batch.act.heads[n], outputs, rtol=1e-10, atol=1e-12)
