// Methods that n8n adds to values.
const extend = (type, methods) => Object.entries(methods).forEach(([name, method]) =>
  Object.defineProperty(type.prototype, name, { value: method, writable: true, configurable: true }));
const filled = (given) => given !== undefined && given !== null && given !== '';
extend(String, {
  isEmpty() { return this.length === 0; }, isNotEmpty() { return this.length > 0; },
  toNumber() { return Number(this); }, toFloat() { return parseFloat(this); }, toInt() { return parseInt(this, 10); },
  toBoolean() { return !['', '0', 'false', 'no'].includes(String(this).trim().toLowerCase()); },
  parseJson() { return JSON.parse(this); }, toJsonString() { return JSON.stringify(this); },
  urlEncode() { return encodeURIComponent(this); }, urlDecode() { return decodeURIComponent(this); },
  removeTags() { return this.replace(/<[^>]*>/g, ''); },
  toTitleCase() { return this.toLowerCase().replace(/(^|\s)\S/g, (first) => first.toUpperCase()); },
  toSentenceCase() { return this.toLowerCase().replace(/(^\s*|[.!?]\s+)\S/g, (first) => first.toUpperCase()); },
  toSnakeCase() { return this.trim().toLowerCase().replace(/[\s-]+/g, '_').replace(/[^\w]/g, ''); },
  extractEmail() { return this.match(/[\w.+-]+@[\w-]+(?:\.[\w-]+)+/)?.[0]; },
  extractUrl() { return this.match(/https?:\/\/[^\s"'<>]+/)?.[0]; },
  extractDomain() { return this.match(/^(?:https?:\/\/)?(?:[^@/\s]+@)?([\w-]+(?:\.[\w-]+)+)/)?.[1]; },
  isEmail() { return /^[\w.+-]+@[\w-]+(?:\.[\w-]+)+$/.test(this); },
  isNumeric() { return this.trim() !== '' && !Number.isNaN(Number(this)); },
  isUrl() { return /^https?:\/\/[^\s]+$/.test(this); },
  quote(mark = '"') { return mark + this.replaceAll(mark, '\\' + mark) + mark; },
});
extend(Array, {
  first() { return this[0]; }, last() { return this[this.length - 1]; },
  isEmpty() { return this.length === 0; }, isNotEmpty() { return this.length > 0; },
  compact() { return this.filter(filled); }, toJsonString() { return JSON.stringify(this); },
  unique() { return this.filter((one, at) => this.findIndex((two) => JSON.stringify(one) === JSON.stringify(two)) === at); },
  removeDuplicates() { return this.unique(); },
  pluck(...names) { return this.map((row) => (names.length === 1 ? row[names[0]] : Object.fromEntries(names.map((n) => [n, row[n]])))); },
  sum() { return this.reduce((total, one) => total + Number(one), 0); }, average() { return this.sum() / this.length; },
  max() { return Math.max(...this); }, min() { return Math.min(...this); },
  chunk(size) { return Array.from({ length: Math.ceil(this.length / size) }, (_, at) => this.slice(at * size, (at + 1) * size)); },
  append(...more) { return [...this, ...more]; },
  union(other) { return [...this, ...other].unique(); },
  difference(other) { return this.filter((one) => !other.some((two) => JSON.stringify(one) === JSON.stringify(two))); },
  intersection(other) { return this.filter((one) => other.some((two) => JSON.stringify(one) === JSON.stringify(two))); },
});
extend(Number, {
  round(digits = 0) { return Math.round(this * 10 ** digits) / 10 ** digits; },
  floor() { return Math.floor(this); }, ceil() { return Math.ceil(this); }, abs() { return Math.abs(this); },
  isEven() { return this % 2 === 0; }, isOdd() { return this % 2 !== 0; }, isEmpty() { return false; },
});
extend(Boolean, { isEmpty() { return false; }, toNumber() { return this.valueOf() ? 1 : 0; } });
extend(Object, {
  isEmpty() { return Object.keys(this).length === 0; }, isNotEmpty() { return Object.keys(this).length > 0; },
  keys() { return Object.keys(this); }, values() { return Object.values(this); }, hasField(name) { return name in this; },
  merge(other) { return { ...other, ...this }; }, toJsonString() { return JSON.stringify(this); },
  compact() { return Object.fromEntries(Object.entries(this).filter(([, one]) => filled(one))); },
  removeField(name) { const { [name]: _, ...rest } = this; return rest; },
});
