// Tells pages the browser's time zone, by a cookie: times are shown in it while the account has chosen none.

const YEAR_SECONDS = 365 * 24 * 3600;
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const attributes = `path=/; max-age=${YEAR_SECONDS}; samesite=lax${location.protocol === "https:" ? "; secure" : ""}`;

// biome-ignore lint/suspicious/noDocumentCookie: CookieStore is missing on plain HTTP.
if (zone) document.cookie = `zone=${zone}; ${attributes}`;
