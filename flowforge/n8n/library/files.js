// Files of items as n8n has them, and what became of them as files of FlowForge.
const FILE = Symbol('file');
const fileRead = (file, content) => {
  if (!file?.sha256) return undefined;
  const shown = { fileName: file.name, mimeType: file.type, fileSize: String(file.size), fileExtension: file.name.split('.').at(-1) };
  return { ...shown, data: content ?? file.base64 ?? null, [FILE]: { file, data: content ?? file.base64 ?? null } };
};
function filesOf(source, at) {
  const found = Object.entries(source.files ?? {}).map(([name, files]) => [name, fileRead(files[at], source.contents?.[name]?.[at])]);
  return Object.fromEntries(found.filter(([, file]) => file));
}
const plainBase64 = (data) => {
  const text = data instanceof Uint8Array ? Buffer.from(data).toString('base64') : String(data ?? '');
  const digits = text.replace(/-/g, '+').replace(/_/g, '/').replace(/[^A-Za-z0-9+/]/g, '');
  return digits + '='.repeat((4 - (digits.length % 4)) % 4);
};
const fileMade = (given) => {
  const { fileName, mimeType, data, [FILE]: known } = given;
  if (known && data === known.data) return { ...known.file, name: fileName ?? known.file.name, type: mimeType ?? known.file.type };
  return filters.to_file({ base64: plainBase64(data) }, fileName || 'file', mimeType || 'application/octet-stream');
};
function withFiles({ json = {}, binary }) {
  const files = Object.entries(binary ?? {}).filter(([, file]) => file && typeof file === 'object' && 'data' in file);
  return files.length ? { ...json, binary: Object.fromEntries(files.map(([name, file]) => [name, fileMade(file)])) } : json;
}
const helpers = {
  getBinaryDataBuffer: async (at, name) => {
    const given = typeof at === 'number' ? items[at] : at;
    return Buffer.from(given?.binary?.[name]?.data ?? '', 'base64');
  },
  prepareBinaryData: async (data, fileName, mimeType) => ({
    data: plainBase64(typeof data === 'string' ? Buffer.from(data) : data), fileName, mimeType,
  }),
};
const $helpers = helpers;
