/** What a tool has to show: an order, or several. Kinds this version does not know are left out. */
import { h, icon } from "./element.js";

const STEPS = ["processing", "shipped", "delivered"];
const ORDERS_SHOWN = 5;

const kinds = { order: orderCard, orders: ordersCard };

export function cardFor({ kind, data }, chat) {
  return Object.hasOwn(kinds, kind) ? kinds[kind](data, chat) : null;
}

function orderCard(order, { t, clock }) {
  const title = h("h2", { class: "card-title" }, t("order", { number: order.number }));
  const total = h("p", { class: "card-total" }, h("span", {}, t("order_total")), h("span", {}, money(order, clock)));
  return h(
    "article",
    { class: "card", "data-status": order.status },
    h("div", { class: "card-head" }, title, status(order, t)),
    h("p", { class: "card-when" }, whenLine(order, t, clock)),
    order.status === "cancelled" ? null : progress(order.status, t),
    h("ul", { class: "card-items", role: "list" }, ...order.items.map((item) => itemLine(item, order.currency, clock))),
    total,
    order.url && link(order.url, t("order_view")),
  );
}

function ordersCard({ orders }, { t, clock }) {
  const rest = orders.length - ORDERS_SHOWN;
  return h(
    "article",
    { class: "card" },
    h("h2", { class: "card-title" }, t("orders")),
    h("ul", { class: "card-orders", role: "list" }, ...orders.slice(0, ORDERS_SHOWN).map((order) => orderLine(order, t, clock))),
    rest > 0 && h("p", { class: "card-when" }, t("more_orders", { n: rest })),
  );
}

function orderLine(order, t, clock) {
  const what = (order.items ?? []).map(({ title }) => title).join(", ");
  const head = h("div", { class: "order-line-head" }, h("span", { class: "order-number" }, order.number), status(order, t));
  const foot = h("p", { class: "card-when" }, `${whenLine(order, t, clock)} · ${money(order, clock)}`);
  return h("li", { class: "order-line" }, head, what && h("p", { class: "order-what" }, what), foot);
}

function itemLine({ title, quantity, price, image }, currency, clock) {
  const picture = sameOrigin(image)
    ? h("img", { class: "item-picture", src: image, alt: "", width: "40", height: "40" })
    : h("span", { class: "item-picture", "aria-hidden": "true" }, icon("box"));
  const name = h("span", { class: "item-name" }, title);
  const count = quantity > 1 && h("span", { class: "item-count" }, `× ${quantity}`);
  return h("li", { class: "item" }, picture, name, count, h("span", { class: "item-price" }, clock.money(price, currency)));
}

function status({ status: name }, t) {
  return h("span", { class: "status", "data-status": name }, t(`order_${name}`));
}

function whenLine(order, t, clock) {
  if (order.delivered_on) return t("order_arrived", { date: clock.dateOf(order.delivered_on) });
  const placed = t("order_placed", { date: clock.dateOf(order.placed_on) });
  const coming = order.eta && order.status !== "cancelled";
  return coming ? `${placed} · ${t("order_eta", { date: clock.dateOf(order.eta) })}` : placed;
}

/** Three steps and how far the order has come; the status beside the title says the same in words. */
function progress(name, t) {
  const reached = STEPS.indexOf(name);
  const step = (key, at) => {
    const state = at < reached || key === "delivered" ? "done" : "now";
    return h("li", { class: "step", "data-state": at > reached ? "to-come" : state }, h("span", {}, t(`order_${key}`)));
  };
  return h("ol", { class: "progress", "aria-hidden": "true" }, ...STEPS.map(step));
}

function link(url, text) {
  if (!/^https?:\/\/|^\//i.test(url)) return null;
  return h("a", { class: "card-link", href: url, target: "_blank", rel: "noopener" }, text, icon("arrow"));
}

function money(order, clock) {
  return clock.money(order.total, order.currency);
}

/** Pictures from elsewhere would tell that place who reads this; the frame's policy refuses them too. */
function sameOrigin(url) {
  return Boolean(url) && new URL(url, location.href).origin === location.origin;
}
