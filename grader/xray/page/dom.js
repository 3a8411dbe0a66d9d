// Elements, words and numbers: what every part of the page uses.

const catalogue = JSON.parse(document.getElementById("words").textContent);

/** A sentence in the reader's language, with its {names} filled in. */
function _(sentence, values = {}) {
  const text = catalogue[sentence] ?? sentence;
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** A sentence as nodes, where some of its {names} are elements. */
function told(sentence, values) {
  return sentence
    .split(/(\{\w+\})/)
    .map((part) => values[part.slice(1, -1)] ?? part)
    .map((part) => (part instanceof Node ? part : String(part)));
}

/** An element. Children are elements or text; text stays text, whatever it says. */
function el(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "style")
      for (const [key, v] of Object.entries(value)) element.style.setProperty(key, v);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

const bold = (text) => el("b", {}, text);

/** The numbers of a packed array, in reading order. */
function numbers(entry) {
  const bytes = Uint8Array.from(atob(entry.f32 ?? entry.i16), (char) => char.charCodeAt(0));
  if (entry.f32 !== undefined) return new Float32Array(bytes.buffer);
  return Float32Array.from(new Int16Array(bytes.buffer), (n) => (n * entry.scale) / 32767);
}

/** A packed array as arrays in arrays; null stays null. */
function unpack(entry) {
  if (entry === null || entry === undefined) return null;
  const fold = (flat, [n, ...rest]) =>
    rest.length === 0 ? flat : Array.from({ length: n }, (_, i) => fold(part(flat, n, i), rest));
  const part = (flat, n, i) => flat.subarray((i * flat.length) / n, ((i + 1) * flat.length) / n);
  return fold(numbers(entry), entry.shape);
}

/** A number in about `digits` digits, for the eye. */
function short(x, digits = 3) {
  if (typeof x === "string") return x; // page.py's "nan" and "inf"
  if (!Number.isFinite(x)) return Number.isNaN(x) ? "nan" : x > 0 ? "inf" : "−inf";
  const size = Math.abs(x);
  const text =
    x === 0
      ? "0"
      : size >= 1e5 || size < 1e-3
        ? x.toExponential(digits - 1)
        : size >= 1000
          ? String(Math.round(x))
          : x.toPrecision(digits);
  return text.replaceAll("-", "−");
}

function percent(p) {
  const points = 100 * p;
  if (p > 0 && points < 0.05) return "<0.1\u00a0%";
  const isFine = (p > 0 && points < 9.95) || (p < 1 && points >= 99.5);
  return `${isFine ? points.toFixed(1) : Math.round(points)}\u00a0%`;
}

/** How an id is written: the character itself, what cannot be seen by name. */
function shown(token) {
  return { " ": "␣", "\n": "↵", "\t": "⇥" }[token] ?? token;
}

const sum = (xs) => xs.reduce((total, x) => total + x, 0);
const range = (n) => Array.from({ length: n }, (_, i) => i);
const argmax = (xs) => xs.reduce((best, x, i) => (x > xs[best] ? i : best), 0);

/** The ids from the most probable down. */
const ranked = (p) => range(p.length).sort((i, j) => p[j] - p[i]);
