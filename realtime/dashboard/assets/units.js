// Names of the Facial Action Coding System (Ekman and Friesen, 1978).
const NAMES = {
  1: "Inner brow raiser", 2: "Outer brow raiser", 4: "Brow lowerer", 5: "Upper lid raiser", 6: "Cheek raiser",
  7: "Lid tightener", 9: "Nose wrinkler", 10: "Upper lip raiser", 12: "Lip corner puller", 14: "Dimpler",
  15: "Lip corner depressor", 16: "Lower lip depressor", 17: "Chin raiser", 18: "Lip pucker", 20: "Lip stretcher",
  22: "Lip funneler", 23: "Lip tightener", 24: "Lip pressor", 25: "Lips part", 26: "Jaw drop", 27: "Mouth stretch",
  28: "Lip suck", 43: "Eyes closed", 45: "Blink",
};

export const FULL = 5; // the top of the intensity scale, A to E as 1 to 5
export const nameOf = (unit) => NAMES[unit] ?? `Action Unit ${unit}`;
export const inWords = (value) => (value === null || value === undefined ? "–" : value.toFixed(1));
