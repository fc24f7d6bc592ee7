// A chart out of the shapes that the server has drawn.
//
// In: boxes, lines and words with their roles. Out: an SVG element that keeps its proportions.
// Not known here: values, colours.

const SPACE = "http://www.w3.org/2000/svg";

function s(tag, properties, ...children) {
  const element = document.createElementNS(SPACE, tag);
  for (const [name, value] of Object.entries(properties)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** @param {{width: number, height: number, text_size: number, boxes: Array<object>, paths: Array<object>,
 *   words: Array<object>}} drawing
 * @param {string} label what the chart shows, for those who cannot see it */
export function chartOf(drawing, label) {
  return s(
    "svg",
    {
      class: "report-chart",
      viewBox: `0 0 ${drawing.width} ${drawing.height}`,
      role: "img",
      "aria-label": label,
      "font-size": drawing.text_size,
    },
    ...drawing.paths.map(({ points, role }) =>
      s("polyline", { points: points.map((point) => point.join(",")).join(" "), "data-role": role }),
    ),
    ...drawing.boxes.map(({ x, y, width, height, role, told }) =>
      s(
        "rect",
        { x, y, width: Math.max(0, width), height: Math.max(0, height), "data-role": role },
        ...(told ? [s("title", {}, told)] : []),
      ),
    ),
    ...drawing.words.map(({ x, y, text, anchor, role }) =>
      s("text", { x, y, "text-anchor": anchor, "data-role": role }, text),
    ),
  );
}
