/**
 * What an order is, and how one is told from what merely looks like it.
 *
 * @module
 */

/** One kind of thing in an order. */
export interface Item {
  readonly sku: string;
  readonly quantity: number;
  /** Price of one, in the smallest unit of the currency: cents, or yen. */
  readonly price: number;
}

/** What an order is paid with. */
export interface Card {
  readonly kind: string;
  /** Year and month, such as "2029-04". */
  readonly expires: string;
}

/** An order as the file gives it; the last four fields are what the steps add on its way. */
export interface Order {
  readonly id: string;
  readonly items: readonly Item[];
  readonly customer?: string;
  readonly country?: string;
  readonly currency?: string;
  /** Without one, the order is paid on invoice. */
  readonly card?: Card;
  readonly placedAt?: string;
  receipt?: string;
  refusal?: string;
  parcel?: string;
  tracking?: string;
}

/** The engine's limit of a key, and the order's id is the run's key. */
const idLengthMax = 256;

/** No honest order is a deeper tree, and a walk of it must end. */
const depthMax = 32;

type Fields = Readonly<Record<string, unknown>>;

/**
 * Says what keeps a value from being an order.
 *
 * @param value Anything that JSON can hold.
 * @returns The reason, or `undefined`: it is an order.
 */
export function problemOf(value: unknown): string | undefined {
  if (!isObject(value)) return `it is ${nameOf(value)}, want an object`;
  return problemOfTree(value) ?? problemOfId(value.id) ?? problemOfItems(value.items) ?? problemOfRest(value);
}

/** @param order An order. @returns What it costs, in the smallest unit of its currency. */
export function totalOf(order: Order): number {
  return order.items.reduce((sum, item) => sum + item.quantity * item.price, 0);
}

/**
 * `JSON.parse` makes plain fields of `__proto__` and `constructor`, but the first careless copy of such an object gets
 * another prototype. No order needs them. The walk keeps its own stack: a hostile line may be nested very deep.
 */
function problemOfTree(root: Fields): string | undefined {
  const waiting = [{ value: root, path: "", depth: 1 }];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    if (next.depth > depthMax) return `it is nested more than ${depthMax} levels deep`;
    for (const [name, value] of Object.entries(next.value)) {
      const path = next.path === "" ? name : `${next.path}.${name}`;
      if (name === "__proto__" || name === "constructor") {
        return `it has a field "${name}" (at ${path}), which no order may have`;
      }
      if (typeof value === "number" && !Number.isFinite(value)) {
        return `${path} is a number too large to keep`;
      }
      if (typeof value !== "object" || value === null) continue;
      waiting.push({ value: value as Fields, path, depth: next.depth + 1 });
    }
  }
}

function problemOfId(id: unknown): string | undefined {
  if (id === undefined) return "id is missing";
  if (typeof id !== "string") return `id is ${nameOf(id)}, want text`;
  if (id.trim() === "") return "id is empty";
  if (id.length > idLengthMax) return `id has ${id.length} characters, want ${idLengthMax} at most`;
}

function problemOfItems(items: unknown): string | undefined {
  if (items === undefined) return "items are missing";
  if (!Array.isArray(items)) return `items are ${nameOf(items)}, want a list`;
  if (items.length === 0) return "items are empty";
  for (const [index, item] of items.entries()) {
    const problem = problemOfItem(item);
    if (problem) return `items[${index}]${problem}`;
  }
}

function problemOfItem(item: unknown): string | undefined {
  if (!isObject(item)) return ` is ${nameOf(item)}, want an object`;
  const { sku, quantity, price } = item;
  if (typeof sku !== "string" || sku === "") return `.sku is ${nameOf(sku)}, want text`;
  if (!isCount(quantity) || quantity === 0) {
    return `.quantity is ${nameOf(quantity)}, want a whole number from 1`;
  }
  if (!isCount(price)) return `.price is ${nameOf(price)}, want cents as a whole number from 0`;
}

function problemOfRest(order: Fields): string | undefined {
  for (const name of ["customer", "country", "currency", "placedAt"]) {
    const value = order[name];
    if (value !== undefined && typeof value !== "string") return `${name} is ${nameOf(value)}, want text`;
  }
  const { card, placedAt } = order;
  if (placedAt !== undefined && !/^\d{4}-\d{2}-\d{2}/.test(placedAt as string)) {
    return `placedAt is ${nameOf(placedAt)}, want a date such as "2026-05-17T09:30:00Z"`;
  }
  if (card === undefined) return;
  if (!isObject(card)) return `card is ${nameOf(card)}, want an object`;
  if (typeof card.kind !== "string") return `card.kind is ${nameOf(card.kind)}, want text`;
  if (typeof card.expires === "string" && /^\d{4}-\d{2}$/.test(card.expires)) return;
  return `card.expires is ${nameOf(card.expires)}, want a month such as "2029-04"`;
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Small enough that sums of products of them stay exact. */
function isCount(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 1_000_000_000;
}

/** A value as a reason names it: short, whatever it is. */
function nameOf(value: unknown): string {
  if (value === undefined) return "missing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "an object";
  const text = JSON.stringify(value);
  return text.length <= 40 ? text : `${text.slice(0, 40)}...`;
}
