/*
 * Intervene: change what the network carries into a step, or what it is told there, and see what it does then.
 */

/** The donor that was last transplanted: {key, donor}, so that the same choice gives the same state. */
const donors = { key: null, donor: null };

/** The changes that the controls ask for at the step that comes. */
function wantedChanges() {
  const pressed = (id) => byId(id).getAttribute("aria-pressed") === "true";
  const amount = Number(byId("amount").value) / 100;
  const push = amount > 0 ? { hypothesis: Number(byId("toward").value), amount } : null;
  const lie = byId("lie").value === "truth" ? null : Number(byId("lie").value);
  return { transplant: pressed("transplant") ? chosenDonor() : null, reset: pressed("reset"), push, lie };
}

/** The donor for the hypothesis that is chosen, at this step; null where there is none. */
function chosenDonor() {
  const v = Number(byId("donor").value);
  const { frame } = lab.player;
  const key = [lab.world.title, lab.agent.name, v, frame.episode, frame.elapsed].join(" ");
  if (donors.key !== key) {
    donors.key = key;
    donors.donor = findDonor(lab.world, lab.agent, v, frame);
  }
  return donors.donor;
}

/** Put the controls back to where they change nothing, pointed at what the exact belief trusts least. */
function clearTools() {
  byId("transplant").setAttribute("aria-pressed", "false");
  byId("reset").setAttribute("aria-pressed", "false");
  byId("amount").value = "0";
  byId("amount-shown").textContent = "0 %";
  byId("lie").value = "truth";
  chooseOpposite();
}

/** Apply the controls to the step that comes and show what that does. */
function applyTools() {
  pause();
  lab.player.change(wantedChanges());
  drawInside();
  announce(byId("effect").textContent);
}

/** Fill the controls for the present task set, choosing first what the agent does not believe. */
function fillTools() {
  const { world } = lab;
  const hypotheses = world.hypotheses.map((name, v) => [v, name]);
  options("donor", hypotheses);
  options("toward", hypotheses);
  const rewards = Array.from(world.outcomes.reward_value, (value, i) => [i, short(value)]);
  options("lie", [["truth", "what it was"], ...rewards]);
  clearTools();
}

/** Choose as donor, and as aim of a push, the hypothesis that the exact belief trusts least. */
function chooseOpposite() {
  const { exact } = lab.player.frame;
  let least = 0;
  for (let v = 1; v < exact.length; v++) if (exact[v] < exact[least]) least = v;
  byId("donor").value = String(least);
  byId("toward").value = String(least);
}

/** Show the controls and what they do. */
function drawTools() {
  const { player } = lab;
  const none = player.trial.over || player.frame.time === 0;
  for (const id of ["donor", "transplant", "toward", "amount", "lie", "reset", "undo"]) byId(id).disabled = none;
  byId("lie").disabled = none || player.frame.input.hidden;
  byId("amount-shown").textContent = `${byId("amount").value} %`;
  byId("donor-note").textContent = donorNote();
  byId("effect").textContent = effectSentence();
}

/** What is transplanted, or what a transplant is. */
function donorNote() {
  const pressed = byId("transplant").getAttribute("aria-pressed") === "true";
  if (!pressed)
    return "Gives the network the state of a trial in which something else is true; its input stays its own.";
  const { donor } = donors;
  if (donor === null) return "No trial comes to this step with that: nothing is transplanted.";
  const believed = `in which the exact belief in “${lab.world.hypotheses[Number(byId("donor").value)]}” was`;
  return `Put in: the state of a trial, at this same step, ${believed} ${fixed(donor.belief)}.`;
}

/** What the changes do to the step that comes. */
function effectSentence() {
  const { world, agent, player } = lab;
  if (player.trial.over) return "The trial is over: start again or begin a new one.";
  if (player.frame.time === 0) return "Take a step first: before the first one there is nothing to change.";
  if (!player.isChanged) return "Nothing is changed at this step.";
  const { carried, input } = player.frame;
  const before = softmax(agent.network.step(carried, input).logits);
  const after = player.frame.probabilities;
  const [was, is] = [argmax(before), argmax(after)];
  const now = `Now ${agent.label} chooses ${world.actions[is]} with probability ${fixed(after[is])}`;
  const reset = input.reset ? ` ${agent.label} is reset at this step by its wiring, so what is put in is wiped.` : "";
  if (was !== is) return `${now}; unchanged it would be ${world.actions[was]}, with ${fixed(before[was])}.${reset}`;
  return `${now}, as without the change (${fixed(before[was])}).${reset}`;
}

/** Press or release a button that stays pressed. */
function toggle(id) {
  const pressed = byId(id).getAttribute("aria-pressed") === "true";
  byId(id).setAttribute("aria-pressed", String(!pressed));
}

/** Connect the controls of the changes. */
function connectTools() {
  byId("transplant").addEventListener("click", () => {
    toggle("transplant");
    applyTools();
  });
  byId("reset").addEventListener("click", () => {
    toggle("reset");
    applyTools();
  });
  for (const id of ["donor", "toward", "lie"]) byId(id).addEventListener("change", applyTools);
  byId("amount").addEventListener("input", applyTools);
  byId("undo").addEventListener("click", () => {
    clearTools();
    applyTools();
  });
}
