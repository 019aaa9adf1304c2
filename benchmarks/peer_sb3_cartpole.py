"""sb3-contrib's RecurrentPPO on the pole on a cart through `tinymeta.gym`: one entry of `worlds.py`.

Its own settings: segments of 128 steps, minibatches of 128, ten epochs; and the network of ours, an LSTM of 48 units
that policy and value share, which is smaller, hence faster, than its default of two LSTMs of 256 and four dense layers.
"""

import argparse
import json
import os
import resource
import sys
import time

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"))

import torch
from sb3_contrib import RecurrentPPO
from stable_baselines3.common.env_util import make_vec_env

import tinymeta.gym  # noqa: F401, it registers the environments

SETTINGS = {"n_steps": 128, "batch_size": 128, "max_grad_norm": 0.5, "gamma": 0.99, "gae_lambda": 0.95}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--num-envs", type=int, default=16)
    parser.add_argument("--n-epochs", type=int, default=10)
    parser.add_argument("--hidden-size", type=int, default=48)
    parser.add_argument("--steps", type=int, default=8192)
    parser.add_argument("--env-kwargs", default="{}", help="JSON")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(1)
    network = {
        "lstm_hidden_size": args.hidden_size,
        "net_arch": [],
        "shared_lstm": True,
        "enable_critic_lstm": False,
    }
    environments = make_vec_env(
        "tinymeta/Cartpole-v0", args.num_envs, seed=args.seed, env_kwargs={"rl2": True, **json.loads(args.env_kwargs)}
    )
    agent = RecurrentPPO(
        "MlpLstmPolicy", environments, seed=args.seed, device="cpu", n_epochs=args.n_epochs, policy_kwargs=network,
        **SETTINGS,
    )  # fmt: skip
    began = time.perf_counter()
    agent.learn(128 * args.num_envs)  # what is loaded and compiled at first
    compile_seconds = time.perf_counter() - began
    before = agent.num_timesteps
    began = time.perf_counter()
    cpu_began = time.process_time()
    agent.learn(args.steps, reset_num_timesteps=False)
    result = {
        "name": "RecurrentPPO",
        "num_envs": args.num_envs,
        "n_epochs": args.n_epochs,
        "env_steps": agent.num_timesteps - before,
        "compile_seconds": compile_seconds,
        "train_seconds": time.perf_counter() - began,
        "train_cpu_seconds": time.process_time() - cpu_began,
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
