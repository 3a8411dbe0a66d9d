// The student's own lines beside what they computed.

/** The last call of the first of `names` that was seen, in `layer` if one is given. */
function lastCall(data, names, layer = null) {
  for (const name of names) {
    const found = data.calls.filter(
      (call) => call.name === name && (layer === null || call.layer === layer),
    );
    if (found.length) return found.at(-1);
  }
  return null;
}

/** The line of the definition of `call` that gave its result, made there or got from a call. */
function lineOf(data, call) {
  const self = data.calls.indexOf(call);
  const made = call.outputs.map((v) => data.values[v].made_at);
  const got = data.calls
    .filter((other) => other.parent === self && other.outputs.some((v) => call.outputs.includes(v)))
    .map((other) => other.at);
  return [...made, ...got].find((place) => place?.inside === call.name) ?? null;
}

/** A source, its lines numbered, some of them marked. */
function listing(definition, marked = []) {
  if (!definition?.source) return null;
  const lines = definition.source.replace(/\n$/, "").split("\n");
  return el(
    "pre",
    { class: "listing", tabindex: "0", "aria-label": definition.file },
    lines.map((line, i) => {
      const number = definition.line + i;
      const isMarked = marked.includes(number);
      return el(
        "code",
        { class: isMarked ? "marked" : null, "aria-current": isMarked ? "step" : null },
        el("span", { class: "number" }, String(number)),
        line || " ",
        "\n",
      );
    }),
  );
}

/** Scroll each listing in `place` so that its marked line is in the middle. */
function showMarked(place) {
  for (const marked of place.querySelectorAll(".listing .marked")) {
    const box = marked.parentElement;
    box.scrollTop = marked.offsetTop - box.clientHeight / 2;
  }
}

const fileName = (path) => path.split("/").at(-1);

/** "Computed by": the line, and when opened the whole definition. Null if nothing is known. */
function computedBy(data, names, { layer = null, label = _("computed by") } = {}) {
  const call = lastCall(data, names, layer);
  const name = call?.name ?? names.find((n) => data.definitions[n]);
  const definition = name && data.definitions[name];
  if (!definition) return null;
  const place = call && lineOf(data, call);
  const lines = (definition.source ?? "").split("\n");
  const def = Math.max(
    0,
    lines.findIndex((line) => /^\s*def /.test(line)),
  ); // below its decorators
  const summary = el(
    "summary",
    {},
    label,
    " ",
    el(
      "span",
      { class: "file" },
      `${fileName(definition.file)}:${place?.line ?? definition.line + def}`,
    ),
    " ",
    el("code", {}, place?.code ?? (lines[def].trim() || name)),
  );
  if (definition.borrowed || !definition.source) {
    return el(
      "p",
      { class: "computed" },
      el("span", { class: "file" }, fileName(definition.file)),
      " ",
      _("{name} is borrowed from the reference, whose lines are not shown.", { name }),
    );
  }
  const details = el(
    "details",
    { class: "computed" },
    summary,
    listing(definition, place ? [place.line] : []),
  );
  details.addEventListener("toggle", () => showMarked(details));
  return details;
}
