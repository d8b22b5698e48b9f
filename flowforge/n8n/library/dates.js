// The part of Luxon's DateTime that workflows use, on zones as the workflow has them.
const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October',
  'November', 'December'];
const DAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];
const LENGTHS = { milliseconds: 1, seconds: 1e3, minutes: 6e4, hours: 36e5, days: 864e5, weeks: 6048e5 };
const plural = (unit) => (unit.endsWith('s') ? unit : `${unit}s`);
const two = (number, length = 2) => String(number).padStart(length, '0');
const zoneNow = input.zone ?? 'UTC';
const aliases = { utc: 'UTC', local: zoneNow };
const shift = (zone, ms) => {
  if (/^utc$/i.test(zone)) return 0;
  const [, sign, hours, minutes] = /([+-])(\d\d):?(\d\d)$/.exec(filters.date(new Date(ms).toISOString(), '%z', zone)) ?? [];
  return sign ? (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) : 0;
};
const instant = (wall, zone) => {
  const guess = wall - shift(zone, wall) * 6e4;
  return wall - shift(zone, guess) * 6e4;
};
const span = (given, unit) => (typeof given === 'object' ? given : { [unit ?? 'milliseconds']: given });
class DateTime {
  constructor(ms, zone = zoneNow) { this.ms = ms; this.zoneName = aliases[String(zone).toLowerCase()] ?? zone; }
  static now() { return new DateTime(Date.now()); }
  static local(...parts) { return parts.length ? DateTime.fromObject({ year: parts[0], month: parts[1], day: parts[2],
    hour: parts[3], minute: parts[4], second: parts[5] }) : DateTime.now(); }
  static utc() { return new DateTime(Date.now(), 'UTC'); }
  static fromMillis(ms) { return new DateTime(ms); }
  static fromSeconds(seconds) { return new DateTime(seconds * 1e3); }
  static fromJSDate(date) { return new DateTime(date.getTime()); }
  static fromISO(text, options = {}) {
    const zone = options.zone ?? zoneNow;
    const whole = /^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00` : String(text);
    const own = /(?:Z|[+-]\d\d:?\d\d)$/.test(whole);
    const ms = Date.parse(own ? whole : `${whole}Z`);
    return new DateTime(own ? ms : instant(ms, zone), zone);
  }
  static fromObject(parts, options = {}) {
    const zone = options.zone ?? zoneNow;
    return new DateTime(instant(Date.UTC(parts.year, (parts.month ?? 1) - 1, parts.day ?? 1, parts.hour ?? 0,
      parts.minute ?? 0, parts.second ?? 0, parts.millisecond ?? 0), zone), zone);
  }
  static fromFormat(text, format, options = {}) {
    const names = [];
    const pattern = format.replace(/'([^']*)'|(yyyy|MM|dd|HH|mm|ss|SSS|M|d|H|m|s)|([.*+?^${}()|[\]\\])/g, (_, plain, token, mark) => {
      if (plain !== undefined) return plain;
      if (mark) return `\\${mark}`;
      names.push(token);
      return token.length > 1 ? `(\\d{${token.length}})` : '(\\d{1,2})';
    });
    const found = new RegExp(`^${pattern}$`).exec(text);
    if (!found) return new DateTime(NaN);
    const parts = { y: 'year', M: 'month', d: 'day', H: 'hour', m: 'minute', s: 'second', S: 'millisecond' };
    return DateTime.fromObject(Object.fromEntries(names.map((name, at) => [parts[name[0]], Number(found[at + 1])])), options);
  }
  get wall() { return new Date(this.ms + shift(this.zoneName, this.ms) * 6e4); }
  get year() { return this.wall.getUTCFullYear(); }
  get month() { return this.wall.getUTCMonth() + 1; }
  get day() { return this.wall.getUTCDate(); }
  get hour() { return this.wall.getUTCHours(); }
  get minute() { return this.wall.getUTCMinutes(); }
  get second() { return this.wall.getUTCSeconds(); }
  get millisecond() { return this.wall.getUTCMilliseconds(); }
  get weekday() { return this.wall.getUTCDay() || 7; }
  get weekdayLong() { return DAYS[this.weekday - 1]; }
  get weekdayShort() { return this.weekdayLong.slice(0, 3); }
  get monthLong() { return MONTHS[this.month - 1]; }
  get monthShort() { return this.monthLong.slice(0, 3); }
  get ordinal() { return Math.floor((this.ms - this.startOf('year').ms) / 864e5) + 1; }
  get weekNumber() {
    const thursday = this.plus({ days: 4 - this.weekday });
    return Math.ceil(thursday.ordinal / 7);
  }
  get daysInMonth() { return new Date(Date.UTC(this.year, this.month, 0)).getUTCDate(); }
  get isValid() { return !Number.isNaN(this.ms); }
  get ts() { return this.ms; }
  #moved(given, unit, sign) {
    const wanted = span(given, unit);
    const at = new Date(this.wall);
    Object.entries(wanted).forEach(([name, amount]) => {
      const months = { months: 1, quarters: 3, years: 12 }[plural(name)];
      if (months) {
        const day = at.getUTCDate();
        at.setUTCDate(1);
        at.setUTCMonth(at.getUTCMonth() + sign * amount * months);
        at.setUTCDate(Math.min(day, new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1, 0)).getUTCDate()));
      } else at.setTime(at.getTime() + sign * amount * LENGTHS[plural(name)]);
    });
    return new DateTime(instant(at.getTime(), this.zoneName), this.zoneName);
  }
  plus(given, unit) { return this.#moved(given, unit, 1); }
  minus(given, unit) { return this.#moved(given, unit, -1); }
  set(parts) {
    const own = { year: this.year, month: this.month, day: this.day, hour: this.hour, minute: this.minute,
      second: this.second, millisecond: this.millisecond };
    return DateTime.fromObject({ ...own, ...parts }, { zone: this.zoneName });
  }
  startOf(unit) {
    const kind = unit.replace(/s$/, '');
    if (kind === 'week') return this.startOf('day').minus({ days: this.weekday - 1 });
    const order = ['year', 'month', 'day', 'hour', 'minute', 'second', 'millisecond'];
    if (kind === 'quarter') return this.set({ month: this.month - ((this.month - 1) % 3) }).startOf('month');
    const parts = Object.fromEntries(order.slice(0, order.indexOf(kind) + 1).map((name) => [name, this[name]]));
    return DateTime.fromObject(parts, { zone: this.zoneName });
  }
  endOf(unit) { return this.startOf(unit).plus({ [plural(unit)]: 1 }).minus({ milliseconds: 1 }); }
  setZone(zone) { return new DateTime(this.ms, zone); }
  toUTC() { return this.setZone('UTC'); }
  toLocal() { return this.setZone(zoneNow); }
  setLocale() { return this; }
  toLocaleString() { return this.toFormat('M/d/yyyy'); }
  diff(other, unit = 'milliseconds') {
    const units = [unit].flat().map(plural);
    let rest = this.ms - new DateTime(+other).ms;
    const found = {};
    units.forEach((name, at) => {
      const exact = rest / (LENGTHS[name] ?? { months: 2629746e3, quarters: 7889238e3, years: 31556952e3 }[name]);
      found[name] = at === units.length - 1 ? exact : Math.trunc(exact);
      rest -= found[name] * (LENGTHS[name] ?? 0);
    });
    return { ...found, as: (name) => (this.ms - new DateTime(+other).ms) / LENGTHS[plural(name)], toObject: () => found };
  }
  diffNow(unit) { return this.diff(DateTime.now(), unit); }
  diffTo(other, unit = 'days') { return new DateTime(+other).diff(this, unit)[plural(unit)]; }
  toMillis() { return this.ms; }
  toSeconds() { return this.ms / 1e3; }
  toUnixInteger() { return Math.floor(this.ms / 1e3); }
  valueOf() { return this.ms; }
  toJSDate() { return new Date(this.ms); }
  toFormat(format) {
    const hours = this.hour % 12 || 12;
    const tokens = { yyyy: this.year, y: this.year, yy: two(this.year % 100), MMMM: this.monthLong, LLLL: this.monthLong,
      MMM: this.monthShort, LLL: this.monthShort, MM: two(this.month), LL: two(this.month), M: this.month, L: this.month,
      dd: two(this.day), d: this.day, HH: two(this.hour), H: this.hour, hh: two(hours), h: hours, mm: two(this.minute),
      m: this.minute, ss: two(this.second), s: this.second, SSS: two(this.millisecond, 3), a: this.hour < 12 ? 'AM' : 'PM',
      cccc: this.weekdayLong, EEEE: this.weekdayLong, ccc: this.weekdayShort, EEE: this.weekdayShort, c: this.weekday,
      E: this.weekday, ZZ: this.offsetText, ZZZ: this.offsetText.replace(':', ''), W: this.weekNumber,
      WW: two(this.weekNumber), o: this.ordinal, ooo: two(this.ordinal, 3), x: this.ms, X: Math.floor(this.ms / 1e3),
      q: Math.ceil(this.month / 3), z: this.zoneName };
    return format.replace(/'([^']*)'|([A-Za-z])\2*/g, (token, plain) => plain ?? tokens[token] ?? token);
  }
  format(format) { return this.toFormat(format); }
  get offsetText() {
    const minutes = shift(this.zoneName, this.ms);
    return `${minutes < 0 ? '-' : '+'}${two(Math.floor(Math.abs(minutes) / 60))}:${two(Math.abs(minutes) % 60)}`;
  }
  toISO() {
    const zone = /^utc$/i.test(this.zoneName) ? 'Z' : this.offsetText;
    return `${this.toFormat("yyyy-MM-dd'T'HH:mm:ss.SSS")}${zone}`;
  }
  toISODate() { return this.toFormat('yyyy-MM-dd'); }
  toISOTime() { return this.toISO().slice(11); }
  toString() { return this.toISO(); }
  toJSON() { return this.toISO(); }
}
const luxon = { DateTime };
const $now = DateTime.now(), $today = $now.startOf('day');
String.prototype.toDateTime = function toDateTime() { return DateTime.fromISO(String(this)); };
Number.prototype.toDateTime = function toDateTime() { return DateTime.fromMillis(Number(this)); };
Date.prototype.toDateTime = function toDateTime() { return DateTime.fromJSDate(this); };
