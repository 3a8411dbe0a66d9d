// The student's own lines beside what they computed.

/** The last call of the first of `names` that was seen, in `layer` if one is given. */
function lastCall(data, names, layer = null) {
  for (const name of names) {
    const found = data.calls.filter((call) => call.name === name && (layer === null || call.layer === layer));
    if (found.length) return found.at(-1);
  }
  return null;
}

/** Where a value was made, if that line stands inside the definition `name`. */
function madeIn(data, call) {
  const places = call.outputs.map((v) => data.values[v].made_at).filter(Boolean);
  return places.find((place) => place.inside === call.name) ?? places[0] ?? null;
}

/** A source, its lines numbered, some of them marked. */
function listing(definition, marked = []) {
  if (!definition?.source) return null;
  const lines = definition.source.replace(/\n$/, "").split("\n");
  return el("pre", { class: "listing", tabindex: "0", "aria-label": definition.file },
    lines.map((line, i) => {
      const number = definition.line + i;
      const isMarked = marked.includes(number);
      return el("code", { class: isMarked ? "marked" : null, "aria-current": isMarked ? "step" : null },
        el("span", { class: "number" }, String(number)), line || " ", "\n");
    }));
}

const fileName = (path) => path.split("/").at(-1);

/** "Computed by": the line, and the whole definition when it is opened. Null if nothing is known. */
function computedBy(data, names, layer = null) {
  const call = lastCall(data, names, layer);
  const name = call?.name ?? names.find((n) => data.definitions[n]);
  const definition = name && data.definitions[name];
  if (!definition) return null;
  const made = call && madeIn(data, call);
  const place = made?.inside === name ? made : null;
  const first = (definition.source ?? "").split("\n")[0].trim();
  const summary = el("summary", {},
    el("span", { class: "file" }, `${fileName(definition.file)}:${place?.line ?? definition.line}`), " ",
    el("code", {}, place?.code ?? (first || name)));
  if (definition.borrowed || !definition.source) {
    return el("p", { class: "computed" }, el("span", { class: "file" }, fileName(definition.file)), " ",
      _("{name} is borrowed from the reference, whose lines are not shown.", { name }));
  }
  return el("details", { class: "computed" }, summary, listing(definition, place ? [place.line] : []));
}
