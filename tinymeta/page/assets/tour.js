/*
 * A tour in five steps through the paper's argument. Each step sets the stage, and everything stays usable.
 */

const CHANGED_AT = 20; // steps into the last stage's trial

/** The task sets and trials that the tour needs, or null where the page has not got them. */
function tourStages() {
  const has = (world, ...names) => names.every((name) => world.agents.some((agent) => agent.name === name));
  const corridor = lab.worlds.find((world) => world.env === "corridor" && has(world, "rl2", "rl1"));
  const bandits = lab.worlds.filter((world) => world.env === "bandit" && has(world, "rl2"));
  const counting = bandits.find((world) => world.rules.episodes >= 50 && world.hypotheses.length === 2);
  if (!corridor || !counting) return null;
  const search = longSearch(corridor);
  const sure = sureTrial(counting);
  return search === null || sure === null ? null : { corridor, counting, search, sure };
}

/** The first trial of the corridor in which RL² searches the wrong end first, and comes to a second walk. */
function longSearch(corridor) {
  return findTrial(corridor, "rl2", (player) => {
    player.playUntil(({ trial }) => trial.episode === 1);
    return !player.trial.over && player.trial.time > 10;
  });
}

/** The first trial of a bandit in which the exact belief is nearly certain when the tour changes it. */
function sureTrial(counting) {
  return findTrial(counting, "rl2", (player) => {
    player.playUntil(({ trial }) => trial.time === CHANGED_AT);
    return Math.max(...player.frame.exact) > 0.99;
  });
}

/** Set the stage of a step: task set, agent, mode, trial, and how far it is played. */
function setStage(world, agentName, mode, number, stop) {
  pause();
  setMode(mode);
  chooseStage(world, agentName, number);
  fillTools();
  lab.player.playUntil(stop);
  lab.draw();
}

/** The steps: {title, text, stage}. */
function tourSteps({ corridor, counting, search, sure }) {
  const reads = counting.agents.map(({ label, decoder }) => `${label} ${fixed(decoder.r2, 3)}`).join(", ");
  const toSecond = ({ trial }) => trial.episode === 1;
  return [
    {
      title: "A task that nobody tells",
      text:
        "A goal hides at one end of this corridor, and RL² is not told at which. Press Step and watch: it searches " +
        "one end first, and when nothing pays there, that itself is evidence. Of each pair of bars the upper is the " +
        "exact belief.",
      stage: () => setStage(corridor, "rl2", "watch", search, () => true),
    },
    {
      title: "It comes back and walks straight",
      text:
        "The second walk begins at the same place, with the same weights. Press Run: RL² goes straight to the goal. " +
        "What it found in the first walk comes with it, in the state that it carries (and once more in the input: " +
        "the last action and reward enter at the first step).",
      stage: () => setStage(corridor, "rl2", "watch", search, toSecond),
    },
    {
      title: "Told instead of remembering",
      text:
        "RL¹ forgets its state between the walks, but is told the task before the second. Same luck, and its " +
        "second walk is as straight. The paper concludes that what RL² carries does the work of being told: a belief " +
        "about the task.",
      stage: () => setStage(corridor, "rl1", "watch", search, toSecond),
    },
    {
      title: "Reading is not proof",
      text:
        "Here evidence must be counted. Press Run: the belief decoded from the state follows the exact one. But look " +
        `at the untrained network too (held-out R²: ${reads}). What can be read from a state need not be used.`,
      stage: () => setStage(counting, "rl2", "watch", sure, () => true),
    },
    {
      title: "Change it, and the behaviour changes sides",
      text:
        "The state of a trial from the other task has been put in; the input is still its own. The line in each bar " +
        "is what RL² would have done. Press Run and compare both trials below; then push the belief, " +
        "reset it, or lie. So the state is used as a belief is; that it is nothing else, this does not show.",
      stage: () => {
        setStage(counting, "rl2", "intervene", sure, ({ trial }) => trial.time === CHANGED_AT);
        chooseOpposite();
        toggle("transplant");
        applyTools();
      },
    },
  ];
}

/** The tour's place: the step shown, from 0. */
const tour = { steps: [], at: 0 };

/** Whether the tour stands at the screen's lower edge, as page.css has it. */
function narrow() {
  return matchMedia("(max-width: 36rem)").matches;
}

/** Show a step of the tour. */
function showTourStep(at) {
  tour.at = at;
  const { title, text, stage } = tour.steps[at];
  stage();
  byId("tour").hidden = false;
  document.body.classList.add("touring");
  byId("tour-count").textContent = `Tour, ${at + 1} of ${tour.steps.length}`;
  byId("tour-title").textContent = title;
  byId("tour-text").textContent = text;
  byId("tour-back").disabled = at === 0;
  byId("tour-next").textContent = at + 1 === tour.steps.length ? "Done" : "Next";
  byId(narrow() ? "panel-inside" : "tour").scrollIntoView({ block: "start" });
  byId("tour-title").focus({ preventScroll: true });
}

/** Leave the tour where it is. */
function closeTour() {
  byId("tour").hidden = true;
  document.body.classList.remove("touring");
  byId("lab").focus({ preventScroll: true });
}

/** Connect the tour's controls; without its task sets there is none. */
function connectTour() {
  const stages = tourStages();
  byId("begin-tour").hidden = stages === null;
  if (stages === null) return;
  tour.steps = tourSteps(stages);
  byId("begin-tour").addEventListener("click", () => showTourStep(0));
  byId("tour-close").addEventListener("click", closeTour);
  byId("tour-back").addEventListener("click", () => showTourStep(tour.at - 1));
  byId("tour-next").addEventListener("click", () => {
    if (tour.at + 1 === tour.steps.length) closeTour();
    else showTourStep(tour.at + 1);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !byId("tour").hidden) closeTour();
  });
}
