// The modules of Node that code may load.
class Hash {
  constructor(digest) { Object.assign(this, { made: digest, text: '' }); }
  update(data) { this.text += String(data); return this; }
  digest(encoding) { return encoding === undefined ? Buffer.from(this.made(this.text, 'hex'), 'hex') : this.made(this.text, encoding); }
}
const modules = {
  crypto: {
    createHash: (name) => new Hash((text, encoding) => filters[name.toLowerCase().replace('-', '')](text, encoding)),
    createHmac: (name, key) => new Hash((text, encoding) => filters.hmac_sha256(text, String(key), encoding)),
    randomBytes: (length) => crypto.getRandomValues(new Buffer(length)),
    randomUUID: () => crypto.randomUUID(),
  },
  buffer: { Buffer },
  url: { URL, URLSearchParams },
};
const require = (name) => modules[name.replace(/^node:/, '')];
