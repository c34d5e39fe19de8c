/* global window, document, self, top, parent, frames, fetch, XMLHttpRequest, WebSocket, EventSource, TextEncoder, TextDecoder, URL, URLSearchParams,
   Headers, Request, Response, FormData, Blob, File, FileReader, crypto, btoa, atob, localStorage, sessionStorage, indexedDB, location, history, navigator,
   performance, queueMicrotask, structuredClone, requestAnimationFrame, Worker, postMessage, addEventListener, alert, caches, AbortController, Event,
   EventTarget, CustomEvent, Node, Element, HTMLElement, Image, process, Buffer, __dirname, phone */
// Written out, since only code can say what a name is.
exports.globals = () => ({
  window: typeof window, document: typeof document, self: typeof self, top: typeof top, parent: typeof parent, frames: typeof frames, fetch: typeof fetch,
  XMLHttpRequest: typeof XMLHttpRequest, WebSocket: typeof WebSocket, EventSource: typeof EventSource, TextEncoder: typeof TextEncoder,
  TextDecoder: typeof TextDecoder, URL: typeof URL, URLSearchParams: typeof URLSearchParams, Headers: typeof Headers, Request: typeof Request,
  Response: typeof Response, FormData: typeof FormData, Blob: typeof Blob, File: typeof File, FileReader: typeof FileReader, crypto: typeof crypto,
  btoa: typeof btoa, atob: typeof atob, localStorage: typeof localStorage, sessionStorage: typeof sessionStorage, indexedDB: typeof indexedDB,
  location: typeof location, history: typeof history, navigator: typeof navigator, performance: typeof performance, queueMicrotask: typeof queueMicrotask,
  structuredClone: typeof structuredClone, requestAnimationFrame: typeof requestAnimationFrame, Worker: typeof Worker, postMessage: typeof postMessage,
  addEventListener: typeof addEventListener, alert: typeof alert, caches: typeof caches, AbortController: typeof AbortController, Event: typeof Event,
  EventTarget: typeof EventTarget, CustomEvent: typeof CustomEvent, Node: typeof Node, Element: typeof Element, HTMLElement: typeof HTMLElement,
  Image: typeof Image, process: typeof process, Buffer: typeof Buffer, __dirname: typeof __dirname, phone: typeof phone,
})

function attempt(run) {
  try {
    const found = run()
    return found && (found.document || found.window || found.fetch || found.crypto) ? 'reached' : 'hidden'
  } catch (error) {
    return error.name
  }
}

// Ways by which code gets at the global object all the same.
exports.reached = () => ({
  this: attempt(() => (function () { return this })()),
  module: attempt(function () { return this }),
  globalThis: attempt(() => globalThis),
  global: attempt(() => global),
  Function: attempt(() => Function('return this')()),
  newFunction: attempt(() => new Function('return this')()),
  constructor: attempt(() => (() => {}).constructor('return this')()),
  arrayConstructor: attempt(() => [].filter.constructor('return this')()),
  text: attempt(() => Function('return document')()),
  textByConstructor: attempt(() => (() => {}).constructor('return document')()),
  generator: attempt(() => Object.getPrototypeOf(function* () {}).constructor('return document')().next().value),
  eval: attempt(() => eval('document')),
  indirectEval: attempt(() => (0, eval)('document')),
  timer: attempt(() => setTimeout('document')),
  wx: attempt(() => wx.request.constructor('return this')()),
  console: attempt(() => console.log.constructor('return document')()),
})
