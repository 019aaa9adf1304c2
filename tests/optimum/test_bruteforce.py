"""Filter and planner against brute force on random task sets: oracle tests, and the properties that follow from them.

The oracle knows only the arrays that define a task set and the rules of a trial. It lists every history (first
observation, then actions with the observations and rewards that they brought) and carries for each the joint weight
P(history, hidden state | actions) of every hidden state (task, state, episode, time in the episode). Nothing is
merged, normalised or rounded on the way:

    likelihood of a history = Σ weights,    belief = weights / Σ weights,
    worth of a history = max or mean over actions of Σ over what may follow of (P · reward + γ · worth).
"""

import itertools
import math

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st
from strategies import MAX_STEPS, REWARDS, random_rows, task_sets

from tinymeta import TaskSet
from tinymeta.optimum.belief import Belief, belief_along
from tinymeta.optimum.belief_graph import belief_graph, evidence
from tinymeta.optimum.exact_values import random_value
from tinymeta.optimum.filter import reward_index
from tinymeta.optimum.graphs import Graphs
from tinymeta.optimum.planning import bayes_optimal, evaluate_policy, informed, plan_value

CLOSE = {"rtol": 0, "atol": 1e-10}
NEVER = math.inf  # identity_from of an agent that is never told the task
UNPAID = 7.0  # a reward of no random task set
assert UNPAID not in REWARDS

gammas = st.sampled_from((0.5, 0.9, 1.0))
oracle_settings = settings(
    max_examples=200, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)


# ---------------------------------------------------------------- the oracle


class History:
    """One history, the weights of the hidden states under it, and what may follow it.

    path : tuple of (action, observation, reward, told task); observation None is the trial's end
    told : the task that was revealed together with the first observation
    weights : {(task, state, episode, time in the episode): P(history, hidden state | actions)}
    children : children[action] is the list of histories that are one step longer; empty after the trial's end
    """

    def __init__(self, first, told, path, weights):
        self.first, self.told, self.path, self.weights = first, told, path, weights
        self.probability = sum(weights.values())
        self.children = []

    @property
    def over(self):
        return bool(self.path) and self.path[-1][1] is None

    def joint(self, tasks):
        """The belief, array of shape (M, S)."""
        belief = np.zeros((tasks.num_tasks, tasks.num_states))
        for (m, s, _, _), weight in self.weights.items():
            belief[m, s] += weight / self.probability
        return belief

    def episode(self, tasks):
        """P(episode | history), array of shape (K,)."""
        chances = np.zeros(tasks.episodes)
        for (_, _, episode, _), weight in self.weights.items():
            chances[episode] += weight / self.probability
        return chances

    def complete(self):
        """The complete trials that begin like this history, each as the list of its beginnings, itself last."""
        if self.over:
            return [[self]]
        return [[self, *line] for children in self.children for child in children for line in child.complete()]


class Rules:
    """The rules of a trial on the raw arrays, as plain Python lists."""

    def __init__(self, tasks, identity_from=NEVER):
        self.prior = tasks.prior.tolist()
        self.initial = tasks.initial.tolist()
        self.transition = tasks.transition.tolist()
        self.reward = tasks.reward.tolist()
        self.observation = tasks.observation.tolist()
        self.by_action = tasks.observation.ndim == 4
        self.first_observation = tasks.initial_observation.tolist()
        self.terminal = tasks.terminal.tolist()
        self.episodes, self.length = tasks.episodes, tasks.episode_length
        self.actions = range(tasks.num_actions)
        self.identity_from = identity_from

    def told(self, m, episode):
        return m if episode >= self.identity_from else None

    def begin(self, seen=True):
        """{(first observation, told task): weights} at the start of a trial; {(None, None): weights} if not seen."""
        found = {}
        for m, prior in enumerate(self.prior):
            for s, start in enumerate(self.initial[m]):
                row = enumerate(self.first_observation[m][s]) if seen else [(None, 1.0)]
                for o, chance in row:
                    add(found, (o, self.told(m, 0)), (m, s, 0, 0), prior * start * chance)
        return found

    def follow(self, weights, action):
        """{(observation, reward, told task): weights} one step later."""
        found = {}
        for (m, s, episode, time), weight in weights.items():
            for entered, chance in enumerate(self.transition[m][s][action]):
                moved = weight * chance
                if moved == 0:
                    continue
                reward = self.reward[m][s][action][entered]
                ended = self.terminal[m][entered] or time + 1 == self.length
                if ended and episode + 1 == self.episodes:  # the trial's end, which is seen
                    add(found, (None, reward, None), (m, entered, episode + 1, 0), moved)
                elif ended:  # the next episode begins in this step, and its first observation comes with the reward
                    for s_next, start in enumerate(self.initial[m]):
                        for o, chance_o in enumerate(self.first_observation[m][s_next]):
                            key = (o, reward, self.told(m, episode + 1))
                            add(found, key, (m, s_next, episode + 1, 0), moved * start * chance_o)
                else:
                    row = self.observation[m][action][entered] if self.by_action else self.observation[m][entered]
                    for o, chance_o in enumerate(row):
                        key = (o, reward, self.told(m, episode))
                        add(found, key, (m, entered, episode, time + 1), moved * chance_o)
        return found


