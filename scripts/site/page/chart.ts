/** The loss as it falls: every step as a thin line, their running mean as a thick one. */

/** The plot is drawn in the pixels of the page, so that its text has the size that is set. */
const MIN_WIDTH = 260, LEFT = 44, RIGHT = 12, TOP = 12, BOTTOM = 30;
const NAMESPACE = "http://www.w3.org/2000/svg";

/** Weight of a new step in the running mean. */
const SMOOTHING = 0.12;

/** Lines of a plot have no more points than this. */
const MAX_POINTS = 400;

function element(
  parent: Element,
  name: string,
  attributes: Record<string, string | number>,
  text = "",
): SVGElement {
  const made = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  made.textContent = text;
  parent.append(made);
  return made;
}

/** A plot in an `<svg>` of the page. */
export class LossChart {
  #losses: number[] = [];
  #means: number[] = [];
  #total = 1;
  #drawing = 0;

  constructor(readonly svg: SVGSVGElement) {
    new ResizeObserver(() => this.#drawSoon()).observe(svg);
  }

  /** Begins anew, with room for that many steps. */
  clear(total: number): void {
    [this.#losses, this.#means, this.#total] = [[], [], total];
    this.#draw();
  }

  /** Takes the next step's loss; the picture follows with the next frame. */
  add(loss: number): void {
    const mean = this.#means.at(-1) ?? loss;
    this.#losses.push(loss);
    this.#means.push(mean + Math.max(SMOOTHING, 1 / this.#losses.length) * (loss - mean));
    this.#drawSoon();
  }

  #drawSoon(): void {
    this.#drawing ||= requestAnimationFrame(() => this.#draw());
  }

  /** The running mean of the first steps and of the last. */
  get ends(): [first: number, last: number] | undefined {
    const { length } = this.#means;
    return length === 0 ? undefined : [this.#means[Math.min(4, length - 1)], this.#means[length - 1]];
  }

  #draw(): void {
    this.#drawing = 0;
    const width = Math.max(MIN_WIDTH, this.svg.clientWidth),
      height = Math.round(160 + (width - MIN_WIDTH) / 3.5);
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const top = niceTop(Math.max(0.1, ...this.#losses.slice(0, 5), ...this.#means));
    const x = (step: number) =>
      LEFT + (width - LEFT - RIGHT) * (this.#total > 1 ? step / (this.#total - 1) : 0);
    const y = (loss: number) => height - BOTTOM - (height - TOP - BOTTOM) * Math.min(1, loss / top);
    const content = document.createElementNS(NAMESPACE, "g");
    for (let i = 0; i <= 4; i++) {
      const value = top * i / 4, at = y(value);
      element(content, "line", {
        class: i === 0 ? "axis" : "grid",
        x1: LEFT,
        x2: width - RIGHT,
        y1: at,
        y2: at,
      });
      element(content, "text", { class: "tick", x: LEFT - 8, y: at + 4, "text-anchor": "end" }, tick(value));
    }
    element(content, "text", { class: "tick", x: LEFT, y: height - 8 }, "step 1");
    const last = this.#total > 1 ? String(this.#total) : "";
    element(content, "text", { class: "tick", x: width - RIGHT, y: height - 8, "text-anchor": "end" }, last);
    const line = (values: readonly number[]) => {
      const every = Math.ceil(values.length / MAX_POINTS);
      return values.map((value, step) => ({ value, step })).filter(({ step }) =>
        step % every === 0 || step === values.length - 1
      )
        .map(({ value, step }) => `${x(step).toFixed(1)},${y(value).toFixed(1)}`).join(" ");
    };
    if (this.#losses.length > 0) {
      element(content, "polyline", { class: "raw", points: line(this.#losses) });
      element(content, "polyline", { class: "mean", points: line(this.#means) });
      const end = this.#means.length - 1;
      element(content, "circle", { class: "end", cx: x(end), cy: y(this.#means[end]), r: 4.5 });
    }
    this.svg.replaceChildren(content);
  }
}

/** The next of 0.2, 0.4, 0.8, 1.2, 1.6, 2, 4, ... */
function niceTop(value: number): number {
  const steps = [0.2, 0.4, 0.8, 1.2, 1.6, 2, 4, 8, 16, 40, 100];
  return steps.find((step) => step >= value) ?? value;
}

function tick(value: number): string {
  return String(Math.round(value * 100) / 100);
}
