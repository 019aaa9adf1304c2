"""Oracle: the whole loss in torch.nn.LSTMCell and Linear, trial by trial, through the documented weight layout."""

import numpy as np
import pytest
import torch
from support import every_agent, noisy_taskset

from tinymeta.learning.gradient_check import analytic_gradient, play_batch
from tinymeta.learning.rows import STEPS, USED
from tinymeta.network.losses import Loss
from tinymeta.network.parameters import to_dict

H = 5


def modules(batch):
    """(cell, policy, value, {name: parameter}) with the batch's weights."""
    layout = batch.layout
    with torch.random.fork_rng():
        cell = torch.nn.LSTMCell(layout.input_size, H).double()
        policy = torch.nn.Linear(H, layout.num_actions).double()
        value = torch.nn.Linear(H, 1).double()
    named = {"lstm.weight_ih": cell.weight_ih, "lstm.weight_hh": cell.weight_hh, "lstm.bias": cell.bias_ih}
    named |= {"policy.weight": policy.weight, "policy.bias": policy.bias}
    named |= {"value.weight": value.weight, "value.bias": value.bias}
    with torch.no_grad():
        cell.bias_hh.zero_()
        for name, array in to_dict(batch.theta, layout).items():
            named[name].copy_(torch.from_numpy(array))
    return cell, policy, value, named


def inputs(batch, n):
    x = torch.zeros(1, batch.layout.input_size, dtype=torch.double)
    x[0, batch.layout.reward_column] = batch.rows.prev_reward[n]
    for column in batch.rows.columns[n]:
        if column >= 0:
            x[0, column] = 1
    return x


def trial_loss(batch, b, cell, policy, value):
    """The sum over the steps of trial b, for Monte-Carlo returns."""
    rows = batch.rows
    h = c = torch.zeros(1, H, dtype=torch.double)
    terms = []
    bootstrap = 0.0
    for n in [n for n in range(rows.size[USED]) if rows.trial[n] == b]:
        if rows.reset[n]:
            h, c = torch.zeros_like(h), torch.zeros_like(c)
        h, c = cell(inputs(batch, n), (h, c))
        if n >= rows.size[STEPS]:
            bootstrap = value(h)[0, 0].detach()
        else:
            terms.append((torch.log_softmax(policy(h), -1)[0], value(h)[0, 0], rows.action[n], rows.reward[n]))
    total, target = 0.0, bootstrap
    for log_pi, v, action, reward in reversed(terms):
        target = reward + batch.loss.gamma * target
        entropy = -(log_pi.exp() * log_pi).sum()
        total = total - log_pi[action] * (target - v).detach()
        total = total + batch.loss.vf_coef * (target - v) ** 2 - batch.loss.ent_coef * entropy
    return total


@pytest.mark.parametrize("cut", [False, True])
@every_agent
def test_agreement_with_pytorch(agent, cut):
    batch = play_batch(noisy_taskset(), agent, H, cut=cut, loss=Loss(0.9, 1.0, 0.05, 0.01))
    cell, policy, value, named = modules(batch)
    total = sum(trial_loss(batch, b, cell, policy, value) for b in range(len(batch.rows.task)))
    (total / batch.rows.size[STEPS]).backward()
    gradient = to_dict(analytic_gradient(batch), batch.layout)
    for name, parameter in named.items():
        np.testing.assert_allclose(gradient[name], parameter.grad.numpy(), rtol=1e-9, atol=1e-12, err_msg=name)
