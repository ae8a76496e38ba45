/**
 * The service worker: it keeps the files of the app, so that it opens without a network, and works off what is due when no
 * page is open.
 *
 * @module
 */
import { tickOn } from "pawl/plugins/browser";
import { builtAt, openApp } from "./engine.ts";

/** Events of a service worker, which the types of a page do not have. */
interface WorkerEvent extends Event {
  readonly request: Request;
  waitUntil(work: Promise<unknown>): void;
  respondWith(response: Promise<Response>): void;
}

const worker = self as unknown as EventTarget & {
  readonly clients: { claim(): Promise<void> };
  skipWaiting(): Promise<void>;
};
const cacheName = `app ${builtAt}`;
const files = ["./", "page.js", "style.css", "icon.svg", "manifest.webmanifest"];

const on = (type: string, listener: (event: WorkerEvent) => void) =>
  worker.addEventListener(type, (event) => listener(event as WorkerEvent));

on("install", (event) => {
  const keep = async () => {
    const cache = await caches.open(cacheName);
    // Past the HTTP cache: the files of one build belong together.
    await cache.addAll(files.map((file) => new Request(file, { cache: "reload" })));
    await worker.skipWaiting();
  };
  event.waitUntil(keep());
});

on("activate", (event) => {
  const forgetOld = async () => {
    for (const name of await caches.keys()) if (name !== cacheName) await caches.delete(name);
    await worker.clients.claim();
  };
  event.waitUntil(forgetOld());
});

on("fetch", (event) => {
  if (event.request.method !== "GET") return;
  const answer = async () =>
    await caches.match(event.request, { ignoreSearch: true }) ?? await fetch(event.request);
  event.respondWith(answer());
});

tickOn(worker, openApp().engine);