def add(found, key, hidden, weight):
    if weight > 0:
        weights = found.setdefault(key, {})
        weights[hidden] = weights.get(hidden, 0.0) + weight


def all_histories(tasks, identity_from=NEVER, seen=True):
    """The roots of the trees of all histories, one for each first observation (and told task)."""
    rules = Rules(tasks, identity_from)

    def grow(history):
        assert len(history.path) <= MAX_STEPS, "the strategy promises short trials"
        for action in rules.actions if not history.over else ():
            longer = [
                History(history.first, history.told, (*history.path, (action, *brought)), weights)
                for brought, weights in rules.follow(history.weights, action).items()
            ]
            history.children.append([grow(each) for each in longer])
        return history

    return [grow(History(o, told, (), weights)) for (o, told), weights in rules.begin(seen).items()]


def worth(history, gamma, choose, gain=float):
    """P(history) times the expected discounted gain after it; `choose(worth of each action, step)` is the policy."""
    if history.over:
        return 0.0

    def follow(child):
        return child.probability * gain(child.path[-1][2]) + gamma * worth(child, gamma, choose, gain)

    return choose([sum(map(follow, children)) for children in history.children], len(history.path))


def best(worths, _step):
    return max(worths)


def uniform(worths, _step):
    return sum(worths) / len(worths)


def total(roots, gamma, choose, gain=float):
    """The expected discounted gain of a trial."""
    return sum(worth(root, gamma, choose, gain) for root in roots)


def one(_reward):
    """The gain that counts steps."""
    return 1.0


def as_arrays(lines):
    """The arguments of `belief_along` for complete trials, given as lists of their beginnings."""
    shape = (len(lines), max(len(line) - 1 for line in lines))
    observation, action, reward = np.zeros(shape, int), np.zeros(shape, int), np.zeros(shape)
    valid = np.zeros(shape, bool)
    for n, line in enumerate(lines):
        before = line[0].first
        for t, (a, o, r, _) in enumerate(line[-1].path):
            observation[n, t], action[n, t], reward[n, t], valid[n, t] = before, a, r, True
            before = o
    return observation, action, reward, valid, np.ones(len(lines), bool)


# ---------------------------------------------------------------- the oracle and the generator themselves


def dependent_bandit(good, pulls):
    """Two arms that pay 1 with probability (p, 1 - p), p = good or 1 - good; state 1 is "lost", 2 "won"."""
    pays = np.array([[good, 1 - good], [1 - good, good]])  # (M, A)
    transition = np.stack([np.zeros((2, 2)), 1 - pays, pays], axis=-1)[:, None].repeat(3, axis=1)  # (M, S, A, S)
    reward = np.broadcast_to([0.0, 0.0, 1.0], transition.shape)
    terminal = np.array([[False, True, True]] * 2)
    return TaskSet(transition, reward, np.ones((2, 3, 1)), [[1, 0, 0]] * 2, terminal, episodes=pulls)


