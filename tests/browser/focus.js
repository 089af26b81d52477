// What has the focus, whether it can be seen that it has (a ring of two pixels and more, of a contrast of 3 and more to
// what is around, WCAG 2.2, 2.4.7 and 1.4.11), and whether it is on the screen.
const at = document.activeElement;
if (!at || at === document.body) return null;
const style = getComputedStyle(at);
const parts = (text) => text.match(/[\d.]+/g).map(Number);
const light = (text) => {
  const [r, g, b] = parts(text).map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const around = (element) => {
  for (let up = element.parentElement; up; up = up.parentElement) {
    const colour = getComputedStyle(up).backgroundColor;
    if ((parts(colour)[3] ?? 1) === 1) return colour;
  }
  return "rgb(255, 255, 255)";
};
const [one, other] = [light(style.outlineColor), light(around(at))].sort((a, b) => b - a);
const ring = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 && (one + 0.05) / (other + 0.05) >= 3;
const { left, top, right, bottom } = at.getBoundingClientRect();
const shown = right > 0 && bottom > 0 && left < innerWidth && top < innerHeight;
const form = at.form?.dataset.key ?? at.closest("[data-key]")?.dataset.key ?? "";
return { what: `${at.tagName.toLowerCase()}${at.name ? `[${at.name}]` : ""}`, key: form, said: at.innerText ?? "", ring, shown };
