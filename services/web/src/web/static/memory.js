/** What the viewer has chosen, kept by the browser. */

const PREFIX = "beeper.";

/** The text kept under a name, or null; where storage is forbidden nothing ever is. */
export function recall(name) {
  try {
    return localStorage.getItem(PREFIX + name);
  } catch {
    return null;
  }
}

/** Keep a text under a name; null forgets it. */
export function remember(name, text) {
  try {
    if (text === null) localStorage.removeItem(PREFIX + name);
    else localStorage.setItem(PREFIX + name, text);
  } catch {
    return;
  }
}
