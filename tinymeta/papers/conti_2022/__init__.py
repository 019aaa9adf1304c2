"""Conti (2022), "RL² Meta Reinforcement Learning": A2C and A3C, with and without meta memory, on eight settings."""
