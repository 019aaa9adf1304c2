"""Papers (contract): declarations fit together; commands take a paper by its name and seeds from anywhere."""

import pickle

import pytest

from tinymeta import claims, cli, figures, inside, reproduction
from tinymeta.papers.options import add_arguments, add_output, add_workers, missing, output_of, results_of, workers_of
from tinymeta.papers.registry import PAPERS, load_paper

every_paper = pytest.mark.parametrize("name", PAPERS)
every_command = pytest.mark.parametrize("command", [claims, figures, inside, reproduction])


@every_paper
def test_declarations_fit_together(name):
    paper = load_paper(name)
    assert paper.name == name
    assert set(paper.probed) <= set(paper.experiments)
    assert len({claim.name for claim in paper.claims}) == len(paper.claims)
    for draw in (*paper.figures.values(), *paper.probe_figures.values()):
        pickle.loads(pickle.dumps(draw))  # it is drawn in another process
    left_out, _ = missing(paper)
    for name, experiment in paper.experiments.items():
        assert experiment.config(7).settings.seed == 7
        assert name in left_out or experiment.longest() > 0


def test_the_default_paper_draws_into_figures():
    assert str(load_paper("alver").output) == "figures"
    assert str(load_paper("alver")._replace(name="other").output) == "figures/other"


@every_command
def test_an_unknown_paper_is_refused_with_a_suggestion(command, capsys):
    assert cli.run(lambda: command.main(["--paper", "alvar"])) == 2
    assert "unknown paper 'alvar', expected one of" in (error := capsys.readouterr().err)
    assert "did you mean 'alver'" in error


@every_command
@pytest.mark.parametrize("seed", ["-1", str(2**63)])
def test_seeds_that_are_none_are_refused(command, seed, capsys, tmp_path):
    assert cli.run(lambda: command.main(["--first-seed", seed, "--runs", str(tmp_path)])) == 2
    assert f"first_seed = {seed}, expected an integer" in capsys.readouterr().err


@pytest.mark.parametrize(("command", "code"), [(claims, 1), (figures, 2), (inside, 2)])
def test_seeds_of_another_place_are_looked_for(command, code, capsys, tmp_path):
    arguments = ["--first-seed", "100", "--runs", str(tmp_path), "--out", str(tmp_path / "out"), "--quick"]
    assert cli.run(lambda: command.main(arguments)) == code
    assert "seed-10" in capsys.readouterr().err


def test_options():
    parser = cli.parser("test", "")
    for add in (add_arguments, add_output, add_workers):
        add(parser)
    paper = load_paper("alver")
    args = parser.parse_args(["--quick", "--first-seed", "5", "--runs", "elsewhere", "--out", "here", "--workers", "3"])
    results = results_of(args, paper)
    assert list(results.seeds_of("bandit-rl2")) == [5, 6, 7]
    assert str(results.path("bandit-rl2", 5)) == "elsewhere/bandit-rl2/seed-5"
    assert (str(output_of(args, paper)), workers_of(args)) == ("here", 3)
    args = parser.parse_args([])
    assert results_of(args, paper).seeds_of("bandit-rl2") == range(100, 120)
    assert results_of(args, paper).seeds_of("tiger-rl1") == range(100, 105)
    assert output_of(args, paper) == paper.output


def test_a_paper_without_probes_is_told():
    paper = load_paper("alver")._replace(probed={})
    with pytest.raises(ValueError, match="names no runs to probe"):
        inside.look_inside(paper, None, None)
