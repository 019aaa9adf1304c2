"""Every environment for Gymnasium, one trial at a time: its checks, its ends, its infos, what random play earns."""

import re
import subprocess
import sys
import warnings
from pathlib import Path

import gymnasium
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env
from support import SMALL, noisy_taskset, small

import tinymeta
import tinymeta.gym
from tinymeta.environments import registry
from tinymeta.gym import TrialEnv, TrialVectorEnv, identifier

RL2_IS_A_WRAPPER = "is different from the unwrapped version"  # the one thing that the checker says of any wrapper
every_env = pytest.mark.parametrize("env", tinymeta.gym.environments())
TABLES = [env for env in tinymeta.gym.environments() if isinstance(small(env), tinymeta.TaskSet)]
UNCUT = {"corridor": {"max_steps": 100_000}}  # exact values know no step limit


PAGE = Path(__file__).parent.parent / "docs" / "gymnasium.md"


def played(env, actions, seed=None, **options):
    """[(observation, reward, terminated, truncated, info)] of a trial from its reset to its end or the last action."""
    observation, info = env.reset(seed=seed, options=options)
    steps = [(observation, 0.0, False, False, info)]
    for action in actions:
        steps.append(env.step(action))
        if steps[-1][2] or steps[-1][3]:
            break
    return steps


@every_env
def test_gymnasium_finds_nothing_wrong(env):
    """Contract; a warning would be an error. Of a wrapper the checker says that it is one; nothing else may be said."""
    check_env(gymnasium.make(identifier(env)))
    check_env(gymnasium.make(identifier(env), belief=False, **SMALL.get(env, {})))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        check_env(gymnasium.make(identifier(env), rl2=True))
    assert [RL2_IS_A_WRAPPER in str(warning.message) for warning in told] == [True]


@pytest.mark.parametrize("tasks", [noisy_taskset(), small("tiger"), small("corridor"), small("bandit")], ids=str)
def test_infos_tell_episode_and_belief(tasks):
    """Oracle: `tinymeta.Belief` is given what was seen; episodes are counted along, and where they begin."""
    env = TrialEnv(tasks)
    generator = np.random.default_rng(0)
    for seed in range(30):
        actions = generator.integers(tasks.num_actions, size=tasks.step_limit)
        (first, *_, info), *steps = played(env, actions, seed)
        belief = tinymeta.Belief(tasks).begin(first)
        np.testing.assert_allclose(info["belief"], belief.tasks_marginal, atol=1e-12)
        assert (info["episode_index"], info["new_episode"]) == (0, True)
        for action, (observation, reward, terminated, _, info) in zip(actions, steps, strict=False):
            before = info["episode_index"] - info["new_episode"]
            assert 0 <= before <= info["episode_index"] < tasks.episodes
            belief.update(action, None if terminated else observation, reward)
            np.testing.assert_allclose(info["belief"], belief.tasks_marginal, atol=1e-12)
        assert 1 + sum(step[4]["new_episode"] for step in steps) == info["episode_index"] + 1
        assert info["episode_index"] == tasks.episodes - 1 or not terminated


@pytest.mark.parametrize("env", ["bandit", "tiger"])
def test_random_play_earns_what_baselines_say(env):
    """Oracle: a plain loop, 400 trials, against the exact value; four standard errors."""
    single = gymnasium.make(identifier(env), **SMALL.get(env, {}))
    single.reset(seed=1)
    single.action_space.seed(1)
    rewards = [
        sum(step[1] for step in played(single, (single.action_space.sample() for _ in range(100)))) for _ in range(400)
    ]
    exact = tinymeta.exact_values(small(env), 1.0, which=("random",))["random"]["reward_per_trial"]
    assert np.mean(rewards) == pytest.approx(exact, abs=4 * np.std(rewards) / 20)


@pytest.mark.parametrize("env", TABLES)
def test_random_play_of_many_earns_what_baselines_say(env):
    """Oracle: reward and steps per trial of a thousand slots' first two trials; 4.5 standard errors."""
    kwargs = {**SMALL.get(env, {}), **UNCUT.get(env, {})}
    many = gymnasium.make_vec(identifier(env), 1000, "vector_entry_point", **kwargs)
    many.reset(seed=2)
    many.action_space.seed(2)
    totals = np.zeros((2, 2, 1000))  # reward and steps, trial, slot
    trial = np.zeros(1000, int)
    while (trial < 2).any():
        _, reward, terminated, truncated, _ = many.step(many.action_space.sample())
        assert not truncated.any()
        going = np.flatnonzero(trial < 2)
        totals[0, trial[going], going] += reward[going]
        totals[1, trial[going], going] += 1
        trial[going] += terminated[going]
    totals[1, 1] -= 1  # the step that began the second trial
    exact = tinymeta.exact_values(tinymeta.make(env, **kwargs), 1.0, which=("random",))["random"]
    for values, name in zip(totals, ("reward_per_trial", "steps_per_trial"), strict=True):
        assert values.mean() == pytest.approx(exact[name], abs=4.5 * values.std() / np.sqrt(values.size) + 1e-9)


def test_tasks_and_first_observations_come_from_their_distributions():
    """Oracle: the share of each (task, first observation) in 4000 trials of the noisy set; four standard errors."""
    tasks = noisy_taskset()
    observation, infos = TrialVectorEnv(tasks, 4000).reset(seed=3)
    joint = tasks.prior[:, None] * np.einsum("ms,mso->mo", tasks.initial, tasks.observation)  # (M, O)
    for task, seen in np.ndindex(joint.shape):
        share = ((infos["task"] == task) & (observation == seen)).mean()
        assert share == pytest.approx(joint[task, seen], abs=4 * np.sqrt(0.25 / 4000))


