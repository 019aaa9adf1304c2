"""What the learner asks of a policy, answered by its head: a distribution, an action, log-probabilities, gradients.

Two kinds of policies: choices among A actions (`tinymeta.network.heads.Categorical`, here) and vectors of A numbers
(`tinymeta.network.gaussian.Gaussian`, in `gaussian_policy`). `rest` are the parameters behind the heads (see
`tinymeta.network.flat.split`), of which a Gaussian's standard deviations are the first.
"""

from tinymeta.base.dispatch import by_class
from tinymeta.learning.rows import STEPS
from tinymeta.network.heads import Categorical, sample_action, softmax
from tinymeta.network.losses import a2c_loss, a2c_loss_backward


@by_class(Categorical)
def distribution(head, act, start, stop):
    """From the heads of rows start…stop to what actions are drawn from."""
    softmax(act.heads, start, stop, act.probabilities, act.log_probabilities)


@by_class(Categorical)
def sample(head, rows, act, rest, n, uniforms, column, greedy):
    """Overwrites row n's action, drawn with its trial's uniforms from `column` on, or the most probable one."""
    rows.action[n] = sample_action(act.probabilities, n, uniforms[rows.trial[n], column], greedy)


@by_class(Categorical)
def terms(head, rows, act, rest):
    """(policy, value, entropy) of the A2C loss over the steps, Eqs. 23-25."""
    A = act.probabilities.shape[1]
    return a2c_loss(
        act.probabilities,
        act.log_probabilities,
        act.heads[:, A],
        rows.action,
        act.advantage,
        act.target,
        rows.size[STEPS],
    )


@by_class(Categorical)
def log_likelihood(head, rows, act, rest, out):
    """Overwrites the steps' entries of out (N,) with log π of the actions taken."""
    for n in range(rows.size[STEPS]):
        out[n] = act.log_probabilities[n, rows.action[n]]


@by_class(Categorical)
def head_gradients(head, rows, act, weight, vf_coef, ent_coef, rest, drest):
    """Overwrites dheads of the steps, Eqs. 27-29 with weight (N,) for Â, and adds to drest."""
    A = act.probabilities.shape[1]
    a2c_loss_backward(
        act.probabilities, act.log_probabilities, act.heads[:, A], rows.action, weight, act.target,
        vf_coef, ent_coef, rows.size[STEPS], act.dheads,
    )  # fmt: skip
