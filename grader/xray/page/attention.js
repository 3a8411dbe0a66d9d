// Who looks at whom: every layer, every head.

/** What a head does with this text, in words: where most of its attention goes, on average. */
function habit(weights, tokens) {
  const T = weights.length;
  if (T < 3) return "";
  const mean = (from, weight) => sum(range(T).slice(from).map(weight)) / (T - from);
  const name = (s) =>
    s === 0 ? _("the beginning") : _("{token} at {s}", { token: shown(tokens[s]), s });
  const [share, where] = [
    [mean(1, (t) => weights[t][t]), _("itself")],
    [mean(1, (t) => weights[t][t - 1]), _("the token before")],
    ...range(T - 2).map((s) => [mean(s + 1, (t) => weights[t][s]), name(s)]),
  ].reduce((best, one) => (one[0] > best[0] ? one : best));
  return share > 0.4 ? `${where}, ${percent(share)}` : _("spread out");
}

/** The head to show first: the one that looks most at what came before. */
function lookingBack(attention) {
  const heads = attention.flatMap((layer, l) =>
    layer.map((weights, h) => {
      const back = weights.map((row, t) => (t > 1 ? Math.max(...row.subarray(1, t)) : 0));
      return { layer: l, head: h, share: sum(back) };
    }),
  );
  return heads.reduce((best, head) => (head.share > best.share ? head : best));
}

/** One head as a small picture. */
function headPicture(weights) {
  const T = weights.length;
  const canvas = el("canvas", { width: T, height: T, "aria-hidden": "true" });
  const flat = new Float32Array(T * T);
  weights.forEach((row, t) => flat.set(row, t * T));
  paintShares(canvas, flat);
  return canvas;
}

function paintShares(canvas, flat) {
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  flat.forEach((share, i) => {
    const { r, g, b } = d3.rgb(heat(share));
    image.data.set([r, g, b, 255], 4 * i);
  });
  context.putImageData(image, 0, 0);
}

const FEW = 20; // tokens side by side, each with its share below it

/** What is wrong with weights of attention, whatever the model: null if nothing is. */
function strange(attention) {
  const rows = attention.flat(1).flatMap((weights) => weights.map((row, t) => ({ row, t })));
  const ahead = Math.max(...rows.map(({ row, t }) => sum(row.subarray(t + 1))));
  if (ahead > 1e-6)
    return _(
      "Some heads look ahead, with up to {p} of their attention, at tokens that are not there yet when the model writes: the mask is missing, or comes after the softmax.",
      { p: percent(ahead) },
    );
  const off = Math.max(...rows.map(({ row }) => Math.abs(sum(row) - 1)));
  if (off > 1e-4)
    return _("The weights of a position do not add up to 1: they are off by up to {off}.", {
      off: short(off),
    });
  return null;
}

/** Arcs from the position that looks to those it sees, as thick as its attention. */
function arcs(space, tokens, weights, position, label) {
  const seen = range(tokens.length)
    .map((s) => ({ s, share: weights[s] }))
    .filter((d) => d.s <= position || d.share > 0);
  const width = Math.min(860, Math.max(300, space.clientWidth || 640), 90 * tokens.length + 60);
  const ink = colour("ink");
  const named =
    tokens.length <= FEW ? seen : [...seen].sort((a, b) => b.share - a.share).slice(0, 5);
  return plot(space, label, {
    width,
    height: Math.min(260, 120 + 11 * tokens.length),
    marginTop: 12,
    marginBottom: 34,
    x: { domain: range(tokens.length), type: "point", axis: null, padding: 0.6 },
    y: { domain: [0, 1], axis: null },
    marks: [
      Plot.arrow(
        seen.filter((d) => d.s !== position),
        {
          x1: position,
          x2: "s",
          y1: 0.16,
          y2: 0.16,
          bend: -62,
          headLength: 0,
          stroke: colour("blue"),
          strokeWidth: (d) => 14 * d.share,
          strokeOpacity: 0.75,
          strokeLinecap: "round",
        },
      ),
      Plot.dot(
        seen.filter((d) => d.s === position),
        {
          x: "s",
          y: 0.3,
          r: (d) => 3 + 15 * d.share,
          fill: colour("blue"),
          fillOpacity: 0.75,
        },
      ),
      Plot.text(
        tokens.map((token, s) => ({ s, token })),
        {
          x: "s",
          y: 0.04,
          text: (d) => shown(d.token),
          fontSize: 20,
          fill: (d) => (d.s === position ? colour("orange") : ink),
          fillOpacity: (d) => (d.s > position ? 0.35 : 1),
          fontWeight: (d) => (d.s === position ? 700 : 500),
          fontFamily: "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace",
        },
      ),
      Plot.text(named, {
        x: "s",
        y: 0,
        dy: 20,
        text: (d) => percent(d.share),
        fontSize: 12,
        fill: colour("soft"),
      }),
    ],
  });
}

