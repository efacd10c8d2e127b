// Draws the figures that the document carries, in the shades of the colour scheme in use, and says the visitor's time.
"use strict";

const drawnIn = new Set();
const LOCAL = new Intl.DateTimeFormat(undefined, { dateStyle: "short", timeStyle: "short" });
const ZONE = LOCAL.resolvedOptions().timeZone;

const localTime = (utc) => LOCAL.format(new Date(utc));

function shadesOfScheme() {
  const styles = getComputedStyle(document.documentElement);
  return (name) => styles.getPropertyValue(`--${name}`).trim();
}

function colour(figure, shade) {
  const { data, layout } = figure;
  for (const trace of data) {
    if (trace.type === "bar") {
      trace.marker.color = shade(trace.meta);
      Object.assign(trace.marker.pattern, { fgcolor: shade("raised"), bgcolor: shade(trace.meta) });
    } else {
      trace.line.color = trace.marker.color = shade(trace.meta);
    }
  }
  layout.font.color = shade("ink");
  layout.hoverlabel = { bgcolor: shade("raised"), bordercolor: shade("line"), font: { color: shade("ink") } };
  Object.assign(layout.xaxis, { linecolor: shade("quiet"), tickcolor: shade("quiet"), showline: true });
  Object.assign(layout.yaxis, { gridcolor: shade("grid"), zeroline: false });
}

// A label can only show what a trace has, so the local time is one more, which has no height and no colour.
function addLocalTimes({ data }) {
  const { type, x0, dx, width, offset, y, mode } = data[0];
  const start = Date.parse(`${x0.replace(" ", "T")}Z`);
  data.push({
    type, x0, dx, width, offset, mode,
    name: ZONE,
    y: y.map(() => 0),
    opacity: 0,
    showlegend: false,
    customdata: y.map((_, index) => localTime(start + index * dx)),
    hovertemplate: "%{customdata}",
  });
}

function draw() {
  for (const place of drawnIn) {
    if (!place.isConnected) {
      Plotly.purge(place);
      drawnIn.delete(place);
    }
  }
  const shade = shadesOfScheme();
  for (const place of document.querySelectorAll("[data-figure]")) {
    const figure = JSON.parse(document.getElementById(place.dataset.figure).textContent);
    colour(figure, shade);
    if (ZONE !== "UTC" && figure.data.length && figure.layout.xaxis.type === "date") addLocalTimes(figure);
    figure.layout.xaxis.nticks = Math.max(3, Math.round(place.clientWidth / 110));
    drawnIn.add(place);
    Plotly.react(place, figure.data, figure.layout, { responsive: true, displayModeBar: false });
  }
  for (const place of document.querySelectorAll("[data-local-from]")) {
    const { localFrom, localTo } = place.dataset;
    place.textContent = ZONE === "UTC" ? "Your zone is UTC, too."
      : `In your zone, ${ZONE}: ${localTime(localFrom)} to ${localTime(localTo)}.`;
  }
}

draw();
document.addEventListener("graymill:fresh", draw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
