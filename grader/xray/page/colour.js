// Colours: blue and orange on paper, told apart by every eye, in light and in dark.

/** A colour of style.css as it is now. */
function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** From paper at 0 to blue at 1. */
const heat = (share) => d3.interpolateLab(colour("card"), colour("blue"))(Math.min(1, share));

/** From blue at -1 over paper to orange at 1. */
function diverging(share) {
  const end = colour(share < 0 ? "blue" : "orange");
  return d3.interpolateLab(colour("card"), end)(Math.min(1, Math.abs(share)));
}

/** Black or white, whichever is easier to read on this background: always at least 4.5 to 1. */
function inkOn(background) {
  const linear = (c) => (c <= 10.31 ? c / 3294.6 : ((c / 255 + 0.055) / 1.055) ** 2.4);
  const { r, g, b } = d3.rgb(background);
  return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b) > 0.179 ? "#000" : "#fff";
}

const painted = (background) => ({ background, color: inkOn(background) });

function isDark() {
  return getComputedStyle(document.documentElement).colorScheme === "dark";
}

function switchTheme() {
  document.documentElement.dataset.theme = isDark() ? "light" : "dark";
}
