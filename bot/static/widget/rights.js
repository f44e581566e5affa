/** What customers may ask for about themselves: what they have used, a copy of everything, and its deletion. */

const WITHIN = 60_000;

/** Why it was not done: offline, unauthorized, not_verified, rate_limited (with `retry_at`) or failed. */
export class Refused extends Error {
  constructor(code, retry_at = null) {
    super(code);
    Object.assign(this, { code, retry_at });
  }
}

export class Rights {
  /** `token()` gives the session token of now. */
  constructor({ site, token }) {
    this.address = `/widget/${encodeURIComponent(site)}/`;
    this.token = token;
  }

  /** Each limit and grant, and when more is to be had, in the words of this language. */
  async usage(locale) {
    const response = await this.#ask("GET", `usage?locale=${encodeURIComponent(locale)}`);
    return response.json().catch(() => Promise.reject(new Refused("failed")));
  }

  /** Everything about the customer as a file: "html" to read, "json" for other programs. */
  async copy(format) {
    const response = await this.#ask("GET", `data.${format}`);
    return response.blob().catch(() => Promise.reject(new Refused("offline")));
  }

  async erase() {
    await this.#ask("DELETE", "data");
  }

  async #ask(method, ending) {
    const headers = { Authorization: `Bearer ${this.token() ?? ""}` };
    const how = { method, headers, cache: "no-store", credentials: "omit", signal: AbortSignal.timeout(WITHIN) };
    const response = await fetch(this.address + ending, how).catch(() => Promise.reject(new Refused("offline")));
    if (!response.ok) throw await refusal(response);
    return response;
  }
}

async function refusal(response) {
  const { code, retry_at } = await response.json().catch(() => ({}));
  return new Refused(code ?? "failed", retry_at);
}

/** Has the browser keep a file. */
export function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  // Some browsers read it only after the click has been dealt with.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
