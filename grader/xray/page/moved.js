// Which characters of the input moved the prediction: gradient x input.

function movedSection(look) {
  const { data, state, set, watch } = look;
  const title = _("Which characters moved it?");
  if (!data.moved) return look.section("moved", title, look.missing("moved"));
  const size = Math.max(...data.moved.flatMap((row) => Array.from(row, Math.abs))) || 1;
  const letters = el("ul", { class: "letters" });
  const words = el("p", { class: "answer" });
  const all = el("div", {});

  watch(["position"], () => {
    const t = state.position;
    const row = data.moved[t];
    const sentence =
      data.next[t] >= 0
        ? _("The score of {token}, which really came next, was moved by:")
        : _("The score of {token}, its best guess, was moved by:");
    words.replaceChildren(...told(sentence, { token: bold(shown(data.vocab[data.targets[t]])) }));
    const strongest = Math.max(...row.map(Math.abs)) || 1;
    letters.replaceChildren(
      ...range(t + 1).map((s) =>
        el(
          "li",
          { style: painted(diverging(row[s] / strongest)) },
          el("b", {}, shown(data.tokens[s])),
          el("small", {}, (row[s] > 0 ? "+" : "") + short(row[s])),
        ),
      ),
    );
  });
  watch([], () =>
    all.replaceChildren(
      heatTable({
        caption: _("Gradient times input: the guess after each row, moved by each column"),
        rows: data.tokens.map(
          (token, i) => `${shown(token)} → ${shown(data.vocab[data.targets[i]])}`,
        ),
        columns: data.tokens.map(shown),
        pick: (position) => set({ position }),
        cell: (i, s) =>
          s > i && data.moved[i][s] === 0
            ? null
            : {
                text: short(data.moved[i][s], 2),
                background: diverging(data.moved[i][s] / size),
                title: short(data.moved[i][s], 6),
              },
      }),
    ),
  );
  watch(["position"], () => point(all.firstChild, { row: state.position }));

  return look.section(
    "moved",
    title,
    _(
      "Gradient times input: how much each character's embedding, as it is, raised (orange) or lowered (blue) the score. The gradient is the one that your own backward computes. Step through and see whether the last character decides, or an earlier one.",
    ),
    words,
    letters,
    el("details", { open: data.tokens.length <= 10 }, el("summary", {}, _("All positions")), all),
    computedBy(data, ["Tensor.backward"]),
    computedBy(data, ["embedding"]),
  );
}
