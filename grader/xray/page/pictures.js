// Pictures that several sections use: tables with coloured cells, pixels, plots with their numbers.

/** A table whose cells are coloured: `cell(i, j)` gives {text, background, title, mark} or null. */
function heatTable({ caption, rows, columns, cell, pick, corner = "", className = "" }) {
  const head = columns.map((name) => el("th", { scope: "col" }, name));
  const body = rows.map((name, i) =>
    el(
      "tr",
      {},
      el("th", { scope: "row" }, name),
      columns.map((_column, j) => {
        const content = cell(i, j);
        if (content === null) return el("td", { class: "empty" });
        const classes = [content.mark && "mark", pick && "pick"];
        return el(
          "td",
          {
            class: classes.filter(Boolean).join(" ") || null,
            style: painted(content.background),
            title: content.title,
            onclick: pick && (() => pick(i, j)),
          },
          content.text,
        );
      }),
    ),
  );
  return el(
    "div",
    { class: `scroll ${className}`, tabindex: "0", role: "region", "aria-label": caption },
    el(
      "table",
      { class: "heat" },
      el("caption", { class: "unseen" }, caption),
      el("thead", {}, el("tr", {}, el("td", {}, corner), head)),
      el("tbody", {}, body),
    ),
  );
}

/** Mark the current row or column of a heat table, and scroll it into sight within its box. */
function point(box, { row, column }) {
  box.querySelectorAll(".current").forEach((element) => element.classList.remove("current"));
  const current =
    row === undefined
      ? box.querySelectorAll("thead th")[column]
      : box.querySelectorAll("tbody tr")[row];
  current.classList.add("current");
  if (row === undefined) box.scrollLeft = current.offsetLeft - box.clientWidth / 2;
  else if (!box.matches(":hover")) box.scrollTop = current.offsetTop - box.clientHeight / 2;
}

/** A plain table of numbers. */
function table(caption, columns, rows) {
  return el(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    el(
      "table",
      { class: "plain" },
      el("caption", { class: "unseen" }, caption),
      el(
        "thead",
        {},
        el(
          "tr",
          {},
          columns.map((name) => el("th", { scope: "col" }, name)),
        ),
      ),
      el(
        "tbody",
        {},
        rows.map(([name, ...cells]) =>
          el(
            "tr",
            {},
            el("th", { scope: "row" }, name),
            cells.map((text) => el("td", {}, text)),
          ),
        ),
      ),
    ),
  );
}

/** The same numbers as a table, made when somebody opens it. */
function asTable(caption, columns, rows) {
  const details = el(
    "details",
    { class: "numbers" },
    el("summary", {}, _("These numbers as a table")),
  );
  details.addEventListener("toggle", () => {
    if (details.open && details.childElementCount === 1)
      details.append(table(caption, columns, rows()));
  });
  return details;
}

/** A plot with a caption in words; it is as wide as `space`, the element it will stand in. */
function plot(space, label, options) {
  const width = Math.min(options.width ?? 900, Math.max(260, space.clientWidth || 640));
  return Plot.plot({
    ...options,
    width,
    ariaLabel: label,
    style: {
      background: "transparent",
      fontFamily: "inherit",
      fontSize: "13px",
      overflow: "visible",
    },
  });
}

/** How a matrix is coloured: blue to orange around 0 if it has both signs, else paper to blue. */
function scale(least, most) {
  if (least < 0) {
    const size = Math.max(-least, most) || 1;
    return (x) => diverging(x / size);
  }
  return (x) => heat(x / (most || 1));
}

