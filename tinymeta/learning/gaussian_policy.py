"""A policy over vectors, as the learner sees it; see `tinymeta.learning.policies` and `tinymeta.network.gaussian`."""

from tinymeta.learning.policies import distribution, head_gradients, log_likelihood, sample, terms
from tinymeta.learning.rows import STEPS
from tinymeta.network.gaussian import Gaussian, gaussian_backward, gaussian_entropy, log_density, sample_vector


@distribution.of(Gaussian)
def gaussian_distribution(head, act, start, stop):
    """The heads are the means already."""


@sample.of(Gaussian)
def gaussian_sample(head, rows, act, rest, n, uniforms, column, greedy):
    """A numbers are used."""
    sample_vector(act.heads, rest[: head.num_actions], rows.vector, n, uniforms[rows.trial[n]], column, greedy)


@terms.of(Gaussian)
def gaussian_terms(head, rows, act, rest):
    """Sums over the steps as in `tinymeta.network.losses.a2c_loss`."""
    A = head.num_actions
    log_std = rest[:A]
    steps = rows.size[STEPS]
    policy_loss = 0.0
    value_loss = 0.0
    for n in range(steps):
        error = act.target[n] - act.heads[n, A]
        policy_loss -= log_density(act.heads, log_std, rows.vector, n) * act.advantage[n]
        value_loss += error * error
    return policy_loss / steps, value_loss / steps, float(gaussian_entropy(log_std))


@log_likelihood.of(Gaussian)
def gaussian_log_likelihood(head, rows, act, rest, out):
    """Computed anew."""
    for n in range(rows.size[STEPS]):
        out[n] = log_density(act.heads, rest[: head.num_actions], rows.vector, n)


@head_gradients.of(Gaussian)
def gaussian_gradients(head, rows, act, weight, vf_coef, ent_coef, rest, drest):
    """See `gaussian_backward`."""
    A = head.num_actions
    gaussian_backward(
        act.heads, rest[:A], rows.vector, weight, act.target, vf_coef, ent_coef, rows.size[STEPS], act.dheads,
        drest[:A],
    )  # fmt: skip
