"""The same training in PyTorch, twice: as most people write it, and tuned for the CPU.

eager   nn.LSTMCell step by step with autograd's graph, Categorical, clip_grad_norm_, Adam
tuned   the rollout without a graph (inference_mode), then one fused nn.LSTM over the recorded inputs for the gradient,
        foreach Adam, one thread; finished trials are left out of every step of the rollout and masked in the gradient
"""

import argparse
import json
import os
import resource
import sys
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from torch import nn

H, A, VF_COEF = 48, 2, 0.05
ENVIRONMENTS = {
    "bandit": {
        "cells": 0,
        "start": 0,
        "episodes": 10,
        "limit": 10,
        "lr": 1e-3,
        "gamma": 0.8,
        "ent": 0.001,
        "clip": 1.0,
    },
    "corridor": {
        "cells": 11,
        "start": 5,
        "episodes": 2,
        "limit": 100,
        "lr": 1e-4,
        "gamma": 0.9,
        "ent": 0.01,
        "clip": 5.0,
    },
}


def step_environment(env, task, place, action):
    """(place, reward, ended) after an action; a corridor's goal is at cell 0 or 10, and reaching it starts again in
    the middle.
    """
    if not env["cells"]:
        return place, (action != task).float(), torch.ones_like(task)
    moved = (place + 2 * action - 1).clamp(0, env["cells"] - 1)
    ended = moved == (env["cells"] - 1) * task
    return torch.where(ended, env["start"], moved), 10.0 * ended, ended.long()


class Agent(nn.Module):
    """LSTM of 48 units, policy and value heads, initialised like tinymeta's."""

    def __init__(self, env, layer):
        super().__init__()
        self.lstm = layer(env["cells"] + 1 + A, H)
        self.policy, self.value = nn.Linear(H, A), nn.Linear(H, 1)
        for name, parameter in self.named_parameters():
            if "bias" in name:
                nn.init.zeros_(parameter)
            elif "lstm" in name:
                nn.init.uniform_(parameter, -(H**-0.5), H**-0.5)
            else:
                nn.init.xavier_uniform_(parameter)


def encode(env, place, reward, action):
    parts = [nn.functional.one_hot(place, env["cells"]).float()] if env["cells"] else []
    return torch.cat([*parts, reward[:, None], (action[:, None] == torch.arange(A)).float()], 1)


def loss_of(env, logits, values, actions, rewards, alive, bootstrap):
    """The actor-critic loss of (T, B) arrays; entries that are not alive count nothing."""
    G, targets = bootstrap, []
    for t in range(len(rewards) - 1, -1, -1):
        G = torch.where(alive[t], rewards[t] + env["gamma"] * G, G)
        targets.append(G)
    targets = torch.stack(targets[::-1])
    advantage = (targets - values).detach()
    policy = torch.distributions.Categorical(logits=logits)
    each = -policy.log_prob(actions) * advantage + VF_COEF * (targets - values) ** 2 - env["ent"] * policy.entropy()
    return (each * alive).sum() / alive.sum()


def begin(B):
    return torch.randint(2, (B,)), torch.zeros(B), torch.full((B,), -1), torch.zeros(B, dtype=torch.long)


def play_eager(env, agent, B):
    task, reward, action, episode = begin(B)
    place, h, c = torch.full((B,), env["start"]), torch.zeros(B, H), torch.zeros(B, H)
    kept, running = [], torch.ones(B, dtype=torch.bool)
    while running.any() and len(kept) < env["limit"]:
        h, c = agent.lstm(encode(env, place, reward, action), (h, c))
        logits, value = agent.policy(h), agent.value(h)[:, 0]
        action = torch.distributions.Categorical(logits=logits).sample()
        place, reward, ended = step_environment(env, task, place, action)
        kept.append((logits, value, action, reward * running, running))
        episode = episode + ended
        running = running & (episode < env["episodes"])
    bootstrap = torch.zeros(B)
    if running.any():
        with torch.no_grad():
            h, _ = agent.lstm(encode(env, place, reward, action), (h, c))
            bootstrap = agent.value(h)[:, 0] * running
    logits, values, actions, rewards, alive = (torch.stack(part) for part in zip(*kept, strict=True))
    return loss_of(env, logits, values, actions, rewards, alive, bootstrap), rewards.sum(), alive.sum()


