// Numbers and dates as languages write them.
const language = (locale) => [locale].flat()[0] ?? 'en-US';
const marks = (locale) => (/^(?:de|es|it|nl|pt|id|tr|da|el)/.test(locale) ? ['.', ','] : /^(?:fr|sv|nb|fi|cs|pl|ru|uk)/.test(locale)
  ? ['\u00a0', ','] : [',', '.']);
const localNumber = (number, locale, options = {}) => {
  const least = options.minimumFractionDigits ?? (options.style === 'currency' ? 2 : 0);
  const most = Math.max(least, options.maximumFractionDigits ?? (options.style === 'currency' ? 2 : options.style === 'percent' ? 0 : 3));
  const [group, point] = marks(language(locale));
  const [whole, part = ''] = Math.abs(options.style === 'percent' ? number * 100 : number).toFixed(most).split('.');
  const digits = part.replace(/0+$/, '').padEnd(least, '0');
  const grouped = options.useGrouping === false ? whole : whole.replace(/\B(?=(\d{3})+$)/g, group);
  const text = grouped + (digits ? point + digits : '');
  const symbol = { USD: '$', EUR: '€', GBP: '£', JPY: '¥', INR: '₹', BRL: 'R$' }[options.currency] ?? `${options.currency} `;
  const shown = options.style === 'currency' ? (point === ',' ? `${text}\u00a0${symbol.trim()}` : symbol + text)
    : options.style === 'percent' ? `${text}%` : text;
  return number < 0 ? `-${shown}` : shown;
};
const CODES = { weekday: { long: '%A', short: '%a' }, year: { numeric: '%Y', '2-digit': '%y' }, hour: { numeric: '%-I', '2-digit': '%I' },
  month: { long: '%B', short: '%b', numeric: '%-m', '2-digit': '%m' }, day: { numeric: '%-d', '2-digit': '%d' } };
const dayFirst = (locale) => /^(?:en-(?:GB|AU|NZ|IN|IE)|de|fr|es|it|nl|pt|ru|pl|tr|id|vi|da|nb|fi|cs|uk|el)/.test(locale);
const dateFormat = (locale, options) => {
  const part = (name) => CODES[name][options[name]];
  if (!options.weekday && !options.year && !options.month && !options.day) {
    if (/^(?:sv|lt)|^en-CA/.test(locale)) return '%Y-%m-%d';
    if (/^(?:ja|zh)/.test(locale)) return '%Y/%-m/%-d';
    if (/^(?:de|ru|pl|tr|nb|fi|cs|uk)/.test(locale)) return '%-d.%-m.%Y';
    if (/^nl/.test(locale)) return '%-d-%-m-%Y';
    return dayFirst(locale) ? (/^(?:es|it|vi|el)/.test(locale) ? '%-d/%-m/%Y' : '%d/%m/%Y') : '%-m/%-d/%Y';
  }
  const inWords = ['long', 'short'].includes(options.month);
  const pieces = [part('month'), part('day'), part('year')].filter(Boolean);
  if (!inWords) return [part('weekday'), (dayFirst(locale) ? [part('day'), part('month'), part('year')].filter(Boolean) : pieces).join('/')]
    .filter(Boolean).join(', ');
  if (dayFirst(locale)) return [part('weekday'), [part('day'), part('month'), part('year')].filter(Boolean).join(' ')].filter(Boolean).join(', ');
  const day = [part('month'), part('day')].filter(Boolean).join(' ');
  return [part('weekday'), [day, part('year')].filter(Boolean).join(part('day') ? ', ' : ' ')].filter(Boolean).join(', ');
};
const timeFormat = (locale, options) => {
  const half = options.hour12 ?? !(dayFirst(locale) || /^(?:ja|zh|sv)/.test(locale));
  const seconds = options.second || !(options.hour || options.minute) ? ':%S' : '';
  return half && options.hourCycle !== 'h23' ? `${options.hour === '2-digit' ? '%I' : '%-I'}:%M${seconds} %p` : `%H:%M${seconds}`;
};
const localDate = (date, format, locale, options) =>
  filters.date(date.toISOString(), format, options.timeZone ?? input.zone ?? 'UTC', language(locale).slice(0, 2));
const hasTime = (options) => options.hour || options.minute || options.second;
const hasDate = (options) => options.weekday || options.year || options.month || options.day;
Number.prototype.toLocaleString = function toLocaleString(locale, options) { return localNumber(Number(this), locale, options); };
Date.prototype.toLocaleDateString = function toLocaleDateString(locale, options = {}) {
  const day = dateFormat(language(locale), options);
  return localDate(this, hasTime(options) ? `${day}, ${timeFormat(language(locale), options)}` : day, locale, options);
};
Date.prototype.toLocaleTimeString = function toLocaleTimeString(locale, options = {}) {
  return localDate(this, timeFormat(language(locale), options), locale, options);
};
Date.prototype.toLocaleString = function toLocaleString(locale, options = {}) {
  const day = hasDate(options) || !hasTime(options) ? dateFormat(language(locale), options) : '';
  const time = hasTime(options) || !hasDate(options) ? timeFormat(language(locale), options) : '';
  return localDate(this, [day, time].filter(Boolean).join(', '), locale, options);
};
const Intl = {
  NumberFormat: function NumberFormat(locale, options) {
    return { format: (number) => localNumber(Number(number), locale, options), resolvedOptions: () => ({ locale, ...options }) };
  },
  DateTimeFormat: function DateTimeFormat(locale, options = {}) {
    const zone = options.timeZone ?? input.zone ?? 'UTC';
    const written = (date) => (hasTime(options) ? date.toLocaleString(locale, options) : date.toLocaleDateString(locale, options));
    return { format: (date) => written(new Date(date ?? Date.now())), resolvedOptions: () => ({ locale, ...options, timeZone: zone }) };
  },
};
