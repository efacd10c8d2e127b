// Draws the histogram that the page carries, in the shades of the colour scheme in use.
"use strict";

let drawnIn = null;

function draw() {
  const place = document.getElementById("histogram");
  if (drawnIn && drawnIn !== place) Plotly.purge(drawnIn);
  drawnIn = place;
  const figure = JSON.parse(document.getElementById("figure").textContent);
  const styles = getComputedStyle(document.documentElement);
  const shade = (name) => styles.getPropertyValue(`--${name}`).trim();
  for (const bars of figure.data) {
    bars.marker.color = shade(bars.name);
    bars.marker.pattern.fgcolor = shade("raised");
    bars.marker.pattern.bgcolor = shade(bars.name);
  }
  const { layout } = figure;
  layout.font.color = shade("ink");
  layout.hoverlabel = { bgcolor: shade("raised"), bordercolor: shade("line"), font: { color: shade("ink") } };
  Object.assign(layout.xaxis, { linecolor: shade("quiet"), tickcolor: shade("quiet"), showline: true });
  Object.assign(layout.yaxis, { gridcolor: shade("grid"), zeroline: false });
  return Plotly.react(place, figure.data, layout, { responsive: true, displayModeBar: false });
}

draw();
document.addEventListener("graymill:fresh", draw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
