import { NAMES } from "./names.js"; // served by the program, which has the only list of names

export const FULL = 5; // the top of the intensity scale, A to E as 1 to 5
export const nameOf = (unit) => NAMES[unit]?.[0] ?? `Action Unit ${unit}`;
export const muscleOf = (unit) => NAMES[unit]?.[1] ?? "";
export const inWords = (value) => (value === null || value === undefined ? "–" : value.toFixed(1));
