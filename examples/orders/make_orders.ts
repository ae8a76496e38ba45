/**
 * Writes the 200 orders of the demo: `deno run examples/orders/make_orders.ts > examples/orders/orders.ndjson`.
 * The same ones every time, as chance is drawn from a seed.
 *
 * @module
 */
import type { Item, Order } from "./order.ts";

/** Country, currency, and people who live there. */
const places: readonly (readonly [string, string, readonly string[]])[] = [
  ["AT", "EUR", ["Jürgen Gößmann", "Annelies Hölzl"]],
  ["BR", "BRL", ["João Conceição", "Inês Araújo"]],
  ["CN", "CNY", ["王小明", "李娜"]],
  ["CZ", "CZK", ["Jiří Dvořák", "Žofie Němcová"]],
  ["DE", "EUR", ["Käthe Groß", "Björn Weiß"]],
  ["EG", "EGP", ["ليلى حسن", "عمر فاروق"]],
  ["ET", "ETB", ["አበበ ቢቂላ", "ሰላም ታደሰ"]],
  ["FR", "EUR", ["Zoë Lefèvre", "François Noël"]],
  ["GB", "GBP", ["Siân O'Connor", "Alfie Smith-Jones"]],
  ["GR", "EUR", ["Ελένη Παπαδοπούλου", "Νίκος Γεωργίου"]],
  ["IL", "ILS", ["נועה כהן", "איתי לוי"]],
  ["IN", "INR", ["प्रिया शर्मा", "அருண் குமார்"]],
  ["IS", "ISK", ["Guðrún Þórsdóttir", "Björk Ævarsdóttir"]],
  ["JP", "JPY", ["佐藤 花子", "スミス 健"]],
  ["KR", "KRW", ["김민준", "이서연"]],
  ["MX", "MXN", ["Begoña Núñez", "Ángel Peña"]],
  ["NG", "NGN", ["Ọláyínká Adé", "Chukwuemeka Obi"]],
  ["PL", "PLN", ["Łucja Wójcik", "Grzegorz Brzęczyszczykiewicz"]],
  ["TH", "THB", ["สมชาย ใจดี", "มาลี ศรีสุข"]],
  ["TR", "TRY", ["İrem Şahin", "Çağrı Yıldız"]],
  ["UA", "UAH", ["Оксана Шевченко", "Їжак Гнатюк"]],
  ["US", "USD", ["Ann Lee", 'Bob "Bo" O\'Neil 🎷']],
  ["VN", "VND", ["Nguyễn Thị Hồng", "Đặng Văn Lâm"]],
];

const goods: readonly (readonly [string, number])[] = [
  ["tea-sencha-100g", 1_290],
  ["cup-stoneware", 1_850],
  ["kettle-copper", 18_900],
  ["book-ratchets-and-pawls", 3_400],
  ["watch-repair-kit", 7_250],
  ["clock-cuckoo", 64_000],
  ["notebook-a5", 990],
  ["pen-fountain", 12_500],
  ["lamp-désk", 8_900],
  ["bicycle-hub-12t", 23_700],
  ["sticker-🦊", 150],
];

const kinds = ["visa", "mastercard", "amex", "jcb", "unionpay", "girocard"];

/** Orders that go another way than the rest, by number. */
const expired = new Set([7, 23, 41, 58, 76, 99, 120, 137, 164, 191]);
const overLimit = new Set([15, 66, 84, 111, 149, 178]);
const poison = new Set([42, 97, 163]);
const onInvoice = new Set([5, 30, 55, 80, 105, 130, 155, 180]);

/** A small generator of chance (mulberry32). @returns Draws a whole number from 0 up to, not with, `below`. */
function chanceFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

function makeOrder(number: number, draw: (below: number) => number): Order {
  const pick = <Value>(values: readonly Value[]) => values[draw(values.length)]!;
  const [country, currency, people] = places[number % places.length]!;
  const items: Item[] = Array.from({ length: 1 + draw(3) }, () => {
    const [sku, price] = pick(goods);
    return { sku, quantity: 1 + draw(2), price };
  });
  if (overLimit.has(number)) items.push({ sku: "clock-tower", quantity: 1, price: 890_000 });
  if (poison.has(number)) items.push({ sku: "discontinued-sundial", quantity: 1, price: 4_200 });
  const year = expired.has(number) ? 2023 + draw(3) : 2027 + draw(5);
  const card = { kind: pick(kinds), expires: `${year}-${twoDigits(1 + draw(12))}` };
  return {
    id: `order-${String(number).padStart(4, "0")}`,
    customer: pick(people),
    country,
    currency,
    placedAt: `2026-05-${twoDigits(1 + draw(28))}T${twoDigits(draw(24))}:${twoDigits(draw(60))}:00Z`,
    items,
    ...(!onInvoice.has(number) && { card }),
  };
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}

const draw = chanceFrom(2026);
const lines = Array.from({ length: 200 }, (_, index) => JSON.stringify(makeOrder(index + 1, draw)));
Deno.stdout.writeSync(new TextEncoder().encode(lines.join("\n") + "\n"));
