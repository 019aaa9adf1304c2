"""Worlds without a table (ours): what the open loop learns, beside a plain agent and beside random play."""
