/** The page that carries the frame: what it may ask, and what it is told. Exact origins both ways. */
export class Page {
  /** `handlers` maps the page's messages (open, close, identify, forget) to functions. */
  constructor(allowed, handlers) {
    const origin = new URLSearchParams(location.search).get("parent");
    this.origin = window.parent !== window && allowed.includes(origin) ? origin : null;
    if (!this.origin) return;
    addEventListener("message", ({ source, origin: from, data }) => {
      if (source !== window.parent || from !== this.origin || data?.frontdesk !== 1) return;
      if (Object.hasOwn(handlers, data.type)) handlers[data.type](data);
    });
  }

  get embedded() {
    return this.origin !== null;
  }

  tell(type, body = {}) {
    if (this.origin) window.parent.postMessage({ frontdesk: 1, type, ...body }, this.origin);
  }
}
