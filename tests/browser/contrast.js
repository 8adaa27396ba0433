// Every text of the page that is paler on its background than WCAG's AA allows, with its contrast.
() => {
  const channels = (words) => {
    const found = words.match(/[\d.]+/g).map(Number);
    const [r, g, b, alpha = 1] = found;
    return words.startsWith("color(") ? [r * 255, g * 255, b * 255, alpha] : [r, g, b, alpha];
  };
  const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
  const light = (color) => {
    const [r, g, b] = color.slice(0, 3).map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    const layers = [];
    for (let one = element; one; one = one.parentElement) layers.unshift(channels(getComputedStyle(one).backgroundColor));
    return layers.reduce((below, top) => over(top, below), [255, 255, 255, 1]);
  };
  const pale = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const words = walker.currentNode.textContent.trim();
    const element = walker.currentNode.parentElement;
    if (!words || element.closest("script, style, noscript, svg, canvas, [disabled], [data-testid=stIconMaterial]")) continue;
    if (!element.checkVisibility({ visibilityProperty: true }) || element.getBoundingClientRect().width < 2) continue;
    const style = getComputedStyle(element);
    let opacity = 1;
    for (let one = element; one; one = one.parentElement) opacity *= Number(getComputedStyle(one).opacity);
    const background = behind(element);
    const [r, g, b, alpha] = channels(style.color);
    const [dark, bright] = [light(over([r, g, b, alpha * opacity], background)), light(background)].sort((a, b) => a - b);
    const ratio = (bright + 0.05) / (dark + 0.05);
    const isLarge = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (isLarge ? 3 : 4.5)) pale.add(`${ratio.toFixed(2)} ${words.slice(0, 40)}`);
  }
  return [...pale];
};
