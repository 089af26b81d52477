// Texts whose contrast against what is behind them is below WCAG 2.2, 1.4.3 (AA): 4.5, of large text 3. Everything that
// can be opened is opened first.
document.querySelectorAll("details").forEach((one) => { one.open = true; });
const colour = (text) => {
  const [red, green, blue, alpha = 1] = (text.match(/[\d.]+/g) ?? [0, 0, 0, 0]).map(Number);
  return { red, green, blue, alpha };
};
const over = (top, under) => {
  const mix = (part) => top[part] * top.alpha + under[part] * (1 - top.alpha);
  return { red: mix("red"), green: mix("green"), blue: mix("blue"), alpha: 1 };
};
const luminance = ({ red, green, blue }) => {
  const [r, g, b] = [red, green, blue].map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const ratio = (one, other) => {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
};
// What is behind an element: the colours of it and of those around it, through to the first that hides the rest.
const behind = (element) => {
  const layers = [];
  for (let at = element; at; at = at.parentElement) {
    const layer = colour(getComputedStyle(at).backgroundColor);
    layers.push(layer);
    if (layer.alpha === 1) break;
  }
  return layers.reverse().reduce((under, layer) => over(layer, under), colour("rgb(255,255,255)"));
};
// In a picture: the last shape drawn before the text on which its middle lies.
const drawn = (text) => {
  const { left, top, width, height } = text.getBoundingClientRect();
  const [x, y] = [left + width / 2, top + height / 2];
  const shapes = [...text.ownerSVGElement.querySelectorAll("rect")].filter((shape) => {
    const at = shape.getBoundingClientRect();
    const holds = at.left <= x && x <= at.right && at.top <= y && y <= at.bottom;
    const before = shape.compareDocumentPosition(text) & Node.DOCUMENT_POSITION_FOLLOWING;
    return holds && before && getComputedStyle(shape).fill !== "none";
  });
  const shape = shapes.at(-1);
  return shape ? colour(getComputedStyle(shape).fill) : behind(text.ownerSVGElement.parentElement);
};
const faint = (element) => {
  let alpha = 1;
  for (let at = element; at; at = at.parentElement) alpha *= Number(getComputedStyle(at).opacity);
  return alpha;
};
const poor = [];
let seen = 0;
const check = (element, said, text, ground) => {
  const style = getComputedStyle(element);
  const size = parseFloat(style.fontSize);
  const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
  text.alpha *= faint(element);
  const got = ratio(over(text, ground), ground);
  seen += 1;
  if (got < (large ? 3 : 4.5)) {
    poor.push(`${got.toFixed(2)} “${said.trim().slice(0, 30)}” ${element.tagName}.${element.getAttribute("class") ?? ""}`);
  }
};
const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (texts.nextNode()) {
  const node = texts.currentNode;
  const element = node.parentElement;
  if (!node.data.trim() || element.closest("script, style, option, [disabled]")) continue;
  if (!element.checkVisibility({ visibilityProperty: true, contentVisibilityAuto: true })) continue;
  const range = document.createRange();
  range.selectNodeContents(node);
  const { width, height } = range.getBoundingClientRect();
  // What is there for screen readers only is a pixel large.
  if (width <= 1 || height <= 1 || element.closest(".off, .skip")) continue;
  if (element.ownerSVGElement) {
    check(element, node.data, colour(getComputedStyle(element).fill), drawn(element));
  } else {
    check(element, node.data, colour(getComputedStyle(element).color), behind(element));
  }
}
for (const field of document.querySelectorAll("input, select, textarea")) {
  if (!field.checkVisibility() || field.type === "hidden") continue;
  check(field, field.value || field.name, colour(getComputedStyle(field).color), behind(field));
  if (field.placeholder) {
    check(field, field.placeholder, colour(getComputedStyle(field, "::placeholder").color), behind(field));
  }
}
return [seen, poor];
