([portal, allowed]) => {
  // Runs before every script of a page: WebSockets are not requests that the browser can pause.
  const { URL, RegExp, WebSocket, fetch, location } = window;
  const test = RegExp.prototype.test;
  const isAllowed = (url) => {
    const http = url.protocol.replace("ws", "http") + "//" + url.host;
    return http === portal && allowed.some((one) => Reflect.apply(test, new RegExp(one), [url.pathname + url.search]));
  };
  const construct = (target, args, made) => {
    let url;
    try {
      url = new URL(args[0], location.href);
    } catch {
      return Reflect.construct(target, args, made);
    }
    if (isAllowed(url)) return Reflect.construct(target, args, made);
    try {
      // It is blocked, and so told.
      const told = url.protocol.replace("ws", "http") + "//" + url.host + url.pathname + "#poolwright-socket";
      fetch(told, { method: "POST", mode: "no-cors" }).catch(() => 0);
    } catch {}
    return Reflect.construct(target, ["wss://127.0.0.1:1/"], made);  // a port to which no browser connects
  };
  if (WebSocket) {
    window.WebSocket = new Proxy(WebSocket, { construct });
    WebSocket.prototype.constructor = window.WebSocket;
  }
  delete window.WebTransport;
  delete window.RTCPeerConnection;
  delete window.webkitRTCPeerConnection;
}
