// Reads the expressions of a text as the server does (flowforge/language/expressions/template.py), as far as a field
// needs it: where they begin and end, which brackets belong together, and what can be written at a place.

const PIECE = /'(?:[^'\\]|\\.)*'?|"(?:[^"\\]|\\.)*"?|[{}[\]()]|[^'"{}[\]()]+/gsu;
const CLOSING = { "{": "}", "[": "]", "(": ")" };
const PATH = String.raw`[A-Za-z_]\w*(?:\.\w+|\[\d+\]|\["(?:[^"\\]|\\.)*"\]|\['(?:[^'\\]|\\.)*'\])*`;
const MEMBER = new RegExp(String.raw`(${PATH})(\.(\w*)|\[["']?([^"'\]]*))$`, "su");
const FILTER = /\|\s*(\w*)$/su;
const TEST = /\bis\s+(?:not\s+)?(\w*)$/su;
const ROOT = /(?:^|[({[,:=<>+\-*/%~]|\b(?:and|or|not|in|if|else))\s*([A-Za-z_]\w*)?$/su;

// The expressions of a text: `from` and `to` with their braces, and their pairs of brackets. `to` is the end of the text
// where an expression has no end.
export function expressionsIn(text) {
  const found = [];
  for (let from = text.indexOf("{{"); from >= 0; from = text.indexOf("{{", found.at(-1).to)) {
    found.push(expressionFrom(text, from));
  }
  return found;
}

function expressionFrom(text, from) {
  const open = [];
  const pairs = [];
  PIECE.lastIndex = from + 2;
  for (let piece = PIECE.exec(text); piece; piece = PIECE.exec(text)) {
    const [mark] = piece;
    if (mark === "}" && !open.length) {
      const isClosed = text[piece.index + 1] === "}";
      return { from, to: piece.index + (isClosed ? 2 : 1), isClosed, pairs };
    }
    if (CLOSING[mark]) open.push(piece.index);
    else if (CLOSING[text[open.at(-1)]] === mark) pairs.push([open.pop(), piece.index]);
  }
  return { from, to: text.length, isClosed: false, pairs };
}

// The expression around a caret, without its braces; null outside of all. A field may hold nothing but one (`isBare`).
export function expressionAround(text, caret, isBare = false) {
  if (isBare) return { from: 0, to: text.length, isClosed: true };
  const found = expressionsIn(text).find(
    ({ from, to, isClosed }) => from + 2 <= caret && caret <= (isClosed ? to - 2 : to),
  );
  if (!found) return null;
  const { from, to, isClosed } = found;
  return { from: from + 2, to: isClosed ? to - 2 : to, isClosed };
}

// What can be written at a caret: its kind, the characters from `from` on that stand for it, the `word` typed so far,
// and of members whose they are. Null where nothing can be offered.
export function placeAt(text, caret, isBare = false) {
  const expression = expressionAround(text, caret, isBare);
  if (!expression) return null;
  const before = text.slice(expression.from, caret);
  const place = kindOf(before);
  return place && { ...place, from: caret - place.length };
}

function kindOf(before) {
  const member = MEMBER.exec(before);
  if (member) return placeOf("member", member[3] ?? member[4], { of: canonical(member[1]), length: member[2].length });
  if (isInQuotes(before)) return null;
  const filter = FILTER.exec(before);
  if (filter) return placeOf("filter", filter[1]);
  const test = TEST.exec(before);
  if (test) return placeOf("test", test[1]);
  const root = ROOT.exec(before);
  return root && placeOf("root", root[1] ?? "");
}

const placeOf = (kind, word, { of = "", length = word.length } = {}) => ({ kind, word, of, length });

function isInQuotes(text) {
  const last = text.match(PIECE)?.at(-1) ?? "";
  return /^['"]/u.test(last) && !/^(['"])(?:[^\\]|\\.)*\1$/su.test(last);
}

// A path as the server writes it: `a["b"]` and `a['b']` are `a.b`.
function canonical(path) {
  return path.replaceAll(/\[(?:"([^"\\]*)"|'([^'\\]*)')\]/gu, (_, double, single) => {
    const name = double ?? single;
    return /^[A-Za-z_]\w*$/u.test(name) ? `.${name}` : `["${name}"]`;
  });
}

// The brackets beside a caret that belong together.
export function pairAt(text, caret) {
  const pairs = expressionsIn(text).flatMap((each) =>
    each.isClosed ? [...each.pairs, [each.from, each.to - 1], [each.from + 1, each.to - 2]] : each.pairs,
  );
  return pairs.find((pair) => pair.some((at) => at === caret || at === caret - 1)) ?? [];
}