def test_a_trial_that_is_left_leaves_nothing():
    """Contract: reset in mid-episode; the next episode has its full length."""
    env = TrialEnv(tinymeta.make("tiger", horizon=5))
    assert [len(played(env, [0] * steps)) for steps in (3, 9)] == [4, 6]


def test_an_end_and_a_cut_are_told_apart():
    """Contract: three steps to the goal, or a limit of four; `gymnasium.make`'s own limit works, too."""
    corridor = gymnasium.make("tinymeta/Corridor-v0", left=3, right=4, episodes=1, max_steps=4)
    ends = [played(corridor, [0] * 9, 0, task=task)[1:] for task in (0, 1)]
    assert [len(steps) for steps in ends] == [3, 4]
    assert [steps[-1][2:4] for steps in ends] == [(True, False), (False, True)]
    assert ends[0][-1][1] == 10
    cut = played(gymnasium.make("tinymeta/Bandit-v0", max_episode_steps=4), [0] * 9)
    assert (len(cut), cut[-1][2:4]) == (5, (False, True))


def test_a_seed_and_a_task_can_be_chosen():
    """Contract: the task asked for, whatever the seed; without a seed the generator goes on."""
    env = gymnasium.make("tinymeta/Bandit-v0", p=(0.3, 0.6, 0.9))
    for task in (0, 1, 2):
        assert env.reset(seed=0, options={"task": task})[1]["task"] == task
    first = [step[1] for step in played(env, [0] * 10, 5)]
    second = [step[1] for step in played(env, [0] * 10)]
    assert [step[1] for step in played(env, [0] * 10, 5)] == first != second


def test_gymnasium_can_keep_its_statistics():
    """Contract: `info["episode"]` is left to those who count Gymnasium's episodes."""
    env = gymnasium.wrappers.RecordEpisodeStatistics(gymnasium.make("tinymeta/Bandit-v0"))
    assert played(env, [0] * 10)[-1][4]["episode"]["l"] == 10
    many = gymnasium.wrappers.vector.RecordEpisodeStatistics(gymnasium.make_vec("tinymeta/Bandit-v0", 2))
    many.reset()
    assert [many.step([0, 1])[4].get("episode", {}).get("l", [0])[0] for _ in range(10)] == [0] * 9 + [10]


def test_a_trial_as_text():
    env = gymnasium.make("tinymeta/Bandit-v0", render_mode="ansi", p=(0, 1))
    env.reset(seed=0, options={"task": 1})
    assert env.render() == "bandit: task 1, episode 0, step 0; observation 0; belief 0.500 0.500\n"
    env.step(0)
    assert env.render() == "bandit: task 1, episode 1, step 1; action 0, reward 1; observation 0; belief 0.000 1.000\n"
    assert gymnasium.make("tinymeta/Bandit-v0").render() is None


def test_what_is_wrong_is_told():
    """Contract: one line of what came and what was expected."""
    env = gymnasium.make("tinymeta/Bandit-v0")
    with pytest.raises(ResetNeeded, match="has not begun"):
        env.step(0)
    with pytest.raises(ValueError, match="unknown option of reset 'tsk'.*'task'"):
        env.reset(options={"tsk": 1})
    with pytest.raises(ValueError, match="options.'task'. = 2, expected an integer >= 0 and <= 1"):
        env.reset(options={"task": 2})
    with pytest.raises(ValueError, match="options.'task'. = 0.5, expected a task"):
        env.reset(options={"task": 0.5})
    env.reset()
    for action in (2, -1, 0.0, None, [0]):
        with pytest.raises(ValueError, match="expected.*integers"):
            env.step(action)
    assert len(played(env, [0] * 99)) == 11
    with pytest.raises(ResetNeeded, match="is over"):
        env.step(0)
    with pytest.raises(ValueError, match="unknown keyword of environment 'bandit' 'puls'.*'pulls'"):
        gymnasium.make("tinymeta/Bandit-v0", puls=3)
    with pytest.raises(TypeError, match="render_mode = 'human', expected None or one of ansi"):
        gymnasium.make("tinymeta/Bandit-v0", render_mode="human")


def test_large_beliefs_are_told_only_when_asked():
    """Contract: 20 000 steps of Tiger are 40 000 hypotheses, 60 000 are 120 000."""
    told = [
        "belief" in TrialEnv(tinymeta.make("tiger", horizon=horizon), belief).reset(seed=0)[1]
        for horizon, belief in ((20_000, None), (60_000, None), (60_000, True), (20_000, False))
    ]
    assert told == [True, False, True, False]


def test_a_new_environment_is_there_by_itself(monkeypatch):
    """Contract: a row of the registry is enough; what Python steps is Gymnasium's already."""
    python_steps = {"lunarlander", "quadruped"}
    assert tinymeta.gym.register() == [identifier(env) for env in registry.ENVIRONMENTS if env not in python_steps]
    monkeypatch.setitem(registry.ENVIRONMENTS, "my-bandit", registry.ENVIRONMENTS["bandit"])
    assert "tinymeta/MyBandit-v0" in tinymeta.gym.register()
    try:
        assert gymnasium.make("tinymeta/MyBandit-v0", pulls=3).unwrapped.tasks.episodes == 3
    finally:
        del gymnasium.registry["tinymeta/MyBandit-v0"]


def test_without_gymnasium_it_says_what_to_install():
    code = "import sys; sys.modules['gymnasium'] = None; import tinymeta.gym"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith("expected after: python -m pip install 'tinymeta[gym]'")


def test_the_page_prints_what_it_shows(capsys):
    code = "".join(re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL))
    exec(compile(code, PAGE.name, "exec"), {})
    shown = re.findall(r"# prints (.*)", code)
    assert capsys.readouterr().out.splitlines() == shown
    assert len(shown) == 4
