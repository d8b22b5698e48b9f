// Texts in the reader's language: the page carries those that scripts show. English ones are as they are written.

const catalogue = JSON.parse(document.getElementById("texts")?.textContent || "{}");
const plurals = new Intl.PluralRules(document.documentElement.lang);

// Names in a text are `%(name)s`.
export function gettext(text, values = {}) {
  return filled(catalogue[text] ?? text, values);
}

export function ngettext(one, many, count, values = {}) {
  const forms = catalogue[one] ?? { one, other: many };
  return filled(forms[plurals.select(count)] ?? forms.other, { count, ...values });
}

function filled(text, values) {
  return text.replace(/%\((\w+)\)s/g, (_, name) => values[name]);
}
