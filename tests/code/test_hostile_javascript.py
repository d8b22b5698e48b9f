"""Programs that mean harm: each ends, with a reason, and leaves nothing behind."""

from __future__ import annotations

import gc
import threading
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import psutil
import pytest

from flowforge.code.program import CodeBusy, CodeFailed
from tests.code.running import run

TIME = "it was stopped after 0.2 s, which is its limit"
MEMORY = "it took more than 64 MB of memory"
DEEP = "it calls itself too deeply"
LARGE = "its result has more than 65536 bytes, which is the limit"
NEVER = "it waits for a promise that never settles"
WORK = "too much work"

HOSTILE = [
    # loops
    ("while (true) {}", TIME),
    ("for (;;) { try { throw 1 } catch { continue } }", TIME),
    ("try { while (true) {} } finally { while (true) {} }", TIME),
    ("do { Date.now() } while (true)", TIME),
    ("const forever = function* () { while (true) yield 1 }; for (const _ of forever()) {}", TIME),
    ("[...(function* () { while (true) yield 'x'.repeat(1000) })()]", MEMORY),
    ("let n = 0n; while (true) n += 1n", TIME),
    ("label: while (true) { continue label }", TIME),
    ("new Function('while (true) {}')()", TIME),
    ("eval('while (true) {}')", TIME),
    ("Array.from({ length: 1e9 }, () => 0)", None),
    ("new Array(2 ** 32 - 1).fill(0)", None),
    ("new Array(1e8).join('x')", None),
    ("Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1)", TIME),
    ("[].concat.apply([], Array(1e6).fill([1, 2, 3])); while (true) {}", None),
    # regular expressions, sorting, big numbers: what native code does alone
    ("/^(a+)+$/.test('a'.repeat(50) + '!')", TIME),
    ("/(?:a|a)*$/.exec('a'.repeat(60) + 'b')", TIME),
    ("/(.*)*\\1x/.test('y'.repeat(60))", TIME),
    ("'a'.repeat(200000).replace(/a*?b/g, '')", TIME),
    ("[3, 2, 1].sort(() => { while (true) {} })", TIME),
    ("Array.from({ length: 2e5 }, (_, n) => n).sort(() => Math.random() - 0.5); while (true) {}", TIME),
    ("7n ** 9999999n", None),
    ("let n = 3n; while (true) n *= n", None),
    ("'x'.padStart(2 ** 29)", None),
    ("'ab'.repeat(2 ** 28)", None),
    ("encodeURIComponent('ü'.repeat(2e7))", None),
    ("JSON.parse('['.repeat(1e6))", None),
    ("JSON.stringify(Array(1e7).fill('x'))", None),
    ("'x'.repeat(1e6).split('').map((a) => a.repeat(100))", None),
    ("structuredClone(Array(1e6).fill({ a: [1] }).map((a) => ({ ...a })))", None),
    # memory
    ("const all = []; while (true) all.push(new Array(1000).fill(1.5))", MEMORY),
    ("const all = []; while (true) all.push(new ArrayBuffer(1e6))", None),
    ("let text = 'x'; while (true) text += text", None),
    ("const all = {}; for (let n = 0; ; n++) all['key' + n] = n", MEMORY),
    ("const all = new Map(); for (let n = 0; ; n++) all.set({}, n)", MEMORY),
    ("new Uint8Array(2 ** 31 - 1)", None),
    ("let f = () => 1; while (true) { const g = f; f = () => g() }", MEMORY),
    ("const all = []; while (true) { try { all.push('x'.repeat(1e6) + all.length) } catch {} }", TIME),
    # recursion, deep nesting
    ("const f = () => f() + 1; f()", DEEP),
    ("const f = () => { try { f() } finally { f() } }; f()", None),
    ("const a = {}; a.toString = () => a + ''; return a + ''", DEEP),
    ("const a = { get x() { return a.x } }; return a.x", DEEP),
    ("let a = []; for (let n = 0; n < 1e5; n++) a = [a]; return a", DEEP),
    ("let a = {}; for (let n = 0; n < 1e6; n++) a = { a }; return 1 + JSON.stringify(a).length", None),
    ("let p = {}; for (let n = 0; n < 1e4; n++) p = new Proxy(p, {}); return p.x", None),
    ("return eval('('.repeat(1e5))", None),
    ("return new RegExp('(?:'.repeat(1e5) + ')'.repeat(1e5))", None),
    ("class A { constructor() { new A() } } new A()", DEEP),
    # promises and timers that never end
    ("await new Promise(() => {})", NEVER),
    ("await { then() {} }", NEVER),
    ("const f = async () => { await null; return f() }; await f()", None),
    ("const f = () => Promise.resolve().then(f); await f()", None),
    ("setInterval(() => {}, 1); await new Promise(() => {})", TIME),
    ("const f = () => setTimeout(f, 0); f(); await new Promise(() => {})", TIME),
    ("queueMicrotask(function f() { queueMicrotask(f) }); await new Promise(() => {})", TIME),
    ("const all = []; for (let n = 0; ; n++) all.push(new Promise(() => {}))", MEMORY),
    ("for await (const _ of (async function* () { while (true) yield 1 })()) {}", TIME),
    # the result
    ("return 'x'.repeat(1e5)", LARGE),
    ("return Array(1e5).fill(0)", LARGE),
    ("return { toJSON() { while (true) {} } }", TIME),
    ("return { toJSON() { return this } , get a() { throw new Error('mine') } }", "line 1: Error: mine"),
    ("return new Proxy({}, { ownKeys() { while (true) {} } })", TIME),
    ("return new Proxy([], { get() { throw 1 } })", "thrown: 1"),
    ("const a = []; a[0] = a; return a", "TypeError: circular reference"),
    ("return { a: 1n }", "TypeError: BigInt are forbidden"),
    ("throw new Proxy({}, { get() { while (true) {} } })", None),
    ("const e = new Error('a'); Object.defineProperty(e, 'stack', { get() { while (true) {} } }); throw e", TIME),
    ("throw Object.assign(new Error(), { message: 'x'.repeat(1e7) })", None),
    ("throw { toString() { throw this } }", None),
    # what is around it
    ("while (true) console.log('x'.repeat(1e4))", TIME),
    ("String.prototype.slice = () => 'x'.repeat(1e7); console.log('a'); return 'x'.repeat(1e5)", LARGE),
    ("while (true) filters.sha256('x'.repeat(1e5))", None),
    ("while (true) filters.upper('x')", None),
    ("filters.regex_test('a'.repeat(1e6), '(a+)+b'); while (true) {}", None),
    ("filters.upper('x'.repeat(2e7))", None),
    ("filters.tojson(Array(1e5).fill([[[]]]), 20); while (true) {}", None),
    ("JSON.parse = () => ({ value: 'mine' }); JSON.stringify = () => 'mine'; return 10n", "TypeError: BigInt"),
    ("Object.prototype.toString = Array.prototype.map = Function.prototype.call = null; null.x", "line 1: TypeError"),
    ("Promise.prototype.then = () => {}; return 1", None),
    ("Object.defineProperty(Object.prototype, 'error', { value: 1 }); throw new Error('mine')", None),
    ("Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)", "line 1: ReferenceError"),
    ("new SharedArrayBuffer(2 ** 30)", None),
    ("crypto.getRandomValues(new Uint8Array(1e8))", None),
    ("new TextDecoder('idna').decode(new Uint8Array(1e6)); while (true) {}", None),
    ("await import('./prelude.js')", "ReferenceError: could not load module"),
    ("return this.constructor.constructor('return process')()", "ReferenceError: process is not defined"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "reason"), HOSTILE, ids=[f"{n}-{text[:40]}" for n, (text, _) in enumerate(HOSTILE)])
