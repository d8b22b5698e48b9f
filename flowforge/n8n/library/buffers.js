// The part of Node's Buffer that workflows use: texts, and their Base64 and hexadecimal forms.
const binary = (bytes) => Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
class Buffer extends Uint8Array {
  constructor(given, ...others) {
    super(...(typeof given === 'string' ? [Buffer.from(given, ...others)] : [given, ...others]));
  }
  static from(given, encoding = 'utf8') {
    if (typeof given !== 'string') return new Buffer(given);
    if (/^base64/.test(encoding)) return new Buffer(Array.from(atob(given.replace(/-/g, '+').replace(/_/g, '/')), (one) => one.charCodeAt(0)));
    if (encoding === 'hex') return new Buffer((given.match(/../g) ?? []).map((pair) => parseInt(pair, 16)));
    if (/^(?:latin1|binary|ascii)$/.test(encoding)) return new Buffer(Array.from(given, (one) => one.charCodeAt(0)));
    return new Buffer(new TextEncoder().encode(given));
  }
  static isBuffer(given) { return given instanceof Buffer; }
  static byteLength(text) { return Buffer.from(text).length; }
  static concat(parts) { return new Buffer(parts.flatMap((part) => Array.from(part))); }
  toString(encoding = 'utf8') {
    if (encoding === 'base64') return btoa(binary(this));
    if (encoding === 'base64url') return btoa(binary(this)).replace(/\+/g, '-').replace(/\//g, '_').replace(/=/g, '');
    if (encoding === 'hex') return Array.from(this, (byte) => byte.toString(16).padStart(2, '0')).join('');
    if (/^(?:latin1|binary|ascii)$/.test(encoding)) return binary(this);
    return new TextDecoder().decode(this);
  }
}
