/*
 * Making and filling elements of the page; nothing here knows what is shown.
 */

const SVG = "http://www.w3.org/2000/svg";

/** The element with an id; an unknown id is a bug and says so. */
function byId(id) {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no element #${id}`);
  return found;
}

/** Give an element attributes and children; attributes that are false or null are left out. Returns it. */
function dressed(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null));
  return element;
}

/** A new HTML element. */
function html(tag, attributes = {}, ...children) {
  return dressed(document.createElement(tag), attributes, children);
}

/** A new SVG element. */
function svg(tag, attributes = {}, ...children) {
  return dressed(document.createElementNS(SVG, tag), attributes, children);
}

/** A picture of width by height with a sentence for those who do not see it. */
function picture(width, height, sentence, ...children) {
  const box = { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": sentence };
  return svg("svg", box, ...children);
}

/** Replace what an element holds. */
function show(id, ...children) {
  byId(id).replaceChildren(...children.flat().filter((child) => child !== null));
}

/** A number with so many digits after the point, without a minus before zero. */
function fixed(x, digits = 2) {
  const text = x.toFixed(digits);
  return Number(text) === 0 ? (0).toFixed(digits) : text.replace("-", "−");
}

/** A number as short as it can be said: 10, 9.5, 74.00. */
function short(x) {
  return Math.abs(x - Math.round(x)) < 1e-6
    ? fixed(x, 0)
    : fixed(x, Math.abs(x * 10 - Math.round(x * 10)) < 1e-6 ? 1 : 2);
}

/** Fill a select with [value, label] pairs, keeping its value where it is still there. */
function options(id, pairs) {
  const select = byId(id);
  const before = select.value;
  select.replaceChildren(...pairs.map(([value, label]) => html("option", { value }, label)));
  if (pairs.some(([value]) => String(value) === before)) select.value = before;
}

/** Say a sentence to those who listen to the page. */
function announce(sentence) {
  byId("say").textContent = sentence;
}

/** The width that a picture in an element may have. */
function widthOf(id) {
  return Math.max(240, Math.round(byId(id).clientWidth));
}