def test_it_ends_with_a_reason(text: str, reason: str | None) -> None:
    """Without a reason here, any one will do: which limit is met first is chance."""
    with pytest.raises(CodeFailed) as caught:
        run(text, seconds=0.2 if reason in (TIME, None) else 20, most_output=65536)
    told = str(caught.value)
    assert reason is None or reason in told
    assert told
    assert "\n" not in told[:100]


def test_what_begins_at_its_deadline_is_stopped() -> None:
    with pytest.raises(CodeFailed, match="it did not end within the step's time limit"):
        run("while (true) {}", within=0)


def test_they_leave_no_thread_and_no_memory_behind() -> None:
    def harm() -> None:
        for text in ("while (true) {}", "const all = []; while (true) all.push(new Array(1000).fill(1.5))"):
            with pytest.raises(CodeFailed):
                run(text, seconds=0.1)

    harm()
    gc.collect()
    threads, memory = threading.active_count(), psutil.Process().memory_info().rss
    for _ in range(5):
        harm()
    gc.collect()
    assert threading.active_count() == threads
    assert psutil.Process().memory_info().rss < memory + 30 * 1024 * 1024


def test_fifty_of_one_account_leave_room_for_another() -> None:
    hostile, over = uuid4(), list[str]()

    def harm() -> None:
        try:
            run("while (true) {}", account=hostile, seconds=0.3, within=3)
        except (CodeBusy, CodeFailed):
            over.append("hostile")

    with ThreadPoolExecutor(51) as pool:
        for _ in range(50):
            pool.submit(harm)
        assert run("return 'done'", account=uuid4()) == "done"
        finished = len(over)
    assert finished < 10
    assert len(over) == 50
