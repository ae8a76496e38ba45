import type { Bank } from "./orders.ts";

const asked = new Set<string>();

/** A bank to try things out with: it does not answer when it is asked for the first time. Yours would `fetch`. */
export const pretendBank: Bank = {
  charge(id, cents) {
    if (asked.has(id)) return Promise.resolve(`receipt for ${cents} cents`);
    asked.add(id);
    return Promise.reject(new Error("The bank does not answer"));
  },
  refund: () => Promise.resolve(),
};
