"""Agents and how they learn: wirings, rows, rollouts, updates, the learner; agents that act, and their evaluation."""
