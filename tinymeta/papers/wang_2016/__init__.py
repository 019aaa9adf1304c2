"""Wang et al. (2016), Learning to reinforcement learn, arXiv 1611.05763: its bandits, beside exact optima."""
