/*
 * What is on: one task set, one agent, one trial and what to do with it; and the sentences about them.
 */

const WIRINGS = {
  rl2: "carries its state from episode to episode and is never told the task",
  rl1: "forgets its state after every episode, but is told the task from the second one on",
  memoryless: "forgets its state after every episode and is never told the task",
  informed: "is told the task from the beginning",
};

/** The state of the page; `draw` is set by main.js and shows all of it. */
const lab = {
  worlds: [],
  world: null,
  agent: null,
  mode: "play", // or "watch", "intervene"
  number: 1, // the trial's luck
  player: null, // the agent, watched
  twin: null, // the same trial without changes, once there was one
  draw: () => {},
};

/** The agent called `name` of the present task set, or its first. */
function agentNamed(name) {
  return lab.world.agents.find((agent) => agent.name === name) ?? lab.world.agents[0];
}

/** Begin trial `number` with the present task set and agent. */
function beginTrial(number) {
  lab.number = number;
  lab.player = new Player(lab.world, lab.agent, luckOf(number));
  lab.twin = null;
}

/** Choose a task set and an agent, and begin a trial. */
function chooseStage(world, agentName, number = lab.number) {
  lab.world = world;
  lab.agent = agentNamed(agentName);
  beginTrial(number);
}

/** Whether episodes have one step each. */
function oneStepEpisodes(world) {
  return world.rules.step_limit === world.rules.episodes;
}

/** Whether all trials take the same number of steps. */
function sameLength(world) {
  return oneStepEpisodes(world) || world.rules.episode_length > 0;
}

/** "step 3 of 10", "step 3, walk 1 of 2". */
function whereInTrial(world, trial) {
  const step = `step ${trial.time + 1}`;
  if (oneStepEpisodes(world)) return `${step} of ${world.rules.episodes}`;
  const episode = `episode ${trial.episode + 1} of ${world.rules.episodes}`;
  return world.rules.episodes === 1 ? `${step} of ${world.rules.step_limit}` : `${step}, ${episode}`;
}

/** What an action brought, in words. */
function broughtBy(world, happened) {
  if (world.env === "bandit") return happened.reward > 0 ? "and won" : "and lost";
  const paid = happened.reward === 0 ? "" : `, which paid ${short(happened.reward)}`;
  if (world.env === "tiger" && happened.action === 0 && happened.observation !== null) {
    return `and heard the tiger ${["left", "right"][happened.observation]}${paid}`;
  }
  return `${paid.slice(2)}`.replace(/^which/, "and it");
}

/** A sentence on the last step of a trial: who, what, and what came of it. */
function sentenceOf(world, trial, who) {
  const happened = trial.history[trial.history.length - 1];
  if (happened === undefined) return `Before the first step${who === "You" ? "" : ` of ${who}`}.`;
  const what = `${who} chose ${world.actions[happened.action]} ${broughtBy(world, happened)}`.trim();
  const end = trial.over ? ` The trial is over${trial.cut ? ", cut by its step limit" : ""}.` : "";
  const episode = happened.ended && !trial.over && !oneStepEpisodes(world) ? " The episode ended." : "";
  return `Step ${trial.time}: ${what}.${episode}${end}`;
}

/** The Bayes optimum of a task set in words: "9.5", "35.64 to 37.21", or null. */
function optimumText(world) {
  const { reward, lower, upper } = world.optimum;
  if (reward !== null) return short(reward);
  return lower === null ? null : `${short(lower)} to ${short(upper)}`;
}

/** The number of the first trial that an agent plays as `wanted(player)` says; null where none of 500 is. */
function findTrial(world, agentName, wanted) {
  const agent = world.agents.find(({ name }) => name === agentName);
  for (let number = 1; number <= 500; number++) {
    if (wanted(new Player(world, agent, luckOf(number)))) return number;
  }
  return null;
}