@pytest.mark.parametrize(("good", "pulls", "optimum"), [(1.0, 4, 3.5), (0.9, 3, 2.14)])
def test_oracle_on_bandits(good, pulls, optimum):
    """Oracle test of the oracle: T - 1/2 for the deterministic bandit, 2.14 for three pulls with p = 0.1 or 0.9.

    Derivation of the latter: the first pull pays 1/2. Its reward points to the better arm with probability 0.9, so the
    second pays 0.9² + 0.1² = 0.82. Then two pointers agree, and the third pays 0.9³ + 0.1³ = 0.73 over these cases, or
    they differ, 0.18 / 2; together 0.82 again. Who is told the arm gets `good` in each pull from there on.
    """
    tasks = dependent_bandit(good, pulls)
    assert total(all_histories(tasks), 1.0, best) == pytest.approx(optimum, abs=1e-12)
    assert total(all_histories(tasks, 0), 1.0, best) == pytest.approx(good * pulls, abs=1e-12)
    assert total(all_histories(tasks, 1), 1.0, best) == pytest.approx(0.5 + good * (pulls - 1), abs=1e-12)
    assert total(all_histories(tasks), 1.0, uniform) == pytest.approx(pulls / 2, abs=1e-12)
    assert total(all_histories(tasks), 1.0, uniform, one) == pytest.approx(pulls, abs=1e-12)


def beginnings(tasks, identity_from=NEVER):
    """Every history after which the trial goes on."""
    lines = (line for root in all_histories(tasks, identity_from) for line in root.complete())
    return {history for line in lines for history in line[:-1]}


def left_open(tasks, part):
    """For every history but complete trials, the possible values of one part of the hidden state (a slice)."""
    return [{hidden[part] for hidden in history.weights} for history in beginnings(tasks)]


def optima(tasks):
    return [total(all_histories(tasks, identity_from), 0.9, best) for identity_from in (NEVER, 1, 0)]


TASK, EPISODE, CLOCK = slice(0, 1), slice(2, 3), slice(2, 4)
FEATURES = {
    "tasks end in different states": lambda t: (t.terminal != t.terminal[0]).any(),
    "several episodes without a fixed length": lambda t: t.episodes > 1 and t.episode_length is None,
    "observations depend on the action": lambda t: t.observation.ndim == 4 and t.observation.std(axis=1).max() > 0.1,
    "impossible tasks": lambda t: (t.prior == 0).any(),
    "the episode is uncertain": lambda t: any(len(v) > 1 for v in left_open(t, EPISODE)),
    "the time in fixed-length episodes too": lambda t: (
        t.episode_length and any(len(v) > len({episode for episode, _ in v}) for v in left_open(t, CLOCK))
    ),
    "only rewards tell the task": lambda t: (
        t.num_observations == 1 and any(len(v) < (t.prior > 0).sum() for v in left_open(t, TASK))
    ),
    "rewards tell nothing": lambda t: len(np.unique(t.reward)) == 1,
    "the trial may or may not be over": lambda t: any(
        len({child.over for child in children}) == 2 for history in beginnings(t) for children in history.children
    ),
    "all knowledge pays": lambda t: (np.diff(optima(t)) > 1e-3).all(),
}


@pytest.mark.parametrize("feature", FEATURES)
def test_generator_reaches(feature):
    """Contract: what makes the tests below hard does occur among the random task sets."""
    quick = settings(oracle_settings, database=None, phases=[Phase.generate])
    find(task_sets(), FEATURES[feature], settings=quick)


# ---------------------------------------------------------------- the filter


@oracle_settings
@given(task_sets())
def test_belief_after_every_history(tasks):
    """Oracle test: `Belief`'s joint, episode and log-likelihood after every reachable history; and it sums to 1."""
    check_beliefs(tasks, all_histories(tasks))


@settings(oracle_settings, max_examples=50)
@given(task_sets())
def test_belief_without_the_first_observation(tasks):
    """Oracle test: the same where a trial's first observation was not seen."""
    check_beliefs(tasks, all_histories(tasks, seen=False))


def check_beliefs(tasks, roots):
    belief = Belief(tasks)
    checked = set()
    for line in (line for root in roots for line in root.complete()):
        belief.reset()
        for t, history in enumerate(line):
            if t:
                belief.update(*history.path[-1][:3])
            elif history.first is not None:
                belief.begin(history.first)
            if history in checked:
                continue
            checked.add(history)
            np.testing.assert_allclose(belief.log_likelihood, math.log(history.probability), **CLOSE)
            if not history.over:  # at the trial's end nothing is hidden any more that a belief could be about
                assert abs(belief.joint.sum() - 1) < 1e-12
                joint = history.joint(tasks)
                np.testing.assert_allclose(belief.joint, joint, **CLOSE)
                np.testing.assert_allclose(belief.tasks_marginal, joint.sum(axis=1), **CLOSE)
                np.testing.assert_allclose(belief.episode, history.episode(tasks), **CLOSE)


