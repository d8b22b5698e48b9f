/*
 * Read first in every call, before the program: what programs can use beyond the language itself.
 * `ask` takes what it asks FlowForge for, a list of texts in JSON, and gives a text. The prelude returns what FlowForge
 * calls: `read`, `begin`, `advance`, `outcome`.
 */
(function prelude(ask) {
  const { parse, stringify } = JSON;
  const host = (...texts) => ask(stringify(texts));
  const AsyncFunction = (async () => {}).constructor;
  const define = (target, members) => {
    for (const [name, value] of Object.entries(members)) {
      Object.defineProperty(target, name, { value, writable: true, configurable: true });
    }
  };

  // Errors

  const textOf = (read, otherwise) => {
    try {
      return String(read());
    } catch {
      return otherwise;
    }
  };
  const shown = (value) => (typeof value === "string" ? value : textOf(() => stringify(value) ?? value, "something"));
  const described = (thrown) =>
    thrown instanceof Error
      ? {
          name: textOf(() => thrown.name, "Error"),
          message: textOf(() => thrown.message, ""),
          stack: textOf(() => thrown.stack, ""),
        }
      : { name: "thrown", message: shown(thrown), stack: "" };
  const failure = (thrown) => stringify({ error: described(thrown) });

  // The log

  const line = (value) => (value instanceof Error ? `${value}\n${textOf(() => value.stack, "")}` : shown(value));
  const write =
    (level) =>
    (...values) => {
      host("log", level, values.map(line).join(" ").slice(0, 10000));
    };
  const levels = ["log", "debug", "info", "warn", "error"];
  const console = Object.fromEntries(levels.map((level) => [level, write(level)]));

  // Timers: there is nothing to wait for, so they run one after another, in the order of their times

  const timers = [];
  let now = 0;
  let lastTimer = 0;
  const setTimer = (run, delay, repeats, values) => {
    if (typeof run !== "function") throw new TypeError("a timer needs a function");
    const timer = { id: ++lastTimer, at: now + Math.max(0, Number(delay) || 0), delay, run, repeats, values };
    timers.push(timer);
    return timer.id;
  };
  const clearTimer = (id) => {
    const index = timers.findIndex((timer) => timer.id === id);
    if (index >= 0) timers.splice(index, 1);
  };
  const nextTimer = () =>
    timers.reduce((first, timer) =>
      timer.at < first.at || (timer.at === first.at && timer.id < first.id) ? timer : first,
    );

  // The program

  let settled = "";
  const settle = (answer) => {
    settled ||= answer;
  };
  const compile = (text) => {
    try {
      const made = new AsyncFunction("input", text);
      if (String(made).startsWith("async function anonymous(")) return made;
      throw new SyntaxError("there is a } too many");
    } catch (error) {
      if (/^\s*(import|export)\b/m.test(text)) error.message += "; there are no modules: write what a function does";
      throw error;
    }
  };
  const written = (value) => {
    const json = stringify(value);
    return `{"value":${json === undefined ? "null" : json}}`;
  };

  // What programs may use

  const filters = new Proxy(Object.create(null), {
    get:
      (_, name) =>
      (...values) => {
        const told = host("filter", String(name), stringify(values));
        if (told === "") throw new Error(`filters.${String(name)}: these are too many data at once`);
        const answer = parse(told);
        if ("error" in answer) throw new Error(answer.error);
        return answer.value;
      },
  });
  const absent = (what, advice) => () => {
    throw new Error(`${what} is not available in code: ${advice}`);
  };
  const bytesOf = (binary) => Uint8Array.from(binary, (character) => character.charCodeAt(0));
  const binaryOf = (bytes) => {
    let binary = "";
    for (let at = 0; at < bytes.length; at += 8192) {
      binary += String.fromCharCode.apply(null, bytes.subarray(at, at + 8192));
    }
    return binary;
  };
  const asBytes = (data) =>
    ArrayBuffer.isView(data)
      ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
      : new Uint8Array(data ?? 0);
  class TextEncoder {
    encoding = "utf-8";
    encode(text = "") {
      return bytesOf(host("encode", String(text).toWellFormed()));
    }
  }
  class TextDecoder {
    constructor(encoding = "utf-8") {
      this.encoding = String(encoding).toLowerCase();
    }
    decode(data) {
      return host("decode", binaryOf(asBytes(data)), this.encoding);
    }
  }
  const crypto = {
    randomUUID: () => {
      const bytes = bytesOf(host("random", "16"));
      bytes[6] = (bytes[6] & 15) | 64;
      bytes[8] = (bytes[8] & 63) | 128;
      const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
      return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
    },
    getRandomValues: (array) => {
      asBytes(array).set(bytesOf(host("random", String(array.byteLength))));
      return array;
    },
  };
  const structuredClone = (value) => cloned(value, new Map());
  const cloned = (value, known) => {
    if (typeof value === "function" || typeof value === "symbol") throw new TypeError("a function cannot be cloned");
    if (value === null || typeof value !== "object") return value;
    if (known.has(value)) return known.get(value);
    const keep = (copy) => {
      known.set(value, copy);
      return copy;
    };
    if (value instanceof Date) return keep(new Date(value));
    if (value instanceof RegExp) return keep(new RegExp(value.source, value.flags));
    if (value instanceof ArrayBuffer) return keep(value.slice(0));
    if (ArrayBuffer.isView(value)) return keep(value.slice());
    if (value instanceof Map) {
      const copy = keep(new Map());
      for (const [key, member] of value) copy.set(cloned(key, known), cloned(member, known));
      return copy;
    }
    if (value instanceof Set) {
      const copy = keep(new Set());
      for (const member of value) copy.add(cloned(member, known));
      return copy;
    }
    if (value instanceof Error) return keep(Object.assign(new Error(value.message), { name: value.name }));
    const copy = keep(Array.isArray(value) ? [] : {});
    for (const key of Object.keys(value)) copy[key] = cloned(value[key], known);
    return copy;
  };

  // What would be written as in the United States, and in UTC, whatever is asked for

  const refuseOptions = (prototype, name, advice) => {
    const plain = prototype[name];
    const local = function (locale, options) {
      if ((locale ?? "en-US") !== "en-US" || options)
        throw new RangeError(`${name} knows no languages and zones: ${advice}`);
      return plain.call(this);
    };
    define(prototype, { [name]: local });
  };
  for (const name of ["toLocaleString", "toLocaleDateString", "toLocaleTimeString"]) {
    refuseOptions(Date.prototype, name, "filters.date(value, '%d.%m.%Y %H:%M', 'Europe/Berlin') does");
  }
  refuseOptions(Number.prototype, "toLocaleString", "filters.format_number(value, 2, ',', '.') writes numbers");

  // Addresses

  const pairsOf = (query) =>
    query
      .replace(/^\?/, "")
      .split("&")
      .filter(Boolean)
      .map((pair) => {
        const [name, ...value] = pair.replaceAll("+", " ").split("=");
        return [decodeURIComponent(name), decodeURIComponent(value.join("="))];
      });
  const escaped = (text) =>
    encodeURIComponent(text)
      .replaceAll("%20", "+")
      .replace(/[!'()~]/g, (found) => `%${found.charCodeAt(0).toString(16).toUpperCase()}`);
  class URLSearchParams {
    #pairs;
    constructor(given = "") {
      if (typeof given === "string") this.#pairs = pairsOf(given);
      else {
        const entries = typeof given[Symbol.iterator] === "function" ? [...given] : Object.entries(given);
        this.#pairs = entries.map(([name, value]) => [String(name), String(value)]);
      }
    }
    get size() {
      return this.#pairs.length;
    }
    append(name, value) {
      this.#pairs.push([String(name), String(value)]);
    }
    delete(name) {
      this.#pairs = this.#pairs.filter(([key]) => key !== String(name));
    }
    get(name) {
      return this.#pairs.find(([key]) => key === String(name))?.[1] ?? null;
    }
    getAll(name) {
      return this.#pairs.filter(([key]) => key === String(name)).map(([, value]) => value);
    }
    has(name) {
      return this.#pairs.some(([key]) => key === String(name));
    }
    set(name, value) {
      const first = this.#pairs.findIndex(([key]) => key === String(name));
      if (first < 0) {
        this.append(name, value);
        return;
      }
      this.#pairs[first][1] = String(value);
      this.#pairs = this.#pairs.filter(([key], index) => key !== String(name) || index === first);
    }
    sort() {
      this.#pairs.sort(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0));
    }
    forEach(run) {
      for (const [name, value] of this.#pairs) run(value, name, this);
    }
    keys() {
      return this.#pairs.map(([name]) => name).values();
    }
    values() {
      return this.#pairs.map(([, value]) => value).values();
    }
    entries() {
      return this.#pairs.map((pair) => [...pair]).values();
    }
    [Symbol.iterator]() {
      return this.entries();
    }
    toString() {
      return this.#pairs.map((pair) => pair.map(escaped).join("=")).join("&");
    }
  }
  const ADDRESS =
    /^([a-z][a-z0-9+.-]*:)\/\/(?:([^/?#@:]*)(?::([^/?#@]*))?@)?(\[[^\]]*\]|[^/?#:]*)(?::(\d+))?([^?#]*)(\?[^#]*)?(#.*)?$/i;
  const PORTS = { "http:": "80", "https:": "443", "ftp:": "21", "ws:": "80", "wss:": "443" };
  const resolved = (path) => {
    const parts = [];
    for (const part of path.split("/").slice(1)) {
      if (part === "..") parts.pop();
      else if (part !== ".") parts.push(part);
    }
    return `/${parts.join("/")}${/\/\.{1,2}$/.test(path) && parts.length ? "/" : ""}`;
  };
  const absolute = (given, base) => {
    if (ADDRESS.test(given) || base === undefined) return given;
    const { protocol, host: place, pathname, search } = new URL(base);
    if (given.startsWith("//")) return protocol + given;
    const origin = `${protocol}//${place}`;
    if (given.startsWith("/")) return origin + given;
    if (given.startsWith("?")) return origin + pathname + given;
    if (given === "" || given.startsWith("#")) return origin + pathname + search + given;
    return origin + pathname.replace(/[^/]*$/, "") + given;
  };
  class URL {
    constructor(given, base) {
      const found = ADDRESS.exec(absolute(String(given).trim(), base));
      if (!found) throw new TypeError(`Invalid URL: ${given}`);
      this.protocol = found[1].toLowerCase();
      this.username = found[2] ?? "";
      this.password = found[3] ?? "";
      this.hostname = found[4].toLowerCase();
      this.port = !found[5] || found[5] === PORTS[this.protocol] ? "" : found[5];
      this.pathname = encodeURI(resolved(found[6] || "/")).replaceAll("%25", "%");
      this.hash = !found[8] || found[8] === "#" ? "" : found[8];
      this.searchParams = new URLSearchParams(found[7] ?? "");
    }
    get host() {
      return this.hostname + (this.port && `:${this.port}`);
    }
    get origin() {
      return `${this.protocol}//${this.host}`;
    }
    get search() {
      const query = this.searchParams.toString();
      return query && `?${query}`;
    }
    set search(query) {
      this.searchParams = new URLSearchParams(String(query));
    }
    get href() {
      const user = this.username + (this.password && `:${this.password}`);
      return `${this.protocol}//${user && `${user}@`}${this.host}${this.pathname}${this.search}${this.hash}`;
    }
    toString() {
      return this.href;
    }
    toJSON() {
      return this.href;
    }
    static canParse(given, base) {
      try {
        new URL(given, base);
        return true;
      } catch {
        return false;
      }
    }
  }

  define(globalThis, {
    console,
    filters,
    crypto,
    structuredClone,
    TextEncoder,
    TextDecoder,
    URL,
    URLSearchParams,
    setTimeout: (run, delay, ...values) => setTimer(run, delay, false, values),
    setInterval: (run, delay, ...values) => setTimer(run, delay, true, values),
    setImmediate: (run, ...values) => setTimer(run, 0, false, values),
    clearTimeout: clearTimer,
    clearInterval: clearTimer,
    clearImmediate: clearTimer,
    require: absent("require", "docs/code.md lists what there is"),
    fetch: absent("fetch", "the step HTTP_REQUEST calls services"),
  });

  return {
    /* Tells what is wrong with a program, without running it. */
    read: (text) => {
      try {
        compile(text);
        return '{"value":null}';
      } catch (error) {
        return failure(error);
      }
    },
    begin: (text, input) => {
      try {
        compile(text)(parse(input)).then(
          (value) => {
            try {
              settle(written(value));
            } catch (error) {
              settle(failure(error));
            }
          },
          (error) => settle(failure(error)),
        );
      } catch (error) {
        settle(failure(error));
      }
    },
    /* Runs the timer that is due next, unless the program is over; whether there was one. */
    advance: () => {
      if (settled || timers.length === 0) return false;
      const timer = nextTimer();
      now = timer.at;
      clearTimer(timer.id);
      if (timer.repeats) timers.push({ ...timer, at: now + Math.max(1, Number(timer.delay) || 0) });
      try {
        timer.run(...timer.values);
      } catch (error) {
        settle(failure(error));
      }
      return true;
    },
    /* `{"value": ...}`, `{"error": ...}`, or nothing where it waits for what never comes. */
    outcome: () => settled,
  };
});
