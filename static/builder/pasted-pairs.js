// What is pasted, as pairs of names and values: a JSON object, or at least two lines such as `name: value`.

const LINE = /^\s*([^\s:=][^:=\t]*?)\s*[:=\t]\s*(.*)$/;

export function pairsOf(text) {
  return ofObject(text) ?? ofLines(text);
}

function ofObject(text) {
  if (!text.trim().startsWith("{")) return null;
  try {
    return Object.entries(JSON.parse(text)).map(([name, value]) => [name, written(value)]);
  } catch {
    return null;
  }
}

const written = (value) => (typeof value === "string" ? value : JSON.stringify(value));

function ofLines(text) {
  const lines = text.split(/\r?\n/).filter((line) => line.trim());
  const found = lines.map((line) => LINE.exec(line));
  return lines.length > 1 && found.every(Boolean) ? found.map(([, name, value]) => [name, value]) : [];
}
