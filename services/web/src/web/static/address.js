/** Addresses below the page, wherever a proxy has put it. */

/** The absolute URL of a path relative to the page. */
export function http(path, base = document.baseURI) {
  return new URL(path, base).href;
}

/** The same for a WebSocket: ws or wss as the page itself is http or https. */
export function websocket(path, base = document.baseURI) {
  const url = new URL(path, base);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}
