// Requests of the builder: each answer is HTML.

import { clearUnanswered } from "./messages.js";

const TIMEOUT_MS = 40_000;

// Returns whether the server agreed, and the document it sent; throws where it does not answer.
export async function request(url, options = {}) {
  const response = await fetch(url, { ...options, signal: AbortSignal.timeout(TIMEOUT_MS) });
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  clearUnanswered();
  return { ok: response.ok, page };
}

// Returns the nodes of an answer that is no whole page, or null where there is none.
export async function requestFragment(url, data) {
  const answer = await request(url, { method: "POST", body: data }).catch(() => null);
  return answer?.ok ? [...answer.page.body.childNodes] : null;
}
