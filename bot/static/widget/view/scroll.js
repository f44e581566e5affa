/** Keeps the newest text in sight for a reader who is at the end, and everything else still for one who is not. */

const NEAR = 56;
const EARLIER_WITHIN = 120;

export class Scroll {
  /** `moved({atEnd})` and `nearTop()` are told where the reader is. */
  constructor(element, { moved, nearTop }) {
    this.element = element;
    this.atEnd = true;
    this.moved = moved;
    element.addEventListener("scroll", () => {
      this.#look();
      if (element.scrollTop < EARLIER_WITHIN && element.scrollHeight > element.clientHeight) nearTop();
    }, { passive: true });
    new ResizeObserver(() => this.atEnd && this.toEnd()).observe(element);
  }

  /** Runs a change of the content; afterwards the reader looks at what they looked at before. */
  around(change) {
    const anchor = this.atEnd ? null : this.#firstVisible();
    const before = anchor?.getBoundingClientRect().top;
    change();
    if (!anchor?.isConnected) this.toEnd();
    else this.element.scrollTop += anchor.getBoundingClientRect().top - before;
    // Content that became short does not scroll, and so says nothing itself.
    if (!this.atEnd) this.#look();
  }

  toEnd({ smooth = false } = {}) {
    this.atEnd = true;
    this.moved(true);
    this.element.scrollTo({ top: this.element.scrollHeight, behavior: smooth ? "smooth" : "instant" });
  }

  #look() {
    const { scrollHeight, scrollTop, clientHeight } = this.element;
    this.atEnd = scrollHeight - scrollTop - clientHeight < NEAR;
    this.moved(this.atEnd);
  }

  #firstVisible() {
    const top = this.element.getBoundingClientRect().top;
    const rows = this.element.querySelectorAll("[data-row]");
    return [...rows].find((row) => row.getBoundingClientRect().bottom > top) ?? null;
  }
}
