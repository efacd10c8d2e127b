// Leads from a click on a bar to the items behind it.
"use strict";

const written = (time) => new Date(time).toISOString().replace(".000", "");

function partAt(place, event, bar) {
  const axis = place._fullLayout.yaxis;
  const height = axis.p2d(event.clientY - place.querySelector(".nsewdrag").getBoundingClientRect().top);
  let top = 0;
  return place.data.find((part) => (top += part.y[bar]) > height);
}

function lead(place) {
  place.on("plotly_click", ({ points: [point], event }) => {
    const { x0, dx } = point.data;
    const start = Date.parse(`${x0.replace(" ", "T")}Z`) + point.pointNumber * dx;
    const address = new URL(place.dataset.items, location.href);
    address.searchParams.set("from", written(start));
    address.searchParams.set("to", written(start + dx));
    const part = partAt(place, event, point.pointNumber)?.name;
    if (part && part !== "others") address.searchParams.set(place.dataset.by, part);
    else if (place.dataset.by === "reason") address.searchParams.set("outcome", "error");
    location.assign(address);
  });
}

function leadFromHistogram() {
  lead(document.getElementById("histogram"));
}

leadFromHistogram();
document.addEventListener("graymill:fresh", leadFromHistogram);