/** Rows of numbers as pixels; arrow keys or the mouse move a cursor, the line below reads it. */
function pixels({
  flat,
  shape: [rows, columns],
  label,
  size = 9,
  index = (i, j) => `[${i}, ${j}]`,
}) {
  const canvas = el("canvas", {
    width: columns,
    height: rows,
    tabindex: "0",
    role: "img",
    class: "pixels",
    "aria-label": _("{label}, {rows} rows of {columns} numbers; arrow keys read them", {
      label,
      rows,
      columns,
    }),
    style: { width: `${columns * size}px`, "aspect-ratio": `${columns} / ${rows}` },
  });
  paint(canvas, flat);
  const reading = el("output", { class: "reading" });
  const cursor = el("div", { class: "cursor" });
  let at = null;
  const read = (i, j) => {
    at = [Math.max(0, Math.min(rows - 1, i)), Math.max(0, Math.min(columns - 1, j))];
    reading.textContent = `${index(...at)} = ${short(flat[at[0] * columns + at[1]], 5)}`;
    const [height, width] = [100 / rows, 100 / columns];
    Object.assign(cursor.style, {
      display: "block",
      top: `${at[0] * height}%`,
      left: `${at[1] * width}%`,
      height: `${height}%`,
      width: `${width}%`,
    });
  };
  const moves = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  canvas.addEventListener("keydown", (event) => {
    const move = moves[event.key];
    if (!move) return;
    event.preventDefault();
    event.stopPropagation();
    if (at === null) read(0, 0);
    else read(at[0] + move[0], at[1] + move[1]);
  });
  canvas.addEventListener("pointermove", (event) => {
    const box = canvas.getBoundingClientRect();
    read(
      Math.floor(((event.clientY - box.top) / box.height) * rows),
      Math.floor(((event.clientX - box.left) / box.width) * columns),
    );
  });
  canvas.addEventListener("focus", () => at ?? read(0, 0));
  return el(
    "div",
    { class: "pixelbox" },
    reading,
    el("div", { class: "scroll" }, el("div", { class: "under" }, canvas, cursor)),
  );
}

function paint(canvas, flat) {
  const [least, most] = d3.extent(flat);
  const colourOf = scale(least, most);
  const shades = range(256).map((i) => d3.rgb(colourOf(least + ((most - least) * i) / 255)));
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  flat.forEach((x, i) => {
    const shade = shades[most > least ? Math.round((255 * (x - least)) / (most - least)) : 0];
    const { r, g, b } = shade ?? { r: 128, g: 128, b: 128 };
    image.data.set([r, g, b, 255], 4 * i);
  });
  context.putImageData(image, 0, 0);
}

/** An array of any shape: a table if it is small, else pixels; a choice of the slice. */
function arrayPicture(flat, shape, label) {
  const [rows, columns] =
    shape.length === 0 ? [1, 1] : shape.length === 1 ? [1, shape[0]] : shape.slice(-2);
  const leading = shape.slice(0, -2);
  const slices = leading.reduce((n, size) => n * size, 1);
  const name = (slice) => {
    let rest = slice;
    const index = leading.map((_size, axis) => {
      const below = leading.slice(axis + 1).reduce((n, size) => n * size, 1);
      const i = Math.floor(rest / below);
      rest %= below;
      return i;
    });
    return index.join(", ");
  };
  const place = el("div", {});
  const draw = (slice) => {
    const start = slice * rows * columns;
    const numbers = flat.subarray(start, start + rows * columns);
    const before = leading.length ? `${name(slice)}, ` : "";
    const index = (i, j) =>
      shape.length < 2 ? `[${shape.length ? j : ""}]` : `[${before}${i}, ${j}]`;
    place.replaceChildren(
      rows <= 24 && columns <= 20
        ? numberTable(numbers, rows, columns, label, index)
        : pixels({
            flat: numbers,
            shape: [rows, columns],
            label,
            size: columns > 100 ? 4 : 8,
            index,
          }),
    );
  };
  draw(0);
  if (slices === 1) return place;
  const choice = el(
    "select",
    { onchange: (event) => draw(Number(event.target.value)) },
    range(slices).map((slice) => el("option", { value: slice }, `[${name(slice)}]`)),
  );
  return el("div", {}, el("label", { class: "slice" }, _("slice"), " ", choice), place);
}

function numberTable(numbers, rows, columns, label, index) {
  const colourOf = scale(...d3.extent(numbers));
  const written = numbers.every(Number.isInteger) ? String : (x) => short(x, 2);
  return heatTable({
    caption: label,
    rows: range(rows).map(String),
    columns: range(columns).map(String),
    className: "small",
    cell: (i, j) => {
      const x = numbers[i * columns + j];
      return {
        text: written(x),
        background: colourOf(x),
        title: `${index(i, j)} = ${short(x, 6)}`,
      };
    },
  });
}
