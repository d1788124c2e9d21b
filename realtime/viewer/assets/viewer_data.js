// A session as the server tells it: what it holds, when each frame was taken, its curves, and its rows in stretches.

const STRETCH = 64;
const MOST_STRETCHES = 24;
const KINDS = { float32: Float32Array, float64: Float64Array, int32: Int32Array, uint8: Uint8Array };

export async function ask(path, options) {
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Error("The program does not answer; is it still running?");
  }
  if (!answer.ok) {
    const fault = new Error((await answer.json().catch(() => ({}))).error ?? `The program answered ${answer.status}.`);
    fault.status = answer.status;
    throw fault;
  }
  return answer;
}

export const askJson = async (path, options) => (await ask(path, options)).json();

async function askArrays(path) {
  const bytes = await (await ask(path)).arrayBuffer();
  const length = new DataView(bytes).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 4, length)));
  const arrays = {};
  for (const [name, { kind, at, length: count }] of Object.entries(header.arrays))
    arrays[name] = new KINDS[kind](bytes, 4 + length + at, count);
  return { ...header, arrays };
}

// The last place whose value is not greater than `value`; -1: all are greater.
export function lastAtMost(sorted, value) {
  let low = 0, high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

export class Session {
  static async open(number) {
    const made = new Session();
    made.base = `/viewer/api/${number}`;
    [made.known, made.index] = await Promise.all([askJson(made.base), askArrays(`${made.base}/index`)]);
    made.times = made.index.arrays.times;
    made.status = made.index.arrays.status;
    made.stretches = new Map();
    return made;
  }

  get frames() {
    return this.times.length;
  }

  // The frame that was the newest at a moment.
  frameAt(seconds) {
    return Math.max(0, lastAtMost(this.times, seconds + 1e-6));
  }

  // The frame whose time is nearest to a moment.
  frameNear(seconds) {
    const before = this.frameAt(seconds), behind = Math.min(before + 1, this.frames - 1);
    return this.times[behind] - seconds < seconds - this.times[before] ? behind : before;
  }

  // Whole milliseconds at which a frame begins, as annotations count them; behind the last one: where that ends.
  beginOf(frame) {
    if (frame < this.frames) return Math.max(0, Math.floor(this.times[frame] * 1000 + 1e-6));
    const last = this.frames - 1;
    const step = last > 0 ? this.times[last] - this.times[last - 1] : 0.034;
    return Math.floor((this.times[last] + step) * 1000 + 1e-6) || 1;
  }

  // The first frame that begins at or after so many milliseconds.
  frameFrom(milliseconds) {
    let low = 0, high = this.frames;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.beginOf(middle) < milliseconds) low = middle + 1;
      else high = middle;
    }
    return Math.min(low, this.frames - 1);
  }

  async curves(names, first, last, steps) {
    const words = new URLSearchParams({ names: names.join(","), first, last, steps });
    return (await askArrays(`${this.base}/curves?${words}`)).arrays;
  }

  // The rows of a frame, the patient's first, once they are here; undefined before.
  rowsNow(frame) {
    const stretch = this.stretches.get(Math.floor(frame / STRETCH));
    return stretch?.frames?.get(frame) ?? (stretch?.frames ? [] : undefined);
  }

  async rows(frame) {
    const number = Math.floor(frame / STRETCH);
    let stretch = this.stretches.get(number);
    if (stretch === undefined) {
      stretch = {};
      stretch.ready = askArrays(`${this.base}/rows?first=${number * STRETCH}&count=${STRETCH}`).then((found) => {
        stretch.frames = byFrame(found);
      });
      stretch.ready.catch(() => this.stretches.delete(number));
    }
    this.stretches.delete(number); // the newest stand last
    this.stretches.set(number, stretch);
    if (this.stretches.size > MOST_STRETCHES) this.stretches.delete(this.stretches.keys().next().value);
    await stretch.ready;
    return stretch.frames.get(frame) ?? [];
  }
}

function byFrame({ arrays, columns, texts }) {
  const places = new Map(columns.map((name, place) => [name, place]));
  const found = new Map();
  arrays.frames.forEach((frame, row) => {
    const cells = arrays.numbers.subarray(row * columns.length, (row + 1) * columns.length);
    const made = { texts: texts[row], get: (name) => cells[places.get(name) ?? -1] ?? NaN };
    made.hidden = (texts[row].hidden ?? "").split(" ").filter((part) => part !== "" && part !== "none");
    made.points = places.has("wflw_x_0") ? cells.subarray(places.get("wflw_x_0"), places.get("wflw_x_0") + 196) : null;
    if (!found.has(frame)) found.set(frame, []);
    found.get(frame).push(made);
  });
  return found;
}
