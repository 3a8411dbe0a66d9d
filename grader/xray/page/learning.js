// Watch it learn: a slider over the snapshots of the training run.

const isVowel = (token) => /^[aeiou]$/i.test(token.normalize("NFD")[0] ?? "");
const isLetter = (token) => [...token].length === 1 && /\p{L}/u.test(token);

function learningSection(look) {
  const { data, state, watch } = look;
  const { record, curves } = data;
  const figure = el("figure", {});
  if (curves)
    watch(["snapshot"], () =>
      figure.replaceChildren(...curvePictures(figure, curves, record?.steps[state.snapshot])),
    );
  return look.section(
    "learning",
    _("Watch it learn"),
    record
      ? _(
          "Move the slider through the training run. Tokens that the model treats alike drift together: do vowels (orange, underlined) part from consonants (blue)? Do the heads find their work, and when do the samples become names?",
        )
      : _("How the loss fell. Lower is better; what is held out was never trained on."),
    record ? snapshots(look) : look.missing("record"),
    curves ? figure : look.missing("curves"),
    computedBy(data, ["train"]),
    computedBy(data, ["AdamW.step"]),
  );
}

function curvePictures(space, curves, step) {
  const rows = (name) =>
    curves.step
      .map((s, i) => ({ step: s, value: curves[name]?.[i] ?? null }))
      .filter((d) => d.value !== null);
  const here =
    step === undefined
      ? []
      : [Plot.ruleX([step], { stroke: colour("ink"), strokeDasharray: "3,3" })];
  const [training, held] = [rows("loss"), rows("held_out")];
  const end = (d, text, fill) =>
    d.length
      ? [
          Plot.text([d.at(-1)], {
            x: "step",
            y: "value",
            text: () => text,
            textAnchor: "start",
            dx: 6,
            fill,
          }),
        ]
      : [];
  const loss = plot(space, _("Loss over the training steps"), {
    height: 240,
    marginRight: 90,
    marginTop: 26,
    x: { label: _("step"), grid: false },
    y: { label: _("loss, nats per character"), grid: true, nice: true },
    marks: [
      ...here,
      Plot.line(training, { x: "step", y: "value", stroke: colour("blue"), strokeWidth: 1.6 }),
      Plot.line(held, {
        x: "step",
        y: "value",
        stroke: colour("orange"),
        strokeWidth: 2.2,
        marker: "dot",
      }),
      Plot.text(training.slice(-1), {
        x: "step",
        y: "value",
        text: () => _("training"),
        textAnchor: "start",
        dx: 8,
        dy: 8,
        fill: colour("blue"),
      }),
      Plot.text(held.slice(-1), {
        x: "step",
        y: "value",
        text: () => _("held out"),
        textAnchor: "start",
        dx: 8,
        dy: -8,
        fill: colour("orange"),
      }),
    ],
  });
  const small = (name, label) =>
    rows(name).length < 2
      ? null
      : plot(space, label, {
          width: Math.min(430, (space.clientWidth || 600) / 2 - 10),
          height: 120,
          marginTop: 22,
          x: { label: null, ticks: 4 },
          y: { label, grid: true, ticks: 3, nice: true },
          marks: [
            ...here,
            Plot.line(rows(name), { x: "step", y: "value", stroke: colour("blue") }),
          ],
        });
  const numbers = asTable(
    _("Loss"),
    [_("step"), _("training"), _("held out"), _("learning rate"), _("gradient norm")],
    () =>
      curves.step.map((s, i) => [
        String(s),
        ...["loss", "held_out", "learning_rate", "gradient_norm"].map((name) => {
          const value = curves[name]?.[i] ?? null;
          return value === null ? "" : short(value, 4);
        }),
      ]),
  );
  return [
    loss,
    el(
      "div",
      { class: "side" },
      small("learning_rate", _("learning rate")),
      small("gradient_norm", _("gradient norm")),
    ),
    numbers,
  ].filter(Boolean);
}

