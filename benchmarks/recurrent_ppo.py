"""Somebody else's agent on our bandit: sb3-contrib's RecurrentPPO through `tinymeta.gym`, beside ours.

    python benchmarks/recurrent_ppo.py          (needs pip install 'tinymeta[gym]' sb3-contrib; about a minute)

RecurrentPPO (an LSTM of 48 units and two linear heads, as in `rl2`) is trained on RL²'s input vectors, with what
pilot seeds 1000 to 1002 chose: minibatches of 160 steps, four epochs, a learning rate that falls to 0. It has to reach
9.4 of the Bayes-optimal 9.5 in 1000 test trials with sampled actions, or its speed means nothing. Ours is
``python -m tinymeta.train bandit rl2``, tested in the same way. Both use one thread, seconds are those of training
without compilation. Then the environments alone, with random actions: as many single ones in turn
(`gymnasium.vector.SyncVectorEnv`) and one compiled call for all.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
os.environ.update(ONE_THREAD)  # read when the libraries below are loaded

import gymnasium  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
from sb3_contrib import RecurrentPPO  # noqa: E402
from stable_baselines3.common.env_util import make_vec_env  # noqa: E402

import tinymeta  # noqa: E402
import tinymeta.gym  # noqa: E402

BANDIT = "tinymeta/Bandit-v0"
LEARNED = 9.4  # reward per trial, Bayes-optimal 9.5
NUM_ENVS = 16
NETWORK = {"lstm_hidden_size": 48, "net_arch": [], "shared_lstm": True, "enable_critic_lstm": False}
SETTINGS = {
    "n_steps": 40, "batch_size": 160, "n_epochs": 4, "gamma": 0.8, "gae_lambda": 1.0, "ent_coef": 0.0, "vf_coef": 0.05,
    "max_grad_norm": 1.0,
}  # fmt: skip
LEARNING_RATE = 2e-3  # at the beginning


def environments(count, seed):
    """What Stable-Baselines3 makes of `count` bandits."""
    return make_vec_env(BANDIT, count, seed=seed, env_kwargs={"rl2": True, "belief": False})


def mean_and_error(rewards):
    """Mean reward per trial and its standard error."""
    return float(np.mean(rewards)), float(np.std(rewards) / math.sqrt(len(rewards)))


def train_recurrent_ppo(seed, steps, trials):
    """One row of the table."""
    torch.set_num_threads(1)
    rate = {"learning_rate": lambda remaining: LEARNING_RATE * remaining}
    agent = RecurrentPPO(
        "MlpLstmPolicy",
        environments(NUM_ENVS, seed),
        seed=seed,
        device="cpu",
        policy_kwargs=NETWORK,
        **rate,
        **SETTINGS,
    )
    began = time.perf_counter()
    agent.learn(steps)
    seconds = time.perf_counter() - began
    return row("RecurrentPPO", agent.num_timesteps, seconds, play(agent, trials, seed + 10_000))


def play(agent, trials, seed):
    """The reward of each test trial, actions sampled; each of 50 environments plays equally many."""
    count = 50
    bandits = environments(count, seed)
    observation = bandits.reset()
    state = None
    begins = np.ones(count, bool)
    rewards = []
    reward = np.zeros(count)
    while len(rewards) < trials:
        action, state = agent.predict(observation, state, begins, deterministic=False)
        observation, paid, begins, _ = bandits.step(action)
        reward += paid
        rewards += reward[begins].tolist()
        reward[begins] = 0
    return rewards


def train_ours(seed, trials):
    """One row of the table."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "tinymeta.train", "bandit", "rl2", "--quiet"]
        subprocess.run([*command, "--seed", str(seed), "--out", folder], check=True, stdout=subprocess.DEVNULL)
        result = json.loads((Path(folder) / "result.json").read_text(encoding="utf-8"))
        rewards = tinymeta.load(folder).play(trials, seed=seed + 10_000).reward.sum(axis=1)
    return row("tinymeta rl2", result["env_steps"], result["train_seconds"], rewards)


def row(name, steps, seconds, rewards):
    mean, error = mean_and_error(rewards)
    return {
        "name": name,
        "env_steps": int(steps),
        "train_seconds": seconds,
        "steps_per_second": steps / seconds,
        "reward_per_trial": mean,
        "standard_error": error,
    }


def rate(mode, num_envs, seconds=2.0, **kwargs):
    """Environment steps per second with random actions, all in all."""
    bandits = gymnasium.make_vec(BANDIT, num_envs, mode, **kwargs)
    bandits.reset(seed=0)
    bandits.action_space.seed(0)
    actions = [bandits.action_space.sample() for _ in range(100)]
    for action in actions:  # compiles
        bandits.step(action)
    calls = 0
    began = time.perf_counter()
    while time.perf_counter() - began < seconds:
        for action in actions:
            bandits.step(action)
        calls += len(actions)
    return num_envs * calls / (time.perf_counter() - began)


def rates(num_envs):
    """[{what infos and observations are, rates, their ratio}]."""
    table = []
    for name, kwargs in {"belief in infos": {}, "no belief": {"belief": False}, "RL²'s input": {"rl2": True}}.items():
        single, one_call = (rate(mode, num_envs, **kwargs) for mode in ("sync", "vector_entry_point"))
        table.append({"what": name, "one_by_one": single, "one_call": one_call, "ratio": one_call / single})
    return table


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=80_000, help="that RecurrentPPO trains for")
    parser.add_argument("--trials", type=int, default=1000, help="of the test")
    parser.add_argument("--num-envs", type=int, default=64, help="environments that are stepped together alone")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the tables")
    args = parser.parse_args()
    agents = [train_recurrent_ppo(args.seed, args.steps, args.trials), train_ours(args.seed, args.trials)]
    alone = rates(args.num_envs)
    if args.json:
        print(json.dumps({"seed": args.seed, "agents": agents, "num_envs": args.num_envs, "environments": alone}))
    else:
        print(f"{'':16}{'env steps':>12}{'seconds':>10}{'steps/s':>14}   reward per trial")
        for r in agents:
            reward = f"{r['reward_per_trial']:.3f} ± {1.96 * r['standard_error']:.3f}"
            seconds = f"{r['train_seconds']:10.2f}{r['steps_per_second']:14,.0f}"
            print(f"{r['name']:16}{r['env_steps']:12,}{seconds}   {reward}")
        print(f"\n{f'{args.num_envs} environments':16}{'one by one':>14}{'one call':>14}{'ratio':>8}")
        for r in alone:
            print(f"{r['what']:16}{r['one_by_one']:14,.0f}{r['one_call']:14,.0f}{r['ratio']:8.0f}")
    low = [r["name"] for r in agents if r["reward_per_trial"] < LEARNED]
    if low:
        print(f"{' and '.join(low)} stayed below {LEARNED} reward per trial", file=sys.stderr)
    return 1 if low else 0


if __name__ == "__main__":
    sys.exit(main())