function attentionSection(look) {
  const { data, state, set, watch } = look;
  const picture = el("figure", {});
  const heads = el("div", { class: "heads", role: "group", "aria-label": _("Heads") });
  const whole = el("div", {});
  const reading = el("p", { class: "answer" });
  const code = el("div", {});
  if (!data.attention)
    return look.section("attention", _("Where does it look?"), look.missing("attention"));
  const wrong = strange(data.attention);

  watch(["layer", "head", "position"], () => {
    const weights = data.attention[state.layer][state.head];
    const row = weights[state.position];
    const most = argmax(row);
    const name = _("layer {layer}, head {head}", { layer: state.layer, head: state.head });
    const sentence =
      most === state.position
        ? _("In {name}, position {t} looks most at itself: {p}.")
        : _("In {name}, position {t} looks most at {token} (position {s}): {p}.");
    reading.replaceChildren(
      ...told(sentence, {
        name,
        t: state.position,
        token: bold(shown(data.tokens[most])),
        s: most,
        p: percent(row[most]),
      }),
    );
    picture.replaceChildren(
      arcs(
        picture,
        data.tokens,
        row,
        state.position,
        _("Attention of {name} from position {t}", { name, t: state.position }),
      ),
    );
  });

  watch(["layer", "head"], () => {
    const weights = data.attention[state.layer][state.head];
    const name = _("layer {layer}, head {head}", { layer: state.layer, head: state.head });
    whole.replaceChildren(
      heatTable({
        caption: _("Attention of {name}: each row looks at the columns", { name }),
        rows: data.tokens.map(shown),
        columns: data.tokens.map(shown),
        corner: _("looks ↓ at →"),
        pick: (t) => set({ position: t }),
        cell: (t, s) =>
          s > t && weights[t][s] === 0
            ? null
            : {
                text: percent(weights[t][s]).slice(0, -2),
                background: heat(weights[t][s]),
                title: `${shown(data.tokens[t])} (${t}) → ${shown(data.tokens[s])} (${s}): ${percent(weights[t][s])}`,
              },
      }),
    );
    whole
      .querySelectorAll("tbody tr")
      .forEach((tr, t) => tr.addEventListener("pointerenter", () => set({ position: t })));
    code.replaceChildren(
      computedBy(data, ["attention_weights", "causal_attention", "self_attention"], state) ?? "",
    );
  });

  watch(["layer", "head", "position"], () => point(whole.firstChild, { row: state.position }));

  watch(["layer", "head"], () => {
    const focused = heads.contains(document.activeElement);
    heads.replaceChildren(
      ...data.attention[state.layer].map((weights, h) =>
        el(
          "button",
          {
            "aria-pressed": String(h === state.head),
            "data-id": h,
            onclick: () => set({ head: h }),
          },
          headPicture(weights),
          el("b", {}, _("head {head}", { head: h })),
          el("br"),
          habit(weights, data.tokens),
        ),
      ),
    );
    if (focused) refocus(heads, state.head);
  });

  return look.section(
    "attention",
    _("Where does it look?"),
    _(
      "Each head lets a position gather from itself and from what came before. Choose a head, then step with ← and → or move over a row of the table.",
    ),
    wrong && el("p", { class: "missing" }, wrong),
    layerChoice(look),
    heads,
    reading,
    picture,
    whole,
    code,
  );
}

/** Which layer? Nothing to choose where there is one. */
function layerChoice(look) {
  const { data, state, set, watch } = look;
  const layers = data.config.n_layer;
  if (layers === 1) return null;
  const buttons = range(layers).map((layer) =>
    el("button", { onclick: () => set({ layer }) }, _("layer {layer}", { layer })),
  );
  watch(["layer"], () =>
    buttons.forEach((b, layer) => b.setAttribute("aria-pressed", String(layer === state.layer))),
  );
  return el("div", { class: "controls", role: "group", "aria-label": _("Layer") }, buttons);
}