/** The slider, and everything that moves with it. */
function snapshots(look) {
  const { data, state, set, watch } = look;
  const { record } = data;
  const last = record.steps.length - 1;
  const slider = el("input", {
    type: "range",
    id: "snapshot",
    min: 0,
    max: last,
    style: { width: "min(26rem, 60vw)" },
    oninput: () => set({ snapshot: Number(slider.value) }),
  });
  const reading = el("output", { for: "snapshot" });
  let playing = null;
  const play = el("button", { onclick: () => (playing ? stop() : start()) }, _("▶ play"));
  const stop = () => {
    clearInterval(playing);
    playing = null;
    play.textContent = _("▶ play");
  };
  const start = () => {
    if (state.snapshot === last) set({ snapshot: 0 });
    play.textContent = _("■ stop");
    playing = setInterval(
      () => (state.snapshot < last ? set({ snapshot: state.snapshot + 1 }) : stop()),
      350,
    );
  };
  const map = el("figure", {});
  const samples = el("ul", { class: "samples" });
  const heads = el("div", { class: "snapshots" });
  const guess = el("p", { class: "answer" });

  watch(["snapshot", "position"], () => {
    const s = state.snapshot;
    slider.value = s;
    slider.setAttribute("aria-valuetext", _("step {step}", { step: record.steps[s] }));
    reading.textContent = _("step {step}: {loss} nats per character on this text", {
      step: record.steps[s],
      loss: short(record.losses[s]),
    });
    const t = Math.min(state.position, record.positions - 1);
    const p = record.probabilities[s][t];
    const best = argmax(p);
    const next = data.next[t];
    guess.replaceChildren(
      ...told(_("At position {t} it then guessed {token} ({p}). "), {
        t,
        token: bold(shown(data.vocab[best])),
        p: percent(p[best]),
      }),
      ...(next < 0 ? [] : truth(p, next, data.vocab)),
    );
    map.replaceChildren(embeddingMap(map, data, s));
    samples.replaceChildren(...record.samples[s].map((text) => el("li", {}, text || "·")));
    if (record.attention)
      heads.replaceChildren(
        ...record.attention[s].flatMap((layer, l) =>
          layer.map((weights, h) =>
            el(
              "div",
              {},
              headPicture(weights),
              data.config.n_layer > 1 ? `${l}.${h} ` : `${_("head {head}", { head: h })} `,
              el("span", { class: "soft" }, habit(weights, data.tokens)),
            ),
          ),
        ),
      );
  });

  return [
    el(
      "div",
      { class: "controls" },
      play,
      el("label", { for: "snapshot" }, _("time")),
      slider,
      reading,
    ),
    guess,
    record.positions < data.tokens.length
      ? el(
          "p",
          { class: "small-print" },
          _("Of a long text, only the first {n} positions are kept over time.", {
            n: record.positions,
          }),
        )
      : null,
    el(
      "div",
      { class: "side" },
      el(
        "div",
        {},
        el("h3", {}, _("The embeddings of the tokens")),
        map,
        el(
          "p",
          { class: "small-print" },
          _(
            "The two directions in which they differ most at the end; they hold {share} of the differences.",
            { share: percent(record.explained) },
          ),
        ),
      ),
      el(
        "div",
        {},
        el("h3", {}, _("What it writes at that time")),
        samples,
        record.attention ? el("h3", {}, _("Its heads on this text")) : null,
        heads,
      ),
    ),
  ];
}

function embeddingMap(space, data, s) {
  const { embeddings } = data.record;
  const extent = (axis) =>
    d3.extent(embeddings.flatMap((points) => points.map((point) => point[axis])));
  const points = embeddings[s].map(([x, y], id) => ({ x, y, token: data.vocab[id] }));
  const fill = (d) =>
    isVowel(d.token) ? colour("orange") : isLetter(d.token) ? colour("blue") : colour("soft");
  const text = (some) =>
    Plot.text(points.filter(some), {
      x: "x",
      y: "y",
      text: (d) => shown(d.token),
      fill,
      fontSize: 17,
      fontWeight: 600,
      fontFamily: "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace",
    });
  const picture = plot(
    space,
    _("Embeddings at step {step}, in two dimensions", { step: data.record.steps[s] }),
    {
      height: 360,
      inset: 14,
      x: { domain: extent(0), axis: null },
      y: { domain: extent(1), axis: null },
      marks: [
        Plot.frame({ stroke: colour("line") }),
        text((d) => !isVowel(d.token)),
        Plot.text(
          points.filter((d) => isVowel(d.token)),
          { x: "x", y: "y", dy: 10, text: () => "▬", fontSize: 9, fill },
        ),
        text((d) => isVowel(d.token)),
      ],
    },
  );
  return el(
    "div",
    {},
    picture,
    asTable(_("Embeddings"), [_("token"), "x", "y"], () =>
      points.map((d) => [shown(d.token), short(d.x), short(d.y)]),
    ),
  );
}
