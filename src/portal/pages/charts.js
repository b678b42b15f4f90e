"use strict";
// Draws what a page of usage says in `data-plot` with uPlot, and answers to whoever points at a week. Where no script runs, or
// colours are the reader's own, the bars that came with the page stand; the tables hold every number anyway.
(() => {
  if (matchMedia("(forced-colors: active)").matches) return;
  // days before months, as the rest of the page has them
  const language = document.documentElement.lang === "en" ? "en-GB" : document.documentElement.lang;
  const half = 7 * 86400 / 2;
  const utc = (shape) => new Intl.DateTimeFormat(language, { ...shape, timeZone: "UTC" });
  const whole = utc({ dateStyle: "medium" }), brief = utc({ day: "numeric", month: "short" });
  const number = new Intl.NumberFormat(language), short = new Intl.NumberFormat(language, { notation: "compact" });
  const dashes = [[], [9, 4], [2, 4], [12, 4, 2, 4], [5, 5], [16, 5]];
  const steps = [1, 2, 5].flatMap((first) => Array.from({ length: 13 }, (_, power) => first * 10 ** power)).sort((a, b) => a - b);
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const font = () => `13px ${style.fontFamily}`;

  const bars = (given) => given.shape === "bars";
  const series = (given) => given.series.map((one, at) => ({
    label: one.label,
    stroke: bars(given) ? colour("--accent") : colour(`--plot-${at + 1}`),
    fill: bars(given) ? colour("--accent") : undefined,
    width: bars(given) ? 0 : 2,
    dash: dashes[at],
    paths: bars(given) ? uPlot.paths.bars({ size: [0.7, 72] }) : undefined,
    points: { show: !bars(given), size: 6, fill: colour("--card") },
    value: (_, count) => (count == null ? given.few : number.format(count)),
  }));
  const options = (given, width) => ({
    width,
    height: 240,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1e3), "Etc/UTC"),
    cursor: { y: false, drag: { x: false, y: false }, points: { show: !bars(given) } },
    legend: { markers: { show: !bars(given) } },
    scales: {
      x: { range: (_, from, to) => [from - half, to + half] },
      y: { range: (_, least, most) => [0, Math.max(most, 1) * 1.05] },
    },
    axes: [
      { stroke: colour("--soft"), font: font(), grid: { show: false }, ticks: { stroke: colour("--edge") },
        splits: (plot) => {
          const fitting = Math.max(1, Math.floor(plot.width / 90)), each = Math.ceil(given.weeks.length / fitting);
          return given.weeks.filter((_, at) => at % each === 0);
        },
        values: (_, weeks) => weeks.map((week) => brief.format(week * 1e3)) },
      { stroke: colour("--soft"), font: font(), size: 60, incrs: steps, grid: { stroke: colour("--line"), width: 1 },
        ticks: { stroke: colour("--edge") }, values: (_, counts) => counts.map((count) => short.format(count)) },
    ],
    series: [{ label: given.week, value: (_, week) => (week == null ? "" : whole.format(week * 1e3)) }, ...series(given)],
    hooks: {
      // the last week of which something is told, until somebody points at another
      setCursor: [(plot) => { if (plot.cursor.left < 0) tellLast(plot, given); }],
    },
  });
  const tellLast = (plot, given) => {
    const last = given.weeks.findLastIndex((_, at) => given.series.some((one) => one.counts[at] != null));
    if (last >= 0) plot.setLegend({ idxs: [null, ...given.series].map(() => last) }, false);
  };

  const draw = (figure) => {
    const given = JSON.parse(figure.dataset.plot);
    const place = document.createElement("div");
    place.className = "plot";
    place.setAttribute("aria-hidden", "true");
    figure.hidden = false;
    figure.append(place);
    const data = [given.weeks, ...given.series.map((one) => one.counts)];
    let plot = null;
    const again = () => {
      if (plot) plot.destroy();
      plot = new uPlot(options(given, place.clientWidth), data, place);
      // what is shown is for the page to say: a switch that only a pointer can turn is none
      plot.root.querySelector(".u-legend").addEventListener("click", (event) => event.stopPropagation(), true);
      tellLast(plot, given);
    };
    again();
    figure.classList.add("plotted");
    new ResizeObserver(() => {
      if (place.clientWidth && place.clientWidth !== plot.width) plot.setSize({ width: place.clientWidth, height: plot.height });
    }).observe(place);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
  };
  for (const figure of document.querySelectorAll("[data-plot]")) draw(figure);
})();
