// Draws what ended in each hour, from the JSON that the home page's figure names. Without it the table below stands.

const HOUR = 3600;
const figure = document.querySelector("[data-chart]");
const dark = matchMedia("(prefers-color-scheme: dark)");
const zone = figure.dataset.zone;
let plot = null;
let data = null;

// A property may hold light-dark(), which a canvas does not know: as the figure's own colour it is a plain one.
const colour = (name) => {
  figure.style.color = `var(${name})`;
  return getComputedStyle(figure).color;
};

function columns(hours) {
  const starts = hours.map((hour) => Date.parse(hour.start) / 1000);
  const completed = hours.map((hour) => hour.completed);
  const failed = hours.map((hour, index) => completed[index] + hour.failed);
  const cancelled = hours.map((hour, index) => failed[index] + hour.cancelled);
  const rate = hours.map((hour) =>
    hour.completed + hour.failed ? (100 * hour.completed) / (hour.completed + hour.failed) : null,
  );
  return [starts, cancelled, failed, completed, rate]; // the tallest first: what follows is drawn over it
}

function options() {
  const axis = {
    stroke: colour("--faint"),
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { show: false },
    font: "12px sans-serif",
  };
  const bars = (label, name) => ({
    label,
    fill: colour(name),
    width: 0,
    points: { show: false },
    paths: uPlot.paths.bars({ size: [0.75, 40], align: 1 }),
  });
  return {
    width: figure.clientWidth,
    height: figure.clientHeight,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), zone),
    legend: { show: false },
    cursor: { show: false },
    scales: {
      count: { range: (_, __, most) => [0, Math.max(4, Math.ceil(most * 1.1))] },
      rate: { range: [0, 105] },
      x: { range: (_, least, most) => [least, most + HOUR] },
    },
    axes: [
      {
        ...axis,
        size: 28,
        grid: { show: false },
        values: (_, splits, __, ___, step) => splits.map((at) => label(at, step)),
      },
      {
        ...axis,
        scale: "count",
        size: 44,
        incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 50000, 100000],
      },
      {
        ...axis,
        scale: "rate",
        side: 1,
        size: 46,
        grid: { show: false },
        values: (_, splits) => splits.map((share) => (share <= 100 ? `${share} %` : "")),
      },
    ],
    series: [
      {},
      { ...bars("Cancelled", "--idle-mark"), scale: "count" },
      { ...bars("Failed", "--bad-mark"), scale: "count" },
      { ...bars("Completed", "--good-mark"), scale: "count" },
      {
        label: "Success",
        scale: "rate",
        stroke: colour("--accent"),
        width: 2,
        spanGaps: true,
        points: { show: true, size: 4 },
      },
    ],
  };
}

function label(seconds, step) {
  const format =
    step >= 24 * HOUR ? { weekday: "short", day: "numeric" } : { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  return new Intl.DateTimeFormat("en-GB", { ...format, timeZone: zone }).format(seconds * 1000);
}

function draw() {
  plot?.destroy();
  plot = new uPlot(options(), data, figure);
}

async function load() {
  const answer = await fetch(figure.dataset.chart, { signal: AbortSignal.timeout(10_000) });
  if (!answer.ok) return;
  data = columns((await answer.json()).hours);
  draw();
}

load().catch(() => figure.classList.add("hidden"));
dark.addEventListener("change", () => data && draw());
new ResizeObserver(() => plot?.setSize({ width: figure.clientWidth, height: figure.clientHeight })).observe(figure);
