"""Papers, redone: a paper is a folder of declarations, and training, statistics, verdicts and drawing are shared.

    registry.py        which papers there are, what each consists of (`Paper`)
    experiments.py     `Experiment`: one environment, one agent, its settings, its seeds
    results.py         `Results`: the finished runs of a paper's experiments; `train_all` trains those that are missing
    measures.py        statistics of one experiment
    probe_results.py   `Probes`: what the probes of the runs found, and their table
    claims.py          `Claim`, `Threshold` and its bounds, `judge`; claims.json, claims.md
    plotting.py        figures, colours, tables beside pictures
    options.py         command-line options that the commands of a paper share

A new paper is a folder beside alver_precup_2021/ and a row of `tinymeta.papers.registry.PAPERS`. In its folder:

    paper.py           PAPER, a `Paper` made of the rows below
    experiments.py     its runs
    claims.py          what it says, with thresholds; measurements.py measures what no other paper needs
    figures.py         its pictures

Then `python -m tinymeta.reproduction --paper NAME` trains, `figures` draws, `inside` probes and `claims` judges.
"""
