"""All probes that change a state and look what follows, of one agent, each beside the network before training."""

from collections.abc import Callable
from typing import Any

from tinymeta.base.errors import InputError
from tinymeta.learning.agent import Agent
from tinymeta.optimum.planning import Plan
from tinymeta.probes.exchanges import exchange
from tinymeta.probes.graded import switching, updating
from tinymeta.probes.metamers import metamers
from tinymeta.probes.recording import Recording, record_random_actions, relive
from tinymeta.probes.transplants import FIRST_INPUT, transplant, wanted_actions

INTERVENTIONS = ("metamers", "transplants", "updating", "exchange", "switching")
Reason = dict[str, str]  # {"reason": why something is not defined or out of reach}


def or_reason(job: Callable[[], Any]) -> Any:
    """What `job` returns; {"reason": why} if it is out of reach, or not defined for this agent: other probes go on."""
    try:
        return job()
    except InputError as error:
        return {"reason": str(error)}


def interventions(
    agent: Agent, before: Agent, recording: Recording, gamma: float, own: Plan | Reason, seed: int = 0
) -> dict[str, Any]:
    """{"metamers": {"own", "random"}, "transplants", "exchange", "switching", "updating"}, see the modules.

    All but metamers are {"trained", "untrained"} of what the module gives. Where something is not defined there is
    {"reason": why} instead.

    Parameters
    ----------
    agent, before : Agent
        Trained, and before training.
    recording : Recording
        Of the agent's own trials; the untrained network is sent through the same inputs.
    gamma : float
    own : Plan or Reason
        The best policy with the agent's own information.
    seed : int
        Of pairs, random directions and the episodes played.
    """
    networks = {"trained": (agent, recording), "untrained": (before, relive(before, recording))}

    def of_both(intervene: Callable[[Agent, Recording], dict]) -> dict[str, Any]:
        return or_reason(lambda: {name: intervene(*network) for name, network in networks.items()})

    found = {
        "metamers": {
            "own": or_reason(lambda: metamers(agent, before, recording, seed)),
            "random": or_reason(
                lambda: metamers(agent, before, record_random_actions(agent, len(recording.task), seed), seed)
            ),
        },
        "transplants": or_reason(lambda: _transplants(networks, gamma, seed)),
        "updating": of_both(lambda network, states: updating(network, states, seed)),
    }
    if isinstance(own, dict):
        return {**found, "exchange": own, "switching": own}
    found["exchange"] = of_both(lambda network, states: exchange(network, states, own, seed))
    found["switching"] = of_both(lambda network, states: switching(network, states, own, seed))
    return found


def _transplants(networks: dict[str, tuple[Agent, Recording]], gamma: float, seed: int) -> dict[str, Any]:
    """`transplant` of both networks; of the untrained one with less detail."""
    wanted = wanted_actions(networks["trained"][0].tasks, gamma)
    trained, untrained = (
        transplant(*networks[name], wanted, seed=seed, inputs=inputs, dosed=dosed)
        for name, inputs, dosed in (("trained", FIRST_INPUT, True), ("untrained", ("own", "donor"), False))
    )
    return {"trained": trained, "untrained": untrained}
