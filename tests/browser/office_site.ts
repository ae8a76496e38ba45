/**
 * The example of offline inspections for browser tests: its office, on a port that stays the same while it is stopped and
 * started, and a page of it as a person would use it.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Browser, Page } from "puppeteer-core";
import { buildApp } from "../../examples/offline/build.ts";
import { openOffice, type Received } from "../../examples/offline/server.ts";

let built: Promise<string> | undefined;

/** The app, built once per process. */
const appFolder = () =>
  built ??= (async () => {
    const folder = await Deno.makeTempDir({ prefix: "pawl-app-" });
    addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
    await buildApp(folder);
    return folder;
  })();

/** The office, which can be stopped, started, and made to misbehave. */
export class OfficeSite implements AsyncDisposable {
  readonly assets = new Set(["PU-101", "BO-201"]);
  /** What it does with a request that is no GET: answer it; store it, and lose the answer; or not take it at all. */
  mood: "well" | "losesAnswers" | "closed" = "well";
  readonly #archive: string;
  readonly #folder: string;
  #received: ReadonlyMap<string, Received> = new Map();
  #server: Deno.HttpServer<Deno.NetAddr> | undefined;
  #stopper = new AbortController();
  #port = 0;

  private constructor(folder: string, archive: string) {
    this.#folder = folder;
    this.#archive = archive;
  }

  /** Opens it. */
  static async open(): Promise<OfficeSite> {
    const site = new OfficeSite(await appFolder(), await Deno.makeTempDir({ prefix: "pawl-office-" }));
    await site.start();
    return site;
  }

  get url(): string {
    return `http://localhost:${this.#port}/`;
  }

  /** Of each inspection that it has, the asset. */
  get assetsReceived(): string[] {
    return [...this.#received.values()].map(({ inspection }) => inspection.asset).sort();
  }

  async start(): Promise<void> {
    const office = await openOffice({ folder: this.#folder, archive: this.#archive, assets: this.assets });
    this.#received = office.received;
    const answer = async (request: Request) => {
      if (request.method === "GET" || this.mood === "well") return await office.answer(request);
      if (this.mood === "losesAnswers") await office.answer(request);
      return new Response("", { status: 503 });
    };
    this.#stopper = new AbortController();
    const options = { port: this.#port, hostname: "localhost", signal: this.#stopper.signal, onListen() {} };
    this.#server = Deno.serve(options, answer);
    this.#port = this.#server.addr.port;
  }

  /** Stops it, with all connections. */
  async stop(): Promise<void> {
    this.#stopper.abort();
    await this.#server?.finished;
    this.#server = undefined;
  }

  /** Waits until it has these, and each once: more would be listed twice. */
  async has(...assets: readonly string[]): Promise<void> {
    const wanted = [...assets].sort();
    while (this.#received.size < wanted.length) await new Promise((resolve) => setTimeout(resolve, 50));
    assert.deepEqual(this.assetsReceived, wanted);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await Deno.remove(this.#archive, { recursive: true });
  }
}

/** Which list. */
export type ListName = "attention" | "pending" | "done";

/** Not by frames, which a hidden tab has none of. */
const everyMoment = { polling: 100 };

/** A tab of the app. */
export class InspectionTab {
  /** The browser's page. */
  readonly page: Page;

  private constructor(page: Page) {
    this.page = page;
  }

  /** Opens a tab, and waits until the app can be used. */
  static async open(browser: Browser, { url }: OfficeSite): Promise<InspectionTab> {
    const tab = new InspectionTab(await browser.newPage());
    // Longer than an app waits between two attempts, on a machine that has other things to do.
    tab.page.setDefaultTimeout(90_000);
    await tab.page.goto(url);
    await tab.#ready();
    return tab;
  }

  async reload(): Promise<void> {
    await this.page.reload();
    await this.#ready();
  }

  async #ready(): Promise<void> {
    await this.page.waitForSelector("#stop-ok");
  }

  /** Waits until the service worker has the app, and this page. */
  async installed(): Promise<void> {
    await this.page.waitForFunction(
      () => navigator.serviceWorker.controller?.state === "activated",
      everyMoment,
    );
  }

  /** Fills in the form. */
  async fill(
    asset: string,
    how: { readonly isDefect?: boolean; readonly photo?: string } = {},
  ): Promise<void> {
    await this.#type("asset", asset);
    await this.#type("inspector", "Ann Meyer");
    for (const name of ["guards", "labels", "stop"]) await this.page.click(`#${name}-ok`);
    await this.page.click(how.isDefect ? "#leaks-defect" : "#leaks-ok");
    await this.#type("notes", how.isDefect ? "Drips at the seal" : "");
    if (how.photo === undefined) return;
    const input = await this.page.$("#photo");
    await (input as unknown as { uploadFile(path: string): Promise<void> }).uploadFile(how.photo);
  }

  async #type(name: string, text: string): Promise<void> {
    await this.page.$eval(`#${name}`, (input) => (input as HTMLInputElement).value = "");
    await this.page.type(`#${name}`, text);
  }

  /** Presses the button of the form. */
  async submit(): Promise<void> {
    await this.page.click("#form .main");
  }

  /** Fills in the form, saves it, and waits until it is safe. */
  async save(asset: string, how: Parameters<InspectionTab["fill"]>[1] = {}): Promise<void> {
    await this.fill(asset, how);
    await this.submit();
    await this.page.waitForFunction(() => {
      const form = document.getElementById("form")!;
      return !form.inert && form.querySelector<HTMLInputElement>("#asset")!.value === "";
    }, everyMoment);
  }

  /** Waits until a list shows these assets, newest first. */
  async shows(list: ListName, ...assets: readonly string[]): Promise<void> {
    const isShown = (list: string, wanted: string) =>
      [...document.querySelectorAll(`#${list} h3`)].map((title) => title.textContent).join() === wanted;
    await this.page.waitForFunction(isShown, everyMoment, list, assets.join());
  }

  /** Waits until an entry says something. */
  async says(list: ListName, text: string): Promise<void> {
    const isSaid = (list: string, text: string) =>
      [...document.querySelectorAll(`#${list} .item`)].some((item) => item.textContent!.includes(text));
    await this.page.waitForFunction(isSaid, everyMoment, list, text);
  }

  /** Presses a button of the only entry of a list. */
  async press(list: ListName, text: string): Promise<void> {
    // Found and pressed in one go: the list may be drawn anew at any moment.
    const press = (list: string, text: string) => {
      const buttons = document.querySelectorAll<HTMLButtonElement>(`#${list} button`);
      const button = [...buttons].find(({ textContent }) => textContent === text);
      button?.click();
      return button !== undefined;
    };
    await this.page.waitForFunction(press, everyMoment, list, text);
  }
}
