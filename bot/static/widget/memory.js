/** What survives a reload: one site's values in localStorage, or only in this page where the browser refuses. */
export class Memory {
  constructor(site) {
    this.prefix = `frontdesk:${site}:`;
    this.values = new Map();
  }

  get(name) {
    if (!this.values.has(name)) this.values.set(name, this.#read(name));
    return this.values.get(name);
  }

  set(name, value) {
    this.values.set(name, value);
    try {
      if (value === null) localStorage.removeItem(this.prefix + name);
      else localStorage.setItem(this.prefix + name, JSON.stringify(value));
    } catch {
      // Private windows and full disks: the page goes on with what it holds.
    }
  }

  /** Changes a value that other tabs may have changed meanwhile. */
  update(name, change) {
    const known = this.values.get(name);
    this.set(name, change(this.#read(name) ?? known ?? null));
  }

  clear() {
    for (const name of ["token", "draft", "outbox", "read"]) this.set(name, null);
  }

  #read(name) {
    try {
      return JSON.parse(localStorage.getItem(this.prefix + name));
    } catch {
      return null;
    }
  }
}
