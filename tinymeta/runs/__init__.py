"""Runs: what is trained is kept, can be stopped at any moment, and goes on bit by bit.

`config` says what was asked for, `folder` keeps the files of one run, `training` trains it, `sweep` trains many seeds
at once, here or on a `cluster`, `loading` brings the agents back, `curves` tells how they learned. A reader who wants
to know how an agent *learns* may skip this folder.
"""
