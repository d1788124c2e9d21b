// What the overlay's address asks for. An unknown word is the default, so that an old link keeps working.
//
// ?au=12,6        which Action Units (all)
// ?side=left|right|both
// ?style=bars|curves|face
// ?names=both|numbers|names   what stands beside a bar
// ?theme=dark|light|panel|plain
// ?safe=5         share of the width that stays free at every edge, per cent (2)
// ?scale=1.5      size of the text; everything grows with the page's width alone
// ?background=00b140   a colour for a colour key, where OBS has no browser source (none: transparent)

const among = (value, words) => (words.includes(value) ? value : words[0]);

function number(text, low, high, otherwise) {
  const value = text === null || text.trim() === "" ? NaN : Number(text);
  return Number.isFinite(value) ? Math.min(Math.max(value, low), high) : otherwise;
}

export function overlayOptions(search) {
  const asked = new URLSearchParams(search);
  const wanted = (asked.get("au") ?? "").split(",").map((word) => parseInt(word.replace(/\D/g, ""), 10));
  return {
    // A unit that was asked for and is not measured stands there with a dash.
    units: asked.has("au") ? [...new Set(wanted)].filter((unit) => unit >= 1 && unit < 100) : null,
    side: among(asked.get("side"), ["both", "left", "right"]),
    style: among(asked.get("style"), ["bars", "curves", "face"]),
    names: among(asked.get("names"), ["both", "numbers", "names"]),
    theme: among(asked.get("theme"), ["dark", "light", "panel", "plain"]),
    safe: number(asked.get("safe"), 0, 25, 2),
    scale: number(asked.get("scale"), 0.25, 4, 1),
    background: /^[0-9a-f]{6}$/i.test(asked.get("background") ?? "") ? `#${asked.get("background")}` : null,
  };
}
