"""Alver & Precup (2021), What is going on inside recurrent meta reinforcement learning agents? arXiv 2104.14644."""
