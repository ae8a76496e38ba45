/** A page that places orders, works on them, and shows them: all of it without a server. */
import { createEngine, type ListItem } from "pawl";
import { indexedDbStore } from "pawl/adapters/indexeddb";
import { browserPlatform } from "pawl/plugins/browser";
import { pretendBank } from "./bank.ts";
import { orderMachine } from "./orders.ts";

const name = "orders";
const orders = orderMachine(pretendBank);
const store = indexedDbStore({ name });
const engine = createEngine({ store, definitions: [orders], platform: browserPlatform({ name }) });

const button = document.querySelector<HTMLButtonElement>("#place")!;
const rows = document.querySelector("#orders")!;

let shown = "";

async function show(): Promise<void> {
  const { items } = await engine.list({ definition: orders.name });
  if (shown === JSON.stringify(items)) return;
  shown = JSON.stringify(items);
  rows.replaceChildren(...items.map(rowOf));
}

function rowOf({ key, status, attempt, lastError }: ListItem): HTMLElement {
  const row = document.createElement("tr");
  const failure = attempt > 0 ? ` (${lastError?.message}; it is asked again)` : "";
  for (const text of [key, status + failure, ""]) row.insertCell().textContent = text;
  if (status === "charged") {
    const ship = document.createElement("button");
    ship.textContent = "Ship it";
    ship.onclick = async () => {
      await engine.callback(orders, key, "charged", { tracking: `parcel of ${key}` });
      await show();
    };
    row.lastElementChild!.append(ship);
  }
  return row;
}

button.onclick = async () => {
  const key = `order-${crypto.randomUUID().slice(0, 8)}`;
  // From here on it is on the disk of this device, whatever becomes of the page.
  await engine.trigger(orders, key, { data: { cents: 4_200 } });
  await show();
};

// Other tabs tell of what they do; the interval is for what nobody tells of.
store.watch?.(() => void show());
setInterval(show, 1_000);
await engine.start();
button.disabled = false;
await show();