@oracle_settings
@given(task_sets())
def test_belief_along_every_trial(tasks):
    """Oracle test: `belief_along` over all complete trials at once, joint beliefs and log-likelihoods."""
    lines = [line for root in all_histories(tasks) for line in root.complete()]
    records = as_arrays(lines)
    joint, log_likelihood = belief_along(tasks, *records)
    expected = np.zeros_like(joint)
    for n, line in enumerate(lines):
        for t, history in enumerate(line[:-1]):
            expected[n, t] = history.joint(tasks)
    np.testing.assert_allclose(joint, expected, **CLOSE)
    np.testing.assert_allclose(log_likelihood, [math.log(line[-1].probability) for line in lines], **CLOSE)
    # Had a step limit cut them just before their ends, what the last action brought would not be recorded nor count.
    cut = belief_along(tasks, *records[:-1], np.zeros(len(lines), bool))[1]
    np.testing.assert_allclose(cut, [math.log(line[-2].probability) for line in lines], **CLOSE)


@oracle_settings
@given(task_sets())
def test_impossible_evidence_is_refused(tasks):
    """Oracle test: whatever the oracle does not list raises, names its place, and leaves the belief as it was."""
    roots = all_histories(tasks)
    for first in set(range(tasks.num_observations)) - {root.first for root in roots}:
        with pytest.raises(ValueError, match=rf"step 0.*observation {first}\b"):
            Belief(tasks).begin(first)
        with pytest.raises(ValueError, match=rf"trial 0.*step 0.*observation {first}\b"):
            belief_along(tasks, *(np.array(each) for each in ([[first]], [[0]], [[0.0]], [[True]], [False])))
    lines = [line for root in roots for line in root.complete()]
    rewards = [*np.unique(tasks.reward).tolist(), UNPAID]
    belief = Belief(tasks)
    checked = set()
    for line in lines[:: 1 + len(lines) // 6]:  # some trials; along each, everything that could not happen next
        belief.reset().begin(line[0].first)
        for t, history in enumerate(line[:-1]):
            if t:
                belief.update(*history.path[-1][:3])
            if history not in checked:
                checked.add(history)
                refuse_all_but_children(tasks, belief, history, rewards)


def refuse_all_but_children(tasks, belief, history, rewards):
    before, log_likelihood = belief.joint, belief.log_likelihood
    step = len(history.path) + 1
    for action, children in enumerate(history.children):
        possible = {child.path[-1][1:3] for child in children}
        impossible = [
            e for e in itertools.product([*range(tasks.num_observations), None], rewards) if e not in possible
        ]
        for observation, reward in impossible:
            with pytest.raises(ValueError) as caught:
                belief.update(action, observation, reward)
            for words in named(step, action, observation, reward):
                assert words in str(caught.value)
            np.testing.assert_array_equal(belief.joint, before)
            assert belief.log_likelihood == log_likelihood
        for observation, reward in impossible[:1] + impossible[-1:]:
            with pytest.raises(ValueError) as caught:
                belief_along(tasks, *recorded_after(history, action, observation, reward))
            for words in ("trial 0", *named(step, action, observation, reward)):
                assert words in str(caught.value)


def named(step, action, observation, reward):
    seen = "the trial's end" if observation is None else f"observation {observation} "
    return f"step {step}:", f"action {action},", seen, f"reward {reward:g} "


def recorded_after(history, action, observation, reward):
    """The arguments of `belief_along` for one trial: the history, one more step, and its end or a further action."""
    steps = [(a, o, r) for a, o, r, _ in history.path] + [(action, observation, reward)]
    steps += [] if observation is None else [(0, None, 0.0)]
    actions, seen, rewards = zip(*steps, strict=True)
    before = [history.first, *seen[:-1]]
    columns = [before], [actions], [rewards], [[True] * len(steps)], [observation is None]
    return [np.array(column) for column in columns]


# ---------------------------------------------------------------- the planner


@oracle_settings
@given(task_sets(), gammas)
def test_values(tasks, gamma):
    """Oracle test: the Bayes optimum, both informed optima and the random policy against exhaustive expectimax."""
    never = all_histories(tasks)
    close = {"abs": 1e-10, "rel": 0}
    optimum = plan_value(bayes_optimal(tasks, gamma), gamma).discounted_value
    assert optimum == pytest.approx(total(never, gamma, best), **close)
    for identity_from in (0, 1):
        solved = informed(tasks, gamma, identity_from=identity_from)
        told = total(all_histories(tasks, identity_from), gamma, best)
        assert plan_value(solved, gamma).discounted_value == pytest.approx(told, **close)
    aimless = random_value(Graphs(tasks), gamma)
    assert aimless.discounted_value == pytest.approx(total(never, gamma, uniform), **close)
    assert aimless.reward_per_trial == pytest.approx(total(never, 1.0, uniform), **close)
    assert aimless.steps_per_trial == pytest.approx(total(never, 1.0, uniform, one), **close)


@oracle_settings
@given(task_sets(), gammas, st.sampled_from((NEVER, 0, 1, 2)))
def test_plan_along_every_history(tasks, gamma, identity_from):
    """Oracle test: along any history through the belief graph, the node's probabilities and values are the oracle's.

    The graph merges equal beliefs, the oracle does not; so this also says that nothing different was merged.
    """
    solved = bayes_optimal(tasks, gamma) if identity_from == NEVER else informed(tasks, gamma, identity_from)
    graph, A = solved.graph, tasks.num_actions
    roots = dict(zip(graph.root_evidence.tolist(), zip(graph.roots, graph.root_probability, strict=True), strict=True))
    pair = np.repeat(np.arange(len(graph.edge_start) - 1), np.diff(graph.edge_start))
    edges = list(zip(pair.tolist(), graph.edge_evidence.tolist(), strict=True))
    edges = dict(zip(edges, zip(graph.edge_child, graph.edge_probability, strict=True), strict=True))
    index = {reward: int(reward_index(tasks, reward)) for reward in np.unique(tasks.reward).tolist()}
    nodes, found, expected = [], [], []  # per history: its node, its oracle action values; per edge: probabilities

    def number(observation, reward, told):
        return evidence(tasks, observation, reward, -1 if told is None else told)

    def descend(history, node):
        worths = []
        for action, children in enumerate(history.children):
            worths.append(0.0)
            going_on = [child for child in children if not child.over]
            assert len(going_on) == graph.edge_start[node * A + action + 1] - graph.edge_start[node * A + action]
            for child in children:
                _, observation, reward, told = child.path[-1]
                worths[-1] += child.probability * reward
                if not child.over:
                    below, probability = edges[node * A + action, number(observation, index[reward], told)]
                    found.append(probability)
                    expected.append(child.probability / history.probability)
                    worths[-1] += gamma * descend(child, below)
        nodes.append((node, [q / history.probability for q in worths]))
        return max(worths)

    histories = all_histories(tasks, identity_from)
    assert len(histories) == len(roots)
    for root in histories:
        node, probability = roots[number(root.first, 0, root.told)]
        assert probability == pytest.approx(root.probability, abs=1e-10, rel=0)
        descend(root, node)
    node, action_value = np.array([n for n, _ in nodes]), np.array([q for _, q in nodes])
    optimal = action_value >= action_value.max(axis=1, keepdims=True) - 1e-9
    np.testing.assert_allclose(found, expected, **CLOSE)
    np.testing.assert_allclose(solved.action_value[node], action_value, **CLOSE)
    np.testing.assert_allclose(solved.value[node], action_value.max(axis=1), **CLOSE)
    np.testing.assert_array_equal(solved.ties[node], optimal)
    np.testing.assert_allclose(solved.policy[node], optimal / optimal.sum(axis=1, keepdims=True), **CLOSE)
    assert set(node.tolist()) == set(range(len(solved.value))), "a belief that no history leads to"


# ---------------------------------------------------------------- properties


@oracle_settings
@given(task_sets(), gammas)
def test_knowledge_never_hurts(tasks, gamma):
    """Property: random <= Bayes-optimal <= told from the second episode on <= told from the start.

    The last holds where the one who knows the task also knows when the first episode ends: the moment in which the
    task is revealed tells that too (see the next test).
    """
    aimless = random_value(Graphs(tasks), gamma)
    optimum = plan_value(bayes_optimal(tasks, gamma), gamma)
    later, at_once = (plan_value(informed(tasks, gamma, identity_from=k), gamma) for k in (1, 0))
    assert aimless.discounted_value <= optimum.discounted_value + 1e-12
    assert optimum.discounted_value <= later.discounted_value + 1e-12
    assert optimum.discounted_value <= at_once.discounted_value + 1e-12
    if all(len({episode >= 1 for _, _, episode, _ in b.weights}) == 1 for b in beginnings(tasks, 0)):
        assert later.discounted_value <= at_once.discounted_value + 1e-12


def test_being_told_late_can_be_worth_more():
    """Oracle test (by hand): an identity that comes with the second episode also says that the second has begun.

    One task, two episodes, nothing to see. From `start`, action 0 leads to `vault` or ends the episode, evenly;
    action 1 ends it. In `vault` action 1 pays 10, and both end. A known second episode is worth 10/2 = 5. Who learns
    of its beginning gets (10 + 5)/2 + 5/2 = 10. Who does not is after action 0 in `vault` or at the second `start`,
    evenly: action 1 brings (10 + 5)/2 + 0/2 = 7.5, action 0 loses the vault for 10/4 at most, and action 1 at first
    is worth 5.
    """
    start, vault, end = np.eye(3)
    transition = [[[vault / 2 + end / 2, end], [end, end], [end, end]]]
    reward = np.zeros((1, 3, 2, 3))
    reward[0, 1, 1, 2] = 10.0
    tasks = TaskSet(transition, reward, np.ones((1, 3, 1)), [start], [[False, False, True]], episodes=2)
    for identity_from, value in ((NEVER, 7.5), (0, 7.5), (1, 10.0)):
        assert total(all_histories(tasks, identity_from), 1.0, best) == pytest.approx(value, abs=1e-12)
        solved = bayes_optimal(tasks, 1.0) if identity_from == NEVER else informed(tasks, 1.0, identity_from)
        assert plan_value(solved, 1.0).discounted_value == pytest.approx(value, abs=1e-12)


@oracle_settings
@given(task_sets(), gammas, st.integers(0, 2**32 - 1))
def test_no_blind_policy_beats_the_optimum(tasks, gamma, seed):
    """Property and oracle test: policies that ignore the history but for its length are never above the optimum.

    One that does not even look at the step can also be given to `evaluate_policy`.
    """
    rng = np.random.default_rng(seed)
    roots = all_histories(tasks)
    optimum = plan_value(bayes_optimal(tasks, gamma), gamma).discounted_value
    for zeros in (0.0, 1.0):  # stochastic, and a fixed sequence of actions
        chances = random_rows(rng, np.ones((MAX_STEPS, tasks.num_actions)), zeros).tolist()
        assert total(roots, gamma, lambda worths, t, chances=chances: np.dot(chances[t], worths)) <= optimum + 1e-12
    mix = random_rows(rng, np.ones(tasks.num_actions), 0.3)
    graph = belief_graph(tasks)
    constant = evaluate_policy(graph, np.tile(mix, (len(graph.component), 1)), gamma)
    blindly = {"choose": lambda worths, _: np.dot(mix, worths)}
    assert constant.discounted_value <= optimum + 1e-12
    assert constant.discounted_value == pytest.approx(total(roots, gamma, **blindly), abs=1e-10, rel=0)
    assert constant.reward_per_trial == pytest.approx(total(roots, 1.0, **blindly), abs=1e-10, rel=0)
    assert constant.steps_per_trial == pytest.approx(total(roots, 1.0, gain=one, **blindly), abs=1e-10, rel=0)


@oracle_settings
@given(task_sets(), gammas, st.randoms(use_true_random=False))
def test_relabelling_tasks_permutes_the_belief(tasks, gamma, random):
    """Property: the order in which tasks are listed means nothing."""
    order = random.sample(range(tasks.num_tasks), tasks.num_tasks)
    arrays = (tasks.transition, tasks.reward, tasks.observation, tasks.initial, tasks.terminal, tasks.prior)
    relabelled = TaskSet(
        *(array[order] for array in arrays), tasks.episodes,
        initial_observation=tasks.initial_observation[order], episode_length=tasks.episode_length,
    )  # fmt: skip
    records = as_arrays([line for root in all_histories(tasks) for line in root.complete()])
    joint, log_likelihood = belief_along(tasks, *records)
    permuted, same = belief_along(relabelled, *records)
    np.testing.assert_allclose(permuted, joint[:, :, order], rtol=0, atol=1e-12)
    np.testing.assert_allclose(same, log_likelihood, rtol=0, atol=1e-12)
    for values in (bayes_optimal, informed):
        one_way, other_way = (plan_value(values(each, gamma), gamma) for each in (tasks, relabelled))
        np.testing.assert_allclose(one_way, other_way, rtol=0, atol=1e-12)