def play_tuned(env, agent, B):
    lstm = agent.lstm
    D = env["cells"] + 1 + A
    with torch.inference_mode():
        inputs, actions = torch.zeros(env["limit"] + 1, B, D), torch.zeros(env["limit"], B, dtype=torch.long)
        rewards, alive = torch.zeros(env["limit"], B), torch.zeros(env["limit"], B, dtype=torch.bool)
        task, reward, action, episode = begin(B)
        place, rows = torch.full((B,), env["start"]), torch.arange(B)
        h = c = torch.zeros(B, H)
        weight, bias = (
            torch.cat([lstm.weight_ih_l0, lstm.weight_hh_l0], 1).T.contiguous(),
            lstm.bias_ih_l0 + lstm.bias_hh_l0,
        )
        T = 0
        while len(rows) and env["limit"] > T:
            x = encode(env, place, reward, action)
            i, f, g, o = torch.addmm(bias, torch.cat([x, h], 1), weight).chunk(4, 1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            logits = agent.policy(h)
            action = (torch.rand(len(rows)) >= torch.softmax(logits, 1)[:, 0]).long()
            place, reward, ended = step_environment(env, task, place, action)
            inputs[T, rows], actions[T, rows], rewards[T, rows], alive[T, rows] = x, action, reward, True
            episode = episode + ended
            T += 1
            if env["cells"]:
                inputs[T, rows] = encode(env, place, reward, action)
                going = episode < env["episodes"]
                if not going.all():
                    rows, task, place, episode, reward, action, h, c = (
                        a[going] for a in (rows, task, place, episode, reward, action, h, c)
                    )
    cut = torch.zeros(B, dtype=torch.bool)
    if env["limit"] == T and env["cells"]:
        cut[rows.clone()] = True
    inputs, actions, rewards, alive = (
        inputs[: T + 1].clone(),
        actions[:T].clone(),
        rewards[:T].clone(),
        alive[:T].clone(),
    )
    h, _ = lstm(inputs if cut.any() else inputs[:T])
    values = agent.value(h)[:, :, 0]
    bootstrap = (values[T] * cut).detach() if cut.any() else torch.zeros(B)
    return loss_of(env, agent.policy(h[:T]), values[:T], actions, rewards, alive, bootstrap), rewards.sum(), alive.sum()


def train(env, variant, B, updates, seed):
    """(rewards, steps) per update and the seconds they took, after three updates of warm-up."""
    torch.manual_seed(seed)
    agent = Agent(env, nn.LSTM if variant == "tuned" else nn.LSTMCell)
    play = play_tuned if variant == "tuned" else play_eager
    optimizer = torch.optim.Adam(agent.parameters(), lr=env["lr"], foreach=variant == "tuned")
    rewards, steps = [], []
    for update in range(updates + 3):
        if update == 3:
            began = time.perf_counter()
        loss, reward, count = play(env, agent, B)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(agent.parameters(), env["clip"])
        optimizer.step()
        rewards.append(float(reward))
        steps.append(int(count))
    return rewards[3:], steps[3:], time.perf_counter() - began


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--variant", choices=("eager", "tuned"), default="eager")
    parser.add_argument("--env", choices=ENVIRONMENTS, default="bandit")
    parser.add_argument("--num-envs", type=int, default=1)
    parser.add_argument("--trials", type=int, default=2000)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(1)
    updates, results = max(1, args.trials // args.num_envs), []
    for seed in range(args.first_seed, args.first_seed + args.seeds):
        results.append(train(ENVIRONMENTS[args.env], args.variant, args.num_envs, updates, seed))
    last = max(1, updates // 10) * args.num_envs
    tail = [[sum(part[-max(1, updates // 10) :]) / last for part in result[:2]] for result in results]
    print(
        json.dumps(
            {
                "name": f"PyTorch {args.variant}",
                "env": args.env,
                "num_envs": args.num_envs,
                "seeds": args.seeds,
                "trials": args.trials,
                "env_steps": sum(sum(result[1]) for result in results),
                "compile_seconds": 0.0,
                "train_seconds": sum(result[2] for result in results),
                "process_seconds": time.process_time(),
                "reward_per_trial": [reward for reward, _ in tail],
                "steps_per_trial": [steps for _, steps in tail],
                "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            }
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
