// What comes next? The probabilities at every position, beside what really came.

function guessSection(look) {
  const { data, state, set, watch } = look;
  const bars = el("div", {});
  const all = el("div", {});

  watch(["position", "token"], () => {
    const p = data.probabilities[state.position];
    const order = ranked(p);
    const next = data.next[state.position];
    const top = order.slice(0, 10);
    if (next >= 0 && !top.includes(next)) top[9] = next;
    if (!top.includes(state.token)) top[8] = state.token;
    bars.replaceChildren(barTable(top, p, next));
  });
  watch([], () => all.replaceChildren(everywhere()));
  watch(["position"], () => point(all.firstChild, { column: state.position }));

  function barTable(ids, p, next) {
    const most = Math.max(...p);
    return el(
      "table",
      { class: "bars" },
      el("caption", { class: "unseen" }, _("The most probable next tokens")),
      el(
        "tbody",
        {},
        ids.map((id) =>
          el(
            "tr",
            { class: id === next ? "true" : null },
            el(
              "th",
              { scope: "row" },
              el(
                "button",
                {
                  "aria-pressed": String(id === state.token),
                  title: _("explain this guess"),
                  onclick: () => {
                    set({ token: id });
                    refocus(bars, id);
                  },
                  "data-id": id,
                },
                shown(data.vocab[id]),
              ),
            ),
            el(
              "td",
              { class: "bar", "aria-hidden": "true" },
              el("div", { style: { width: `${(100 * p[id]) / most}%` } }),
            ),
            el("td", { class: "share" }, percent(p[id])),
            el("td", { class: "note" }, id === next ? _("← really next") : ""),
          ),
        ),
      ),
    );
  }

  function everywhere() {
    const rows = ranked(
      range(data.vocab.length).map((id) => Math.max(...data.probabilities.map((p) => p[id]))),
    );
    const ids = rows.slice(0, 30).sort((a, b) => a - b);
    return heatTable({
      caption: _("Probability of every next token (rows) at every position (columns)"),
      className: "dense",
      rows: ids.map((id) => shown(data.vocab[id])),
      columns: data.tokens.map(shown),
      pick: (i, t) => set({ position: t, token: ids[i] }),
      cell: (i, t) => {
        const p = data.probabilities[t][ids[i]];
        return {
          text: p >= 0.005 ? String(Math.round(100 * p)) : "",
          background: heat(Math.sqrt(p)),
          mark: data.next[t] === ids[i],
          title: `${shown(data.tokens[t])} → ${shown(data.vocab[ids[i]])}: ${percent(p)}`,
        };
      },
    });
  }

  return look.section(
    "guess",
    _("What comes next?"),
    _(
      "At every position the model says how probable each next token is. Step through the text with ← and →; click a guess to have it explained further down.",
    ),
    el(
      "div",
      { class: "side" },
      el(
        "div",
        {},
        el("h3", {}, _("Its best guesses here")),
        bars,
        computedBy(data, ["GPT.__call__", "linear"]),
        data.kind === "documents"
          ? el(
              "p",
              { class: "small-print" },
              _(
                "BOS stands before every document and after it: guessing BOS means “it ends here”.",
              ),
            )
          : null,
      ),
      el(
        "div",
        {},
        el("h3", {}, _("All positions at once, in percent")),
        all,
        el(
          "p",
          { class: "small-print" },
          _("Each column is one guess. An orange frame marks what really came next."),
        ),
      ),
    ),
  );
}

/** Give the focus back to a button that was drawn anew. */
function refocus(place, id) {
  place.querySelector(`[data-id="${id}"]`)?.focus();
}
